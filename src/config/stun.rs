//! `[stun]`: the STUN server, through which devices behind NAT are woken.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// In what a model's UDP connection requests differ from TR-069 Annex G (Q51).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UdpVariant {
    /// `ts` in milliseconds.
    Milliseconds,
    /// The signature in upper-case hex.
    Upper,
    /// A `/` before the query.
    Slash,
    /// No `Host` header.
    NoHost,
}

/// `[stun]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StunConfig {
    /// Where devices learn their public address, as in `0.0.0.0:3478`. On a
    /// machine with several addresses name the one that devices use: answers
    /// and connection requests leave from there.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// The host that devices are told; empty for the one under which they
    /// reach the CWMP door.
    pub public_host: String,
    /// Whether every device that knows STUN is told to use it. Otherwise those
    /// are that are seen to be behind NAT.
    pub enable_on_devices: bool,
    /// Whether a request so short that its answer is larger is answered, as
    /// clients outside of TR-069 send it.
    pub answer_short: bool,
    /// Product classes whose UDP connection requests differ, and in what.
    pub variants: BTreeMap<String, BTreeSet<UdpVariant>>,
}
