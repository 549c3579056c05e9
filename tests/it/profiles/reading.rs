//! Profiles as people write them, and how wrong ones are refused.

use provost::device::OtherRows;
use provost::param::ValueType;
use provost::profile::{Drifting, Layer, MAX_PROFILE, Profile, Wish};

/// Everything that a profile can say.
pub(crate) const WHOLE: &str = r#"
name = "gold"
description = "What gold subscribers get"
enabled = true
layer = { tenant = "north" }
priority = 20
match = 'device.product_class == "HG100" && "gold" in tags'
drift = "report"

[parameters]
"Device.ManagementServer.PeriodicInformInterval" = 3600
"Device.Time.Enable" = true
"Device.Time.NTPServer1" = "ntp.example.net"
"Device.PPP.Interface.1.Username" = "{{ subscriber.pppoe_username }}"
"Device.Time.X_Braces" = { text = "{{ not an expression }}" }
"Device.WiFi.Radio.*.Channel" = { value = "{{ 6 }}", type = "unsignedInt" }
"Device.Time.X_When" = 2026-01-02T03:04:05Z
"Device.Time.X_Ratio" = 0.5
"Device.NAT.X_Rule" = { row = "web" }
"InternetGatewayDevice.ManagementServer.PeriodicInformInterval" = 3600

[attributes]
"Device.DeviceInfo.SoftwareVersion" = "active"
"Device.WiFi." = { notification = "passive", access_list = ["Subscriber"] }

[[tables]]
table = "Device.NAT.PortMapping."
keys = ["ExternalPort", "Protocol"]
others = "remove"
[[tables.rows]]
name = "web"
values = { ExternalPort = 80, Protocol = "TCP", InternalClient = "192.168.1.2" }

[[tables]]
table = "@web.X_Filter."
keys = ["Name"]
rows = [{ values = { Name = "a" } }, { absent = true, values = { Name = "b" } }]

[refresh]
"Device.WiFi." = "12h"
"Device.DeviceInfo.UpTime" = 300

[firmware]
version = "2.0"
file = "hg100-2.0.bin"

[tags]
set = ["managed"]
clear = ["new"]

[[intents]]
intent = "time"
servers = ["{{ subscriber.ntp }}", "ntp2.example.net"]
"#;

#[test]
fn a_profile_says_all_that_can_be_wanted() {
    let profile = Profile::parse(WHOLE).unwrap();
    assert_eq!(&*profile.name, "gold");
    assert_eq!(profile.layer, Layer::Tenant("north".into()));
    assert_eq!(
        (profile.priority, profile.enabled, profile.drift),
        (20, true, Some(Drifting::Report))
    );
    let wish = |path: &str| &profile.parameters[path];
    assert_eq!(wish("Device.ManagementServer.PeriodicInformInterval"), &Wish::Whole(3600));
    assert_eq!(wish("Device.Time.Enable"), &Wish::Bool(true));
    assert!(matches!(wish("Device.PPP.Interface.1.Username"), Wish::Template { kind: None, .. }));
    assert!(matches!(wish("Device.Time.X_Braces"), Wish::Text { .. }));
    assert!(matches!(
        wish("Device.Time.X_When"),
        Wish::Text { kind: Some(ValueType::DateTime), .. }
    ));
    assert_eq!(profile.attributes["Device.WiFi."].notification, Some(1));
    assert_eq!(profile.tables[0].others, Some(OtherRows::Remove));
    assert_eq!(&*profile.tables[0].rows[0].name, "web");
    assert_eq!(
        profile.tables[1].rows.iter().map(|row| row.absent).collect::<Vec<_>>(),
        [false, true]
    );
    assert_eq!(profile.refresh["Device.WiFi."], 43_200);
    assert_eq!(&*profile.firmware.as_ref().unwrap().version, "2.0");
    assert_eq!(
        profile.tags.iter().map(|(tag, on)| (&**tag, *on)).collect::<Vec<_>>(),
        [("managed", true), ("new", false)]
    );
    assert_eq!(profile.intents.len(), 1);
    assert_eq!(Profile::parse(&profile.to_json()), Ok(profile));
}

#[test]
fn all_layers_can_be_named() {
    for (layer, read) in [
        ("\"global\"", Layer::Global),
        ("\"profile\"", Layer::Profile),
        ("{ site = \"b\" }", Layer::Site("b".into())),
        ("{ device = \"00D09E-A-1\" }", Layer::Device("00D09E-A-1".into())),
        (
            "{ model = { oui = \"00d09e\" } }",
            Layer::Model { oui: "00D09E".into(), product_class: None },
        ),
        (
            "{ model = { oui = \"00D09E\", product_class = \"\" } }",
            Layer::Model { oui: "00D09E".into(), product_class: Some("".into()) },
        ),
    ] {
        let text = format!("name = \"a\"\nlayer = {layer}");
        assert_eq!(Profile::parse(&text).unwrap().layer, read, "{layer}");
    }
    let json = r#" { "name": "a", "layer": { "tenant": "x" }, "parameters": { "Device.A": 1 } }"#;
    assert_eq!(Profile::parse(json).unwrap().layer, Layer::Tenant("x".into()));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_would_be_right() {
    for (text, told) in [
        ("", "name is missing"),
        ("name = \"a b\"", "line 1: name: letters, digits"),
        (
            "name = \"a\"\nparamaters = {}",
            "line 2: a profile has no `paramaters`; did you mean parameters?",
        ),
        ("name = \"a\"\nname = \"b\"", "line 2: duplicate key"),
        ("name = ", "line 1: "),
        ("name = \"a\"\nlayer = \"tenant\"", "line 2: layer: write "),
        ("name = \"a\"\nlayer = { tennant = \"x\" }", "did you mean tenant?"),
        ("name = \"a\"\nlayer = { device = \"x\" }", "line 2: device: a device id has the form"),
        (
            "name = \"a\"\n\nmatch = 'device.serail == \"\"'",
            "line 3: match: there is no member of device `serail`; did you mean serial?",
        ),
        ("name = \"a\"\npriority = \"high\"", "line 2: priority: a whole number, not a text"),
        ("name = \"a\"\npriority = 99999999999", "line 2: priority: the number is too large"),
        (
            "name = \"a\"\n[parameters]\n\"Device.A.\" = 1",
            "line 3: parameters: `Device.A.`: this is an object",
        ),
        (
            "name = \"a\"\n[parameters]\n\"Devise.A\" = 1",
            "line 3: parameters: `Devise.A`: did you mean Device.?",
        ),
        ("name = \"a\"\n[parameters]\n\"Device.A.{i}.B\" = 1", "write `*` for all rows"),
        ("name = \"a\"\n[parameters]\n\"Device.A\" = [1]", "line 3: Device.A: a text, a number"),
        (
            "name = \"a\"\n[parameters]\nDevice.A.B = 1",
            "line 3: parameters: write the whole path in quotes",
        ),
        (
            "name = \"a\"\n[parameters]\n\"Device.A\" = \"{{ devise.serial }}\"",
            "line 3: Device.A: there is no variable `devise`; did you mean device?",
        ),
        (
            "name = \"a\"\n[parameters]\n\"Device.A\" = { value = 1, type = \"integer\" }",
            "type has no `integer`",
        ),
        (
            "name = \"a\"\n[parameters]\n\"Device.A\" = { row = \"a\", text = \"b\" }",
            "one of { row",
        ),
        (
            "name = \"a\"\n[attributes]\n\"Device.A\" = \"activ\"",
            "line 3: notification has no `activ`; did you mean active?",
        ),
        (
            "name = \"a\"\n[refresh]\n\"Device.A\" = \"often\"",
            "line 3: refresh: `Device.A`: write 300",
        ),
        ("name = \"a\"\n[firmware]\nfile = \"x\"", "version is missing"),
        ("name = \"a\"\n[tags]\nset = [\"x\"]\nclear = [\"x\"]", "this stands twice"),
        ("name = \"a\"\ndrift = \"ignore\"", "line 2: drift: repair or report"),
        ("name = \"a\"\n[[intents]]\nname = \"x\"", "intent is missing"),
        ("{ \"name\": \"a\", \"name\": \"b\" }", "`name` stands twice"),
        ("{ \"name\": \"a\", \"match\": 1 }", "match: a text, not a whole number"),
        ("{ \"name\": null }", "name: a text, not null"),
    ] {
        refuses(text, told);
    }
    assert_eq!(&*Profile::parse("name = \"a\"\nx = 1").unwrap_err().profile, "a");
}

#[test]
fn what_is_wrong_with_a_table_is_told() {
    for (text, told) in [
        ("name = \"a\"\n[[tables]]\nkeys = [\"A\"]", "table is missing"),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A\"",
            "the path of one table, with its last dot",
        ),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A.\"\nrows = [{ values = {} }]",
            "keys are missing",
        ),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A.\"\nkeys = [\"K\"]\nrows = [{ values = { B = 1 } }]",
            "a row lacks the key K",
        ),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A.\"\nkeys = [\"K\"]\nrows = [{ absent = true, values = { K = 1, B = 1 } }]",
            "a row with absent = true has its keys only, and B is none of them",
        ),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A.\"\nkeys = [\"K\"]\nrows = [{ name = \"r\", absent = true, values = { K = 1 } }]",
            "a row with absent = true has no name",
        ),
        (
            "name = \"a\"\n[[tables]]\ntable = \"Device.A.\"\nkeys = [\"K\"]\nrows = [{ absent = \"yes\", values = { K = 1 } }]",
            "absent: true or false, not a text",
        ),
    ] {
        refuses(text, told);
    }
}

/// Whether a profile is refused in these words.
fn refuses(text: &str, told: &str) {
    let error = Profile::parse(text).unwrap_err();
    assert!(error.problem.contains(told), "{text}: {error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn hostile_profiles_are_refused() {
    for text in [
        "[".repeat(100_000),
        format!("name = {}", "[".repeat(100_000)),
        format!("a{} = 1", ".a".repeat(100_000)),
        format!("{{\"name\":{}", "[".repeat(100_000)),
        format!("{{\"name\":{}", "{\"a\":".repeat(100_000)),
        format!("name = \"{}\"", "x".repeat(MAX_PROFILE)),
        format!("name = \"a\"\ntags = {{ set = [\"{}\"] }}", "x".repeat(10_000)),
        "name = \"a\"\n[parameters]\n\"Device.A\" = nan".to_owned(),
        "name = \"a\"\n[parameters]\n\"Device.A\" = inf".to_owned(),
    ] {
        assert!(Profile::parse(&text).is_err(), "{}", &text[..20]);
        super::survives::profile(text.as_bytes());
    }
}
