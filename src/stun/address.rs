//! Addresses in attributes (RFC 3489 §11.2.1, RFC 5389 §15.1 and §15.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::message::{COOKIE, Transaction};

const IPV4: u8 = 1;
const IPV6: u8 = 2;

/// Reads an address; `None` if it is none. The first byte means nothing.
pub(super) fn read(value: &[u8]) -> Option<SocketAddr> {
    let ([_, family, high, low], rest) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([*high, *low]);
    let address = match *family {
        IPV4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(rest).ok()?)),
        IPV6 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(rest).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(address, port))
}

/// Writes an address. One of IPv4 in the form of IPv6 becomes plain again.
pub(super) fn write(address: SocketAddr, into: &mut Vec<u8>) {
    into.push(0);
    let ip = address.ip().to_canonical();
    into.push(if ip.is_ipv4() { IPV4 } else { IPV6 });
    into.extend_from_slice(&address.port().to_be_bytes());
    match ip {
        IpAddr::V4(ip) => into.extend_from_slice(&ip.octets()),
        IpAddr::V6(ip) => into.extend_from_slice(&ip.octets()),
    }
}

/// How many bytes an address takes as a value.
pub(super) fn length(address: SocketAddr) -> usize {
    if address.ip().to_canonical().is_ipv4() { 8 } else { 20 }
}

/// Hides an address from NATs that rewrite it, or shows it again: XOR with the
/// cookie and, of IPv6, with the rest of the transaction.
pub(super) fn veiled(address: SocketAddr, transaction: &Transaction) -> SocketAddr {
    let [first, second, ..] = COOKIE;
    let port = address.port() ^ u16::from_be_bytes([first, second]);
    let mask = transaction.0;
    let ip = match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            let mut bytes = ip.octets();
            veil(&mut bytes, &COOKIE);
            IpAddr::V4(bytes.into())
        }
        IpAddr::V6(ip) => {
            let mut bytes = ip.octets();
            veil(&mut bytes, &mask);
            IpAddr::V6(bytes.into())
        }
    };
    SocketAddr::new(ip, port)
}

fn veil(bytes: &mut [u8], mask: &[u8]) {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}
