//! `[pnp]`: SIP PnP.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// `[pnp]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PnpConfig {
    /// Where phones that look for a configuration are heard: `0.0.0.0:5060`.
    /// Phones ask no other port, so that no PBX can hold it on this machine.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// The addresses of the interfaces on which the group 224.0.1.75 is joined.
    /// Empty: the one that the system chooses.
    pub interfaces: Vec<Ipv4Addr>,
    /// Networks from which phones are answered. Empty: any.
    pub allow: Vec<IpNet>,
    /// What phones are told that ask without their MAC address (AudioCodes), as
    /// in `http://192.0.2.1/<MAC>.cfg`: the phone fills in `<MAC>` and
    /// `<MODEL>`. Unset: they get no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generic_url: Option<String>,
    /// In which order From and To stand in a NOTIFY.
    pub parties: PnpParties,
}

/// In which order From and To stand in a NOTIFY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PnpParties {
    /// As the vendor's examples show; exchanged for others.
    #[default]
    Vendor,
    /// Exchanged, as RFC 3261 wants it.
    Exchanged,
    /// As in the SUBSCRIBE.
    AsAsked,
}
