//! `[webhooks]`: where events may be sent, and for how long it is tried.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[webhooks]`. Times are in seconds unless it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhooksConfig {
    /// Networks besides the public Internet in which receivers may be: none unless
    /// configured. Loopback must be named as such.
    pub allow: Vec<IpNet>,
    /// A file of authorities, in PEM, that are trusted besides the machine's.
    pub ca: Option<PathBuf>,
    /// For one delivery, from the connection to the end of the answer.
    pub timeout: u32,
    /// After the first failure; doubled with each further one.
    pub first_retry: u32,
    /// At most between two attempts.
    pub slowest_retry: u32,
    /// Hours after which an event that a receiver does not take becomes a dead
    /// letter.
    pub give_up_after: u32,
    /// Dead letters of one webhook; the oldest go.
    pub dead_letters: u32,
    /// Webhooks in all.
    pub most: u32,
    /// Webhooks of one tenant.
    pub most_per_tenant: u32,
}

impl Default for WebhooksConfig {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            ca: None,
            timeout: 10,
            first_retry: 1,
            slowest_retry: 600,
            give_up_after: 24,
            dead_letters: 10_000,
            most: 100,
            most_per_tenant: 20,
        }
    }
}

impl WebhooksConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, value, most) in [
            ("webhooks.timeout", self.timeout, 60),
            ("webhooks.first_retry", self.first_retry, 3600),
            ("webhooks.slowest_retry", self.slowest_retry, 86_400),
            ("webhooks.give_up_after", self.give_up_after, 24 * 30),
            ("webhooks.dead_letters", self.dead_letters, 1_000_000),
        ] {
            if !(1..=most).contains(&value) {
                return Err(ConfigError::OutOfRange {
                    key,
                    value: value.to_string(),
                    problem: "from 1; at most a minute for one delivery, a day between two, and \
                              a month in all",
                });
            }
        }
        Ok(())
    }
}
