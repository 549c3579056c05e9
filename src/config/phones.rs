//! `[phones]`: provisioning.

use serde::{Deserialize, Serialize};

/// `[phones]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhonesConfig {
    /// The name of the encryption profile for Fanvil files. The vendor has not
    /// published its own; see `docs/FANVIL.md`.
    pub fanvil_encryption: String,
    /// Requests a minute from one source (an IPv4 address or an IPv6 /64) for
    /// phone files; 0 is no limit.
    pub requests_per_minute: u32,
}

impl Default for PhonesConfig {
    fn default() -> Self {
        Self { fanvil_encryption: "aes-256-cbc-zero-iv-pkcs7".to_owned(), requests_per_minute: 600 }
    }
}
