//! The data model of a simulated phone: InternetGatewayDevice:1 (TR-098) with a
//! TR-104 VoiceService.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

use super::model::{Check, Model, Parameter, RowTemplate};
use crate::param::{Value, ValueType};
use crate::phone::Mac;

const ROOT: &str = "InternetGatewayDevice.";

/// Where the address of the default WAN connection stands, relative to the root.
pub(super) const EXTERNAL_ADDRESS: &str =
    "WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.ExternalIPAddress";

/// Puts all but `DeviceInfo.` and `ManagementServer.` into the model.
pub(super) fn define(model: &mut Model, mac: Mac, lines: usize) {
    let fixed = |text: &str| Parameter::fixed(Value::string(text));
    let summary =
        "InternetGatewayDevice:1.4[](Baseline:1, IPPing:1), VoiceService:1.0[1](SIPEndpoint:1)";
    model.define(&format!("{ROOT}DeviceSummary"), fixed(summary));
    model.define(&format!("{ROOT}DeviceInfo.SpecVersion"), fixed("1.0"));
    define_time(model);
    define_wan(model, mac);
    define_voice(model, lines);
}

fn define_time(model: &mut Model) {
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(64));
    for (name, server) in [("NTPServer1", "pool.ntp.org"), ("NTPServer2", "")] {
        model.define(&format!("{ROOT}Time.{name}"), text(server));
    }
    model.define(&format!("{ROOT}Time.LocalTimeZone"), text("+00:00"));
}

fn define_wan(model: &mut Model, mac: Mac) {
    let digits = mac.to_string();
    let pairs: Vec<&str> = (0..6).filter_map(|i| digits.get(2 * i..2 * i + 2)).collect();
    let connection = format!("{ROOT}WANDevice.1.WANConnectionDevice.1.WANIPConnection.1.");
    for table in [
        "WANDevice.",
        "WANDevice.1.WANConnectionDevice.",
        "WANDevice.1.WANConnectionDevice.1.WANIPConnection.",
    ] {
        model.define_table(&format!("{ROOT}{table}"), None);
    }
    for (name, text) in [
        ("ConnectionStatus", "Connected"),
        ("ExternalIPAddress", "192.0.2.20"),
        ("SubnetMask", "255.255.255.0"),
        ("DefaultGateway", "192.0.2.1"),
        ("MACAddress", &pairs.join(":")),
    ] {
        model.define(&format!("{connection}{name}"), Parameter::fixed(Value::string(text)));
    }
    let servers = Parameter::writable(Value::string("192.0.2.53"), Check::Length(64));
    model.define(&format!("{connection}DNSServers"), servers);
    let counter = Parameter::fixed(Value::unsigned(0));
    model.define(&format!("{connection}PortMappingNumberOfEntries"), counter);
    model.define_table(&format!("{connection}PortMapping."), Some(port_mapping()));
}

/// A row of `PortMapping.`, as AddObject makes it (TR-098).
fn port_mapping() -> RowTemplate {
    let flag = Parameter::writable(Value::boolean(false), Check::Any);
    let port = Parameter::writable(Value::unsigned(0), Check::Range(0, 65_535));
    let text = Parameter::writable(Value::string(""), Check::Length(256));
    let protocol = Parameter::writable(Value::string("TCP"), Check::OneOf(&["TCP", "UDP"]));
    Arc::from([
        (Box::from("PortMappingEnabled"), flag),
        (Box::from("ExternalPort"), port.clone()),
        (Box::from("InternalPort"), port),
        (Box::from("PortMappingProtocol"), protocol),
        (Box::from("InternalClient"), text.clone()),
        (Box::from("PortMappingDescription"), text),
    ])
}

fn define_voice(model: &mut Model, lines: usize) {
    let profile = format!("{ROOT}Services.VoiceService.1.VoiceProfile.1.");
    for table in ["Services.VoiceService.", "Services.VoiceService.1.VoiceProfile."] {
        model.define_table(&format!("{ROOT}{table}"), None);
    }
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(256));
    let port = |port| Parameter::writable(Value::unsigned(port), Check::Range(0, 65_535));
    let switch = Check::OneOf(&["Disabled", "Quiescent", "Enabled"]);
    for (name, parameter) in [
        ("Enable", Parameter::writable(Value::string("Enabled"), switch)),
        ("Name", text("Default")),
        ("NumberOfLines", Parameter::fixed(Value::unsigned(u32::try_from(lines).unwrap_or(32)))),
        ("SIP.ProxyServer", text("")),
        ("SIP.ProxyServerPort", port(5060)),
        ("SIP.RegistrarServer", text("")),
        ("SIP.RegistrarServerPort", port(5060)),
        ("SIP.UserAgentDomain", text("")),
        (
            "SIP.RegistrationPeriod",
            Parameter::writable(Value::unsigned(3600), Check::Range(1, 86_400)),
        ),
    ] {
        model.define(&format!("{profile}{name}"), parameter);
    }
    let lines_table = format!("{profile}Line.");
    model.define_table(&lines_table, None);
    for _ in 0..lines {
        if let Some(number) = model.define_row(&lines_table) {
            define_line(model, &format!("{lines_table}{number}."));
        }
    }
}

fn define_line(model: &mut Model, line: &str) {
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(256));
    let switch = Check::OneOf(&["Disabled", "Quiescent", "Enabled"]);
    let volume = Value::new("0", ValueType::Int);
    for (name, parameter) in [
        ("Enable", Parameter::writable(Value::string("Disabled"), switch)),
        ("Status", Parameter::fixed(Value::string("Disabled"))),
        ("DirectoryNumber", text("")),
        ("SIP.AuthUserName", text("")),
        ("SIP.AuthPassword", Parameter::secret("")),
        ("SIP.URI", text("")),
        ("CallingFeatures.CallerIDName", text("")),
        (
            "CallingFeatures.CallWaitingEnable",
            Parameter::writable(Value::boolean(true), Check::Any),
        ),
        ("VoiceProcessing.ReceiveGain", Parameter::writable(volume, Check::Range(-150, 150))),
    ] {
        model.define(&format!("{line}{name}"), parameter);
    }
}
