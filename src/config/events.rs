//! `[events]`: who is told of what happens, and when a device counts as away.

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};

/// `[events]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventsConfig {
    /// Listeners of the event stream at one time.
    pub listeners: u32,
    /// Listeners with one token at one time.
    pub listeners_per_token: u32,
    /// Seconds between two signs of life in a stream in which nothing happens;
    /// tokens are looked at again as often.
    pub heartbeat: u32,
    /// A device is away when it has not informed for so many of its own periodic
    /// intervals.
    pub offline_after_intervals: u32,
    /// Seconds that a device is given at least, however short its interval is.
    pub offline_after_least: u32,
    /// The interval, in seconds, of a device that tells none or informs
    /// periodically at no time.
    pub unknown_interval: u32,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            listeners: 2000,
            listeners_per_token: 100,
            heartbeat: 15,
            offline_after_intervals: 3,
            offline_after_least: 600,
            unknown_interval: 86_400,
        }
    }
}

impl EventsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within([
            ("events.listeners", self.listeners.into(), 1..=100_000),
            ("events.listeners_per_token", self.listeners_per_token.into(), 1..=100_000),
            ("events.heartbeat", self.heartbeat.into(), 1..=60),
            ("events.offline_after_intervals", self.offline_after_intervals.into(), 1..=1000),
            // At most a week and a year.
            ("events.offline_after_least", self.offline_after_least.into(), 0..=604_800),
            ("events.unknown_interval", self.unknown_interval.into(), 1..=31_536_000),
        ])
    }
}
