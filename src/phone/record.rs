//! The inventory records of phones, sites and generated files.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Mac;
use crate::device::Sealed;
use crate::time::Timestamp;

/// Whose formats a phone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Vendor {
    /// Fanvil and its OEM brands.
    Fanvil,
}

impl Vendor {
    /// The lower-case word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fanvil => "fanvil",
        }
    }
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
    /// The model as the vendor names it: `X4`, `C58`.
    pub model: Box<str>,
    /// The site it stands at; names a [`Site`].
    pub site: Box<str>,
    /// The unguessable part of its provisioning URL.
    pub token: Sealed,
    /// The key for its device file, 64 hex digits; unencrypted if `None`.
    pub config_key: Option<Sealed>,
    /// Its accounts by line.
    pub accounts: Vec<Account>,
    /// Settings in the vendor's own keys, `MODULE/Key` → value.
    pub settings: BTreeMap<Box<str>, Box<str>>,
}

/// A place with phones that share settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The key.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// The key for common files, 64 hex digits; unencrypted if `None`.
    pub common_key: Option<Sealed>,
    /// Settings for all its phones, `MODULE/Key` → value.
    pub settings: BTreeMap<Box<str>, Box<str>>,
    /// Whether secrets may leave over plain HTTP in unencrypted files.
    pub plain_secrets: bool,
}

/// What a phone was last seen doing; written by the fetch door.
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
    /// `fanvil/common/<site>/<file name>` or `fanvil/mac/<mac>`.
    pub key: Box<str>,
    /// The counter; the first served version is 1.
    pub counter: u64,
    /// Keyed hash (HMAC-SHA-256) of the body without its version line; keyed,
    /// because a body holds passwords that a bare hash would let be guessed.
    pub body_hash: [u8; 32],
}
