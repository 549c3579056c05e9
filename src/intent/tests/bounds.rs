//! Whatever a tree holds, an answer comes, and what it asks for is there.

use proptest::prelude::*;

use super::*;
use crate::intent::{AbilityItem, FieldWord};
use crate::param::Param;

/// Names that mean something, with values that make sense, lead elsewhere or in
/// circles.
const WORDS: &[(&str, &[&str])] = &[
    ("WiFi.Radio.1.OperatingFrequencyBand", &["2.4GHz", "5GHz", "", "7GHz"]),
    ("WiFi.Radio.1.Channel", &["6", "36"]),
    ("WiFi.Radio.1.AutoChannelEnable", &["true", "0"]),
    ("WiFi.Radio.2.OperatingFrequencyBand", &["5GHz", "6GHz"]),
    ("WiFi.Radio.2.SupportedFrequencyBands", &["2.4GHz,5GHz"]),
    ("WiFi.SSID.1.SSID", &["a", ""]),
    ("WiFi.SSID.1.Enable", &["1", "false", "perhaps"]),
    ("WiFi.SSID.1.LowerLayers", &["{}WiFi.Radio.1.", "{}WiFi.SSID.2", "{}WiFi.SSID.1.", "", "x"]),
    ("WiFi.SSID.2.SSID", &["b"]),
    (
        "WiFi.SSID.2.LowerLayers",
        &["{}WiFi.SSID.1.", "{}WiFi.Radio.2,{}WiFi.Radio.1.", "{}Nowhere."],
    ),
    ("WiFi.SSID.2.Alias", &["guest", "cpe-2"]),
    ("WiFi.AccessPoint.1.SSIDReference", &["{}WiFi.SSID.1.", "{}WiFi.AccessPoint.1.", ""]),
    ("WiFi.AccessPoint.1.Security.KeyPassphrase", &["", "secretsecret"]),
    ("WiFi.AccessPoint.1.Security.ModeEnabled", &["None", "WPA2-Personal", "Odd"]),
    ("WiFi.AccessPoint.1.Security.ModesSupported", &["None,WPA2-Personal", "", ","]),
    ("WiFi.AccessPoint.2.SSIDReference", &["{}WiFi.SSID.2", "{}WiFi.SSID.9."]),
    ("WiFi.AccessPoint.2.Security.KeyPassphrase", &[""]),
    ("WiFi.AccessPoint.[x].SSIDReference", &["{}WiFi.SSID.1."]),
    ("PPP.Interface.1.Username", &["u"]),
    ("PPP.Interface.1.Password", &[""]),
    ("PPP.Interface.2.Username", &["v"]),
    ("PPP.Interface.2.Enable", &["1", "0"]),
    ("Ethernet.VLANTermination.1.VLANID", &["7", "x"]),
    ("Ethernet.VLANTermination.1.LowerLayers", &["{}Ethernet.VLANTermination.1.", ""]),
    ("DNS.Client.Server.", &[""]),
    ("DNS.Client.Server.1.DNSServer", &["192.0.2.9"]),
    ("DHCPv4.Server.Pool.1.DNSServers", &["192.0.2.1, 192.0.2.2", ""]),
    ("DHCPv4.Server.Pool.1.Interface", &["{}IP.Interface.1", ""]),
    ("IP.Interface.1.IPv4Address.1.IPAddress", &["10.0.0.1"]),
    ("Time.NTPServer1", &["a.example", ""]),
    ("Time.NTPServer2", &["b.example"]),
    ("Time.Client.1.Servers", &["c.example"]),
    ("Users.User.1.Username", &["admin", "", "support"]),
    ("Users.User.1.Password", &[""]),
    ("Users.User.2.Username", &["admin", "x"]),
    ("Users.User.2.Password", &[""]),
    ("LANDevice.1.WLANConfiguration.1.SSID", &["t"]),
    ("LANDevice.1.WLANConfiguration.1.Channel", &["0", "6", "36"]),
    ("LANDevice.1.WLANConfiguration.1.KeyPassphrase", &[""]),
    ("LANDevice.1.WLANConfiguration.5.SSID", &["f"]),
    ("LANDevice.1.WLANConfiguration.5.Channel", &["0", "36", "junk"]),
    ("LANDevice.1.WLANConfiguration.5.Standard", &["n", "a,n,ac", "b"]),
    ("LANDevice.2.WLANConfiguration.1.SSID", &["z"]),
    ("LANDevice.1.LANHostConfigManagement.DNSServers", &["192.0.2.7"]),
    ("WANDevice.1.WANConnectionDevice.2.WANPPPConnection.3.Username", &["w"]),
    ("WANDevice.1.WANConnectionDevice.2.WANPPPConnection.3.X_HW_VLAN", &["5"]),
    ("WANDevice.1.WANConnectionDevice.2.WANIPConnection.1.X_ZTE-COM_VLANID", &["6"]),
    ("WANDevice.1.WANConnectionDevice.2.WANIPConnection.1.X_ZTE-COM_VLANEnable", &["0", "false"]),
    ("Services.VoiceService.1.VoiceProfile.1.Line.1.Enable", &["Disabled", "Odd"]),
    ("Services.VoiceService.1.VoiceProfile.1.Line.1.SIP.AuthUserName", &["l"]),
    ("Services.VoiceService.1.VoiceProfile.1.SIP.RegistrarServer", &[""]),
    (
        "Services.VoiceService.1.CallControl.Line.1.Provider",
        &["{}Services.VoiceService.1.SIP.Client.1"],
    ),
    ("Services.VoiceService.1.SIP.Client.1.AuthUserName", &["c"]),
    (
        "Services.VoiceService.1.SIP.Client.1.Network",
        &["{}Services.VoiceService.1.SIP.Client.1", ""],
    ),
    ("UserInterface.RemoteAccess.Enable", &["true", "Enabled"]),
    ("ManagementServer.PeriodicInformInterval", &["300", "-"]),
];

const WISHES: &[&str] = &[
    r#"{"intent":"wifi","name":"New"}"#,
    r#"{"intent":"wifi","band":"2.4GHz","name":"New","enabled":false}"#,
    r#"{"intent":"wifi","band":"5GHz","password":"12345678"}"#,
    r#"{"intent":"wifi","band":"5GHz","channel":44}"#,
    r#"{"intent":"wifi","network":"guest","name":"New"}"#,
    r#"{"intent":"wifi","network":2,"security":"wpa2","password":"12345678"}"#,
    r#"{"intent":"pppoe","username":"new","password":"new"}"#,
    r#"{"intent":"pppoe","connection":2,"username":"new"}"#,
    r#"{"intent":"vlan","id":99}"#,
    r#"{"intent":"dns","lan":"198.51.100.1"}"#,
    r#"{"intent":"dns","wan":"198.51.100.1,198.51.100.2"}"#,
    r#"{"intent":"dns","lan":"198.51.100.1","wan":"198.51.100.2"}"#,
    r#"{"intent":"time","servers":"n.example"}"#,
    r#"{"intent":"admin-password","password":"new"}"#,
    r#"{"intent":"admin-password","user":"support","password":"new"}"#,
    r#"{"intent":"sip","user":"new","enabled":true}"#,
    r#"{"intent":"sip","registrar":"new.example"}"#,
    r#"{"intent":"lan","address":"10.9.9.9"}"#,
    r#"{"intent":"remote-access","enabled":false}"#,
    r#"{"intent":"inform","interval":77}"#,
];

/// A tree of some of the words.
fn trees() -> impl Strategy<Value = (&'static str, Tree)> {
    let entry = (0..WORDS.len(), any::<u8>(), prop::option::weighted(0.8, any::<bool>()), 0..8_u8);
    let root = prop::sample::select(vec!["Device.", "InternetGatewayDevice."]);
    (root, prop::collection::vec(entry, 0..60)).prop_map(|(root, entries)| {
        let mut tree = Tree::new();
        for (word, value, writable, read) in entries {
            let (name, values) = WORDS[word];
            let name = path(&format!("{root}{name}"));
            for (at, _) in name.as_str().match_indices('.') {
                if writable.is_some() {
                    tree.learn_name(&path(&name.as_str()[..=at]), true, NOW);
                }
            }
            let text = values[usize::from(value) % values.len()].replace("{}", root);
            let value = (read > 0 && !name.is_object()).then(|| typed(&text));
            tree.insert(name, Param { value, writable, read_at: NOW });
        }
        (root, tree)
    })
}

/// What a field of a row is told to be.
fn told<'a>(
    items: &'a [AbilityItem],
    which: &[(&'static str, String)],
    field: &FieldWord,
) -> Option<&'a str> {
    let item = items.iter().find(|item| item.which == *which)?;
    let ability = item.fields.iter().find(|one| one.field == field)?;
    ability.value.as_deref()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn what_is_asked_for_is_there_and_comes_true(
        (root, mut tree) in trees(),
        wish in prop::sample::select(WISHES.to_vec()),
        whole in any::<bool>(),
    ) {
        let intent = Intent::from_json(&serde_json::from_str(wish).unwrap()).unwrap();
        let seen = Known { whole, ..known(root, &tree) };
        match Ways::core().resolve(&intent, &seen, source()) {
            Answer::NotSupported(answer) => prop_assert!(!answer.why.is_empty()),
            Answer::Unclear(answer) => prop_assert!(answer.choices.len() > 1),
            Answer::NotKnownYet(answer) => {
                prop_assert!((1..=32).contains(&answer.paths.len()));
                for path in &answer.paths {
                    // It is an object, or a parameter whose value is not known.
                    prop_assert!(path.as_str().starts_with(root));
                    prop_assert!(path.is_object() || tree.value(path.as_str()).is_none());
                }
            }
            Answer::Wanted(resolution) => {
                let desired = &resolution.desired;
                prop_assert!(!desired.is_empty() && desired.values.len() < 64);
                for one in &desired.values {
                    let there = tree.get(one.path.as_str());
                    prop_assert!(there.is_some(), "{} is not there", one.path);
                    prop_assert!(there.unwrap().writable != Some(false), "{}", one.path);
                }
                for table in &desired.tables {
                    prop_assert_eq!(tree.get(&table.table).unwrap().writable, Some(true));
                }
                apply(&mut tree, desired);
                let seen = Known { whole, ..known(root, &tree) };
                let after = Ways::core().ability(intent.word(), &seen);
                for touched in &resolution.touched {
                    let wanted = intent.get(touched.field.name).unwrap();
                    let found = told(&after.items, &touched.which, touched.field);
                    let found = found.unwrap_or("(nothing)");
                    let is_there = match desired.tables.is_empty() {
                        true => found == wanted,
                        false => wanted.split(',').all(|one| found.split(',').any(|it| it == one))
                            || found == wanted,
                    };
                    prop_assert!(is_there, "{} is {found}, not {wanted}", touched.field.name);
                }
            }
        }
        let seen = Known { whole, ..known(root, &tree) };
        let abilities = Ways::core().abilities(&seen);
        prop_assert_eq!(abilities.len(), crate::intent::INTENTS.len());
    }

    #[test]
    fn no_json_is_more_than_refused(text in "\\PC{0,60}", field in "[a-z_]{1,9}") {
        let value = serde_json::json!({"intent": "wifi", field: text});
        let _ = Intent::from_json(&value);
        let _ = Intent::from_json(&serde_json::Value::String(text.clone()));
        let _ = Ways::read(&text);
    }
}

#[test]
fn references_in_circles_and_endless_tables_end_in_an_answer() {
    let circle = tree(
        "Device.WiFi.SSID.1.SSID = a
        Device.WiFi.SSID.1.LowerLayers = Device.WiFi.SSID.2.
        Device.WiFi.SSID.2.LowerLayers = Device.WiFi.SSID.1.,Device.WiFi.SSID.2.
        Device.WiFi.AccessPoint.1.SSIDReference = Device.WiFi.SSID.1.",
    );
    let answer = ask(r#"{"intent":"wifi","name":"x"}"#, &known("Device.", &circle));
    assert!(matches!(answer, Answer::NotSupported(_)), "{answer:?}");

    let rows = (0..60_000).map(|row| {
        let reference = path(&format!("Device.WiFi.AccessPoint.{row}.SSIDReference"));
        (reference, Param { value: Some(Value::string("Device.WiFi.SSID.1.")), ..Param::default() })
    });
    let mut endless = Tree::from_entries(rows);
    endless.learn_value(&path("Device.WiFi.SSID.1.SSID"), Value::string("a"), NOW);
    let seen = known("Device.", &endless);
    let Answer::NotSupported(answer) = ask(r#"{"intent":"wifi","name":"x"}"#, &seen) else {
        panic!("too many rows")
    };
    assert!(answer.why.contains("too many rows"), "{answer}");
    assert_eq!(Ways::core().abilities(&seen)[0].items.len(), 0);
}
