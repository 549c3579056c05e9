//! Whole files, from the inventory to the bytes.

use proptest::prelude::*;

use super::super::{Tag, check_repeats, read};
use super::*;
use crate::device::Sealed;
use crate::phone::{Contact, Key, KeyKind, Settings, Transport};
use crate::provision::{Directives, Firmware, Folders, Line, Templates};

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/fixtures/digium/", $name))
    };
}

/// Everything that a file is made of.
struct House {
    settings: Settings,
    accounts: Vec<(Account, Option<Secret>)>,
    keys: Vec<Key>,
    contacts: Vec<Contact>,
    directives: Directives,
    folders: Folders,
    firmware: Option<Firmware>,
    secrets: bool,
    templates: Templates,
    template: &'static str,
}

fn account(line: u8, user: &str) -> Account {
    Account {
        line,
        user: user.into(),
        auth_user: "".into(),
        password: Sealed(Vec::new()),
        display_name: "".into(),
        server: "pbx.example.net".into(),
        port: 5060,
        transport: Transport::Udp,
        outbound_proxy: "".into(),
        voicemail: "".into(),
        label: "".into(),
    }
}

fn key(position: u16, kind: KeyKind, value: &str, label: &str, pickup: &str) -> Key {
    let (value, label, pickup) = (value.into(), label.into(), pickup.into());
    Key { position, kind, value, label, line: 1, pickup }
}

fn contact(name: &str, number: &str, group: &str) -> Contact {
    Contact { name: name.into(), number: number.into(), group: group.into() }
}

impl House {
    fn empty() -> Self {
        Self {
            settings: Settings::new(),
            accounts: Vec::new(),
            keys: Vec::new(),
            contacts: Vec::new(),
            directives: Directives::default(),
            folders: Folders::default(),
            firmware: None,
            secrets: true,
            templates: Templates::default(),
            template: "",
        }
    }

    fn full() -> Self {
        let mut first = account(1, "1001");
        first.auth_user = "auth-1001".into();
        first.display_name = "Anna <Reception> & \"Co\"".into();
        first.transport = Transport::Tls;
        first.port = 5061;
        first.outbound_proxy = "sbc.example.net:5071".into();
        first.voicemail = "*97".into();
        let second = account(2, "1002");
        let mut house = Self {
            accounts: vec![
                (first, Some(Secret::new("s3cret<1>"))),
                (second, Some(Secret::new("s3cret2"))),
            ],
            keys: vec![
                key(1, KeyKind::Line, "", "", ""),
                key(2, KeyKind::SpeedDial, "0123456", "Taxi", ""),
                key(3, KeyKind::Blf, "1003", "Bert", "*8"),
            ],
            contacts: vec![contact("Carla", "1010", ""), contact("Dora", "1011", "Sales & more")],
            directives: Directives {
                ntp_server: Some("ntp.example.net".into()),
                time_zone: Some("Europe/Berlin".into()),
                language: Some("de_DE".into()),
                admin_password: Some(Secret::new("s3cret-admin")),
                vlan: Some(5),
                firmware_file: Some("2_9_27_D65_firmware.eff".into()),
                phonebook: true,
                ..Directives::default()
            },
            folders: Folders {
                http: "http://files.example.net/p/token/".to_owned(),
                https: "https://files.example.net/p/token/".to_owned(),
                this: "http://files.example.net/p/token/".to_owned(),
            },
            firmware: Some(Firmware {
                version: "2_9_27".into(),
                name: "2_9_27_D65_firmware.eff".into(),
                sha256: "".into(),
                size: 1,
            }),
            ..Self::empty()
        };
        for (name, value) in [
            ("enable_check_sync", "1"),
            ("logo_file", "user"),
            ("setting-attr/logo_file/path", "/user_image.png"),
            ("setting-attr/logo_file/md5", "126cd744583eeea1ab7e44ed8af3d39c"),
            ("network/1/display_name", "Internal"),
            ("network/1/cidr", "10.0.0.0/8"),
            ("network/3/display_name", "All"),
            ("network/3/cidr", "0.0.0.0/0"),
            ("network_vlan_id@1", "7"),
            ("network_vlan_discovery_mode@1", "MANUAL"),
            ("network_vlan_discovery_mode@3", "LLDP"),
            ("pc_vlan_id", "9"),
            ("firmware/D60@1/version", "2_9_20"),
            ("firmware/D60@1/url", "http://h/2_9_20_D60_firmware.eff"),
            ("public_firmware/D60/1/version", "2_9_20"),
            ("public_firmware/D60/1/url", "https://public/2_9_20_D60_firmware.eff"),
            ("account/0/dial_plan", "x.T3|*x.T3"),
            ("account/0/host_alternate/server", "backup.example.net"),
            ("account/0/host_alternate/port", "5061"),
            ("account/0/permission/record_own_calls", "0"),
            ("account/1/caller_id", "Second"),
            ("account/1/passcode", "s3cret-code"),
            ("contacts/sales@3/url", "https://files.example.net/sales.xml"),
            ("codec/PCMA/priority", "255"),
            ("codec/G722/enabled", "0"),
            ("alert/answer/ringtone_id", "Digium"),
            ("alert/answer/ring_type", "answer"),
            ("tone/Bell/url", "http://files.example.net/bell.raw"),
            ("multicastpage/1/address", "239.0.0.1"),
            ("appconfig/queues/enabled", "1"),
        ] {
            house = house.set(name, value);
        }
        house
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    fn draft(&self, name: &str) -> Result<Draft, RenderError> {
        let lines: Vec<Line<'_>> = self
            .accounts
            .iter()
            .map(|(account, password)| {
                let password = password.as_ref().filter(|_| self.secrets);
                Line { account, password }
            })
            .collect();
        let subject = Subject {
            mac: "000fd3a1b2c3".parse().ok(),
            model: "D65",
            names: &[],
            template: self.template,
            directives: &self.directives,
        };
        let wanted = FAMILY.resolve(name, &subject).unwrap();
        let common = wanted.kind == Kind::Common;
        let inputs = Inputs {
            subject: if common { Subject { mac: None, ..subject } } else { subject },
            site: "office",
            settings: &self.settings,
            own: &self.settings,
            lines: if common { &[] } else { &lines },
            keys: if common { &[] } else { &self.keys },
            contacts: &self.contacts,
            folders: &self.folders,
            firmware: self.firmware.as_ref(),
            acs: None,
            secrets: self.secrets,
            templates: &self.templates,
        };
        FAMILY.render(&wanted, &inputs)
    }

    fn file(&self, name: &str) -> String {
        String::from_utf8(self.draft(name).unwrap().body).unwrap()
    }

    fn text(&self) -> String {
        self.file(OWN)
    }

    fn error(&self) -> String {
        self.draft(OWN).unwrap_err().to_string()
    }

    fn with_template(self, name: &str, source: &str) -> Self {
        let templates = Templates::with([(name.to_owned(), source.to_owned())]).unwrap();
        Self { templates, ..self }
    }
}

const OWN: &str = "000fd3a1b2c3.cfg";
const ZEROES: &str = "000000000000.cfg";
const CONTACTS: &str = "000fd3a1b2c3-contacts.xml";
const BLF: &str = "000fd3a1b2c3-blf.xml";

fn value<'a>(tags: &'a [Tag], id: &str, network: Option<&str>) -> Option<&'a str> {
    let its = |tag: &&Tag| tag.get("id") == Some(id) && tag.get("network_id") == network;
    tags.iter().filter(|tag| tag.name == "setting").find(its)?.get("value")
}

#[test]
fn all_files_are_as_the_golden_ones() {
    let house = House::full();
    assert_eq!(house.text(), golden!("000fd3a1b2c3.cfg"));
    assert_eq!(house.file(ZEROES), golden!("000000000000.cfg"));
    assert_eq!(house.file(CONTACTS), golden!("000fd3a1b2c3-contacts.xml"));
    assert_eq!(house.file(BLF), golden!("000fd3a1b2c3-blf.xml"));
    let plain = House { secrets: false, ..House::full() };
    assert_eq!(plain.text(), golden!("plain.cfg"));
    let older = House::full().set("contacts_form", "numbers");
    assert_eq!(older.file(CONTACTS), golden!("contacts-numbers.xml"));
    let draft = house.draft(OWN).unwrap();
    assert_eq!((draft.media, draft.withheld), ("text/xml", false));
}

#[test]
fn what_anybody_could_read_has_no_secret_and_tells_where_there_are_some() {
    let plain = House { secrets: false, ..House::full() };
    assert!(plain.draft(OWN).unwrap().withheld);
    let text = plain.text();
    assert!(!text.contains("s3cret"), "{text}");
    let tags = read(&text, "config").unwrap();
    let url = value(&tags, "config_server_url", None);
    assert_eq!(url, Some("https://files.example.net/p/token/"));
    // An address with a password in it is a secret too.
    let house =
        House { secrets: false, ..House::empty() }.set("config_server_url", "ftp://u:s3cret@h/");
    assert!(!house.text().contains("s3cret") && house.draft(OWN).unwrap().withheld);
}

#[test]
fn the_small_file_has_neither_accounts_nor_secrets() {
    let house = House::full()
        .set("config_server_url", "http://u:s3cret@h/")
        .set("config_server_url@1", "http://h/phones/")
        .set("login_password", "s3cret");
    let text = house.file(ZEROES);
    for no in ["s3cret", "account", "1001", "contacts", "codec", "enable_check_sync"] {
        assert!(!text.contains(no), "{no}: {text}");
    }
    let tags = read(&text, "config").unwrap();
    assert_eq!(value(&tags, "config_server_url", Some("1")), Some("http://h/phones/"));
    assert_eq!(value(&tags, "network_vlan_id", None), Some("5"));
    assert!(tags.iter().any(|tag| tag.get("version") == Some("2_9_27")));
}

#[test]
fn the_complete_file_repeats_what_must_not_fall_back() {
    let house = House::full();
    assert_eq!(check_repeats(&house.file(ZEROES), &house.text()), Ok(()));
    // An operator's template that forgets the VLAN is not served.
    let forgets = "<config>{% for a in accounts %}<account/>{% endfor %}</config>";
    let error = House::full().with_template("digium/own.xml", forgets).error();
    assert!(error.starts_with("the complete file must repeat network_vlan_discovery_mode, network_vlan_discovery_mode@1, "), "{error}");
}

#[test]
fn templates_of_the_operator_are_read_back() {
    let more =
        "{% extends 'shipped/digium/own.xml' %}{% block more %}<x y=\"{{ site }}\"/>{% endblock %}";
    let text = House::full().with_template("digium/own.xml", more).text();
    assert!(
        text.contains("<x y=\"office\"/>\n</config>")
            || text.contains("<x y=\"office\"/></config>"),
        "{text}"
    );
    for broken in ["", "<config>", "<other/>", "<config><a></config>", "<config>&nbsp;</config>"] {
        let error = House::empty().with_template("digium/own.xml", broken).error();
        assert!(error.contains("XML"), "{error}");
    }
    let named = House { template: "lobby", ..House::empty() };
    assert_eq!(named.with_template("digium/lobby.xml", "<config/>").text(), "<config/>");
}

#[test]
fn a_phone_is_handed_to_a_dpma_only_where_somebody_says_so() {
    let directive = "sip:proxy@pbx.example.net:5060;transport=udp";
    let text = House::empty().set("allow_dpma", directive).text();
    let tags = read(&text, "config").unwrap();
    assert_eq!(value(&tags, "config_server_url", None), Some(directive));
    assert!(!text.contains("allow_dpma"));
    let error = House::empty().set("config_server_url", directive).error();
    assert!(error.contains("write it as allow_dpma"), "{error}");
    let source = "<config><setting id=\"config_server_url\" value=\"sip:proxy@other\"/></config>";
    for house in [House::empty(), House::empty().set("allow_dpma", directive)] {
        let error = house.with_template("digium/own.xml", source).error();
        assert!(error.contains("hand the phone over"), "{error}");
    }
}

#[test]
fn firmware_that_would_load_for_ever_is_refused() {
    let mut house = House::full();
    house.firmware.as_mut().unwrap().version = "2_9_28".into();
    assert!(house.error().contains("carries the version 2_9_27, not 2_9_28"), "{}", house.error());
    let house = House::full()
        .set("firmware/D65@3/version", "2_9_26")
        .set("firmware/D65@3/url", "http://h/2_9_26_D65_firmware.eff")
        .set("firmware/D65@1/version", "2_9_25")
        .set("firmware/D65@1/url", "http://h/2_9_25_D65_firmware.eff");
    assert!(house.error().starts_with("firmware of D65: 2_9_25 and 2_9_26 are both named"));
    // What a setting names, wins over the directive.
    let house = House::full()
        .set("firmware/D65/version", "2_9_26")
        .set("firmware/D65/url", "http://h/2_9_26_D65_firmware.eff");
    assert!(!house.text().contains("2_9_27_D65"));
}

#[test]
fn what_only_all_settings_together_show() {
    let error = House::empty().set("network_vlan_id@4", "5").error();
    assert_eq!(error, "network_vlan_id is for network 4, which is not defined; set network/4/cidr");
    let error = House::empty().set("network/4/display_name", "x").error();
    assert_eq!(error, "network 4 has no addresses; set network/4/cidr");
    let error = House::empty().set("setting-attr/logo_file/path", "/x").error();
    assert_eq!(error, "logo_file has further attributes and no value; set logo_file");
    let mut house = House::full();
    house.accounts.last_mut().unwrap().0.line = 1;
    assert_eq!(house.draft(OWN), Err(RenderError::Line(1)));
}

#[test]
fn contacts_are_named_by_their_content() {
    let md5 = |house: &House| {
        let tags = read(&house.text(), "config").unwrap();
        let contacts = tags.into_iter().find(|tag| tag.get("id") == Some("internal"));
        contacts.and_then(|tag| tag.get("md5").map(str::to_owned))
    };
    let (one, mut other) = (House::full(), House::full());
    other.contacts.push(contact("Emil", "1012", ""));
    assert!(md5(&one).is_some() && md5(&one) != md5(&other));
    // Without a phone book and keys there are no contacts to fetch.
    let none = House { contacts: Vec::new(), keys: Vec::new(), ..House::full() };
    assert_eq!(md5(&none), None);
    assert!(!none.text().contains("smart_blf"));
    // Nor by a door without an address to name.
    let nowhere = House { folders: Folders::default(), ..House::full() };
    assert_eq!(md5(&nowhere), None);
}

#[test]
fn what_keys_cannot_do_is_told() {
    for (kind, position) in [(KeyKind::Dtmf, 1), (KeyKind::Url, 2), (KeyKind::Blf, 0)] {
        let house = House { keys: vec![key(position, kind, "1", "", "")], ..House::full() };
        assert!(house.error().starts_with(&format!("key {position}: ")), "{}", house.error());
        assert!(house.draft(BLF).is_err());
    }
}

#[test]
fn p07_hostile_words_stay_values() {
    let hostile = "\"/><account index=\"9\" password=\"owned\"/>]]>&#10;<!-- {{ 7*7 }} ; include x";
    let mut house = House::full()
        .set("idle_company_text", hostile)
        .set("account/0/line_label", hostile)
        .set("network/1/display_name", hostile);
    house.accounts.first_mut().unwrap().0.display_name = hostile.into();
    house.accounts.first_mut().unwrap().1 = Some(Secret::new(hostile));
    house.contacts.push(contact(hostile, hostile, hostile));
    house.keys.push(key(4, KeyKind::Blf, hostile, hostile, hostile));
    for (name, root) in
        [(OWN, "config"), (ZEROES, "config"), (CONTACTS, "phonebooks"), (BLF, "config")]
    {
        let tags = read(&house.file(name), root).unwrap();
        let accounts = tags.iter().filter(|tag| tag.name == "account");
        assert!(accounts.clone().count() <= 2, "{name}");
        assert!(tags.iter().all(|tag| tag.get("index") != Some("9")), "{name}");
        assert!(name != OWN || accounts.clone().any(|tag| tag.get("password") == Some(hostile)));
    }
    for bad in ["a\nb", "a\u{0}b", "a\u{1b}b", "a\u{fffe}b"] {
        let mut house = House::full();
        house.accounts.first_mut().unwrap().1 = Some(Secret::new(bad));
        let error = house.error();
        assert!(error.starts_with("the password of line 1: ") && !error.contains(bad), "{error}");
        assert!(FAMILY.check_setting("idle_company_text", bad).is_err());
    }
}

#[test]
fn names_that_shared_layers_mean_for_these_phones() {
    for name in ["time_zone", "network_vlan_id@1", "8021x_mode", "allow_dpma"] {
        assert!(FAMILY.takes(name), "{name}");
    }
    for name in ["network/1/cidr", "voip/line/0/id", "AUTOUPDATE/Flash Mode", "Time", "x y"] {
        assert!(!FAMILY.takes(name), "{name}");
    }
}

#[test]
fn there_is_no_encryption() {
    assert!(FAMILY.key(&"0f".repeat(32)).is_err());
    assert!(FAMILY.encrypt(&Ciphers::default(), &Secret::new("x"), Vec::new()).is_err());
}

proptest! {
    #[test]
    fn whatever_is_taken_is_read_back_as_it_was(
        user in "\\PC{0,40}",
        label in "(?s).{0,40}",
        password in "[ -~]{0,20}",
        text in "(?s).{0,40}",
    ) {
        let mut one = account(1, &user);
        one.label = label.clone().into();
        let mut house = House::empty();
        house.accounts = vec![(one, Some(Secret::new(password.as_str())))];
        if check_setting("idle_company_text", &text).is_ok() {
            house = house.set("idle_company_text", &text);
        }
        if let Ok(draft) = house.draft(OWN) {
            let tags = read(&String::from_utf8(draft.body).unwrap(), "config").unwrap();
            let account = tags.iter().find(|tag| tag.name == "account").unwrap();
            prop_assert_eq!(account.get("username"), Some(user.as_str()));
            prop_assert_eq!(account.get("password"), Some(password.as_str()));
            if let Some(its) = house.settings.get("idle_company_text") {
                prop_assert_eq!(value(&tags, "idle_company_text", None), Some(&**its));
            }
        }
    }
}
