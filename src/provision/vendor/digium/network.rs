//! Networks: settings, firmware and contacts may be for one of them, and the
//! phone takes those of the network that its own address is in.

use std::net::IpAddr;

use ipnet::IpNet;

/// A `<network>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its ID, named by `network_id`.
    pub id: u16,
    /// What a person calls it.
    pub display_name: Box<str>,
    /// The addresses that belong to it.
    pub cidr: IpNet,
}

/// The network of a phone's address: the first that holds it, in the order of
/// the file. (The vendor does not say which of several a phone takes, so put the
/// narrower first.)
pub fn choose(networks: &[Network], address: IpAddr) -> Option<&Network> {
    let address = address.to_canonical();
    networks.iter().find(|network| network.cidr.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_holds_the_address() {
        let network =
            |id, cidr: &str| Network { id, display_name: "".into(), cidr: cidr.parse().unwrap() };
        let networks =
            [network(1, "10.5.0.0/16"), network(2, "10.0.0.0/8"), network(3, "0.0.0.0/0")];
        let chosen = |address: &str| choose(&networks, address.parse().unwrap()).map(|its| its.id);
        assert_eq!(chosen("10.5.1.1"), Some(1));
        assert_eq!(chosen("::ffff:10.5.1.1"), Some(1));
        assert_eq!(chosen("10.6.1.1"), Some(2));
        assert_eq!(chosen("192.0.2.1"), Some(3));
        assert_eq!(chosen("2001:db8::1"), None);
        assert_eq!(choose(&[], "10.0.0.1".parse().unwrap()), None);
    }
}
