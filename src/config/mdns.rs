//! `[mdns]`: what is announced by multicast DNS.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// `[mdns]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MdnsConfig {
    /// Whether Digium phones in the same network are told of their firmware.
    pub enabled: bool,
    /// The name of this machine, without `.local`. Unset: `provost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The addresses of the interfaces that are used. Empty: all.
    pub interfaces: Vec<IpAddr>,
    /// The folder where the firmware lies, as in `http://192.0.2.1:7567/…/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firmware_url: Option<String>,
    /// Which firmware there is: one version of each model.
    pub firmware: Vec<MdnsFirmware>,
}

/// A firmware image for Digium phones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MdnsFirmware {
    /// The model: `D65`.
    pub model: Box<str>,
    /// The version as the phone tells it: `2_9_27`.
    pub version: Box<str>,
    /// The file below `firmware_url`; its name carries the version.
    pub file: Box<str>,
}
