//! `[northbound]`: the operator's door.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, within};

/// `[northbound]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NorthboundConfig {
    /// Where the REST API is served over plain HTTP; loopback unless configured.
    pub listen: SocketAddr,
    /// Where it is served over TLS, as in `0.0.0.0:7558`; nowhere if unset.
    #[serde(with = "optional_listen")]
    pub tls_listen: Option<SocketAddr>,
    /// Whether `listen` may be an address that others reach: tokens then cross the
    /// network in clear, unless a proxy with TLS stands before it.
    pub plain_to_network: bool,
    /// By which names and addresses the server is asked, besides loopback's and the
    /// address that it listens on; without ports.
    pub hosts: Vec<String>,
    /// The longest that `?wait=` holds a request open, in seconds.
    pub max_wait: u32,
    /// The largest JSON body taken, in bytes; uploads have their own limit.
    pub max_body: u64,
    /// For how many hours the answer to a request with an `Idempotency-Key` is
    /// kept.
    pub idempotency_hours: u32,
    /// Devices a second that one change over many devices deals with.
    pub bulk_per_second: u32,
    /// Whether the interface of GenieACS is spoken as well, beside `/api/`.
    pub genieacs: bool,
    /// The program that `GET /ping/<host>` of that interface runs.
    pub ping: PathBuf,
}

impl Default for NorthboundConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 7557).into(),
            tls_listen: None,
            plain_to_network: false,
            hosts: Vec::new(),
            max_wait: 300,
            max_body: 1 << 20,
            idempotency_hours: 24,
            bulk_per_second: 100,
            genieacs: true,
            ping: "ping".into(),
        }
    }
}

impl NorthboundConfig {
    /// Checks what the types cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within([
            ("northbound.max_wait", self.max_wait.into(), 0..=3600),
            ("northbound.max_body", self.max_body, 1000..=1 << 30),
            ("northbound.idempotency_hours", self.idempotency_hours.into(), 1..=24 * 365),
            ("northbound.bulk_per_second", self.bulk_per_second.into(), 1..=100_000),
        ])?;
        if !self.listen.ip().is_loopback() && !self.plain_to_network {
            return Err(ConfigError::OutOfRange {
                key: "northbound.listen",
                value: self.listen.to_string(),
                problem: "tokens would cross the network in clear; use northbound.tls_listen \
                          for the network, or say northbound.plain_to_network = true",
            });
        }
        let is_name = |host: &str| {
            (1..=253).contains(&host.len())
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let is_wrong = |host: &&String| !is_name(host) && host.parse::<IpAddr>().is_err();
        match self.hosts.iter().find(is_wrong) {
            Some(host) => Err(ConfigError::OutOfRange {
                key: "northbound.hosts",
                value: host.clone(),
                problem: "a name or an address, without a scheme and without a port",
            }),
            None => Ok(()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_besides() {
        let with = |host: &str| {
            NorthboundConfig { hosts: vec![host.to_owned()], ..NorthboundConfig::default() }.check()
        };
        for host in ["acs", "acs.example.net", "192.0.2.1", "2001:db8::1"] {
            assert!(with(host).is_ok(), "{host}");
        }
        for host in ["", "*", "https://acs", "acs:7557", "[::1]", "acs/", "a b"] {
            assert!(with(host).is_err(), "{host}");
        }
    }
}
