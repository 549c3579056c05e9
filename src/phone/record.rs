//! The inventory record of a phone.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Mac, Vendor};
use crate::device::Sealed;
use crate::time::Timestamp;

/// Settings by name. In a phone and in a model's layer the names are the
/// vendor's own; in a layer that vendors share, `vendor:name` is for one vendor
/// and a bare name for those whose grammar takes it. `provost:…` is a directive
/// to Provost itself ([`crate::provision::Directives`]).
pub type Settings = BTreeMap<Box<str>, Box<str>>;

/// Whether a vendor's key looks like that of a secret: `SIP1/Phone Pwd`,
/// `WEB/Password`, `AUTOUPDATE/Auto Server Passwd`.
pub fn is_secret_setting(key: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "pswd", "pwd", "secret", "passphrase", "psk", "aeskey"];
    let squeezed: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    PARTS.iter().any(|part| squeezed.contains(part)) || squeezed.ends_with("key")
}

/// One SIP account of a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The line, from 1.
    pub line: u8,
    /// The SIP user (phone number).
    pub user: Box<str>,
    /// The user name for authentication; the SIP user if empty.
    pub auth_user: Box<str>,
    /// The password.
    pub password: Sealed,
    /// The display name.
    pub display_name: Box<str>,
    /// The registrar's host name or address.
    pub server: Box<str>,
    /// The registrar's port.
    pub port: u16,
    /// How the line speaks SIP.
    pub transport: Transport,
    /// The outbound proxy, `host` or `host:port`; none if empty.
    pub outbound_proxy: Box<str>,
    /// The number that reaches the voice mail; none if empty.
    pub voicemail: Box<str>,
    /// What stands at the line's key; the display name if empty.
    pub label: Box<str>,
}

/// How a line speaks SIP.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Over UDP.
    #[default]
    Udp,
    /// Over TCP.
    Tcp,
    /// Over TLS.
    Tls,
}

/// A programmable key of a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Which key, from 1, as the vendor counts them.
    pub position: u16,
    /// What it does.
    pub kind: KeyKind,
    /// The number, extension, digits or URL.
    pub value: Box<str>,
    /// What stands beside it.
    pub label: Box<str>,
    /// The line that it uses, from 1.
    pub line: u8,
    /// What picks a ringing call up, dialled before the number; none if empty.
    pub pickup: Box<str>,
}

/// What a programmable key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Takes the line.
    Line,
    /// Dials a number.
    SpeedDial,
    /// Shows what an extension does, and dials it (busy lamp field).
    Blf,
    /// Parks a call in an orbit.
    Park,
    /// Sends digits in a call.
    Dtmf,
    /// Opens a URL.
    Url,
}

/// A phone that is provisioned by file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    /// The key.
    pub mac: Mac,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// Whose formats it speaks.
    pub vendor: Vendor,
    /// The model as the vendor names it: `X4`, `C58`, `D65`, `450HD`.
    pub model: Box<str>,
    /// The site it stands at; names a [`super::Site`].
    pub site: Box<str>,
    /// The unguessable part of its provisioning URL.
    pub token: Sealed,
    /// The key for its device file, 64 hex digits; unencrypted if `None`.
    pub config_key: Option<Sealed>,
    /// Its accounts by line.
    pub accounts: Vec<Account>,
    /// Its programmable keys by position.
    pub keys: Vec<Key>,
    /// Settings in the vendor's own names, and directives.
    pub settings: Settings,
    /// Further names under which its own file may be asked for: an ID that
    /// somebody types in at the phone, a custom name, a path below
    /// `/phoneprov/`.
    pub names: Vec<Box<str>>,
    /// The template that its own file is made with; the vendor's if empty. For
    /// AstLinux the name of the mass-deployment template.
    pub template: Box<str>,
    /// Whether it is served at all.
    pub enabled: bool,
    /// How often an operator has opened its first-fetch lock; a lock that was
    /// closed before the last time does not count ([`super::Lock`]).
    pub unlocks: u32,
}

impl Phone {
    /// A phone with nothing but what every phone has.
    pub fn new(mac: Mac, vendor: Vendor, model: &str, site: &str, token: Sealed) -> Self {
        Self {
            mac,
            revision: 0,
            vendor,
            model: model.into(),
            site: site.into(),
            token,
            config_key: None,
            accounts: Vec::new(),
            keys: Vec::new(),
            settings: Settings::new(),
            names: Vec::new(),
            template: "".into(),
            enabled: true,
            unlocks: 0,
        }
    }
}

/// What a phone was last seen doing; written by whoever serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When it last fetched a file.
    pub at: Timestamp,
    /// From where.
    pub address: IpAddr,
    /// The firmware that its User-Agent told.
    pub firmware: Box<str>,
    /// The file it took.
    pub file: Box<str>,
    /// The version that was served.
    pub version: Box<str>,
}

/// The version gate of one generated file: a counter that only ever rises.
///
/// It is raised when the body differs from the one that `body_hash` was taken
/// of, and stays otherwise, so that a phone never re-applies what it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVersion {
    /// `fanvil/common/<site>/<file name>`, `fanvil/mac/<mac>` and the like.
    pub key: Box<str>,
    /// The counter; the first served version is 1.
    pub counter: u64,
    /// Keyed hash (HMAC-SHA-256) of the body without its version line; keyed,
    /// because a body holds passwords that a bare hash would let be guessed.
    pub body_hash: [u8; 32],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_judged_by_their_keys() {
        for key in
            ["SIP/Register Pswd", "SIP/Phone Pwd", "WEB/Admin_Password", "AUTOUPDATE/AES Key"]
        {
            assert!(is_secret_setting(key), "{key}");
        }
        for key in ["SIP/Register Addr", "PHONE/Keyboard", "LANG/Default"] {
            assert!(!is_secret_setting(key), "{key}");
        }
    }
}
