//! Where connection requests may go.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::Live;
use crate::http::{is_named, reaches_many};

/// Decides over addresses.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allow: Live<Vec<IpNet>>,
}

impl Guard {
    pub(super) const fn new(allow: Live<Vec<IpNet>>) -> Self {
        Self { allow }
    }

    /// Whether a device that called from `caller` may be woken at `to`.
    ///
    /// The server's own neighbourhood must be named as such among the allowed
    /// networks, see [`is_named`]. Nobody can be woken at a multicast, broadcast or
    /// unspecified address.
    pub(super) fn allows(&self, to: IpAddr, caller: Option<IpAddr>) -> bool {
        let to = to.to_canonical();
        if reaches_many(to) {
            return false;
        }
        caller.is_some_and(|caller| caller.to_canonical() == to) || is_named(&self.allow, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allow: &[&str], to: &str, caller: Option<&str>) -> bool {
        let allow: Vec<IpNet> = allow.iter().map(|network| network.parse().unwrap()).collect();
        let caller = caller.map(|caller| caller.parse().unwrap());
        Guard::new(allow.into()).allows(to.parse().unwrap(), caller)
    }

    #[test]
    fn a_device_is_woken_where_it_called_from_and_nowhere_else() {
        assert!(allows(&[], "203.0.113.5", Some("203.0.113.5")));
        assert!(allows(&[], "203.0.113.5", Some("::ffff:203.0.113.5")));
        assert!(allows(&[], "127.0.0.1", Some("127.0.0.1")));
        assert!(allows(&[], "2001:db8::1", Some("2001:db8::1")));
        assert!(!allows(&[], "203.0.113.6", Some("203.0.113.5")));
        assert!(!allows(&[], "192.168.1.1", Some("203.0.113.5")));
        assert!(!allows(&[], "203.0.113.5", None));
    }

    #[test]
    fn allowed_networks_widen_that() {
        assert!(allows(&["10.0.0.0/8"], "10.1.2.3", Some("203.0.113.5")));
        assert!(allows(&["10.0.0.0/8"], "::ffff:10.1.2.3", None));
        assert!(!allows(&["10.0.0.0/8"], "11.1.2.3", Some("203.0.113.5")));
    }

    #[test]
    fn the_servers_own_neighbourhood_must_be_named() {
        for to in ["127.0.0.1", "127.9.9.9", "169.254.169.254", "::1", "fe80::1"] {
            assert!(!allows(&[], to, Some("203.0.113.5")), "{to}");
            assert!(!allows(&["0.0.0.0/0", "::/0"], to, Some("203.0.113.5")), "{to}");
        }
        assert!(allows(&["127.0.0.0/8"], "127.0.0.1", Some("203.0.113.5")));
        assert!(allows(&["fe80::/10"], "fe80::1", None));
        assert!(allows(&["::1/128"], "::1", None));
    }

    #[test]
    fn nobody_is_woken_where_many_listen() {
        for to in ["0.0.0.0", "0.1.2.3", "::", "255.255.255.255", "239.1.1.1", "ff02::1"] {
            assert!(
                !allows(&["0.0.0.0/0", "::/0", "224.0.0.0/4", "ff00::/8"], to, Some(to)),
                "{to}"
            );
        }
    }
}
