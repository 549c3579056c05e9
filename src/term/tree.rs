//! What a tree says that devices are searched by.
//!
//! Paths are told by their ends, so that both data models and vendors' own
//! branches are covered: TR-098 `….WANPPPConnection.{i}.Username`, TR-181
//! `Device.PPP.Interface.{i}.Username`. Rows about others (hosts, neighbours,
//! associated devices) are left out.

use std::net::IpAddr;

use crate::param::Tree;
use crate::phone::Mac;

/// How many of each are taken from one tree.
const MOST: usize = 64;

/// Segments below which a MAC address is somebody else's.
const OTHERS: [&str; 12] = [
    "Hosts",
    "Host",
    "AssociatedDevice",
    "Client",
    "Result",
    "ManageableDevice",
    "DHCPStaticAddress",
    "StaticAddress",
    "ARPTable",
    "Neighbor",
    "DHCPConditionalServingPool",
    "MACTable",
];

/// What was found in a tree.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) macs: Vec<Mac>,
    pub(super) logins: Vec<&'a str>,
    pub(super) addresses: Vec<IpAddr>,
}

/// The MAC addresses of a device's interfaces.
pub fn macs_of(tree: &Tree) -> Vec<Mac> {
    told(tree).macs
}

/// The user names of a device's PPP connections.
pub fn logins_of(tree: &Tree) -> Vec<&str> {
    told(tree).logins
}

/// The external addresses of a device's connections.
pub fn addresses_of(tree: &Tree) -> Vec<IpAddr> {
    told(tree).addresses
}

/// Everything in one walk.
pub(super) fn told(tree: &Tree) -> Told<'_> {
    let mut told = Told::default();
    for (path, param) in tree.iter() {
        let path = path.as_str();
        // Nearly all end here.
        let Some(kind) = Kind::of(path) else { continue };
        let Some(value) = &param.value else { continue };
        let text = value.text.trim();
        match kind {
            Kind::Mac => push(&mut told.macs, text.parse().ok()),
            Kind::Login => push(&mut told.logins, (!text.is_empty()).then_some(text)),
            Kind::Address => push(&mut told.addresses, text.parse().ok().filter(is_telling)),
        }
    }
    told
}

fn push<T: PartialEq>(list: &mut Vec<T>, item: Option<T>) {
    if let Some(item) = item
        && list.len() < MOST
        && !list.contains(&item)
    {
        list.push(item);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Mac,
    Login,
    Address,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        // Told by the last letters before anything is split.
        let kind = match path.as_bytes() {
            [.., b'e', b's', b's'] => {
                let leaf = path.rsplit('.').next()?;
                match leaf {
                    "MACAddress" => Self::Mac,
                    "ExternalIPAddress" | "LocalIPAddress" | "IPAddress" => Self::Address,
                    _ => return None,
                }
            }
            [.., b'S', b'I', b'D'] if path.ends_with(".BSSID") => Self::Mac,
            [.., b'a', b'm', b'e'] if path.ends_with(".Username") => Self::Login,
            _ => return None,
        };
        kind.is_own(path).then_some(kind)
    }

    /// Whether a parameter of such an end is about the device itself.
    fn is_own(self, path: &str) -> bool {
        let mut segments = path.split('.');
        match self {
            Self::Mac => !segments.any(|segment| OTHERS.contains(&segment)),
            Self::Login => path.contains(".WANPPPConnection.") || path.contains(".PPP.Interface."),
            Self::Address => {
                path.ends_with(".ExternalIPAddress")
                    || path.contains(".IPCP.")
                    || path.contains(".IP.Interface.")
            }
        }
    }
}

/// Whether an address tells one device from others: those that every home has
/// inside do not.
fn is_telling(address: &IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let is_home = address.octets().starts_with(&[192, 168]);
            !(is_home
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified())
        }
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unicast_link_local() && !address.is_unspecified()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::{Param, ParamPath, Value};
    use crate::time::Timestamp;

    fn tree(values: &[(&str, &str)]) -> Tree {
        Tree::from_entries(values.iter().map(|(path, text)| {
            let param = Param {
                value: Some(Value::string(*text)),
                writable: None,
                read_at: Timestamp::from_millis(1),
            };
            (ParamPath::parse(path).unwrap(), param)
        }))
    }

    #[test]
    fn both_data_models_are_read_and_rows_about_others_are_not() {
        let wan = "InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.";
        let tree = tree(&[
            (&format!("{wan}Username"), "anna@isp"),
            (&format!("{wan}ExternalIPAddress"), "203.0.113.7"),
            (&format!("{wan}MACAddress"), "0C:38:3E:00:00:01"),
            ("InternetGatewayDevice.LANDevice.1.Hosts.Host.1.MACAddress", "0C:38:3E:00:00:02"),
            ("InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.BSSID", "0c-38-3e-00-00-03"),
            ("Device.PPP.Interface.1.Username", "berta"),
            ("Device.PPP.Interface.1.IPCP.LocalIPAddress", "100.64.0.9"),
            ("Device.IP.Interface.1.IPv4Address.1.IPAddress", "192.168.1.1"),
            ("Device.IP.Interface.2.IPv6Address.1.IPAddress", "2001:db8::1"),
            ("Device.ManagementServer.Username", "acs"),
            ("Device.WiFi.AccessPoint.1.AssociatedDevice.1.MACAddress", "0C:38:3E:00:00:04"),
            ("Device.Ethernet.Interface.1.MACAddress", "none"),
        ]);
        let told = told(&tree);
        let macs: Vec<String> = told.macs.iter().map(Mac::to_string).collect();
        assert_eq!(macs, ["0c383e000003", "0c383e000001"]);
        assert_eq!(told.logins, ["berta", "anna@isp"]);
        let addresses: Vec<String> = told.addresses.iter().map(IpAddr::to_string).collect();
        assert_eq!(addresses, ["2001:db8::1", "100.64.0.9", "203.0.113.7"]);
    }

    #[test]
    fn no_tree_tells_more_than_so_much() {
        let many: Vec<(String, String)> = (0..200)
            .map(|n| (format!("Device.PPP.Interface.{n}.Username"), format!("user{n}")))
            .collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(logins_of(&tree(&many)).len(), MOST);
    }
}
