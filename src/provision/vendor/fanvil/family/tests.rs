//! Golden files of every dialect, generation and kind, and what names mean.

use proptest::prelude::*;

use super::super::{Row, Text};
use super::*;
use crate::device::Sealed;
use crate::phone::{Contact, Key, KeyKind, Settings, Transport};
use crate::provision::{AcsLogin, AcsMode, Directives, Firmware, Folders, Line, Templates};

/// A phone with something of everything.
struct Desk {
    model: &'static str,
    accounts: Vec<Account>,
    keys: Vec<Key>,
    settings: Settings,
    own: Settings,
    contacts: Vec<Contact>,
    names: Vec<Box<str>>,
    template: &'static str,
    directives: Directives,
    folders: Folders,
    firmware: Firmware,
    acs: AcsLogin,
    password: Secret,
    secrets: bool,
    templates: Templates,
}

fn settings(rows: &[(&str, &str)]) -> Settings {
    rows.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn account(line: u8, display_name: &str) -> Account {
    Account {
        line,
        user: format!("100{line}").into(),
        auth_user: "".into(),
        password: Sealed(Vec::new()),
        display_name: display_name.into(),
        server: "pbx.example.net".into(),
        port: 5061,
        transport: Transport::Tls,
        outbound_proxy: "edge.example.net:5062".into(),
        voicemail: "*98".into(),
        label: "Anna".into(),
    }
}

fn key(position: u16, kind: KeyKind, value: &str, pickup: &str) -> Key {
    let label = format!("Key {position}").into();
    Key { position, kind, value: value.into(), label, line: 1, pickup: pickup.into() }
}

fn desk(model: &'static str) -> Desk {
    let directives = Directives {
        firmware_version: Some("2.12.1".into()),
        firmware_file: Some("x5.z".into()),
        acs: Some(AcsMode::Common),
        interval: Some(24),
        ntp_server: Some("ntp.example.net".into()),
        time_zone: Some("4 UTC+1".into()),
        language: Some("de".into()),
        admin_password: Some(Secret::new("adm<in>&")),
        vlan: Some(30),
        phonebook: true,
        ..Directives::default()
    };
    let own = [("SIP/SIP  Port", "5070"), ("AUTOUPDATE/PNP Enable", "0"), ("QOS/VLAN ID", "31")];
    Desk {
        model,
        accounts: vec![account(1, "Änne O'Hara <1> & ]]>")],
        keys: vec![
            key(1, KeyKind::Line, "", ""),
            key(2, KeyKind::SpeedDial, "1002", ""),
            key(3, KeyKind::Blf, "1003", "*8"),
            key(4, KeyKind::Blf, "1004", ""),
            key(5, KeyKind::Park, "701", ""),
            key(6, KeyKind::Dtmf, "1#", ""),
            key(7, KeyKind::Url, "http://intra.example.net/?a=1&b=2", ""),
        ],
        settings: settings(&own),
        own: settings(&own),
        contacts: Vec::new(),
        names: Vec::new(),
        template: "",
        directives,
        folders: Folders {
            http: "http://acs.example.net:7567/p/T/".into(),
            https: "https://acs.example.net:7568/p/T/".into(),
            this: "https://acs.example.net:7568/p/T/".into(),
        },
        firmware: Firmware {
            version: "2.12.1".into(),
            name: "x5.z".into(),
            sha256: "".into(),
            size: 0,
        },
        acs: AcsLogin {
            url: "https://acs.example.net:7548/".into(),
            username: "0c383e07e16c".into(),
            password: Some(Secret::new("cwmp-secret")),
        },
        password: Secret::new("pa:ss=word"),
        secrets: true,
        templates: Templates::default(),
    }
}

impl Desk {
    fn subject(&self) -> Subject<'_> {
        Subject {
            mac: "0c383e07e16c".parse().ok(),
            model: self.model,
            names: &self.names,
            template: self.template,
            directives: &self.directives,
        }
    }

    fn wanted(&self, name: &str) -> Option<Wanted> {
        FAMILY.resolve(name, &self.subject())
    }

    fn draft(&self, name: &str) -> Result<Draft, RenderError> {
        let lines: Vec<Line<'_>> = self
            .accounts
            .iter()
            .map(|account| Line { account, password: Some(&self.password) })
            .collect();
        let inputs = Inputs {
            subject: self.subject(),
            site: "hq",
            settings: &self.settings,
            own: &self.own,
            lines: &lines,
            keys: &self.keys,
            contacts: &self.contacts,
            folders: &self.folders,
            firmware: Some(&self.firmware),
            acs: Some(&self.acs),
            secrets: self.secrets,
            templates: &self.templates,
        };
        FAMILY.render(&self.wanted(name).unwrap(), &inputs)
    }

    fn file(&self, name: &str) -> String {
        let draft = self.draft(name).unwrap();
        let version = FAMILY.version(&draft, 7).unwrap();
        String::from_utf8(FAMILY.finish(&draft, &version).unwrap()).unwrap()
    }

    fn read(&self, name: &str) -> Text {
        Text::read_any(self.file(name).as_bytes()).unwrap()
    }
}

const MAC_CFG: &str = "0c383e07e16c.cfg";

/// Without blanks, because the newer XML leaves them out.
fn canonical(text: &Text) -> Vec<(String, String, String)> {
    let mut rows: Vec<_> = text
        .settings()
        .map(|(module, key, value)| {
            (module.to_owned(), key.replace([' ', '_'], ""), value.to_owned())
        })
        .collect();
    rows.sort();
    rows
}

#[test]
fn golden_files_of_every_dialect_and_generation() {
    for (model, dialect, golden) in [
        ("X6", Dialect::Text, include_str!("../../../../../tests/fixtures/fanvil/full-x6.cfg")),
        ("X6", Dialect::Xml, include_str!("../../../../../tests/fixtures/fanvil/full-x6.xml")),
        (
            "X6",
            Dialect::SysConf,
            include_str!("../../../../../tests/fixtures/fanvil/full-x6-sysconf.xml"),
        ),
        ("X4", Dialect::Text, include_str!("../../../../../tests/fixtures/fanvil/full-x4.cfg")),
        ("X4", Dialect::Xml, include_str!("../../../../../tests/fixtures/fanvil/full-x4.xml")),
    ] {
        let mut desk = desk(model);
        desk.directives.dialect = Some(dialect);
        let draft = desk.draft(MAC_CFG).unwrap();
        let media = if dialect == Dialect::Text { "text/plain" } else { "text/xml" };
        assert_eq!((draft.media, draft.withheld), (media, false));
        assert_eq!(desk.file(MAC_CFG), golden, "{model} {dialect:?}");
    }
}

#[test]
fn every_dialect_says_the_same() {
    for model in ["X6", "X4"] {
        let text = canonical(&desk(model).read(MAC_CFG));
        for dialect in [Dialect::Xml, Dialect::SysConf] {
            let mut desk = desk(model);
            desk.directives.dialect = Some(dialect);
            assert_eq!(canonical(&desk.read(MAC_CFG)), text, "{model} {dialect:?}");
        }
    }
}

#[test]
fn names_mean_files() {
    let mut desk = desk("X6");
    desk.names = vec!["1001".into(), "Reception".into()];
    let meant = |name: &str| desk.wanted(name).map(|wanted| (wanted.kind, wanted.name.to_string()));
    for (name, kind, known) in [
        (MAC_CFG, Kind::Own, MAC_CFG),
        ("0C383E07E16C.TXT", Kind::Own, "0c383e07e16c.txt"),
        ("0c383e07e16c.xml", Kind::Own, "0c383e07e16c.xml"),
        ("0c383e07e16c.boot", Kind::Side, "0c383e07e16c.boot"),
        ("F0V00X600000.cfg", Kind::Common, "F0V00X600000.cfg"),
        ("f0v00x600000.CFG", Kind::Common, "F0V00X600000.cfg"),
        ("1001", Kind::Own, "1001"),
        ("reception", Kind::Own, "Reception"),
        ("phonebook.xml", Kind::Common, "phonebook.xml"),
        ("fanvil_x6_hwv1_0.txt", Kind::Common, "fanvil_x6_hwv1_0.txt"),
        ("x5.z", Kind::Image, "x5.z"),
        ("X5.Z", Kind::Image, "x5.z"),
    ] {
        assert_eq!(meant(name), Some((kind, known.to_owned())), "{name}");
    }
    for name in ["F00000000000.cfg", "000000000000.cfg", "0c383e07e16d.cfg", "1002", "", "x6.z"] {
        assert_eq!(meant(name), None, "{name}");
    }
    desk.directives = Directives::default();
    for name in ["phonebook.xml", "fanvil_x6_hwv1_0.txt", "x5.z"] {
        assert_eq!(desk.wanted(name), None, "{name} says nothing");
    }
    let nobody = Subject { mac: None, ..desk.subject() };
    assert_eq!(FAMILY.resolve(MAC_CFG, &nobody), None);
    assert!(FAMILY.resolve("F0V00X600000.cfg", &nobody).is_some());
}

#[test]
fn only_configuration_files_are_encrypted() {
    let desk = desk("X6");
    for (name, encrypted) in [
        (MAC_CFG, true),
        ("0c383e07e16c.xml", true),
        ("F0V00X600000.cfg", true),
        ("0c383e07e16c.boot", false),
        ("phonebook.xml", false),
        ("fanvil_x6_hwv1_0.txt", false),
    ] {
        assert_eq!(FAMILY.encrypts(&desk.wanted(name).unwrap()), encrypted, "{name}");
    }
}

#[test]
fn a_phone_asks_for_these_files() {
    let mut desk = desk("X5U-V2");
    desk.names = vec!["1001".into()];
    let files = FAMILY.files(&desk.subject());
    let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
    let expected =
        ["F0V5UV200000.cfg", MAC_CFG, "1001", "fanvil_x5u_v2_hwv2_0.txt", "x5.z", "phonebook.xml"];
    assert_eq!(names, expected);
    for file in &files {
        assert_eq!(desk.wanted(&file.name).as_ref(), Some(file));
    }
}

#[test]
fn a_custom_name_and_an_unknown_model_get_everything() {
    let mut desk = desk("X6");
    desk.names = vec!["1001".into()];
    desk.settings.insert("LOG/Level".into(), "DEBUG".into());
    let has = |desk: &Desk, name| desk.read(name).value("LOG CONFIG MODULE", "Level").is_some();
    assert!(has(&desk, "1001") && !has(&desk, MAC_CFG));
    desk.model = "X9000";
    assert!(has(&desk, MAC_CFG));
}

#[test]
fn the_common_file_has_no_accounts_and_no_addresses_of_one_phone() {
    let text = desk("X6").file("F0V00X600000.cfg");
    for word in ["SIP1", "Fkey", "/p/T/"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("SNTP Server        :ntp.example.net"), "{text}");
}

#[test]
fn without_secrets_the_phone_is_told_where_it_gets_them() {
    let mut desk = desk("X6");
    (desk.secrets, desk.directives.interval) = (false, None);
    let draft = desk.draft(MAC_CFG).unwrap();
    assert!(draft.withheld);
    let text = desk.file(MAC_CFG);
    for secret in ["pa:ss=word", "adm<in>&", "cwmp-secret"] {
        assert!(!text.contains(secret), "{text}");
    }
    let read = desk.read(MAC_CFG);
    let value = |key| read.value("AUTOUPDATE CONFIG MODULE", key);
    assert_eq!(value("Flash Server IP"), Some("https://acs.example.net:7568/p/T"));
    assert_eq!(value("Flash Protocol"), Some("5"));
    desk.model = "X4";
    let read = desk.read(MAC_CFG);
    assert_eq!(read.value("AUTOUPDATE CONFIG MODULE", "Download Protocol"), Some("5"));
}

#[test]
fn the_boot_files_version_follows_the_phones_own_file() {
    let mut desk = desk("X6");
    let name = "0c383e07e16c.boot";
    let (one, again) = (desk.draft(name).unwrap(), desk.draft(name).unwrap());
    assert_eq!(one, again);
    desk.accounts[0].user = "2001".into();
    assert_ne!(one.body, desk.draft(name).unwrap().body);
    let golden = "Version=2.0000000007\r\n\
                  Config=https://acs.example.net:7568/p/T/0c383e07e16c.cfg\r\n";
    assert_eq!(desk.file(name), golden);
}

#[test]
fn a_phone_is_moved_to_cwmp_by_its_file_or_off_it() {
    let value = |mode, key| {
        let mut desk = desk("X6");
        desk.directives.acs = mode;
        desk.read(MAC_CFG).value("TR069 CONFIG MODULE", key).map(str::to_owned)
    };
    for (mode, kind, on) in [
        (Some(AcsMode::Common), Some("1"), "1"),
        (Some(AcsMode::Ctc), Some("0"), "1"),
        (Some(AcsMode::Off), None, "0"),
    ] {
        assert_eq!(value(mode, "ACS Server Type").as_deref(), kind);
        assert_eq!(value(mode, "Enable TR069").as_deref(), Some(on));
    }
    assert_eq!(value(None, "ACS Password").as_deref(), Some("cwmp-secret"));
}

#[test]
fn firmware_is_named_in_either_of_the_vendors_formats() {
    let mut desk = desk("X4");
    let value = |desk: &Desk, key| {
        desk.read(MAC_CFG).value("AUTOUPDATE CONFIG MODULE", key).map(str::to_owned)
    };
    let url = value(&desk, "Auto Image Url");
    assert_eq!(url.as_deref(), Some("http://acs.example.net:7567/p/T/x5.z"));
    desk.template = "image-server";
    for (key, expected) in [
        ("Auto Image Url", None),
        ("Auto Image Server", Some("http://acs.example.net:7567/p/T")),
        ("Auto Image Name", Some("x5.z")),
        ("Auto Image Version", Some("2.12.1")),
        ("Auto Image Protocol", Some("4")),
    ] {
        assert_eq!(value(&desk, key).as_deref(), expected, "{key}");
    }
}

#[test]
fn a_template_of_an_operator_takes_the_shipped_ones_place() {
    let mut desk = desk("X6");
    let own = |source: &str| {
        Templates::with([("fanvil/own.rows".to_owned(), source.to_owned())]).unwrap()
    };
    desk.templates = own("{% include \"shipped/fanvil/own.rows\" %}\nLOG/Level={{ site }}\n");
    let read = desk.read(MAC_CFG);
    assert_eq!(read.value("LOG CONFIG MODULE", "Level"), Some("hq"));
    assert_eq!(read.value("SIP CONFIG MODULE", "SIP1 Phone Number"), Some("1001"));
    for (source, words) in [
        ("LOG/Level\n", "row 1: there is no `=`"),
        ("\nLevel=1\n", "row 2: `Level` is no name of a setting"),
        ("LOG/Le{{ nothing }}=1\n", "line 1"),
    ] {
        desk.templates = own(source);
        let error = desk.draft(MAC_CFG).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("fanvil/own.rows"), "{error}");
    }
}

#[test]
fn a_transfer_to_an_old_phone_speaks_its_numbers() {
    let value = |model, key: &str| {
        desk(model).read(MAC_CFG).value("SIP CONFIG MODULE", key).map(str::to_owned)
    };
    assert_eq!(value("X4", "SIP1 Transport").as_deref(), Some("2"));
    assert_eq!(value("X6", "SIP1 Transport").as_deref(), Some("3"));
    assert_eq!(value("X6", "SIP1 Proxy Port").as_deref(), Some("5062"));
}

#[test]
fn a_cut_xml_file_is_never_taken() {
    for (model, dialect) in [("X4", Dialect::Xml), ("X6", Dialect::SysConf)] {
        let mut desk = desk(model);
        desk.directives.dialect = Some(dialect);
        let file = desk.file(MAC_CFG);
        let whole = file.trim_end().len();
        for cut in (0..whole).filter(|cut| file.is_char_boundary(*cut)) {
            assert!(Text::read_any(&file.as_bytes()[..cut]).is_err(), "{dialect:?} cut at {cut}");
        }
        assert!(Text::read_any(&file.as_bytes()[..whole]).is_ok());
    }
}

#[test]
fn xml_is_read_as_leniently_as_phones_do() {
    let file = "\u{feff}<?xml version='1.0'?>\n<!-- a comment -->\n<VOIP_CONFIG_FILE>\n\
                <version>2.0002</version>\n<PNP_Enable>0</PNP_Enable>\n<SIP_CONFIG_MODULE>\n\
                <SIP__Port>5060</SIP__Port><SIP_Line_List><SIP_Line_List_Entry><ID>SIP1</ID>\n\
                <Display_Name>A & B &#65;<![CDATA[<x>]]></Display_Name>\n\
                <Empty/></SIP_Line_List_Entry></SIP_Line_List></SIP_CONFIG_MODULE>\n<<END OF FILE>>\n";
    let text = Text::read_any(file.as_bytes()).unwrap();
    assert_eq!(&*text.version, "2.0002");
    let value = |key| text.value("SIP CONFIG MODULE", key);
    assert_eq!(value("SIP  Port"), Some("5060"));
    assert_eq!(value("SIP1 Display Name"), Some("A & B A<x>"));
    assert_eq!(value("SIP1 Empty"), Some(""));
}

#[test]
fn xml_that_asks_for_more_than_text_is_refused() {
    use super::super::TextError;
    let doctype = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><sysConf>\
                   <Version>2.1</Version><sip><A>&x;</A></sip></sysConf>";
    assert_eq!(Text::read_any(doctype.as_bytes()), Err(TextError::Doctype));
    let deep = format!("<sysConf><Version>2.1</Version>{}", "<a>".repeat(10_000));
    assert_eq!(Text::read_any(deep.as_bytes()), Err(TextError::TooLarge));
    let many =
        format!("<sysConf><Version>2.1</Version><sip>{}</sip></sysConf>", "<a/>".repeat(30_000));
    assert_eq!(Text::read_any(many.as_bytes()), Err(TextError::TooLarge));
    assert_eq!(Text::read_any(b"<html><body>404</body></html>"), Err(TextError::NoHead));
    assert!(matches!(Text::read_any(b"<sysConf></b>"), Err(TextError::Malformed(_))));
}

#[test]
fn keys_that_would_hide_each_other_are_refused_in_xml() {
    let mut desk = desk("X6");
    desk.own = settings(&[("LOG/A B", "1"), ("LOG/AB", "2"), ("LOG/A_B", "3")]);
    assert!(desk.draft(MAC_CFG).is_ok());
    for dialect in [Dialect::Xml, Dialect::SysConf] {
        desk.directives.dialect = Some(dialect);
        let error = desk.draft(MAC_CFG).unwrap_err().to_string();
        assert!(error.contains("XML element"), "{error}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let bad = prop::sample::select(vec![
        "\n",
        "\r\n",
        "]]>",
        "<",
        "&",
        "<<END OF FILE>>",
        "<SIP CONFIG MODULE>",
        "--a--:",
        "</PhoneNumber>",
        "&#10;",
        "\u{85}",
        "\u{2028}",
        "\0",
        "SIP/SIP9 Phone Number=1",
        "{{ 7 }}",
    ]);
    prop::collection::vec(prop_oneof![bad.prop_map(str::to_owned), "\\PC{0,6}"], 0..6)
        .prop_map(|parts| parts.concat())
}

proptest! {
    /// P7: what people write becomes no row and no element, in any dialect.
    #[test]
    fn p07_no_text_becomes_more_than_a_value(
        display in hostile(), label in hostile(), title in hostile(), number in hostile(),
    ) {
        for dialect in [Dialect::Text, Dialect::Xml, Dialect::SysConf] {
            let mut plain = desk("X6");
            plain.directives.dialect = Some(dialect);
            let names = |text: &Text| -> Vec<(String, String)> {
                canonical(text).into_iter().map(|(module, key, _)| (module, key)).collect()
            };
            let expected = names(&plain.read(MAC_CFG));
            let mut desk = plain;
            desk.accounts[0].display_name = display.clone().into();
            desk.accounts[0].label = format!("x{label}").into();
            desk.keys[1].label = title.clone().into();
            desk.keys[1].value = number.clone().into();
            // What XML cannot hold at all is refused there.
            if let Ok(draft) = desk.draft(MAC_CFG) {
                let file = FAMILY.finish(&draft, "2.1").unwrap();
                prop_assert_eq!(names(&Text::read_any(&file).unwrap()), expected);
            }
        }
    }

    /// Any settings survive writing and reading, or are refused.
    #[test]
    fn settings_survive_every_dialect(
        rows in prop::collection::btree_map(
            ("(SIP|DSSKEY|PHONE FEATURE|AUTOUPDATE|MMI|NEW THING)", "(SIP[1-9] |Fkey[0-9]{1,2} |Account1 |PNP |DHCP Option |XML-PBook2 |)[A-Za-z][A-Za-z0-9 .-]{0,10}[a-z0-9]"),
            "\\PC{0,20}", 0..12),
    ) {
        let own: Settings = rows
            .iter()
            .map(|((module, key), value)| (format!("{module}/{key}").into(), value.as_str().into()))
            .collect();
        let mut desk = desk("X6");
        (desk.accounts, desk.keys, desk.own) = (Vec::new(), Vec::new(), own);
        desk.directives = Directives::default();
        let Ok(_) = desk.draft(MAC_CFG) else { return Ok(()) };
        let expected = canonical(&desk.read(MAC_CFG));
        for dialect in [Dialect::Xml, Dialect::SysConf] {
            desk.directives.dialect = Some(dialect);
            if desk.draft(MAC_CFG).is_ok() {
                prop_assert_eq!(canonical(&desk.read(MAC_CFG)), expected.clone());
            }
        }
    }

    /// Any bytes are read or refused, and what was read can be written as text.
    #[test]
    fn any_document_is_read_or_refused(
        start in prop::sample::select(vec!["<sysConf>", "<VOIP_CONFIG_FILE><version>2.1</version>"]),
        rest in "(<[a-zA-Z_/]{1,5}( index=\"[0-9]{1,3}\")?>|[a-z&;\\]]{0,4}|<!\\[CDATA\\[){0,20}",
        end in prop::sample::select(vec!["", "</sysConf>", "<<END OF FILE>>"]),
    ) {
        if let Ok(text) = Text::read_any(format!("{start}{rest}{end}").as_bytes()) {
            let written = text.write().unwrap();
            let again = Text::read(&written).unwrap();
            prop_assert_eq!(again.settings().count(), text.settings().count());
        }
    }
}

#[test]
fn rows_are_counted_as_settings_and_lists_apart() {
    let text = desk("X6").read(MAC_CFG);
    let lists = text
        .modules
        .iter()
        .flat_map(|module| &module.rows)
        .filter(|row| matches!(row, Row::List(_)))
        .count();
    assert_eq!(lists, 7);
}
