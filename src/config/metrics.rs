//! `[metrics]`: a listener of its own for Prometheus.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[metrics]`. The northbound has the metrics as well, for tokens with the right
/// `metrics:read`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where `/metrics`, `/healthz` and `/readyz` are served without a token, as in
    /// `127.0.0.1:9547`; nowhere if unset.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// Whether `listen` may be an address that others reach.
    pub open_to_network: bool,
}

impl MetricsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.listen {
            Some(at) if !at.ip().is_loopback() && !self.open_to_network => {
                Err(ConfigError::OutOfRange {
                    key: "metrics.listen",
                    value: at.to_string(),
                    problem: "anybody who reaches it can read the metrics; listen on loopback, \
                              or say metrics.open_to_network = true",
                })
            }
            _ => Ok(()),
        }
    }
}
