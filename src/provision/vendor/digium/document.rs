//! The elements of a phone's file, by their places.

use std::collections::BTreeMap;

use serde::Serialize;

use super::firmware::check_firmwares;
use super::name::{Choice, List, Name, Part};
use super::options::{Directive66, Place};
use super::preprovision::is_small;
use super::values::{check_setting, is_secret, unwritable};
use crate::phone::{Settings, Transport};
use crate::provision::{Inputs, Line, RenderError};

/// An attribute.
#[derive(Clone, Debug, Serialize)]
struct Attribute<'a> {
    name: &'a str,
    value: String,
}

/// An element's attributes, in their order.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Element<'a>(Vec<Attribute<'a>>);

/// Firmware for one network, or for all.
#[derive(Debug, Serialize)]
struct Group<'a> {
    network: Option<u16>,
    firmwares: Vec<Element<'a>>,
}

/// An `<account>`.
#[derive(Debug, Default, Serialize)]
struct AccountElement<'a> {
    itself: Element<'a>,
    primary: Element<'a>,
    alternate: Element<'a>,
    permissions: Vec<Element<'a>>,
}

/// What a template is given.
#[derive(Debug, Serialize)]
pub(super) struct Context<'a> {
    model: &'a str,
    mac: String,
    site: &'a str,
    settings: Vec<Element<'a>>,
    networks: Vec<Element<'a>>,
    firmwares: Vec<Group<'a>>,
    public_firmwares: Vec<Element<'a>>,
    accounts: Vec<AccountElement<'a>>,
    contacts: Vec<Element<'a>>,
    smart_blf: Vec<Element<'a>>,
    tones: Vec<Element<'a>>,
    alerts: Vec<Element<'a>>,
    codecs: Vec<Element<'a>>,
    multicastpages: Vec<Element<'a>>,
    appconfigs: Vec<Element<'a>>,
}

/// The elements while they are gathered.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    settings: BTreeMap<(&'a str, Option<u16>), Element<'a>>,
    networks: BTreeMap<u16, Element<'a>>,
    firmwares: BTreeMap<Option<u16>, BTreeMap<&'a str, Element<'a>>>,
    public_firmwares: BTreeMap<(&'a str, u16), Element<'a>>,
    accounts: BTreeMap<u8, AccountElement<'a>>,
    items: BTreeMap<(List, &'a str, Option<u16>), Element<'a>>,
    /// The one directive that phones may be sent.
    pub(super) dpma: Option<&'a str>,
    /// Whether secrets were left out.
    pub(super) withheld: bool,
}

impl<'a> Element<'a> {
    fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    fn set(&mut self, name: &'a str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|attribute| attribute.name == name) {
            Some(attribute) => attribute.value = value,
            None => self.0.push(Attribute { name, value }),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|attribute| attribute.name == name).map(|its| its.value.as_str())
    }
}

impl<'a> Document<'a> {
    /// A setting for all networks, made from a directive or an account.
    pub(super) fn make(&mut self, id: &'a str, value: impl Into<String>) {
        self.setting(id, None).set("value", value);
    }

    fn setting(&mut self, id: &'a str, network: Option<u16>) -> &mut Element<'a> {
        self.settings.entry((id, network)).or_insert_with(|| {
            let element = Element::default().with("id", id);
            match network {
                Some(network) => element.with("network_id", network.to_string()),
                None => element,
            }
        })
    }

    /// Puts an account in.
    pub(super) fn account(&mut self, line: &Line<'a>) -> Result<(), RenderError> {
        let account = line.account;
        super::render::check_account(account, line.password)?;
        let index = account.line.checked_sub(1).ok_or(RenderError::Line(0))?;
        if self.accounts.contains_key(&index) {
            return Err(RenderError::Line(account.line));
        }
        let or = |text: &'a str, other: &'a str| if text.is_empty() { other } else { text };
        let name = or(&account.display_name, &account.user);
        let mut itself = Element::default()
            .with("index", index.to_string())
            .with("status", "1")
            .with("register", "1")
            .with("account_id", &*account.user)
            .with("username", &*account.user)
            .with("authname", or(&account.auth_user, &account.user));
        if let Some(password) = line.password {
            itself.set("password", password.expose());
        }
        itself.set("line_label", or(&account.label, name));
        itself.set("caller_id", name);
        itself.set("visual_voicemail", "0");
        if !account.voicemail.is_empty() {
            itself.set("voicemail", format!("sip:{}@{}", account.voicemail, account.server));
            itself.set("needMwiSubscription", "1");
        }
        if !account.outbound_proxy.is_empty() {
            let proxy = Place::parse(&account.outbound_proxy).map_err(|_| RenderError::Word {
                what: format!("the outbound proxy of line {}", account.line),
                problem: "write HOST or HOST:PORT",
            })?;
            itself.set("outbound_proxy", &*proxy.host);
            itself.set("outbound_port", proxy.port.unwrap_or(5060).to_string());
        }
        itself.set("conflict", "replace");
        let transport = match account.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        };
        let primary = Element::default()
            .with("server", &*account.server)
            .with("port", account.port.to_string())
            .with("transport", transport)
            .with("reregister", "300")
            .with("retry", "25");
        let element = AccountElement { itself, primary, ..AccountElement::default() };
        self.accounts.insert(index, element);
        Ok(())
    }

    /// Puts the firmware of a model in, unless the settings name one.
    pub(super) fn firmware(&mut self, model: &'a str, version: &str, url: String) {
        let said = self.firmwares.values().any(|models| models.contains_key(model));
        if !said && !model.is_empty() {
            let element = Element::default().with("model", model).with("version", version);
            self.firmwares.entry(None).or_default().insert(model, element.with("url", url));
        }
    }

    /// Puts an element of a list in, unless the settings name it.
    pub(super) fn item(&mut self, list: List, id: &'a str, attributes: Vec<(&'a str, String)>) {
        if self.items.contains_key(&(list, id, None)) {
            return;
        }
        let element = self.items.entry((list, id, None)).or_insert_with(|| start(list, id, None));
        for (name, value) in attributes {
            element.set(name, value);
        }
    }

    /// Puts settings in, which win over what is there. In the small file only
    /// those that may stand in it.
    pub(super) fn set_all(
        &mut self,
        settings: &'a Settings,
        secrets: bool,
        small: bool,
    ) -> Result<(), RenderError> {
        for (name, value) in settings {
            check_setting(name, value)?;
            let parsed = Name::parse(name)?;
            let wanted = match &parsed {
                Name::Setting { id, .. } | Name::Attribute { id, .. } => is_small(id),
                Name::Network { .. }
                | Name::Firmware { .. }
                | Name::PublicFirmware { .. }
                | Name::Choice(_) => true,
                Name::Account { .. } | Name::Item { .. } => false,
            };
            if small && !wanted {
                continue;
            }
            let is_login = matches!(&parsed, Name::Setting { id: "config_server_url", .. })
                && Place::parse(value).is_ok_and(|place| place.login.is_some());
            if (is_secret(name) || is_login) && !secrets {
                self.withheld = true;
                self.forget(&parsed);
                continue;
            }
            self.put(parsed, value);
        }
        Ok(())
    }

    /// Takes back what was made from a directive and is secret.
    fn forget(&mut self, name: &Name<'a>) {
        if let Name::Setting { id, network } = name {
            self.settings.remove(&(*id, *network));
        }
    }

    fn put(&mut self, name: Name<'a>, value: &'a str) {
        match name {
            Name::Setting { id, network } => self.setting(id, network).set("value", value),
            Name::Attribute { id, network, attribute } => {
                self.setting(id, network).set(attribute, value);
            }
            Name::Network { id, attribute } => {
                let new = || Element::default().with("id", id.to_string());
                self.networks.entry(id).or_insert_with(new).set(attribute, value);
            }
            Name::Firmware { model, network, attribute } => {
                let models = self.firmwares.entry(network).or_default();
                let new = || Element::default().with("model", model);
                models.entry(model).or_insert_with(new).set(attribute, value);
            }
            Name::PublicFirmware { model, place, attribute } => {
                let new = || Element::default().with("model", model);
                let entry = self.public_firmwares.entry((model, place));
                entry.or_insert_with(new).set(attribute, value);
            }
            Name::Account { index, part } => {
                let account = self.accounts.entry(index).or_insert_with(|| AccountElement {
                    itself: Element::default().with("index", index.to_string()),
                    ..AccountElement::default()
                });
                match part {
                    Part::Itself(word) => account.itself.set(word, value),
                    Part::Primary(word) => account.primary.set(word, value),
                    Part::Alternate(word) => account.alternate.set(word, value),
                    Part::Permission(id) => {
                        let permission = Element::default().with("id", id).with("value", value);
                        account.permissions.push(permission);
                    }
                }
            }
            Name::Item { list, id, network, attribute } => {
                let entry = self.items.entry((list, id, network));
                entry.or_insert_with(|| start(list, id, network)).set(attribute, value);
            }
            Name::Choice(Choice::AllowDpma) => {
                self.dpma = Directive66::parse(value).map(|_| value);
            }
            Name::Choice(Choice::ContactsForm) => {}
        }
    }

    /// Checks what only all settings together show: that each network is
    /// defined, each model has one firmware, each setting a value.
    pub(super) fn check(&self) -> Result<(), RenderError> {
        let incomplete = |problem: String| Err(RenderError::Incomplete(problem));
        for (id, network) in &self.networks {
            if network.get("cidr").is_none() {
                return incomplete(format!("network {id} has no addresses; set network/{id}/cidr"));
            }
        }
        for ((id, network), element) in &self.settings {
            if element.get("value").is_none() {
                return incomplete(format!("{id} has further attributes and no value; set {id}"));
            }
            self.defined(*network, id)?;
        }
        for (network, models) in &self.firmwares {
            let model = models.keys().next().copied().unwrap_or_default();
            self.defined(*network, &format!("firmware/{model}"))?;
        }
        for (_, id, network) in self.items.keys() {
            self.defined(*network, &format!("contacts/{id}"))?;
        }
        let all = self.firmwares.values().flatten().map(|(model, element)| (*model, element));
        let public = self.public_firmwares.iter().map(|((model, _), element)| (*model, element));
        check_firmwares(all.chain(public).map(|(model, element)| {
            let its = |name| element.get(name).unwrap_or_default();
            (model, its("version"), its("url"))
        }))
    }

    fn defined(&self, network: Option<u16>, name: &str) -> Result<(), RenderError> {
        match network.filter(|network| !self.networks.contains_key(network)) {
            None => Ok(()),
            Some(network) => Err(RenderError::Incomplete(format!(
                "{name} is for network {network}, which is not defined; set network/{network}/cidr"
            ))),
        }
    }

    /// What the template is given.
    pub(super) fn context(self, inputs: &Inputs<'a>) -> Context<'a> {
        let mut lists: BTreeMap<List, Vec<Element<'a>>> = BTreeMap::new();
        for ((list, ..), element) in self.items {
            lists.entry(list).or_default().push(element);
        }
        let mut list = |list| lists.remove(&list).unwrap_or_default();
        let group = |(network, models): (Option<u16>, BTreeMap<&'a str, Element<'a>>)| Group {
            network,
            firmwares: models.into_values().collect(),
        };
        Context {
            model: inputs.subject.model,
            mac: inputs.subject.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            site: inputs.site,
            settings: self.settings.into_values().collect(),
            networks: self.networks.into_values().collect(),
            firmwares: self.firmwares.into_iter().map(group).collect(),
            public_firmwares: self.public_firmwares.into_values().collect(),
            accounts: self.accounts.into_values().collect(),
            contacts: list(List::Contacts),
            smart_blf: list(List::SmartBlf),
            tones: list(List::Tone),
            alerts: list(List::Alert),
            codecs: list(List::Codec),
            multicastpages: list(List::MulticastPage),
            appconfigs: list(List::AppConfig),
        }
    }
}

/// A new element of a list.
fn start<'a>(list: List, id: &'a str, network: Option<u16>) -> Element<'a> {
    let element = Element::default();
    let element = match list {
        List::Alert => element.with("alert_info", id),
        // Its name says only the order.
        List::SmartBlf => element,
        _ => element.with("id", id),
    };
    match network {
        Some(network) => element.with("network_id", network.to_string()),
        None => element,
    }
}

/// Why a word of the inventory cannot stand in a file.
pub(super) fn check_word(what: impl FnOnce() -> String, value: &str) -> Result<(), RenderError> {
    match unwritable(value) {
        Some(problem) => Err(RenderError::Word { what: what(), problem }),
        None => Ok(()),
    }
}
