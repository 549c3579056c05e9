//! From a host that a device reported to the one address that is written to.

use std::net::{IpAddr, SocketAddr};

use super::error::WakeError;
use super::guard::Guard;
use super::request::IN_ALL;
use crate::http::{Host, Target};

/// The most addresses of a name that are looked at.
const MAX_ADDRESSES: usize = 8;

/// What the device reported, if a connection request may go there at all.
pub(super) fn target(url: &str) -> Result<Target, WakeError> {
    let url = url.trim();
    if url.is_empty() {
        return Err(WakeError::NoUrl);
    }
    let target = Target::parse(url).map_err(|error| WakeError::BadUrl(error.to_string()))?;
    if target.tls {
        // TR-069 §3.2.2 knows plain HTTP only.
        return Err(WakeError::BadUrl("it is https, not http".to_owned()));
    }
    Ok(target)
}

/// The one address to which the request goes. A name is resolved here and
/// never again, so that it cannot turn into another address after it was
/// judged.
pub(super) async fn pinned(
    host: &Host,
    port: u16,
    caller: Option<IpAddr>,
    guard: &Guard,
) -> Result<SocketAddr, WakeError> {
    let addresses = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => resolve(name, port).await?,
    };
    match addresses.iter().find(|address| guard.allows(**address, caller)) {
        Some(address) => Ok(SocketAddr::new(*address, port)),
        None if addresses.iter().any(|address| is_private(*address))
            && caller.is_some_and(|caller| !is_private(caller)) =>
        {
            Err(WakeError::BehindNat(format!(
                "the device listens at {host} in its own network, and called from {}",
                caller.map(|caller| caller.to_string()).unwrap_or_default()
            )))
        }
        None => Err(WakeError::Forbidden(format!(
            "the device wants to be woken at {host}, which is neither where it called from nor in \
             cwmp.connection_request_allow"
        ))),
    }
}

async fn resolve(name: &str, port: u16) -> Result<Vec<IpAddr>, WakeError> {
    let failed = || WakeError::Offline(format!("the name {name} does not resolve"));
    let found = tokio::time::timeout(IN_ALL, tokio::net::lookup_host((name, port)))
        .await
        .map_err(|_| failed())?
        .map_err(|_| failed())?;
    Ok(found.map(|address| address.ip()).take(MAX_ADDRESSES).collect())
}

/// Whether an address is one of a network behind NAT (RFC 1918, RFC 6598,
/// RFC 4193). What is the server's own neighbourhood is none.
pub(super) const fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && second & 0xC0 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}
