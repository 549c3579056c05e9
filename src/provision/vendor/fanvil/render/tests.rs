//! Golden files, and what hostile texts must not become.

use proptest::prelude::*;

use super::super::{Text, assemble};
use super::*;
use crate::device::Sealed;
use crate::phone::{Phone, Transport, Vendor};
use crate::provision::{Directives, Folders, Subject, Templates};

const COMMON_X6: &str = include_str!("../../../../../tests/fixtures/fanvil/common-x6.cfg");
const DEVICE_X6: &str = include_str!("../../../../../tests/fixtures/fanvil/device-x6.cfg");
const DEVICE_X4: &str =
    include_str!("../../../../../tests/fixtures/fanvil/device-x4-without-secrets.cfg");

fn settings(rows: &[(&str, &str)]) -> Settings {
    rows.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn site() -> Settings {
    settings(&[
        ("AUTOUPDATE/Flash Server IP", "http://acs.example.net:7567/p/$mac/"),
        ("AUTOUPDATE/Flash Protocol", "4"),
        ("AUTOUPDATE/Flash Mode", "2"),
        ("AUTOUPDATE/Flash Interval", "24"),
        ("AUTOUPDATE/DHCP Option", "66"),
        ("AUTOUPDATE/PNP Enable", "0"),
        ("FIRMWARE CHECK/Enable Auto Upgrade", "0"),
        ("MMI/Account1 Name", "admin"),
        ("MMI/Account1 Password", "s3cret-admin"),
        ("SIP Hotspot/Enable Hotspot", "0"),
    ])
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

fn phone(model: &str) -> Phone {
    let first = Account { display_name: "Änne O'Hara <1>".into(), ..account(1, "1001") };
    let third = Account {
        auth_user: "auth-1003".into(),
        server: "192.0.2.7".into(),
        port: 5080,
        ..account(3, "1003")
    };
    let mac = "0c383e07e16c".parse().unwrap();
    Phone {
        accounts: vec![first, third],
        settings: settings(&[
            ("DSSKEY/Fkey1 Type", "1"),
            ("DSSKEY/Fkey1 Value", "1002@1/bc"),
            ("DSSKEY/Fkey1 Title", "Berta"),
            ("DSSKEY/Memory Key Display", "1"),
            ("SIP/STUN Server", "stun.example.net:3478"),
            ("SIP/SIP1 Register TTL", "600"),
            ("TR069/Enable TR069", "1"),
            ("TR069/ACS URL", "http://acs.example.net:7547/"),
        ]),
        ..Phone::new(mac, Vendor::Fanvil, model, "hq", Sealed(Vec::new()))
    }
}

fn plainly(
    settings: &Settings,
    lines: &[Line<'_>],
    secrets: bool,
    form: VersionForm,
    scope: Scope,
) -> Result<String, RenderError> {
    let (directives, folders) = (Directives::default(), Folders::default());
    let inputs = Inputs {
        subject: Subject {
            mac: None,
            model: "",
            names: &[],
            template: "",
            directives: &directives,
        },
        site: "",
        settings,
        own: settings,
        lines,
        keys: &[],
        contacts: &[],
        folders: &folders,
        firmware: None,
        acs: None,
        secrets,
        templates: &Templates::default(),
    };
    Ok(configuration(&inputs, scope, Dialect::Text, form)?.body)
}

fn render_common(
    settings: &Settings,
    form: VersionForm,
    secrets: bool,
) -> Result<String, RenderError> {
    plainly(settings, &[], secrets, form, Scope::Common)
}

fn render(phone: &Phone, passwords: &[&str], secrets: bool) -> Result<String, RenderError> {
    let passwords: Vec<Secret> = passwords.iter().map(|text| Secret::new(*text)).collect();
    let lines: Vec<Line<'_>> = phone
        .accounts
        .iter()
        .zip(&passwords)
        .map(|(account, password)| Line { account, password: Some(password) })
        .collect();
    let form = VersionForm::of_model(&phone.model);
    plainly(&phone.settings, &lines, secrets, form, Scope::Own)
}

fn file(version: &str, body: &str) -> String {
    String::from_utf8(assemble(version, body).unwrap()).unwrap()
}

/// What a display name is in a row.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().take(64).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

#[test]
fn golden_common_file() {
    let x6 = common_file("X6").unwrap();
    let body = render_common(&site(), x6.form, true).unwrap();
    assert_eq!(file("2.0000000001", &body), COMMON_X6);
}

#[test]
fn golden_device_file() {
    let body = render(&phone("X6"), &["pa:ss word", "another"], true).unwrap();
    assert_eq!(file("2.0000000007", &body), DEVICE_X6);
}

#[test]
fn golden_device_file_of_an_older_model_without_secrets() {
    let body = render(&phone("X4"), &["pa:ss word", "another"], false).unwrap();
    assert_eq!(file("2.0003", &body), DEVICE_X4);
}

#[test]
fn without_secrets_the_common_file_has_none() {
    let body = render_common(&site(), VersionForm::of_model("X6"), false).unwrap();
    assert!(body.contains("Account1 Name") && !body.contains("s3cret"), "{body}");
}

#[test]
fn keys_that_name_a_secret_are_known() {
    for secret in [
        "MMI/Account1 Password",
        "AUTOUPDATE/Common Cfg File Key",
        "SIP/SIP1 Register Pswd",
        "SIP/SIP1 SigCrypto Key",
        "PHONE/Keypad Pin",
        "TR069/ACS Password",
        "TR069/CPE PASSWORD",
    ] {
        assert!(is_secret(secret), "{secret}");
    }
    for open in ["DSSKEY/Fkey1 Type", "DEBUG/Ping Address", "SIP/SIP1 Pickup Num", "PHONE/Key Tone"]
    {
        assert!(!is_secret(open), "{open}");
    }
}

#[test]
fn settings_win_over_accounts_and_keep_their_line_on() {
    let mut phone = phone("X6");
    phone.settings =
        settings(&[("SIP/sip1 register port", "5099"), ("SIP/SIP2 Phone Number", "9")]);
    let text = Text::read(file("2.1", &render(&phone, &["a", "b"], true).unwrap()).as_bytes());
    let text = text.unwrap();
    let value = |key| text.value("SIP CONFIG MODULE", key);
    assert_eq!(value("SIP1 Register Port"), Some("5099"));
    assert_eq!(value("SIP2 Phone Number"), Some("9"));
    assert_eq!(value("SIP2 Enable Reg"), None);
    assert_eq!(value("SIP4 Enable Reg"), Some("0"));
}

#[test]
fn lines_need_numbers_of_their_own() {
    for (one, two, wrong) in [(0, 1, 0), (2, 2, 2)] {
        let accounts = vec![account(one, "a"), account(two, "b")];
        let phone = Phone { accounts, ..phone("X6") };
        assert_eq!(render(&phone, &["a", "b"], true), Err(RenderError::Line(wrong)));
    }
}

#[test]
fn accounts_are_checked_before_they_are_taken() {
    let password = Secret::new("pass\nword");
    assert_eq!(check_account(&account(1, "1001"), None), Ok(()));
    assert!(check_account(&account(0, "1001"), None).is_err());
    assert!(check_account(&account(1, "10\r\n01"), None).is_err());
    let error = check_account(&account(1, "1001"), Some(&password)).unwrap_err().to_string();
    assert!(error.contains("Register Pswd") && !error.contains("word`"), "{error}");
}

#[test]
fn settings_that_would_become_something_else_are_refused() {
    for (name, value) in [
        ("Flash Mode", "1"),
        ("/Flash Mode", "1"),
        ("AUTOUPDATE/", "1"),
        ("AUTOUPDATE/A:B", "1"),
        ("AUTOUPDATE/<SIP CONFIG MODULE>", "1"),
        ("AUTOUPDATE/<<END OF FILE>>", "1"),
        ("AUTOUPDATE/--List--", "1"),
        ("AUTOUPDATE/## key", "1"),
        ("AUTO>\r\n<UPDATE/Flash Mode", "1"),
        ("AUTOUPDATE/Flash\nMode", "1"),
        ("AUTOUPDATE/Flash Mode", "1\r\nEvil:1"),
        ("AUTOUPDATE/Flash Mode", "1\u{2028}Evil:1"),
        ("AUTOUPDATE/Flash Mode", "1\0"),
        ("AUTOUPDATE/Schlüssel", "1"),
    ] {
        assert!(check_setting(name, value).is_err(), "{name:?}");
        let site = settings(&[(name, value)]);
        assert!(render_common(&site, VersionForm::of_model("X6"), true).is_err(), "{name:?}");
    }
    assert_eq!(check_setting("AUTOUPDATE/Flash Mode", "a:b <c> größer"), Ok(()));
}

proptest! {
    /// Whatever stands in an account, the file either is refused or reads back
    /// with the very rows that were meant, and no other (P7).
    #[test]
    fn no_text_becomes_a_row_of_its_own(
        display in "(?s)\\PC{0,8}[\\r\\n\u{85}\u{2028}\0]?(<<END OF FILE>>|<SIP CONFIG MODULE>|A:1)?\\PC{0,8}",
        user in "[a-z:<>\\r\\n]{0,8}",
        password in "(?s).{0,12}",
    ) {
        let account = Account {
            display_name: display.clone().into(), user: user.clone().into(), ..account(1, "")
        };
        let phone = Phone { accounts: vec![account], settings: Settings::new(), ..phone("X6") };
        if let Ok(body) = render(&phone, &[&password], true) {
            let text = Text::read(file("2.1", &body).as_bytes()).unwrap();
            prop_assert_eq!(text.modules.len(), 1);
            prop_assert_eq!(text.modules[0].rows.len(), 1 + 10 + 19);
            let value = |key| text.value("SIP CONFIG MODULE", key);
            prop_assert_eq!(value("SIP1 Phone Number"), Some(&*user));
            prop_assert_eq!(value("SIP1 Register Pswd"), Some(&*password));
            prop_assert_eq!(value("SIP1 Display Name"), Some(&*one_line(&display)));
        } else {
            let broken = |text: &str| text.chars().any(|c| c.is_control() || "\u{2028}\u{2029}".contains(c));
            prop_assert!(broken(&user) || broken(&password));
        }
    }
}
