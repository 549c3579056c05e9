//! The functional part of the Broadband Forum's IR-181 (DTP-181): what an ACS
//! and a device have to bring about together, case by case, in memory. What
//! needs real sockets or files is shown elsewhere.

use super::*;
use crate::param::ValueType;
use crate::simulate::{Check, Parameter};

/// What the gateway of these cases has beyond the others.
fn equip(lab: &mut Lab) {
    let text = || Parameter::writable(Value::string(""), Check::Length(64));
    let flag = || Parameter::writable(Value::boolean(false), Check::Any);
    let number = || Parameter::writable(Value::unsigned(0), Check::Any);
    for (name, parameter) in [
        ("PPP.Interface.1.Username", text()),
        ("PPP.Interface.1.Password", Parameter::secret("old")),
        ("Firewall.Enable", flag()),
        ("Firewall.Config", text()),
        (
            "Firewall.Chain.1.Rule.1.Protocol",
            Parameter::writable(Value::new("-1", ValueType::Int), Check::Any),
        ),
        ("Firewall.Chain.1.Rule.1.DestPort", number()),
        ("Firewall.Chain.1.Rule.1.SourceIP", text()),
        ("Firewall.Chain.1.Rule.1.IPVersion", number()),
        ("WiFi.AccessPoint.1.Security.WEPKey", Parameter::secret("")),
        ("WiFi.AccessPoint.1.Security.RadiusServerIPAddr", text()),
        ("WiFi.AccessPoint.1.Security.RadiusServerPort", number()),
        ("WiFi.AccessPoint.1.Security.RadiusSecret", Parameter::secret("")),
        ("WiFi.AccessPoint.1.Security.SAEPassphrase", Parameter::secret("")),
        ("X_EXAMPLE_Feature.Level", number()),
    ] {
        lab.cpe.fit(&format!("Device.{name}"), parameter);
    }
}

async fn lab() -> Lab {
    let mut lab = Lab::with(false);
    equip(&mut lab);
    let _ = lab.session().await;
    lab
}

/// Sets values in one task and returns how it ended.
async fn set(lab: &mut Lab, number: u128, values: &[(&str, &str)]) -> &'static str {
    let values = values
        .iter()
        .map(|(name, text)| (path(&format!("Device.{name}")), Value::string(*text)))
        .collect();
    lab.ask(number, Action::Set(values)).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    lab.word(number).await
}

fn has(lab: &Lab, name: &str) -> String {
    lab.cpe.model().text(&format!("Device.{name}")).to_owned()
}

async fn rebooted(lab: &mut Lab, number: u128, action: Action) -> &'static str {
    lab.ask(number, action).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.live(b"").await;
    lab.word(number).await
}

#[tokio::test]
async fn ir181_01_a_factory_reset_bootstraps_and_brings_the_defaults_back() {
    let mut lab = lab().await;
    assert_eq!(set(&mut lab, 1, &[("DeviceInfo.ProvisioningCode", "gold")]).await, "applied");
    assert_eq!(rebooted(&mut lab, 2, Action::FactoryReset).await, "applied");
    assert_eq!(has(&lab, "DeviceInfo.ProvisioningCode"), "");
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_bootstrap, Some(device.last_inform));
    assert_eq!(&*device.provisioning_code, "");
}

#[tokio::test]
async fn ir181_02_time_servers_survive_reboots() {
    let mut lab = lab().await;
    let servers = [("Time.NTPServer1", "a.example.net"), ("Time.NTPServer2", "b.example.net")];
    assert_eq!(set(&mut lab, 1, &servers).await, "applied");
    for number in 2..4 {
        assert_eq!(rebooted(&mut lab, number, Action::Reboot).await, "applied");
        assert_eq!(has(&lab, "Time.NTPServer2"), "b.example.net");
    }
}

#[tokio::test]
async fn ir181_04_the_methods_of_a_device_are_told() {
    let mut lab = lab().await;
    lab.ask(1, Action::GetRpcMethods).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.session().await;
    let task = lab.store.task(TaskId(1)).await.unwrap().unwrap();
    assert_eq!(task.state.word(), "applied");
    let told = task.notes.iter().chain(task.results.iter().map(|result| &result.value));
    assert!(told.into_iter().any(|text| &**text == "SetParameterValues"), "{task:?}");
}

#[tokio::test]
async fn ir181_06_a_password_reads_back_empty_and_is_taken_all_the_same() {
    let mut lab = lab().await;
    let account = [("PPP.Interface.1.Username", "anna"), ("PPP.Interface.1.Password", "s3cret")];
    assert_eq!(set(&mut lab, 1, &account).await, "applied");
    assert_eq!(has(&lab, "PPP.Interface.1.Password"), "s3cret");
    let task = lab.store.task(TaskId(1)).await.unwrap().unwrap();
    assert!(task.notes.iter().any(|note| note.contains("cannot be read back")), "{task:?}");
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.text("Device.PPP.Interface.1.Password"), Some(""));
}

/// IR-181 7, 8, 10, 12, 14 and 15: what is set in one task is what the device
/// has.
#[tokio::test]
async fn ir181_07_to_15_settings_end_as_they_were_asked() {
    let pool = "DHCPv4.Server.Pool.1.";
    let security = "WiFi.AccessPoint.1.Security.";
    let cases: &[&[(&str, &str)]] = &[
        &[
            ("{pool}MinAddress", "192.168.1.10"),
            ("{pool}MaxAddress", "192.168.1.20"),
            ("{pool}LeaseTime", "-1"),
        ],
        &[("WiFi.Radio.1.Enable", "false")],
        &[("WiFi.Radio.1.Enable", "1")],
        &[("WiFi.Radio.1.Enable", "0")],
        &[("X_EXAMPLE_Feature.Level", "7")],
        &[("IP.Interface.2.IPv4Address.1.IPAddress", "192.168.2.1")],
        &[("Firewall.Enable", "1"), ("Firewall.Config", "High")],
        &[
            ("Firewall.Chain.1.Rule.1.Protocol", "6"),
            ("Firewall.Chain.1.Rule.1.DestPort", "443"),
            ("Firewall.Chain.1.Rule.1.SourceIP", "2001:db8::1"),
            ("Firewall.Chain.1.Rule.1.IPVersion", "6"),
        ],
        &[("{security}WEPKey", "0102030405")],
        &[("{security}ModeEnabled", "WPA2-Personal"), ("{security}KeyPassphrase", "correct horse")],
        &[("{security}ModeEnabled", "WPA3-Personal"), ("{security}SAEPassphrase", "correct horse")],
        &[
            ("{security}RadiusServerIPAddr", "192.0.2.5"),
            ("{security}RadiusServerPort", "1812"),
            ("{security}RadiusSecret", "radius"),
        ],
        &[("WiFi.SSID.2.SSID", "guests"), ("WiFi.SSID.2.Enable", "0")],
    ];
    let mut lab = lab().await;
    for (number, case) in (1..).zip(cases) {
        let values: Vec<(String, &str)> = case
            .iter()
            .map(|(name, text)| {
                (name.replace("{pool}", pool).replace("{security}", security), *text)
            })
            .collect();
        let asked: Vec<(&str, &str)> = values.iter().map(|(name, text)| (&**name, *text)).collect();
        assert_eq!(set(&mut lab, number, &asked).await, "applied", "{asked:?}");
        for (name, text) in &asked {
            let text = match *text {
                "false" => "0",
                text => text,
            };
            assert_eq!(has(&lab, name), text, "{name}");
        }
    }
}

#[tokio::test]
async fn ir181_13_port_mappings_are_made_changed_and_deleted() {
    let mut lab = lab().await;
    let cases: [&[(&str, &str)]; 3] = [
        &[
            ("ExternalPort", "8080"),
            ("InternalPort", "80"),
            ("InternalClient", "192.168.1.7"),
            ("Protocol", "TCP"),
            ("Enable", "1"),
        ],
        &[("ExternalPort", "5060"), ("RemoteHost", "203.0.113.9"), ("Protocol", "UDP")],
        &[("Interface", "Device.IP.Interface.1."), ("ExternalPort", "0")],
    ];
    for (number, case) in (1..).zip(cases) {
        let values =
            case.iter().map(|(name, text)| ((*name).into(), Value::string(*text))).collect();
        lab.ask(number, Action::AddObject { table: path("Device.NAT.PortMapping."), values }).await;
        lab.cpe.raise(EventCode::ConnectionRequest, "");
        let _ = lab.session().await;
        let task = lab.store.task(TaskId(number)).await.unwrap().unwrap();
        assert_eq!(task.state.word(), "applied", "{task:?}");
        let row = task.notes[0].strip_prefix("made ").unwrap().to_owned();
        for (name, text) in case {
            assert_eq!(lab.cpe.model().text(&format!("{row}{name}")), *text, "{row}{name}");
        }
        let below = row.strip_prefix("Device.").unwrap();
        let changed = [(&*format!("{below}Description"), "changed")];
        assert_eq!(set(&mut lab, number + 10, &changed).await, "applied");
        lab.ask(number + 20, Action::DeleteObject(path(&row))).await;
        lab.cpe.raise(EventCode::ConnectionRequest, "");
        let _ = lab.session().await;
        assert_eq!(lab.word(number + 20).await, "applied");
        assert!(lab.cpe.model().value(&format!("{row}Protocol")).is_none());
    }
}

#[tokio::test]
async fn ir181_16_any_characters_arrive_as_they_were_asked() {
    let mut lab = lab().await;
    let multibyte = "é".repeat(64);
    for (number, text) in (1..).zip([
        "a < b && c > d ]]> \"x\" 'y'",
        "tab\tline\nreturn\rend",
        " blanks around ",
        "日本語 🜁",
        &multibyte,
        "&amp; &#13; <![CDATA[x]]>",
    ]) {
        let asked = set(&mut lab, number, &[("Time.NTPServer1", text)]).await;
        assert_eq!(asked, "applied", "{text:?}");
        assert_eq!(has(&lab, "Time.NTPServer1"), text);
    }
}
