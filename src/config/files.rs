//! `[files]`: the file and phone door.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[files]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilesConfig {
    /// Where files and phone configurations are served over plain HTTP.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// The same over TLS.
    #[serde(with = "super::northbound::optional_listen")]
    pub tls_listen: Option<SocketAddr>,
    /// How devices reach this door, as in `http://acs.example.net:7567`. Unset:
    /// the address at which the device reached the CWMP door, with this port;
    /// phones are told where the door listens, or if it listens everywhere the
    /// address of the default route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// The largest upload, in bytes.
    pub max_upload: u64,
    /// All uploads together, in bytes.
    pub quota: u64,
    /// Seconds that a download URL is good for.
    pub link_lifetime: u32,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            listen: Some((Ipv4Addr::UNSPECIFIED, 7567).into()),
            tls_listen: Some((Ipv4Addr::UNSPECIFIED, 7568).into()),
            public_url: None,
            max_upload: 1 << 30,
            quota: 64 << 30,
            link_lifetime: 86_400,
        }
    }
}

impl FilesConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Some(url) = &self.public_url else {
            return Ok(());
        };
        let sound = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))
            .is_some_and(|rest| !rest.is_empty() && !rest.contains(['@', ' ', '?', '#']));
        if sound {
            return Ok(());
        }
        Err(ConfigError::OutOfRange {
            key: "files.public_url",
            value: url.clone(),
            problem: "begin with http:// or https://, without user, query or fragment",
        })
    }
}
