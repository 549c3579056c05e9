//! `[events]`: who is told of what happens, and when a device counts as away.

use serde::{Deserialize, Serialize};

use super::ConfigError;

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
        for (key, value, most) in [
            ("events.heartbeat", self.heartbeat, 60),
            ("events.offline_after_intervals", self.offline_after_intervals, 1000),
            ("events.unknown_interval", self.unknown_interval, u32::MAX),
        ] {
            if !(1..=most).contains(&value) {
                return Err(ConfigError::OutOfRange {
                    key,
                    value: value.to_string(),
                    problem: "from 1; the heartbeat at most 60 seconds, at most 1000 intervals",
                });
            }
        }
        Ok(())
    }
}
