//! `[limits]`: what one source may cost, on every HTTP door.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[limits]`. Times are in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// For the TLS handshake.
    pub tls_handshake: u32,
    /// Until the first byte of a connection.
    pub first_byte: u32,
    /// For the headers of a request.
    pub headers: u32,
    /// Bytes a second that a body must bring, after a grace of five seconds.
    pub body_rate: u32,
    /// Without a request on an open connection.
    pub idle: u32,
    /// From a connection's opening to its end.
    pub age: u32,
    /// Bytes of one request's headers.
    pub header_bytes: u32,
    /// Connections in all, a door.
    pub connections: usize,
    /// Connections of one source address, a door.
    pub connections_per_source: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            tls_handshake: 10,
            first_byte: 10,
            headers: 10,
            body_rate: 1024,
            idle: 75,
            age: 3600,
            header_bytes: 16 << 10,
            connections: 20_000,
            connections_per_source: 2_000,
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // hyper's read buffer cannot be smaller.
        if self.header_bytes < 8 << 10 {
            return Err(ConfigError::OutOfRange {
                key: "limits.header_bytes",
                value: self.header_bytes.to_string(),
                problem: "at least 8192",
            });
        }
        for (key, value) in [
            ("limits.tls_handshake", self.tls_handshake),
            ("limits.first_byte", self.first_byte),
            ("limits.headers", self.headers),
            ("limits.idle", self.idle),
            ("limits.age", self.age),
        ] {
            if value == 0 {
                return Err(ConfigError::OutOfRange {
                    key,
                    value: "0".to_owned(),
                    problem: "at least 1 second",
                });
            }
        }
        Ok(())
    }
}
