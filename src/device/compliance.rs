//! How far a device is from what is wanted of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DeviceId, Source, TaskId};
use crate::time::Timestamp;

/// The most differences that are recorded of one device.
pub const MAX_DRIFTS: usize = 200;

/// A mark in the hot record of a device that has what is wanted of it: as long
/// as it holds, a session need not look at profiles at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// Stands for all profiles in force when it was made; 0 if it was never made.
    pub profiles: u64,
    /// The revision of the device's labels.
    pub labels: u32,
    /// When it is to be looked at again whatever happens: something is then
    /// stale, or may be tried again.
    pub due: Timestamp,
}

/// What stands between a device and what is wanted of it. There is none for a
/// device that has it all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compliance {
    /// The device.
    pub device: DeviceId,
    /// When this was last found out.
    pub at: Timestamp,
    /// What differs.
    pub drifts: Vec<Drift>,
    /// Attempts in a row that did not bring it there.
    pub attempts: u32,
    /// When it is tried again; `None` if that waits for an operator or for a
    /// change of what is wanted.
    pub retry_at: Option<Timestamp>,
    /// Why it is not tried, or how the last attempt ended; empty if neither.
    pub why: Box<str>,
    /// The last attempt.
    pub task: Option<TaskId>,
}

/// One thing in which a device differs from what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The parameter, or the row with its last dot.
    pub path: Box<str>,
    /// What is wanted; `***` in place of a secret.
    pub wanted: Box<str>,
    /// What the device has; `None` if it has no such parameter or row, or never
    /// told.
    pub found: Option<Box<str>>,
    /// Since when it is known.
    pub since: Timestamp,
    /// Who wants it.
    pub source: Source,
}

/// What was written to a device and does not read back: secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenValues {
    /// The device.
    pub device: DeviceId,
    /// By path, a keyed digest of the value that was written last.
    pub digests: BTreeMap<Box<str>, u64>,
}
