//! `[webhooks]`: where events may be sent, and for how long it is tried.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{ConfigError, within};

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
        within([
            ("webhooks.timeout", self.timeout.into(), 1..=60),
            ("webhooks.first_retry", self.first_retry.into(), 1..=3600),
            ("webhooks.slowest_retry", self.slowest_retry.into(), 1..=86_400),
            ("webhooks.give_up_after", self.give_up_after.into(), 1..=24 * 30),
            ("webhooks.dead_letters", self.dead_letters.into(), 1..=1_000_000),
            ("webhooks.most", self.most.into(), 0..=10_000),
            ("webhooks.most_per_tenant", self.most_per_tenant.into(), 0..=10_000),
        ])
    }
}
