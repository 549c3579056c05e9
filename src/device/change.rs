//! What changed on a device, when, and by whom: the history of values.

use serde::{Deserialize, Serialize};

use super::{DeviceId, TaskId};
use crate::param::Value;
use crate::time::Timestamp;

/// The most changes that are kept of one session.
pub const MAX_CHANGES: usize = 500;

/// What one session found changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    /// The device.
    pub device: DeviceId,
    /// When.
    pub at: Timestamp,
    /// The changes, in the order of their paths.
    pub changes: Vec<ValueChange>,
}

/// One value that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueChange {
    /// The parameter, or a row with its last dot.
    pub path: Box<str>,
    /// What it was; `None` if it was not there or not known. Empty for a row;
    /// `***` in place of a secret.
    pub before: Option<Box<str>>,
    /// What it is; `None` if it is gone.
    pub after: Option<Box<str>>,
    /// Who did it.
    pub cause: Cause,
}

/// Who changed a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The device, or whoever sits in front of it.
    Device,
    /// A task; the text says who asked for it.
    Task(TaskId, Box<str>),
    /// The server of itself: credentials, the STUN server.
    Server,
    /// A factory reset, or the first contact.
    Bootstrap,
    /// Another firmware.
    Firmware,
}

/// What can be written on a device, as it was at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceBackup {
    /// The key: a UUID of version 7.
    pub id: u128,
    /// The device that it was taken of.
    pub device: DeviceId,
    /// When.
    pub at: Timestamp,
    /// Who asked for it, or `automatic`.
    pub by: Box<str>,
    /// Why; may be empty.
    pub why: Box<str>,
    /// The root object of the device's data model.
    pub root: Box<str>,
    /// The OUI and the product class.
    pub model: (Box<str>, Box<str>),
    /// The firmware that ran.
    pub software_version: Box<str>,
    /// Every parameter that could be written, secrets that the device does not
    /// tell left out; and rows of tables that could be removed, by their path
    /// with the last dot and no value.
    pub values: Vec<(Box<str>, Option<Value>)>,
}
