//! `[fleet]`: what is wanted of devices.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[fleet]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetConfig {
    /// Whether sessions bring devices to what profiles want. Off, profiles can
    /// still be planned and explained, and nothing is done for them.
    pub enabled: bool,
    /// Seconds after the first attempt that failed before the next; doubled each
    /// time, and other for each device by up to a quarter.
    pub retry_first: u32,
    /// The most seconds between two attempts.
    pub retry_most: u32,
    /// Attempts that a device took and that did not bring what is wanted, after
    /// which it waits for something to change or for an operator. Downloads of a
    /// firmware count alike.
    pub max_attempts: u32,
    /// Repairs of one parameter within `repair_window` after which it is left as it
    /// is: something else on the device changes it back.
    pub max_repairs: u32,
    /// Seconds in which repairs of one parameter are counted.
    pub repair_window: u32,
    /// Seconds after which a device that has what is wanted of it is looked at again
    /// without a cause, for rules that time alone changes.
    pub look_again: u32,
}

impl Default for FleetConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            retry_first: 300,
            retry_most: 86_400,
            max_attempts: 5,
            max_repairs: 3,
            repair_window: 86_400,
            look_again: 86_400,
        }
    }
}

impl FleetConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let out_of_range = |key, value: u32, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_string(), problem })
        };
        if self.retry_first == 0 {
            return out_of_range("fleet.retry_first", self.retry_first, "at least 1 second");
        }
        if self.retry_most < self.retry_first {
            let problem = "at least fleet.retry_first";
            return out_of_range("fleet.retry_most", self.retry_most, problem);
        }
        if self.max_attempts == 0 {
            return out_of_range("fleet.max_attempts", self.max_attempts, "at least 1");
        }
        if self.max_repairs == 0 {
            return out_of_range("fleet.max_repairs", self.max_repairs, "at least 1");
        }
        if self.look_again < 60 {
            return out_of_range("fleet.look_again", self.look_again, "at least 60 seconds");
        }
        Ok(())
    }
}
