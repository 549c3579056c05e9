//! `[cwmp]`: the device's door.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Who may open a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// One onboarding credential for first contact; each device is then given
    /// credentials of its own.
    #[default]
    Shared,
    /// Only devices whose credentials are known beforehand.
    Device,
    /// Anybody: for a lab. Every start warns.
    Open,
}

/// `[cwmp]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CwmpConfig {
    /// Where plain HTTP is served.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// Where TLS is served.
    #[serde(with = "super::northbound::optional_listen")]
    pub tls_listen: Option<SocketAddr>,
    /// Who may open a session.
    pub auth: AuthMode,
    /// Whether Basic is taken over plain HTTP as well.
    pub basic_over_http: bool,
    /// Whether devices are given credentials of their own after first contact.
    /// Unset: in `shared` mode only. In `device` mode they have their own, and
    /// come back with them after a factory reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub give_credentials: Option<bool>,
    /// Seconds that a session may be silent before it is given up, at least 30.
    pub session_timeout: u32,
    /// Seconds between Informs that devices are asked for; 0 leaves it alone.
    pub inform_interval: u32,
    /// How many names go into one GetParameterValues at first.
    pub read_batch: u16,
    /// How many values go into one SetParameterValues at first.
    pub write_batch: u16,
    /// The largest body taken from a device, in bytes.
    pub max_body: u64,
    /// Live sessions at once; beyond it devices are told to come again later.
    pub max_sessions: usize,
    /// New devices in one minute; beyond it unknown devices are told to come
    /// again later.
    pub new_devices_per_minute: u32,
    /// Networks to which connection requests may go besides the address that
    /// the device itself called from.
    pub connection_request_allow: Vec<IpNet>,
    /// Whether a device that asks for Basic at a connection request is shown
    /// its password in clear text.
    pub connection_request_basic: bool,
    /// Seconds after which a transfer without a TransferComplete is given up.
    pub transfer_timeout: u32,
}

impl Default for CwmpConfig {
    fn default() -> Self {
        Self {
            listen: Some((Ipv4Addr::UNSPECIFIED, 7547).into()),
            tls_listen: Some((Ipv4Addr::UNSPECIFIED, 7548).into()),
            auth: AuthMode::default(),
            basic_over_http: false,
            give_credentials: None,
            session_timeout: 60,
            inform_interval: 0,
            read_batch: 128,
            write_batch: 64,
            max_body: 64 << 20,
            max_sessions: 20_000,
            new_devices_per_minute: 60_000,
            connection_request_allow: Vec::new(),
            connection_request_basic: false,
            transfer_timeout: 3600,
        }
    }
}

impl CwmpConfig {
    /// Whether devices are given credentials of their own.
    pub fn gives_credentials(&self) -> bool {
        self.give_credentials.unwrap_or(self.auth == AuthMode::Shared)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fail = |key, value: u64, problem| {
            Err(ConfigError::OutOfRange { key, value: value.to_string(), problem })
        };
        if self.session_timeout < 30 {
            return fail(
                "cwmp.session_timeout",
                self.session_timeout.into(),
                "at least 30 seconds (TR-069 §3.4.4)",
            );
        }
        if self.max_body < 32 << 10 {
            return fail("cwmp.max_body", self.max_body, "at least 32768 bytes (TR-069 §3.4.6)");
        }
        if self.read_batch == 0 {
            return fail("cwmp.read_batch", 0, "at least 1");
        }
        if self.write_batch == 0 {
            return fail("cwmp.write_batch", 0, "at least 1");
        }
        Ok(())
    }
}
