//! Where the doors of a running server listen.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use tracing::info;

/// Where the doors of a server listen, with the ports that they really got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// CWMP over plain HTTP.
    pub cwmp: Option<SocketAddr>,
    /// CWMP over TLS.
    pub cwmp_tls: Option<SocketAddr>,
    /// The northbound.
    pub northbound: Option<SocketAddr>,
    /// The northbound over TLS.
    #[serde(default)]
    pub northbound_tls: Option<SocketAddr>,
    /// Metrics and probes, without a token.
    #[serde(default)]
    pub metrics: Option<SocketAddr>,
    /// Files and phones over plain HTTP.
    pub files: Option<SocketAddr>,
    /// The same over TLS.
    pub files_tls: Option<SocketAddr>,
    /// TFTP.
    #[serde(default)]
    pub tftp: Option<SocketAddr>,
    /// FTP, with TLS on demand.
    #[serde(default)]
    pub ftp: Option<SocketAddr>,
    /// FTP over TLS from the start.
    #[serde(default)]
    pub ftps: Option<SocketAddr>,
    /// SIP PnP.
    #[serde(default)]
    pub pnp: Option<SocketAddr>,
    /// Lightweight notifications over UDP.
    #[serde(default)]
    pub lightweight: Option<SocketAddr>,
    /// STUN.
    #[serde(default)]
    pub stun: Option<SocketAddr>,
}

/// An address that can be connected to on this machine: a door that listens
/// everywhere is reached over loopback.
pub(super) fn reachable(at: SocketAddr) -> SocketAddr {
    if at.ip().is_unspecified() { (IpAddr::V4(Ipv4Addr::LOCALHOST), at.port()).into() } else { at }
}

/// Logs where the doors listen.
pub(super) fn tell(addresses: &Addresses) {
    info!(
        cwmp = addresses.cwmp.map(display),
        cwmp.tls = addresses.cwmp_tls.map(display),
        northbound = addresses.northbound.map(display),
        northbound.tls = addresses.northbound_tls.map(display),
        metrics = addresses.metrics.map(display),
        files = addresses.files.map(display),
        files.tls = addresses.files_tls.map(display),
        tftp = addresses.tftp.map(display),
        ftp = addresses.ftp.map(display),
        ftps = addresses.ftps.map(display),
        pnp = addresses.pnp.map(display),
        lightweight = addresses.lightweight.map(display),
        stun = addresses.stun.map(display),
        "the doors are open"
    );
}
