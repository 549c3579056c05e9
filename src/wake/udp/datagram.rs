//! The text of a UDP connection request (TR-069 §G.2.2.3).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use ring::hmac;

use crate::config::UdpVariant;
use crate::device::Secret;
use crate::time::Timestamp;

/// What goes into a UDP connection request.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// The address to which it is sent.
    pub(crate) to: SocketAddr,
    /// When.
    pub(crate) now: Timestamp,
    /// Larger than that of any request before.
    pub(crate) id: u32,
    /// `ConnectionRequestUsername`.
    pub(crate) username: &'a str,
    /// `ConnectionRequestPassword`: what it is signed with.
    pub(crate) password: &'a Secret,
    /// A text that was never used before.
    pub(crate) cnonce: &'a str,
}

impl Request<'_> {
    /// The datagram: the head of an HTTP request, signed over its arguments.
    pub(crate) fn datagram(&self, variants: &BTreeSet<UdpVariant>) -> Vec<u8> {
        let has = |variant| variants.contains(&variant);
        let millis = self.now.as_millis();
        let stamp = if has(UdpVariant::Milliseconds) { millis } else { millis.div_euclid(1000) };
        let Self { to, id, username, cnonce, .. } = self;
        let mut signature = self.signature(stamp);
        if has(UdpVariant::Upper) {
            signature.make_ascii_uppercase();
        }
        let slash = if has(UdpVariant::Slash) { "/" } else { "" };
        let host = if has(UdpVariant::NoHost) { String::new() } else { format!("Host: {to}\r\n") };
        let (username, cnonce) = (encoded(username), encoded(cnonce));
        format!(
            "GET http://{to}{slash}?ts={stamp}&id={id}&un={username}&cn={cnonce}&sig={signature} \
             HTTP/1.1\r\n{host}\r\n"
        )
        .into_bytes()
    }

    /// HMAC-SHA1 over the arguments as they are, without anything between.
    fn signature(&self, stamp: i64) -> String {
        let key =
            hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.password.expose().as_bytes());
        let text = format!("{stamp}{}{}{}", self.id, self.username, self.cnonce);
        hex::encode(hmac::sign(&key, text.as_bytes()).as_ref())
    }
}

/// A value of a query, as RFC 3986 has it.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(to: &str, username: &str, variants: &[UdpVariant]) -> String {
        let request = Request {
            to: to.parse().unwrap(),
            now: Timestamp::from_millis(1_700_000_000_250),
            id: 77,
            username,
            password: &Secret::new("crPass"),
            cnonce: "4f1c9a7be0d3",
        };
        String::from_utf8(request.datagram(&variants.iter().copied().collect())).unwrap()
    }

    #[test]
    fn t18_the_vector_of_annex_g() {
        assert_eq!(
            datagram("203.0.113.7:41000", "crUser", &[]),
            "GET http://203.0.113.7:41000?ts=1700000000&id=77&un=crUser&cn=4f1c9a7be0d3&sig=d52183f\
             c01c45664f5642048fb203c14930990c1 HTTP/1.1\r\nHost: 203.0.113.7:41000\r\n\r\n"
        );
        let ipv6 = datagram("[2001:db8::7]:41000", "crUser", &[]);
        assert!(ipv6.starts_with("GET http://[2001:db8::7]:41000?ts=17"), "{ipv6}");
    }

    #[test]
    fn q51_models_that_want_it_otherwise() {
        use UdpVariant::{Milliseconds, NoHost, Slash, Upper};
        let all = datagram("203.0.113.7:80", "u", &[Milliseconds, Upper, Slash, NoHost]);
        assert!(
            all.starts_with("GET http://203.0.113.7:80/?ts=1700000000250&id=77&un=u&"),
            "{all}"
        );
        let signature = all.split("sig=").nth(1).unwrap().split(' ').next().unwrap();
        assert_eq!(signature, signature.to_uppercase());
        assert_eq!(signature.len(), 40);
        assert!(all.ends_with(" HTTP/1.1\r\n\r\n"), "{all}");
        let slash = datagram("203.0.113.7:80", "crUser", &[Slash]);
        assert!(slash.contains(":80/?ts=1700000000&"), "{slash}");
        assert!(slash.contains("sig=d52183fc01c45664f5642048fb203c14930990c1"), "{slash}");
    }

    #[test]
    fn values_are_encoded_and_signed_as_they_are() {
        let odd = datagram("203.0.113.7:80", "a b&c=\r\n", &[]);
        assert!(odd.contains("&un=a%20b%26c%3D%0D%0A&cn="), "{odd}");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"crPass");
        let tag = hmac::sign(&key, b"170000000077a b&c=\r\n4f1c9a7be0d3");
        assert!(odd.contains(&hex::encode(tag.as_ref())), "{odd}");
        assert!(!odd.contains("crPass"));
    }
}
