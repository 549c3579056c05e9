//! What is told of AudioCodes family, row by row.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::{Line as CfgLine, read};
use super::*;
use crate::device::Sealed;
use crate::phone::{Key, KeyKind, Mac, Settings, Transport};
use crate::provision::{AcsLogin, Directives, Firmware, Folders, Line, Templates};

const OWN: &str = include_str!("../../../../../tests/fixtures/audiocodes/00908F602AAC.cfg");
const PLAIN: &str = include_str!("../../../../../tests/fixtures/audiocodes/plain.cfg");

/// Everything that a file is made of.
struct House {
    settings: Settings,
    accounts: Vec<(Account, Option<Secret>)>,
    keys: Vec<Key>,
    directives: Directives,
    folders: Folders,
    firmware: Option<Firmware>,
    acs: Option<AcsLogin>,
    secrets: bool,
    templates: Templates,
    template: &'static str,
    model: &'static str,
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

fn key(position: u16, kind: KeyKind, value: &str, label: &str) -> Key {
    Key { position, kind, value: value.into(), label: label.into(), line: 1, pickup: "".into() }
}

impl House {
    fn empty() -> Self {
        Self {
            settings: Settings::new(),
            accounts: Vec::new(),
            keys: Vec::new(),
            directives: Directives::default(),
            folders: Folders::default(),
            firmware: None,
            acs: None,
            secrets: true,
            templates: Templates::default(),
            template: "",
            model: "440HD",
        }
    }

    fn full() -> Self {
        let mut first = account(1, "1001");
        first.auth_user = "auth-1001".into();
        first.display_name = "Anna; Reception".into();
        first.transport = Transport::Tls;
        first.port = 5061;
        first.outbound_proxy = "sbc.example.net:5071".into();
        first.voicemail = "*97".into();
        let mut second = Account { line: 3, user: "1003".into(), ..first.clone() };
        second.display_name = "".into();
        second.label = "Third".into();
        let mut settings = Settings::new();
        for (name, value) in [
            ("include/2", "https://files.example.net/site.cfg"),
            ("include/1", "global.cfg"),
            ("system/user_name", "admin"),
            ("voip/line/0/description", "Front desk"),
            ("unchecked/voip/answer_device", "HEADSET"),
            ("system/ldap/password", "{\"c2VhbGVk\"}"),
        ] {
            settings.insert(name.into(), value.into());
        }
        let folder = |scheme: &str| format!("{scheme}://files.example.net/p/token/");
        Self {
            settings,
            accounts: vec![
                (first, Some(Secret::new("s3cret=1"))),
                (second, Some(Secret::new("s3cret=3"))),
            ],
            keys: vec![
                key(1, KeyKind::Line, "", "Own"),
                key(2, KeyKind::SpeedDial, "0123456", "Taxi"),
                key(12, KeyKind::Blf, "1002", "Bert"),
            ],
            directives: Directives {
                ntp_server: Some("ntp.example.net".into()),
                time_zone: Some("+02:00".into()),
                language: Some("German".into()),
                admin_password: Some(Secret::new("s3cret-admin")),
                vlan: Some(5),
                interval: Some(6),
                firmware_file: Some("440HD_3.4.8.img".into()),
                ..Directives::default()
            },
            folders: Folders { http: folder("http"), https: folder("https"), this: folder("http") },
            firmware: Some(Firmware {
                version: "3.4.8".into(),
                name: "440HD_3.4.8.img".into(),
                sha256: "".into(),
                size: 1,
            }),
            acs: Some(AcsLogin {
                url: "https://acs.example.net:7548/".to_owned(),
                username: "00908F-440HD-00908F602AAC".to_owned(),
                password: Some(Secret::new("s3cret-acs")),
            }),
            ..Self::empty()
        }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    fn draft(&self) -> Result<Draft, RenderError> {
        let lines: Vec<Line<'_>> = self
            .accounts
            .iter()
            .map(|(account, password)| Line { account, password: password.as_ref() })
            .collect();
        let mac: Option<Mac> = "00908f602aac".parse().ok();
        let subject = Subject {
            mac,
            model: self.model,
            names: &[],
            template: self.template,
            directives: &self.directives,
        };
        let inputs = Inputs {
            subject,
            site: "office",
            settings: &self.settings,
            own: &self.settings,
            lines: &lines,
            keys: &self.keys,
            contacts: &[],
            folders: &self.folders,
            firmware: self.firmware.as_ref(),
            acs: self.acs.as_ref(),
            secrets: self.secrets,
            templates: &self.templates,
        };
        let wanted = FAMILY.files(&subject).pop().unwrap();
        FAMILY.render(&wanted, &inputs)
    }

    fn text(&self) -> String {
        String::from_utf8(self.draft().unwrap().body).unwrap()
    }

    fn error(&self) -> String {
        self.draft().unwrap_err().to_string()
    }
}

fn settings_of(text: &str) -> BTreeMap<String, String> {
    let lines = read(text.as_bytes()).unwrap();
    let set = |line: CfgLine<'_>| match line {
        CfgLine::Set { path, value } => Some((path.to_owned(), value.to_owned())),
        CfgLine::Include(_) => None,
    };
    lines.into_iter().filter_map(set).collect()
}

#[test]
fn a_phones_own_file_is_as_the_golden_one() {
    let house = House::full();
    assert_eq!(house.text(), OWN);
    let draft = house.draft().unwrap();
    assert_eq!((draft.media, draft.withheld), ("text/plain", false));
    assert_eq!(FAMILY.finish(&draft, "").unwrap(), OWN.as_bytes());
}

#[test]
fn what_anybody_could_read_has_no_secret_and_tells_where_there_are_some() {
    let house = House { secrets: false, ..House::full() };
    assert_eq!(house.text(), PLAIN);
    assert!(house.draft().unwrap().withheld);
    assert!(!PLAIN.contains("s3cret") && !PLAIN.contains("c2VhbGVk"));
    let url = "provisioning/configuration/url=https://files.example.net/p/token/00908F602AAC.cfg\n";
    assert!(PLAIN.contains(url) && !OWN.contains("provisioning/configuration/url"));
}

#[test]
fn settings_win_and_all_lines_that_have_no_account_are_off() {
    let text = House::empty().set("voip/line/2/enabled", "1").text();
    let settings = settings_of(&text);
    let enabled = |line: u8| settings.get(&format!("voip/line/{line}/enabled")).map(String::as_str);
    assert_eq!([0, 1, 2, 5, 6].map(enabled), [Some("0"), Some("0"), Some("1"), Some("0"), None]);
    assert!(text.starts_with("system/type=440HD\n"), "{text}");
    let eight = House { model: "450HD", ..House::empty() }.text();
    assert!(eight.contains("voip/line/7/enabled=0"), "{eight}");
}

#[test]
fn values_are_checked_for_the_model_before_a_file_is_served() {
    let error = House { model: "405HD", ..House::empty() }
        .set("personal_settings/functional_key/8/type", "VocaNom")
        .error();
    assert!(error.contains("takes one of"), "{error}");
    let error = House::empty().set("provisioning/firmware/url", &"x".repeat(129)).error();
    assert_eq!(error, "provisioning/firmware/url: takes at most 128 characters");
    let mut house = House::full();
    house.directives.language = Some("Klingon".into());
    assert!(house.error().starts_with("personal_settings/language: takes one of English"));
}

#[test]
fn one_server_for_all_lines() {
    let mut house = House::full();
    house.accounts.last_mut().unwrap().0.server = "other.example.net".into();
    assert!(house.error().starts_with("the server of line 3: "), "{}", house.error());
    let mut house = House::full();
    house.accounts.last_mut().unwrap().0.line = 1;
    assert_eq!(house.draft(), Err(RenderError::Line(1)));
}

#[test]
fn what_keys_cannot_do_is_told() {
    for (kind, position) in [(KeyKind::Dtmf, 1), (KeyKind::Url, 2), (KeyKind::Blf, 0)] {
        let mut house = House::empty();
        house.keys = vec![key(position, kind, "1", "")];
        assert!(house.error().starts_with(&format!("key {position}: ")), "{}", house.error());
    }
    let mut house = House::empty();
    house.keys = vec![key(99, KeyKind::Blf, "1", "")];
    assert!(house.error().contains("functional_key/98/type"), "{}", house.error());
}

#[test]
fn an_operators_template_takes_the_place_of_ours_and_is_checked_too() {
    let with = |source: &str| House {
        templates: Templates::with([("audiocodes/own.rows".to_owned(), source.to_owned())])
            .unwrap(),
        ..House::full()
    };
    let text = with("{% include 'shipped/audiocodes/own.rows' %}\n# more\nsystem/user_name=x\n")
        .set("system/user_name", "operator")
        .text();
    assert!(text.contains("system/user_name=operator\n") && text.contains("voip/line/0/id=1001"));
    assert!(with("voip/line/0/no_such=1\n").error().contains("is not known"));
    assert!(with("nonsense\n").error().contains("without `=`"));
    let named = House {
        templates: Templates::with([(
            "audiocodes/lobby.rows".to_owned(),
            "system/type=x\n".into(),
        )])
        .unwrap(),
        template: "lobby",
        ..House::empty()
    };
    assert_eq!(named.text(), "system/type=x\n");
}

#[test]
fn p07_hostile_words_stay_values_or_are_refused() {
    let hostile = "x\naccount.1.password=owned\r\ninclude http://evil/; y ]]> <a> {{ 7*7 }}";
    let mut house = House::full();
    house.accounts.first_mut().unwrap().0.display_name = hostile.into();
    house.accounts.first_mut().unwrap().0.label = hostile.into();
    house.keys.first_mut().unwrap().label = hostile.into();
    house.settings.remove("voip/line/0/description");
    let text = house.text();
    let lines = read(text.as_bytes()).unwrap();
    assert_eq!(text.lines().count(), OWN.lines().count(), "{text}");
    assert!(!lines.contains(&CfgLine::Include("http://evil/")));
    assert!(text.contains(
        "description=x account.1.password=owned  include http://evil/, y ]]> <a> {{ 7*7 }}"
    ));
    for bad in ["x\ninclude http://evil/", "a;b", " lead", "tail ", "a\u{2028}b"] {
        let mut house = House::full();
        house.accounts.first_mut().unwrap().1 = Some(Secret::new(bad));
        let error = house.error();
        assert!(error.starts_with("the password of line 1: ") && !error.contains(bad), "{error}");
        let mut house = House::full();
        house.accounts.first_mut().unwrap().0.user = bad.into();
        assert!(house.error().starts_with("the user of line 1: "));
        assert!(FAMILY.check_setting("system/user_name", bad).is_err());
        assert!(FAMILY.check_setting("unchecked/a/b", bad).is_err());
    }
    for bad in ["a b", "a\nb", "", "a;b"] {
        assert!(FAMILY.check_setting("include/1", bad).is_err(), "{bad}");
    }
    assert!(FAMILY.check_setting("include/x", "a").is_err());
    assert!(FAMILY.check_setting("include http://evil/x", "a").is_err());
}

#[test]
fn names_that_shared_layers_mean_for_these_phones() {
    for name in ["voip/line/0/id", "provisioning/period/type", "system/type"] {
        assert!(FAMILY.takes(name), "{name}");
    }
    for name in ["AUTOUPDATE/Flash Mode", "time_zone", "account/0/password", "voip"] {
        assert!(!FAMILY.takes(name), "{name}");
    }
}

#[test]
fn an_address_has_the_macros_of_option_160() {
    let directives = Directives::default();
    let subject =
        Subject { mac: None, model: "440HD", names: &[], template: "", directives: &directives };
    assert_eq!(FAMILY.address("http://h/p/t/", &subject), "http://h/p/t/;<MAC>.cfg");
    let house = House::full();
    let subject = Subject { directives: &house.directives, ..subject };
    assert_eq!(FAMILY.address("http://h/p/t/", &subject), "http://h/p/t/440HD_3.4.8.img;<MAC>.cfg");
}

#[test]
fn a_key_for_files_is_checked_and_used() {
    let ciphers = Ciphers::default();
    assert!(FAMILY.key("correct-horse").is_ok());
    assert!(FAMILY.key("short").is_err());
    let sealed =
        FAMILY.encrypt(&ciphers, &Secret::new("correct-horse"), OWN.as_bytes().to_vec()).unwrap();
    let opened =
        super::super::decrypt_cfx(ciphers.audiocodes, &Secret::new("correct-horse"), &sealed);
    assert_eq!(opened.unwrap(), OWN.as_bytes());
}

proptest! {
    #[test]
    fn whatever_is_taken_is_read_back_as_it_was(
        user in "\\PC{0,40}",
        label in "(?s).{0,40}",
        password in "[ -~]{0,20}",
    ) {
        let mut house = House::empty();
        let mut one = account(1, &user);
        one.label = label.into();
        house.accounts = vec![(one, Some(Secret::new(password.as_str())))];
        if let Ok(draft) = house.draft() {
            let settings = settings_of(&String::from_utf8(draft.body).unwrap());
            prop_assert_eq!(settings.get("voip/line/0/id"), Some(&user));
            prop_assert_eq!(settings.get("voip/line/0/auth_password"), Some(&password));
            prop_assert_eq!(settings.len(), 20);
        }
    }
}
