//! `[northbound]`: the operator's door.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// `[northbound]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NorthboundConfig {
    /// Where the REST API is served; loopback unless configured.
    pub listen: SocketAddr,
    /// The longest that `?wait=` holds a request open, in seconds.
    pub max_wait: u32,
    /// The largest JSON body taken, in bytes; uploads have their own limit.
    pub max_body: u64,
}

impl Default for NorthboundConfig {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 7557).into(), max_wait: 300, max_body: 1 << 20 }
    }
}

/// An address to listen on, or `"off"`.
pub(super) mod optional_listen {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        listen: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match listen {
            Some(listen) => serializer.collect_str(listen),
            None => serializer.serialize_str("off"),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            serde::de::Error::custom(format!(
                "`{text}` is no address with a port like 0.0.0.0:7547, nor \"off\""
            ))
        })
    }
}
