//! `[phones]`: provisioning.

use serde::{Deserialize, Serialize};

/// `[phones]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhonesConfig {
    /// The name of the encryption profile for Fanvil files. The vendor has not
    /// published its own; see `docs/FANVIL.md`.
    pub fanvil_encryption: String,
    /// The digest that makes keys of AudioCodes secrets for `.cfx` files: `md5`,
    /// or `sha256` for newer tools; see `docs/AUDIOCODES.md`.
    pub audiocodes_key_digest: String,
    /// Requests a minute from one source (an IPv4 address or an IPv6 /64) for
    /// phone files; 0 is no limit.
    pub requests_per_minute: u32,
    /// Different hardware addresses of one vendor's block that may be asked for
    /// in vain by name alone, from one network (an IPv4 /24 or an IPv6 /64)
    /// within ten minutes; then an alarm is logged, and for the rest of that
    /// time nobody there gets a file of that block by name. 0 is no limit.
    pub addresses_in_vain: u32,
    /// The port at which phones are told by SIP NOTIFY to fetch their files.
    pub notify_port: u16,
    /// The port of phones' web servers, for Fanvil's action URI.
    pub web_port: u16,
    /// Seconds until a phone that is told to fetch its files, and does not
    /// answer, counts as silent; from 1 to 32.
    pub resync_timeout: u32,
}

impl Default for PhonesConfig {
    fn default() -> Self {
        Self {
            fanvil_encryption: "aes-256-cbc-zero-iv-pkcs7".to_owned(),
            audiocodes_key_digest: "md5".to_owned(),
            requests_per_minute: 600,
            addresses_in_vain: 100,
            notify_port: 5060,
            web_port: 80,
            resync_timeout: 4,
        }
    }
}
