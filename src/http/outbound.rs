//! Where the server itself may connect to when others name the address: what
//! connection requests and webhooks have in common.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whether many would hear what is sent there, or nobody.
pub fn reaches_many(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_multicast()
        || address.is_unspecified()
        || matches!(address, IpAddr::V4(address) if address.is_broadcast() || address.octets()[0] == 0)
}

/// Whether an address is the machine itself or on its own link.
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}

/// Whether one of these networks names an address.
///
/// Loopback and link-local addresses are the server's own neighbourhood (metadata
/// services live there), so for them a wide network does not count: it must lie
/// inside such a range itself. Addresses that reach many are never named.
pub fn is_named(allow: &[IpNet], to: IpAddr) -> bool {
    let to = to.to_canonical();
    !reaches_many(to)
        && allow.iter().any(|network| {
            network.contains(&to)
                && (!is_near(to) || (is_near(network.network()) && is_near(network.broadcast())))
        })
}

/// Whether an address belongs to the public Internet: neither private nor shared
/// nor reserved, and none that carries another address inside (6to4, NAT64,
/// Teredo), by the registries of special addresses (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19)))
}

/// Only global unicast (2000::/3) is, and of that not what is set apart.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_global = a & 0xe000 == 0x2000;
    let is_protocols = a == 0x2001 && b < 0x0200;
    let is_documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    is_global && !is_protocols && !is_documentation && a != 0x2002
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_internet_is_public() {
        for public in ["8.8.8.8", "198.17.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"] {
            assert!(is_public(at(public)), "{public}");
            assert!(!is_near(at(public)) && !reaches_many(at(public)));
        }
        for other in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "0.0.0.0",
            "0.1.2.3",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(at(other)), "{other}");
        }
    }

    #[test]
    fn the_own_neighbourhood_must_be_named_itself() {
        let nets = |texts: &[&str]| -> Vec<IpNet> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        assert!(is_named(&nets(&["10.0.0.0/8"]), at("::ffff:10.1.2.3")));
        assert!(!is_named(&nets(&["10.0.0.0/8"]), at("11.1.2.3")));
        for near in ["127.0.0.1", "169.254.169.254", "::1", "fe80::1"] {
            assert!(!is_named(&nets(&["0.0.0.0/0", "::/0"]), at(near)), "{near}");
        }
        assert!(is_named(&nets(&["127.0.0.0/8"]), at("127.0.0.1")));
        assert!(!is_named(&nets(&["0.0.0.0/0"]), at("0.0.0.0")));
        assert!(!is_named(&nets(&["224.0.0.0/4"]), at("239.1.1.1")));
    }
}
