//! Campaigns and their members as they are stored.

use serde::{Deserialize, Serialize};

use crate::device::{DeviceId, TaskId};
use crate::time::Timestamp;

/// A change over many devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignRecord {
    /// The key.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// What it is to do, as JSON; parsed when it is put and when it is loaded.
    pub text: Box<str>,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: Box<str>,
    /// Why; may be empty.
    pub why: Box<str>,
    /// Where it stands.
    pub state: CampaignState,
}

/// Where a campaign stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CampaignState {
    /// Its members are chosen, and it was not started.
    Draft,
}

/// One device of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The campaign.
    pub campaign: Box<str>,
    /// The device.
    pub device: DeviceId,
    /// The wave, from 0.
    pub wave: u32,
    /// Where it stands.
    pub state: MemberState,
}

/// Where a device of a campaign stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemberState {
    /// Its turn has not come.
    Waiting,
    /// It was asked.
    Asked {
        /// When.
        at: Timestamp,
        /// By this task.
        task: TaskId,
    },
}
