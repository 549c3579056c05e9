//! Phone, accounts, keys and layers into the files of a phone.

use md5::Digest as _;
use serde::Serialize;

use super::document::{Document, check_word};
use super::name::List;
use super::names::{blf_name, contacts_name};
use super::options::Directive66;
use super::preprovision::{missing, must_repeat};
use super::xml::{Tag, XmlError, read};
use crate::device::Secret;
use crate::phone::{Account, Contact, Key, KeyKind};
use crate::provision::{Inputs, RenderError};

/// A file and what became of its secrets.
#[derive(Debug)]
pub(super) struct Made {
    /// The file.
    pub(super) text: String,
    /// Whether a secret was left out.
    pub(super) withheld: bool,
}

/// A group of contacts.
#[derive(Debug, Serialize)]
struct Group<'a> {
    name: &'a str,
    id: usize,
    contacts: Vec<ContactContext<'a>>,
}

/// A contact.
#[derive(Debug, Serialize)]
struct ContactContext<'a> {
    id: String,
    name: &'a str,
    number: &'a str,
    /// Empty if nothing is watched.
    subscribe_to: String,
    /// What picks a ringing call up; empty if nothing does.
    pickup: String,
}

/// What the template of the contacts is given.
#[derive(Debug, Serialize)]
struct Contacts<'a> {
    form: &'a str,
    account_id: &'a str,
    groups: Vec<Group<'a>>,
}

/// A key.
#[derive(Debug, Serialize)]
struct KeyContext {
    index: u16,
    contact_id: String,
    watched: bool,
    pickup: bool,
}

/// What the template of the keys is given.
#[derive(Debug, Serialize)]
struct Keys {
    keys: Vec<KeyContext>,
}

/// Checks an account before it is taken into the inventory.
pub(super) fn check_account(
    account: &Account,
    password: Option<&Secret>,
) -> Result<(), RenderError> {
    let line = account.line;
    if line == 0 {
        return Err(RenderError::Line(0));
    }
    let what = |word: &'static str| move || format!("the {word} of line {line}");
    check_word(what("user"), &account.user)?;
    check_word(what("user for authentication"), &account.auth_user)?;
    check_word(what("password"), password.map(Secret::expose).unwrap_or_default())?;
    check_word(what("server"), &account.server)?;
    check_word(what("outbound proxy"), &account.outbound_proxy)?;
    check_word(what("voice mail number"), &account.voicemail)
}

/// Makes the complete file of a phone.
pub(super) fn own(inputs: &Inputs<'_>) -> Result<Made, RenderError> {
    let directives = inputs.subject.directives;
    let mut document = from_directives(inputs);
    // Whoever opens the secrets leaves passwords out already.
    document.withheld =
        !inputs.secrets && (!inputs.lines.is_empty() || directives.admin_password.is_some());
    if let Some(password) = directives.admin_password.as_ref().filter(|_| inputs.secrets) {
        document.make("login_password", password.expose());
    }
    for line in inputs.lines {
        document.account(line)?;
    }
    document.set_all(inputs.settings, inputs.secrets, false)?;
    firmware(&mut document, inputs);
    let folder = &inputs.folders.this;
    if let Some(mac) = inputs.subject.mac.filter(|_| !folder.is_empty()) {
        if has_contacts(inputs) {
            let md5 = hex::encode(md5::Md5::digest(contacts(inputs)?.text));
            let url = format!("{folder}{}", contacts_name(mac));
            document.item(List::Contacts, "internal", vec![("url", url), ("md5", md5)]);
        }
        if watches(inputs).next().is_some() {
            let url = format!("{folder}{}", blf_name(mac));
            document.item(List::SmartBlf, "1", vec![("url", url)]);
        }
    }
    let https = &inputs.folders.https;
    if document.withheld && !https.is_empty() && document.dpma.is_none() {
        document.make("config_server_url", https.as_str());
    }
    let made = finish(document, inputs, "own.xml", true)?;
    let tags = tags(&made.text)?;
    repeats(inputs, &tags)?;
    Ok(made)
}

/// Makes the small file, which sends phones to their complete ones. There is
/// never an account or a secret in it.
pub(super) fn small(inputs: &Inputs<'_>) -> Result<Made, RenderError> {
    let mut document = from_directives(inputs);
    document.set_all(inputs.settings, false, true)?;
    firmware(&mut document, inputs);
    finish(document, inputs, "own.xml", false)
}

/// What the directives say in one word and these phones in their own.
fn from_directives<'a>(inputs: &Inputs<'a>) -> Document<'a> {
    let directives = inputs.subject.directives;
    let mut document = Document::default();
    if let Some(vlan) = directives.vlan {
        let mode = if vlan == 0 { "NONE" } else { "MANUAL" };
        document.make("network_vlan_discovery_mode", mode);
        document.make("network_vlan_id", vlan.to_string());
    }
    let own = inputs.subject.mac.is_some();
    for (id, value) in [
        ("ntp_server", &directives.ntp_server),
        ("time_zone", &directives.time_zone),
        ("locale", &directives.language),
    ] {
        if let Some(value) = value.as_ref().filter(|_| own) {
            document.make(id, &**value);
        }
    }
    if directives.ntp_server.is_some() && own {
        document.make("time_source", "ntp");
    }
    document
}

fn firmware<'a>(document: &mut Document<'a>, inputs: &Inputs<'a>) {
    if let Some(firmware) = inputs.firmware.filter(|_| !inputs.folders.this.is_empty()) {
        let url = format!("{}{}", inputs.folders.this, firmware.name);
        document.firmware(inputs.subject.model, &firmware.version, url);
    }
}

/// Renders a document and reads it back.
fn finish<'a>(
    mut document: Document<'a>,
    inputs: &Inputs<'a>,
    shipped: &str,
    own: bool,
) -> Result<Made, RenderError> {
    let (dpma, withheld) = (document.dpma, document.withheld);
    if let Some(directive) = dpma {
        document.make("config_server_url", directive);
    }
    document.check()?;
    let template = match inputs.subject.template {
        name if name.contains('/') && own => name.to_owned(),
        name if !name.is_empty() && own => format!("digium/{name}.xml"),
        _ => format!("digium/{shipped}"),
    };
    let text = inputs.templates.render(&template, document.context(inputs))?;
    for value in tags(&text)?.iter().flat_map(|tag| &tag.attributes).map(|(_, value)| value) {
        if Directive66::is_one(value) && dpma != Some(value.as_str()) {
            return Err(RenderError::Incomplete(format!(
                "{template} would hand the phone over to a DPMA or Switchvox; if that is wanted, set allow_dpma to that address"
            )));
        }
    }
    Ok(Made { text, withheld })
}

fn tags(text: &str) -> Result<Vec<Tag>, RenderError> {
    read(text, "config").map_err(incomplete)
}

fn incomplete(error: XmlError) -> RenderError {
    RenderError::Incomplete(error.to_string())
}

/// Checks that a complete file says what the small one of the same layers says
/// and must not fall back.
fn repeats(inputs: &Inputs<'_>, complete: &[Tag]) -> Result<(), RenderError> {
    let plain = inputs.settings.keys().filter(|name| !name.contains('/'));
    let said = plain.map(|name| match name.split_once('@') {
        Some((id, network)) => (id, Some(network)),
        None => (&**name, None),
    });
    let by_directive = ["network_vlan_discovery_mode", "network_vlan_id"]
        .into_iter()
        .filter(|_| inputs.subject.directives.vlan.is_some())
        .map(|id| (id, None));
    missing(said.chain(by_directive).filter(|(id, _)| must_repeat(id)), complete)
}

/// The keys that stand for a contact.
fn watches<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = &'a Key> {
    inputs.keys.iter().filter(|key| key.kind != KeyKind::Line)
}

fn has_contacts(inputs: &Inputs<'_>) -> bool {
    (inputs.subject.directives.phonebook && !inputs.contacts.is_empty())
        || watches(inputs).next().is_some()
}

/// Makes the contacts of a phone.
pub(super) fn contacts(inputs: &Inputs<'_>) -> Result<Made, RenderError> {
    let form = inputs.settings.get("contacts_form").map_or("actions", |form| form);
    let mut groups: Vec<Group<'_>> = Vec::new();
    let book = if inputs.subject.directives.phonebook { inputs.contacts } else { &[] };
    for (at, Contact { name, number, group }) in book.iter().enumerate() {
        let group = if group.is_empty() { "Default" } else { group };
        let id = format!("c{}", at + 1);
        let (subscribe_to, pickup) = (String::new(), String::new());
        let contact = ContactContext { id, name, number, subscribe_to, pickup };
        match groups.iter_mut().find(|known| known.name == group) {
            Some(known) => known.contacts.push(contact),
            None => groups.push(Group { name: group, id: groups.len(), contacts: vec![contact] }),
        }
    }
    let watched =
        watches(inputs).map(|key| key_contact(key, inputs)).collect::<Result<Vec<_>, _>>()?;
    if !watched.is_empty() {
        groups.push(Group { name: "Keys", id: groups.len(), contacts: watched });
    }
    let account_id = inputs.lines.first().map_or("", |line| &*line.account.user);
    let context = Contacts { form, account_id, groups };
    let text = inputs.templates.render("digium/contacts.xml", context)?;
    read(&text, "phonebooks").map_err(incomplete)?;
    Ok(Made { text, withheld: false })
}

fn key_contact<'a>(key: &'a Key, inputs: &Inputs<'a>) -> Result<ContactContext<'a>, RenderError> {
    let bad = |problem| RenderError::Word { what: format!("key {}", key.position), problem };
    if matches!(key.kind, KeyKind::Dtmf | KeyKind::Url) {
        return Err(bad("Digium phones have keys for lines, speed dial, lamp fields and parking"));
    }
    if key.position == 0 {
        return Err(bad("keys are counted from 1"));
    }
    let line = inputs.lines.iter().find(|line| line.account.line == key.line);
    let line = line.or_else(|| inputs.lines.first());
    let watched = matches!(key.kind, KeyKind::Blf | KeyKind::Park);
    let subscribe_to = match line.filter(|_| watched) {
        Some(line) => format!("sip:{}@{}", key.value, line.account.server),
        None => String::new(),
    };
    let pickup = match &*key.pickup {
        "" => String::new(),
        code => format!("{code}{}", key.value),
    };
    let name = if key.label.is_empty() { &key.value } else { &key.label };
    Ok(ContactContext { id: contact_id(key), name, number: &key.value, subscribe_to, pickup })
}

fn contact_id(key: &Key) -> String {
    format!("key-{}", key.position)
}

/// Makes the keys of a phone.
pub(super) fn blf(inputs: &Inputs<'_>) -> Result<Made, RenderError> {
    let mut keys = Vec::new();
    for key in watches(inputs) {
        key_contact(key, inputs)?;
        keys.push(KeyContext {
            index: key.position.saturating_sub(1),
            contact_id: contact_id(key),
            watched: matches!(key.kind, KeyKind::Blf | KeyKind::Park),
            pickup: !key.pickup.is_empty(),
        });
    }
    let text = inputs.templates.render("digium/blf.xml", Keys { keys })?;
    tags(&text)?;
    Ok(Made { text, withheld: false })
}
