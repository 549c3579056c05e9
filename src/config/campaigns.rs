//! `[campaigns]`: changes over many devices.

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};

/// `[campaigns]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignsConfig {
    /// A campaign over more devices than this waits, once it is started, until
    /// somebody approves it.
    pub approval_above: u32,
    /// Devices that a campaign asks in a minute, unless it says otherwise.
    pub per_minute: u32,
    /// Devices of a campaign that are at work at one time, unless it says
    /// otherwise.
    pub concurrency: u32,
}

impl Default for CampaignsConfig {
    fn default() -> Self {
        Self { approval_above: 1000, per_minute: 60, concurrency: 50 }
    }
}

impl CampaignsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within([
            ("campaigns.per_minute", self.per_minute.into(), 1..=60_000),
            ("campaigns.concurrency", self.concurrency.into(), 1..=10_000),
        ])
    }
}
