//! The data model of a simulated gateway: Device:2 (TR-181) with exactly as many
//! parameters as are asked for.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

use super::model::{Check, Model, Parameter, RowTemplate};
use crate::param::{Value, ValueType};

const ROOT: &str = "Device.";

/// Parameters of one row of `Hosts.Host.`.
const HOST_PARAMETERS: usize = 7;

/// The most hosts: beyond them the rest is filled with vendor parameters.
const MAX_HOSTS: usize = 250;

/// Puts all but `DeviceInfo.` and `ManagementServer.` into the model, and fills
/// it up to `parameters`.
pub(super) fn define(model: &mut Model, parameters: usize) {
    define_core(model);
    fill(model, parameters);
}

/// The fewest parameters: those of a gateway without hosts.
pub(super) fn least_parameters() -> usize {
    // Any serial number will do; this one is sound.
    super::Blueprint::device2("0", 0).map_or(0, |blueprint| blueprint.build().parameter_count())
}

fn define_core(model: &mut Model) {
    let fixed = |text: &str| Parameter::fixed(Value::string(text));
    model.define(&format!("{ROOT}RootDataModelVersion"), fixed("2.15"));
    define_time(model);
    define_interfaces(model);
    define_wireless(model);
    define_dhcp(model);
    define_provider(model);
    model.define(
        &format!("{ROOT}NAT.PortMappingNumberOfEntries"),
        Parameter::fixed(Value::unsigned(0)),
    );
    model.define_table(&format!("{ROOT}NAT.PortMapping."), Some(port_mapping()));
    model.define_row(&format!("{ROOT}NAT.PortMapping."));
    model.define(&format!("{ROOT}Hosts.HostNumberOfEntries"), Parameter::fixed(Value::unsigned(0)));
    model.define_table(&format!("{ROOT}Hosts.Host."), None);
}

fn define_time(model: &mut Model) {
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(256));
    model.define(
        &format!("{ROOT}Time.Enable"),
        Parameter::writable(Value::boolean(true), Check::Any),
    );
    for (name, server) in [("NTPServer1", "pool.ntp.org"), ("NTPServer2", "")] {
        model.define(&format!("{ROOT}Time.{name}"), text(server));
    }
    model.define(&format!("{ROOT}Time.LocalTimeZone"), text("UTC0"));
}

fn define_interfaces(model: &mut Model) {
    let table = format!("{ROOT}IP.Interface.");
    model.define(
        &format!("{ROOT}IP.InterfaceNumberOfEntries"),
        Parameter::fixed(Value::unsigned(0)),
    );
    model.define_table(&table, None);
    for (name, address, sent) in
        [("WAN", "198.51.100.7", "812734511"), ("LAN", "192.168.1.1", "90187")]
    {
        let Some(number) = model.define_row(&table) else { continue };
        let row = format!("{table}{number}.");
        model
            .define(&format!("{row}Enable"), Parameter::writable(Value::boolean(true), Check::Any));
        for (leaf, text) in [("Name", name), ("Status", "Up")] {
            model.define(&format!("{row}{leaf}"), Parameter::fixed(Value::string(text)));
        }
        let addresses = format!("{row}IPv4Address.");
        model.define_table(&addresses, None);
        model.define_row(&addresses);
        let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(15));
        model.define(&format!("{addresses}1.IPAddress"), text(address));
        model.define(&format!("{addresses}1.SubnetMask"), text("255.255.255.0"));
        let bytes = Value::new(sent, ValueType::UnsignedLong);
        model.define(&format!("{row}Stats.BytesSent"), Parameter::fixed(bytes));
    }
}

fn define_wireless(model: &mut Model) {
    let (radios, networks) = (format!("{ROOT}WiFi.Radio."), format!("{ROOT}WiFi.SSID."));
    let points = format!("{ROOT}WiFi.AccessPoint.");
    for (table, counter) in [
        (&radios, "RadioNumberOfEntries"),
        (&networks, "SSIDNumberOfEntries"),
        (&points, "AccessPointNumberOfEntries"),
    ] {
        model.define(&format!("{ROOT}WiFi.{counter}"), Parameter::fixed(Value::unsigned(0)));
        model.define_table(table, None);
    }
    let flag = || Parameter::writable(Value::boolean(true), Check::Any);
    for (band, channel) in [("2.4GHz", 6), ("5GHz", 36)] {
        let rows =
            (model.define_row(&radios), model.define_row(&networks), model.define_row(&points));
        let (Some(radio), Some(network), Some(point)) = rows else { continue };
        let bands = Check::OneOf(&["2.4GHz", "5GHz"]);
        for (path, parameter) in [
            (format!("{radios}{radio}.Enable"), flag()),
            (
                format!("{radios}{radio}.Channel"),
                Parameter::writable(Value::unsigned(channel), Check::Range(1, 165)),
            ),
            (
                format!("{radios}{radio}.OperatingFrequencyBand"),
                Parameter::writable(Value::string(band), bands),
            ),
            (format!("{networks}{network}.Enable"), flag()),
            (
                format!("{networks}{network}.SSID"),
                Parameter::writable(Value::string(format!("Simulated-{band}")), Check::Length(32)),
            ),
            (
                format!("{networks}{network}.LowerLayers"),
                Parameter::fixed(Value::string(format!("{radios}{radio}."))),
            ),
            (format!("{points}{point}.Enable"), flag()),
            (
                format!("{points}{point}.SSIDReference"),
                Parameter::fixed(Value::string(format!("{networks}{network}."))),
            ),
            (
                format!("{points}{point}.Security.ModeEnabled"),
                Parameter::writable(
                    Value::string("WPA2-Personal"),
                    Check::OneOf(&["None", "WPA2-Personal", "WPA3-Personal"]),
                ),
            ),
            (
                format!("{points}{point}.Security.KeyPassphrase"),
                Parameter::secret("simulated-passphrase"),
            ),
        ] {
            model.define(&path, parameter);
        }
    }
}

fn define_dhcp(model: &mut Model) {
    let pools = format!("{ROOT}DHCPv4.Server.Pool.");
    model.define(
        &format!("{ROOT}DHCPv4.Server.Enable"),
        Parameter::writable(Value::boolean(true), Check::Any),
    );
    model.define(
        &format!("{ROOT}DHCPv4.Server.PoolNumberOfEntries"),
        Parameter::fixed(Value::unsigned(0)),
    );
    model.define_table(&pools, None);
    model.define_row(&pools);
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(64));
    for (leaf, value) in [
        ("MinAddress", "192.168.1.100"),
        ("MaxAddress", "192.168.1.199"),
        ("DNSServers", "192.168.1.1"),
    ] {
        model.define(&format!("{pools}1.{leaf}"), text(value));
    }
    let lan = Value::string(format!("{ROOT}IP.Interface.2."));
    model.define(&format!("{pools}1.Interface"), Parameter::fixed(lan));
    let lease = Value::new("86400", ValueType::Int);
    model.define(
        &format!("{pools}1.LeaseTime"),
        Parameter::writable(lease, Check::Range(-1, i64::from(i32::MAX))),
    );
}

/// The connection to the provider: PPP over a VLAN over a port, and its name
/// servers; and the user of the device's own pages.
fn define_provider(model: &mut Model) {
    let text = |text: &str| Parameter::writable(Value::string(text), Check::Length(64));
    let fixed = |text: &str| Parameter::fixed(Value::string(text));
    let flag = || Parameter::writable(Value::boolean(true), Check::Any);
    for table in
        ["PPP.Interface.", "Ethernet.Interface.", "Ethernet.Link.", "Ethernet.VLANTermination."]
    {
        model.define_table(&format!("{ROOT}{table}"), None);
        model.define_row(&format!("{ROOT}{table}"));
    }
    let id = Parameter::writable(Value::unsigned(7), Check::Range(1, 4094));
    for (name, parameter) in [
        ("PPP.Interface.1.Enable", flag()),
        ("PPP.Interface.1.Username", text("simulated@provider.example")),
        ("PPP.Interface.1.Password", Parameter::secret("simulated-login")),
        ("Ethernet.Interface.1.Upstream", Parameter::fixed(Value::boolean(true))),
        ("Ethernet.Link.1.LowerLayers", fixed("Device.Ethernet.Interface.1.")),
        ("Ethernet.VLANTermination.1.Enable", flag()),
        ("Ethernet.VLANTermination.1.VLANID", id),
        ("Ethernet.VLANTermination.1.LowerLayers", fixed("Device.Ethernet.Link.1.")),
    ] {
        model.define(&format!("{ROOT}{name}"), parameter);
    }
    let server: RowTemplate =
        Arc::from([(Box::from("Enable"), flag()), (Box::from("DNSServer"), text(""))]);
    model.define_table(&format!("{ROOT}DNS.Client.Server."), Some(server));
    let users = format!("{ROOT}Users.User.");
    model.define_table(&users, None);
    model.define_row(&users);
    model.define(&format!("{users}1.Username"), text("admin"));
    model.define(&format!("{users}1.Password"), Parameter::secret("simulated-admin"));
}

/// A row of `NAT.PortMapping.`, as AddObject makes it.
fn port_mapping() -> RowTemplate {
    let flag = Parameter::writable(Value::boolean(false), Check::Any);
    let port = Parameter::writable(Value::unsigned(0), Check::Range(0, 65_535));
    let text = Parameter::writable(Value::string(""), Check::Length(256));
    let protocol = Parameter::writable(Value::string("TCP"), Check::OneOf(&["TCP", "UDP"]));
    Arc::from([
        (Box::from("Enable"), flag),
        (Box::from("Status"), Parameter::fixed(Value::string("Disabled"))),
        (Box::from("Alias"), Parameter::writable(Value::string(""), Check::Length(64))),
        (Box::from("Interface"), text.clone()),
        (Box::from("RemoteHost"), text.clone()),
        (Box::from("ExternalPort"), port.clone()),
        (Box::from("InternalPort"), port),
        (Box::from("Protocol"), protocol),
        (Box::from("InternalClient"), text.clone()),
        (Box::from("Description"), text),
    ])
}

/// Adds hosts while they fit, then single vendor parameters.
fn fill(model: &mut Model, parameters: usize) {
    let table = format!("{ROOT}Hosts.Host.");
    for index in 0..MAX_HOSTS {
        if model.parameter_count() + HOST_PARAMETERS > parameters {
            break;
        }
        let Some(number) = model.define_row(&table) else { break };
        let row = format!("{table}{number}.");
        let (high, low) = (index / 200, index % 200 + 20);
        for (leaf, value) in [
            ("PhysAddress", Value::string(format!("02:00:5E:00:{high:02X}:{low:02X}"))),
            ("IPAddress", Value::string(format!("192.168.{}.{low}", high + 1))),
            ("HostName", Value::string(format!("host-{number}"))),
            ("AddressSource", Value::string("DHCP")),
            ("Layer1Interface", Value::string("Device.WiFi.Radio.1.")),
            ("Active", Value::boolean(index % 3 != 0)),
            ("LeaseTimeRemaining", Value::new("3600", ValueType::Int)),
        ] {
            model.define(&format!("{row}{leaf}"), Parameter::fixed(value));
        }
    }
    let mut number = 0_u32;
    while model.parameter_count() < parameters {
        number += 1;
        let value = Value::string(format!("note {number}"));
        let path = format!("{ROOT}X_PROVOST_Notes.Note{number}");
        model.define(&path, Parameter::writable(value, Check::Length(256)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::Blueprint;
    use super::*;

    #[test]
    fn the_number_of_parameters_is_exact() {
        let least = least_parameters();
        assert!((60..120).contains(&least), "{least}");
        for wanted in [least, least + 1, 300, 301, 306, 307, 5000] {
            let model = Blueprint::device2("1", wanted).unwrap().build();
            assert_eq!(model.parameter_count(), wanted);
        }
        assert_eq!(Blueprint::device2("1", 3).unwrap().build().parameter_count(), least);
    }

    #[test]
    fn counters_agree_with_their_tables() {
        let model = Blueprint::device2("1", 300).unwrap().build();
        let hosts: usize = model.text("Device.Hosts.HostNumberOfEntries").parse().unwrap();
        assert!(hosts > 20);
        assert_eq!(
            model.text(&format!("Device.Hosts.Host.{hosts}.HostName")),
            format!("host-{hosts}")
        );
        assert_eq!(model.text(&format!("Device.Hosts.Host.{}.HostName", hosts + 1)), "");
        assert_eq!(model.text("Device.NAT.PortMappingNumberOfEntries"), "1");
        assert_eq!(model.text("Device.WiFi.RadioNumberOfEntries"), "2");
    }
}
