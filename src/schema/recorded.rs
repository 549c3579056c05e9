//! Recorded trees: the data model of one device as a file, to be looked at
//! elsewhere or to be replayed as a simulated device.
//!
//! The file is JSON: the form's name and version, who the device is, and each
//! parameter and object in order of its path. Values of secrets are never in it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Schema;
use crate::device::DeviceIdentity;
use crate::param::{ParamPath, Tree};

/// The name of the form.
const FORMAT: &str = "provost-tree";

/// The version of the form.
const VERSION: u32 = 1;

/// The most entries that are read.
const MAX_ENTRIES: usize = 200_000;

/// A device's data model as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedTree {
    /// Always `provost-tree`.
    pub format: Box<str>,
    /// Always 1.
    pub version: u32,
    /// Whether what tells one subscriber from another was left out.
    pub anonymous: bool,
    /// Who the device is.
    pub device: RecordedDevice,
    /// Parameters and objects in order of their paths; objects end with a dot.
    pub parameters: Vec<RecordedParameter>,
}

/// Who a recorded device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedDevice {
    /// `DeviceId.Manufacturer`.
    pub manufacturer: Box<str>,
    /// `DeviceId.OUI`.
    pub oui: Box<str>,
    /// `DeviceId.ProductClass`.
    pub product_class: Box<str>,
    /// `DeviceId.SerialNumber`; `ANONYMOUS` in an anonymous recording.
    pub serial_number: Box<str>,
}

/// One parameter or object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedParameter {
    /// The full path.
    pub name: ParamPath,
    /// What the device said of it; left out if it was never asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writable: Option<bool>,
    /// Its type; left out for objects and for what was only named.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Box<str>>,
    /// Its value; left out for objects, for secrets, and for what an anonymous
    /// recording must not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<str>>,
}

/// Why a file is no recorded tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordedError {
    /// It is no JSON of this form.
    #[error("it is no recorded tree: {0}")]
    Unreadable(String),
    /// It is of another form or version.
    #[error(
        "it is of the form {0} in version {1}; this program reads {FORMAT} in version {VERSION}"
    )]
    Form(Box<str>, u32),
    /// It has more entries than are read.
    #[error("it has more than {MAX_ENTRIES} entries")]
    TooMany,
}

impl RecordedError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl RecordedTree {
    /// What is known of a device, as a recording. Secrets are left out; with
    /// `anonymous` also what tells a subscriber: serial numbers, addresses,
    /// names of networks and people, numbers of telephones.
    pub fn of(identity: &DeviceIdentity, tree: &Tree, anonymous: bool) -> Self {
        let parameters = tree
            .under("")
            .map(|(name, param)| {
                let value = param.value.as_ref();
                let shows = |text: &&str| {
                    let empty = text.is_empty();
                    let secret = Schema::core().is_secret(name) || holds_credentials(text);
                    empty || !(secret || anonymous && is_personal(name, text, identity))
                };
                RecordedParameter {
                    name: name.clone(),
                    writable: param.writable,
                    kind: value.map(|value| value.kind.name().into()),
                    value: value.map(|value| &*value.text).filter(shows).map(Box::from),
                }
            })
            .collect();
        let serial_number =
            if anonymous { "ANONYMOUS".into() } else { identity.serial_number.clone() };
        Self {
            format: FORMAT.into(),
            version: VERSION,
            anonymous,
            device: RecordedDevice {
                manufacturer: identity.manufacturer.clone(),
                oui: identity.oui.clone(),
                product_class: identity.product_class.clone(),
                serial_number,
            },
            parameters,
        }
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// [`RecordedError`] in one line.
    pub fn read(text: &str) -> Result<Self, RecordedError> {
        let tree: Self = serde_json::from_str(text)
            .map_err(|error| RecordedError::Unreadable(error.to_string()))?;
        if *tree.format != *FORMAT || tree.version != VERSION {
            return Err(RecordedError::Form(tree.format, tree.version));
        }
        if tree.parameters.len() > MAX_ENTRIES {
            return Err(RecordedError::TooMany);
        }
        Ok(tree)
    }

    /// The recording as a file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// Whether a value is a URL with a user in it.
fn holds_credentials(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains('@'))
}

/// Parts of the names of parameters that tell one subscriber, or his home, from
/// another; in lower case.
const PERSONAL: &[&str] = &[
    "serialnumber",
    "mac",
    "ssid",
    "username",
    "userid",
    "hostname",
    "ipaddress",
    "directorynumber",
    "phonenumber",
    "callerid",
    "callingname",
    "displayname",
    "authusername",
    "uri",
    "imei",
    "imsi",
    "iccid",
    "msisdn",
    "latitude",
    "longitude",
    "location",
    "connectionrequesturl",
    "udpconnectionrequestaddress",
    "clientid",
    "duid",
    "email",
    "provisioningcode",
    "friendlyname",
    "devicelog",
];

/// The shortest serial number that is looked for inside of values: a shorter one
/// stands in anything.
const LEAST_SERIAL: usize = 4;

/// Whether a value must not be in an anonymous recording: by its name, by its
/// form, or because the serial number stands in it.
fn is_personal(name: &ParamPath, text: &str, identity: &DeviceIdentity) -> bool {
    let leaf = name.leaf().to_ascii_lowercase();
    PERSONAL.iter().any(|part| leaf.contains(part))
        || has_address(text)
        || (identity.serial_number.len() >= LEAST_SERIAL && text.contains(&*identity.serial_number))
}

/// Whether a hardware or network address of somebody stands in a text; 0.0.0.0,
/// masks and the like are nobody's.
fn has_address(text: &str) -> bool {
    let of_an_address =
        |letter: char| letter.is_ascii_hexdigit() || matches!(letter, '.' | ':' | '-');
    text.split(|letter| !of_an_address(letter)).any(|word| {
        let word = word.trim_matches(['.', '-']);
        let without_port = word.rsplit_once(':').map_or(word, |(host, _)| host);
        is_hardware_address(word)
            || [word, without_port].iter().any(|word| {
                word.parse::<IpAddr>().is_ok_and(|address| match address {
                    IpAddr::V4(address) => {
                        let [first, ..] = address.octets();
                        first != 0 && first != 255 && !address.is_loopback()
                    }
                    IpAddr::V6(address) => !address.is_unspecified() && !address.is_loopback(),
                })
            })
    })
}

fn is_hardware_address(word: &str) -> bool {
    let pairs: Vec<&str> = word.split([':', '-']).collect();
    pairs.len() == 6
        && pairs
            .iter()
            .all(|pair| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Value;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn identity() -> DeviceIdentity {
        DeviceIdentity::new("Maker", "00D09E", "Box", "SN-CANARY").unwrap()
    }

    fn tree(values: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        for (name, text) in values {
            tree.learn_value(&ParamPath::parse(name).unwrap(), Value::string(*text), NOW);
        }
        tree
    }

    #[test]
    fn secrets_are_never_in_a_recording() {
        let tree = tree(&[
            ("Device.Users.User.1.Password", "CANARY"),
            ("Device.Users.User.2.Password", ""),
            ("Device.ManagementServer.URL", "http://u:CANARY@acs/"),
            ("Device.DeviceInfo.SoftwareVersion", "1.0"),
        ]);
        let recorded = RecordedTree::of(&identity(), &tree, false);
        let values: Vec<_> = recorded.parameters.iter().map(|one| one.value.as_deref()).collect();
        assert_eq!(values, [Some("1.0"), None, None, Some("")]);
        let read = RecordedTree::read(&recorded.to_json()).unwrap();
        assert_eq!(read, recorded);
    }

    #[test]
    fn an_anonymous_recording_names_nobody() {
        let personal = [
            ("Device.DeviceInfo.SerialNumber", "SN-CANARY"),
            ("Device.DeviceInfo.Description", "box SN-CANARY of Ann"),
            ("Device.Ethernet.Interface.1.MACAddress", "CANARY"),
            ("Device.WiFi.SSID.1.SSID", "CANARY"),
            ("Device.X.Peer", "at 192.0.2.7:5060"),
            ("Device.X.Neighbour", "02:00:5e:10:20:30"),
            ("Device.X.Six", "2001:db8::7"),
            ("Device.Services.VoiceService.1.VoiceProfile.1.Line.1.DirectoryNumber", "CANARY"),
        ];
        let plain = [
            ("Device.DeviceInfo.SoftwareVersion", "1.2.3"),
            ("Device.IP.Interface.1.SubnetMask", "255.255.255.0"),
            ("Device.X.Any", "0.0.0.0"),
            ("Device.Time.CurrentLocalTime", "2026-01-02T03:04:05Z"),
        ];
        let all: Vec<_> = personal.iter().chain(&plain).copied().collect();
        let recorded = RecordedTree::of(&identity(), &tree(&all), true);
        let value = |name: &str| {
            let found = recorded.parameters.iter().find(|one| one.name.as_str() == name);
            found.unwrap().value.as_deref()
        };
        for (name, _) in personal {
            assert_eq!(value(name), None, "{name}");
        }
        for (name, text) in plain {
            assert_eq!(value(name), Some(text), "{name}");
        }
        let text = recorded.to_json();
        assert!(!text.contains("CANARY") && !text.contains("192.0.2.7"), "{text}");
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        let good = RecordedTree::of(&identity(), &tree(&[("Device.A", "1")]), false).to_json();
        for cut in 0..good.len() {
            assert!(RecordedTree::read(&good[..cut]).is_err(), "cut at {cut}");
        }
        let newer = good.replace("\"version\": 1", "\"version\": 2");
        assert!(matches!(RecordedTree::read(&newer), Err(RecordedError::Form(..))));
    }
}
