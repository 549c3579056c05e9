//! Addresses in From, To and Contact, and the URIs in them.

use std::net::{IpAddr, SocketAddr};

/// The value of From, To or Contact (RFC 3261 §20.10): a name that is skipped,
/// a URI, parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddress<'a> {
    /// The URI, without its brackets.
    pub uri: &'a str,
    /// What stands behind it: `;tag=1;…`.
    pub parameters: &'a str,
}

impl<'a> NameAddress<'a> {
    /// Reads a value; of several in one header the first. `None` if there is no
    /// URI in it.
    pub fn parse(value: &'a str) -> Option<Self> {
        let value = value.trim();
        // A quoted display name may hold anything, brackets included.
        let value = match value.strip_prefix('"') {
            Some(rest) => {
                let mut escaped = false;
                let end = rest.bytes().position(|byte| {
                    let ends = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    ends
                })?;
                rest.get(end + 1..)?
            }
            None => value,
        };
        let (uri, parameters) = match value.split_once('<') {
            Some((_, rest)) => rest.split_once('>')?,
            // Without brackets, parameters are the header's, not the URI's.
            None => value.split_at(value.find([';', ',']).unwrap_or(value.len())),
        };
        let uri = uri.trim();
        (!uri.is_empty()).then_some(Self { uri, parameters })
    }

    /// Its tag, if it has one.
    pub fn tag(&self) -> Option<&'a str> {
        let parameters = self.parameters.split(',').next().unwrap_or_default().split(';');
        let mut named = parameters.filter_map(|parameter| parameter.trim().split_once('='));
        named.find(|(name, _)| name.trim().eq_ignore_ascii_case("tag")).map(|(_, tag)| tag.trim())
    }
}

/// A `sip:` or `sips:` URI (RFC 3261 §19.1), its parameters left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The user, percent signs as they stand; empty if there is none.
    pub user: &'a str,
    /// The host; an IPv6 address without its brackets.
    pub host: &'a str,
    /// The port, if it names one.
    pub port: Option<u16>,
}

impl<'a> Uri<'a> {
    /// Reads a URI; `None` if it is none of SIP.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return None;
        }
        let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let place = place.split([';', '?']).next().unwrap_or_default();
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (host, rest.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.trim().parse().ok().filter(|port| *port != 0)?),
            None => None,
        };
        let host = host.trim();
        let user = user.split(':').next().unwrap_or_default();
        // `MAC:001122334455` has a colon of its own in the user part.
        let user = if user.eq_ignore_ascii_case("mac") { rest.split('@').next()? } else { user };
        (!host.is_empty()).then_some(Self { user, host, port })
    }

    /// The address that it names, with SIP's port if it names none; `None` if
    /// the host is a name.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        let host: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(host.to_canonical(), self.port.unwrap_or(5060)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_every_form_are_read() {
        for (text, uri, tag) in [
            ("<sip:a@b>;tag=1", "sip:a@b", Some("1")),
            ("sip:a@b;tag=1", "sip:a@b", Some("1")),
            ("sip:a@b", "sip:a@b", None),
            ("\"x <sip:no@no> \\\" y\" <sip:a@b;lr>;x=y; Tag = 1", "sip:a@b;lr", Some("1")),
            ("Anna <sip:a@b>", "sip:a@b", None),
            ("<sip:a@b>, <sip:c@d>;tag=2", "sip:a@b", None),
        ] {
            let address = NameAddress::parse(text).unwrap();
            assert_eq!((address.uri, address.tag()), (uri, tag), "{text}");
        }
        for text in ["", "<>", "<sip:a@b", "\"unclosed <sip:a@b>", "\"", "  "] {
            assert_eq!(NameAddress::parse(text), None, "{text}");
        }
    }

    #[test]
    fn uris_are_taken_apart() {
        let read = |text| Uri::parse(text).map(|uri| (uri.user, uri.host, uri.port));
        let mac = "MAC%3a0c383e07e16c";
        assert_eq!(read("sip:MAC%3a0c383e07e16c@224.0.1.75"), Some((mac, "224.0.1.75", None)));
        let mac = "MAC:0c383e07e16c";
        assert_eq!(read("sip:MAC:0c383e07e16c@224.0.1.75"), Some((mac, "224.0.1.75", None)));
        assert_eq!(read("sip:224.0.1.75:5060"), Some(("", "224.0.1.75", Some(5060))));
        assert_eq!(read("SIPS:1:pw@[2001:db8::1]:5061;x"), Some(("1", "2001:db8::1", Some(5061))));
        for text in ["", "a@b", "tel:1", "sip:", "sip:a@", "sip:a@b:0", "sip:a@b:x", "sip:[::1"] {
            assert_eq!(read(text), None, "{text}");
        }
        let at = |text| Uri::parse(text).and_then(|uri| uri.socket_address());
        assert_eq!(at("sip:192.0.2.1"), Some("192.0.2.1:5060".parse().unwrap()));
        assert_eq!(at("sip:1@[::ffff:192.0.2.1]:9"), Some("192.0.2.1:9".parse().unwrap()));
        assert_eq!(at("sip:pbx"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "(sip:)?[<>\"\\\\;:@,=a-zä%\\[\\]]{0,60}") {
            if let Some(address) = NameAddress::parse(&text) {
                let _ = (address.tag(), Uri::parse(address.uri));
            }
            let _ = Uri::parse(&text).map(|uri| uri.socket_address());
        }
    }
}
