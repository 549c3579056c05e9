//! Devices that are known before they appear, and devices that appear unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{DeviceId, DeviceIdentity};
use crate::time::Timestamp;

/// By what a device is known that was never seen.
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

/// `device/…`, `serial/…`, `mac/…`, `login/…`: the key in the store.
impl fmt::Display for PreloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(id) => write!(f, "device/{id}"),
            Self::Serial(serial) => write!(f, "serial/{serial}"),
            Self::Mac(mac) => write!(f, "mac/{mac}"),
            Self::Login(login) => write!(f, "login/{login}"),
        }
    }
}

/// What a device is given when it first appears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preload {
    /// By what it is known.
    pub key: PreloadKey,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Box<str>,
    /// Free tags.
    pub tags: BTreeSet<Box<str>>,
    /// The tenant; may be empty.
    pub tenant: Box<str>,
    /// The site; may be empty.
    pub site: Box<str>,
    /// What is known of the subscriber: `id`, `name`, `pppoe_username`, …
    pub subscriber: BTreeMap<Box<str>, Box<str>>,
    /// The device that took it up.
    pub taken_by: Option<DeviceId>,
}

/// An unknown device that waits to be adopted, or was denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranger {
    /// Who it says it is.
    pub device: DeviceId,
    /// The same in full.
    pub identity: DeviceIdentity,
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
