//! Devices that are known before they appear, and devices that appear unknown.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Device, DeviceId, DeviceIdentity, Labels};
use crate::time::Timestamp;

/// The longest serial number or login, in bytes.
const MAX_TEXT: usize = 256;

/// Hardware addresses, and logins, that are looked for of one device at most.
const MAX_EACH: usize = 8;

/// By what a device is known that was never seen. The first kind is the
/// strongest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PreloadKey {
    /// Its whole id.
    Device(DeviceId),
    /// Its serial number, upper case.
    Serial(Box<str>),
    /// Its hardware address, twelve lower-case hex digits.
    Mac(Box<str>),
    /// The user name that it logs in with, at the server or by PPPoE.
    Login(Box<str>),
}

/// A text is no key of a device that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreloadKeyError {
    /// The kind is none.
    #[error("a device is expected by device/ID, serial/NUMBER, mac/ADDRESS or login/NAME")]
    Kind,
    /// It is no device id.
    #[error("a device id has the form OUI-ProductClass-SerialNumber or OUI-SerialNumber")]
    Device,
    /// It is no hardware address.
    #[error("a MAC address has twelve hex digits and is not all zeroes")]
    Mac,
    /// It is empty, too long, or holds control characters.
    #[error("from 1 to 256 bytes, without control characters")]
    Text,
}

impl PreloadKey {
    /// The kinds, the strongest first.
    pub const KINDS: [&str; 4] = ["device", "serial", "mac", "login"];

    /// A key of a kind, in the spelling under which it is kept.
    ///
    /// # Errors
    /// [`PreloadKeyError`] if there is no such kind, or the text is none of it.
    pub fn new(kind: &str, text: &str) -> Result<Self, PreloadKeyError> {
        match kind {
            "device" => {
                DeviceId::parse(text.trim()).map(Self::Device).map_err(|_| PreloadKeyError::Device)
            }
            "serial" => plain(text).map(|text| Self::Serial(text.to_ascii_uppercase().into())),
            "mac" => mac_of(text).map(Self::Mac).ok_or(PreloadKeyError::Mac),
            "login" => plain(text).map(|text| Self::Login(text.into())),
            _ => Err(PreloadKeyError::Kind),
        }
    }

    /// The word for its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Device(_) => "device",
            Self::Serial(_) => "serial",
            Self::Mac(_) => "mac",
            Self::Login(_) => "login",
        }
    }

    /// The key without its kind.
    pub fn text(&self) -> &str {
        match self {
            Self::Device(id) => id.as_str(),
            Self::Serial(text) | Self::Mac(text) | Self::Login(text) => text,
        }
    }
}

fn plain(text: &str) -> Result<&str, PreloadKeyError> {
    let text = text.trim();
    let sound = !text.is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    sound.then_some(text).ok_or(PreloadKeyError::Text)
}

/// Twelve lower-case hex digits of an address in any usual spelling.
fn mac_of(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    if text.len() > 17 {
        return None;
    }
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let sound = digits.len() == 12
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte != b'0');
    sound.then(|| digits.to_ascii_lowercase().into())
}

/// `device/…`, `serial/…`, `mac/…`, `login/…`: the key in the store.
impl fmt::Display for PreloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.text())
    }
}

impl FromStr for PreloadKey {
    type Err = PreloadKeyError;

    fn from_str(text: &str) -> Result<Self, PreloadKeyError> {
        let (kind, key) = text.split_once('/').ok_or(PreloadKeyError::Kind)?;
        Self::new(kind.trim(), key)
    }
}

/// The keys by which a device may be expected, the strongest kind first, each
/// once and few of a kind: its id, its serial number, the addresses that end its
/// serial number and stand among the parameters of its Inform, the user name
/// that it has proved at the server, those of its PPP connections.
pub fn expected_as<'a>(
    identity: &DeviceIdentity,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
    login: Option<&str>,
) -> Vec<PreloadKey> {
    let serial = &*identity.serial_number;
    let bare: String = serial.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let end = bare.len().checked_sub(12).and_then(|from| bare.get(from..));
    let mut macs: Vec<PreloadKey> = end.and_then(mac_of).map(PreloadKey::Mac).into_iter().collect();
    let mut logins: Vec<PreloadKey> =
        login.and_then(|login| PreloadKey::new("login", login).ok()).into_iter().collect();
    let add = |list: &mut Vec<PreloadKey>, key: Option<PreloadKey>| {
        if let Some(key) = key.filter(|key| !list.contains(key))
            && list.len() < MAX_EACH
        {
            list.push(key);
        }
    };
    for (name, value) in parameters {
        if is_own_address(name) {
            add(&mut macs, mac_of(value).map(PreloadKey::Mac));
        } else if is_ppp_login(name) {
            add(&mut logins, PreloadKey::new("login", value).ok());
        }
    }
    let mut keys = vec![PreloadKey::Device(identity.id())];
    keys.extend(PreloadKey::new("serial", serial));
    keys.append(&mut macs);
    keys.append(&mut logins);
    keys
}

/// Whether a parameter is an address of the device itself, and not one of its
/// neighbours.
fn is_own_address(name: &str) -> bool {
    let leaf = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    (leaf.ends_with("macaddress") || leaf == "mac" || leaf.ends_with("_mac"))
        && !name.contains("AssociatedDevice")
        && !name.contains(".Host")
        && !name.contains("Neighbo")
}

fn is_ppp_login(name: &str) -> bool {
    name.ends_with(".Username")
        && (name.contains(".WANPPPConnection.") || name.contains(".PPP.Interface."))
}

/// What a device is given when it first appears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preload {
    /// By what it is known.
    pub key: PreloadKey,
    /// When it was made, or last changed.
    pub at: Timestamp,
    /// By whom.
    pub by: Box<str>,
    /// What the device is given; their revision is that of the preload.
    pub labels: Labels,
    /// The device that took it up.
    pub taken_by: Option<DeviceId>,
}

/// Who vouches for what an unknown device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vouched {
    /// Nobody.
    Nobody,
    /// Whoever knows the onboarding credential, which all devices share.
    Shared,
    /// An authority, by a certificate that names this device.
    Certificate,
}

/// An unknown device that waits to be adopted, or was denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Who it says it is.
    pub device: DeviceId,
    /// The same in full.
    pub identity: DeviceIdentity,
    /// Who vouches for that.
    pub vouched: Vouched,
    /// The firmware that it says it runs.
    pub software_version: Box<str>,
    /// From where it came.
    pub address: IpAddr,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen; not raised more often than once in a while.
    pub last_seen: Timestamp,
    /// What was decided.
    pub decision: Decision,
}

impl Stranger {
    /// The device that it would be, as far as it is known: for rules.
    pub fn as_device(&self) -> Device {
        Device {
            last_inform: self.last_seen,
            address: Some(self.address),
            software_version: self.software_version.clone(),
            ..Device::new(self.identity.clone(), self.first_seen)
        }
    }
}

/// What was decided on an unknown device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// Nothing yet.
    Waiting,
    /// It is turned away; who said so.
    Denied(Box<str>),
    /// It is taken in when it comes next; who said so.
    Adopted(Box<str>),
}

impl Decision {
    /// The word for programs and filters.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Denied(_) => "denied",
            Self::Adopted(_) => "adopted",
        }
    }

    /// Who decided.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::Waiting => None,
            Self::Denied(by) | Self::Adopted(by) => Some(by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_spelling() {
        for (text, kept) in [
            ("serial/ abc-1 ", "serial/ABC-1"),
            ("mac/0C:38:3E:07:E1:6C", "mac/0c383e07e16c"),
            ("login/Anna@isp/x", "login/Anna@isp/x"),
            ("device/00D09E-HG%2D1-7", "device/00D09E-HG%2D1-7"),
        ] {
            let key: PreloadKey = text.parse().unwrap();
            assert_eq!(key.to_string(), kept);
            assert_eq!(kept.parse::<PreloadKey>().unwrap(), key);
        }
        for (bad, why) in [
            ("abc", PreloadKeyError::Kind),
            ("phone/1", PreloadKeyError::Kind),
            ("device/nothing", PreloadKeyError::Device),
            ("mac/000000000000", PreloadKeyError::Mac),
            ("mac/0c383e07e1", PreloadKeyError::Mac),
            ("serial/ ", PreloadKeyError::Text),
            ("login/a\nb", PreloadKeyError::Text),
        ] {
            assert_eq!(bad.parse::<PreloadKey>(), Err(why), "{bad}");
        }
    }

    #[test]
    fn a_device_is_looked_for_by_all_that_it_is_the_strongest_first() {
        let identity = DeviceIdentity::new("", "00D09E", "HG", "ab0C383E07E16C").unwrap();
        let parameters = [
            ("Device.Ethernet.Link.1.MACAddress", "0C-38-3E-07-E1-6D"),
            ("Device.Hosts.Host.1.PhysAddress", "0C-38-3E-00-00-01"),
            ("Device.WiFi.AccessPoint.1.AssociatedDevice.1.MACAddress", "0c383e000002"),
            ("Device.PPP.Interface.1.Username", "anna@isp"),
            ("Device.ManagementServer.Username", "onboarding"),
        ];
        let keys = expected_as(&identity, parameters.into_iter(), Some("proved"));
        let keys: Vec<String> = keys.iter().map(PreloadKey::to_string).collect();
        assert_eq!(
            keys,
            [
                "device/00D09E-HG-ab0C383E07E16C",
                "serial/AB0C383E07E16C",
                "mac/0c383e07e16c",
                "mac/0c383e07e16d",
                "login/proved",
                "login/anna@isp",
            ]
        );
    }

    #[test]
    fn a_device_with_a_thousand_addresses_is_looked_for_by_few() {
        let identity = DeviceIdentity::new("", "00D09E", "", "é").unwrap();
        let names: Vec<(String, String)> =
            (1..1000).map(|n| (format!("D.{n}.MACAddress"), format!("{n:012x}"))).collect();
        let told = names.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(expected_as(&identity, told, None).len(), 2 + MAX_EACH);
    }
}
