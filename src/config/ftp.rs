//! `[ftp]`: the FTP doors.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `[ftp]`. What a connection may cost stands in `[limits]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FtpConfig {
    /// Where phones are served over FTP, with TLS on demand (AUTH TLS), as in
    /// `0.0.0.0:2121`; the port that phones use by themselves is 21.
    #[serde(with = "super::northbound::optional_listen")]
    pub listen: Option<SocketAddr>,
    /// Where every connection begins with TLS; commonly port 990.
    #[serde(with = "super::northbound::optional_listen")]
    pub tls_listen: Option<SocketAddr>,
    /// The ports of data connections, as in `30000-30099`: what a firewall has
    /// to let in. Unset: any free one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_ports: Option<PortRange>,
    /// The address that is told to clients for data connections, when they
    /// reach this machine by another one (NAT). Unset: the one that the client
    /// reached. EPSV, which names no address, needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive_address: Option<Ipv4Addr>,
}

/// A range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

impl FromStr for PortRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = "write a range of ports as 30000-30099";
        let (first, last) = text.split_once('-').ok_or(problem)?;
        let port = |text: &str| text.trim().parse::<u16>().map_err(|_| problem);
        let range = Self { first: port(first)?, last: port(last)? };
        if range.first == 0 || range.last < range.first { Err(problem) } else { Ok(range) }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for PortRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PortRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_back() {
        let range: PortRange = "30000-30099".parse().unwrap();
        assert_eq!((range.first, range.last), (30_000, 30_099));
        assert_eq!(range.to_string().parse(), Ok(range));
        for text in ["", "1", "2-1", "0-5", "1-65536", "a-b", "-"] {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
    }
}
