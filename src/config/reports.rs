//! `[bulk]` and `[lightweight]`: what devices report outside of sessions.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[bulk]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BulkConfig {
    /// The path of the CWMP doors at which bulk data is taken; empty for none.
    pub path: String,
    /// The largest body taken from a device, in bytes, decompressed.
    pub max_body: u64,
    /// Requests of one device in a minute; 0 is no limit.
    pub requests_per_minute: u32,
}

impl Default for BulkConfig {
    fn default() -> Self {
        Self { path: "/bulkdata".to_owned(), max_body: 8 << 20, requests_per_minute: 12 }
    }
}

impl BulkConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let path = &self.path;
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._~-".contains(c);
        let sound =
            path.is_empty() || (path.starts_with('/') && path.len() > 1 && path.chars().all(plain));
        if sound {
            return Ok(());
        }
        Err(ConfigError::OutOfRange {
            key: "bulk.path",
            value: path.clone(),
            problem: "a path such as /bulkdata, or nothing; / alone is where sessions are",
        })
    }
}

/// `[lightweight]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightweightConfig {
    /// Where lightweight notifications are taken over UDP, as in `0.0.0.0:7547`;
    /// nowhere if unset.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
}
