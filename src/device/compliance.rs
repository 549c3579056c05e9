//! How far a device is from what is wanted of it.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Stands for what was wanted of it when it was last looked at; 0 if that
    /// never was. What differs afterwards while the same is wanted has strayed.
    pub desired: u64,
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
    /// The firmware that ran at the last attempt: another one is asked anew.
    pub software_version: Box<str>,
    /// How far it is with another firmware, if it is to run one.
    pub firmware: Option<FirmwareStanding>,
}

/// How far a device is with the firmware that it is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareStanding {
    /// The version that it is to run.
    pub version: Box<str>,
    /// Downloads of it that were asked for.
    pub attempts: u32,
    /// When it is asked for again at the earliest; `None` before the first time,
    /// and when it is asked for no more.
    pub retry_at: Option<Timestamp>,
    /// The last Download.
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
    /// Whether the device had what is wanted, and strayed from it.
    pub strayed: bool,
    /// Why it is left as it is, until something else is wanted, another firmware
    /// runs or an operator asks; empty if it is to be repaired.
    pub held: Box<str>,
    /// A keyed digest of the value that is wanted.
    pub digest: u64,
}

/// What has to be remembered of a device beyond what it tells: what was written
/// and does not read back, what was repaired lately, and what it does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenValues {
    /// The device.
    pub device: DeviceId,
    /// By path, a keyed digest of the value that was written last.
    pub digests: BTreeMap<Box<str>, u64>,
    /// What was repaired lately, oldest first.
    pub repairs: Vec<Repair>,
    /// Parameters that were asked for and that it does not tell: not asked for
    /// again before its tree is read anew.
    pub absent: BTreeSet<Box<str>>,
}

impl WrittenValues {
    /// Of a device of which nothing is known.
    pub const fn new(device: DeviceId) -> Self {
        Self { device, digests: BTreeMap::new(), repairs: Vec::new(), absent: BTreeSet::new() }
    }

    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.repairs.is_empty() && self.absent.is_empty()
    }
}

/// One repair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// What had strayed: a parameter, or a row with its last dot.
    pub path: Box<str>,
    /// When.
    pub at: Timestamp,
}
