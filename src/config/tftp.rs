//! `[tftp]`: the TFTP door.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[tftp]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TftpConfig {
    /// Where phones are served over TFTP, as in `0.0.0.0:6969`; the port that
    /// phones use by themselves is 69. On a machine with several addresses name
    /// the one that phones use: answers leave from there.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// The largest block that is agreed to, in bytes. 1468 fills an Ethernet
    /// frame; larger ones arrive in fragments.
    pub max_block: u16,
    /// The largest window that is agreed to, in blocks.
    pub max_window: u16,
    /// Transfers at once.
    pub transfers: usize,
    /// Transfers at once to one source address.
    pub transfers_per_source: usize,
}

impl Default for TftpConfig {
    fn default() -> Self {
        Self {
            listen: None,
            max_block: 1468,
            max_window: 64,
            transfers: 2_000,
            transfers_per_source: 200,
        }
    }
}

impl TftpConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: u16, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_string(), problem })
        };
        if !(512..=65_464).contains(&self.max_block) {
            return fail("tftp.max_block", self.max_block, "from 512 to 65464 (RFC 2348)");
        }
        if !(1..=64).contains(&self.max_window) {
            return fail("tftp.max_window", self.max_window, "from 1 to 64");
        }
        Ok(())
    }
}
