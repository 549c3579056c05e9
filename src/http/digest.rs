//! What both sides of Digest share: the algorithms and the formula of RFC 7616
//! §3.4.1 with its older forms (RFC 2617 §3.2.2.1, RFC 2069 §2.1.1).

use md5::Md5;
use sha2::{Digest, Sha256};

/// A digest algorithm that Provost speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// `MD5`.
    Md5,
    /// `MD5-sess`: the nonces are hashed into the key.
    Md5Session,
    /// `SHA-256`.
    Sha256,
    /// `SHA-256-sess`.
    Sha256Session,
}

impl Algorithm {
    /// Reads a name; case does not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Md5, Self::Md5Session, Self::Sha256, Self::Sha256Session];
        all.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name.trim()))
    }

    /// The name in headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Session => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Session => "SHA-256-sess",
        }
    }

    /// Whether the nonces are hashed into the key.
    pub(super) const fn is_session(self) -> bool {
        matches!(self, Self::Md5Session | Self::Sha256Session)
    }

    /// How many hex digits a response has.
    pub(super) const fn hex_digits(self) -> usize {
        match self {
            Self::Md5 | Self::Md5Session => 32,
            Self::Sha256 | Self::Sha256Session => 64,
        }
    }

    /// The hash over the parts with `:` between them, in lower-case hex.
    fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 | Self::Md5Session => joined::<Md5>(parts),
            Self::Sha256 | Self::Sha256Session => joined::<Sha256>(parts),
        }
    }
}

fn joined<D: Digest>(parts: &[&str]) -> String {
    let mut hash = D::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// What goes into a response besides the password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ingredients<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) username: &'a str,
    pub(super) realm: &'a str,
    pub(super) nonce: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    /// `cnonce`; only with a quality of protection or a session algorithm.
    pub(super) cnonce: &'a str,
    /// Eight hex digits; only with a quality of protection.
    pub(super) nc: &'a str,
    /// `auth`, or `None` for the form of RFC 2069.
    pub(super) qop: Option<&'a str>,
}

impl Ingredients<'_> {
    /// The response in lower-case hex.
    pub(super) fn response(&self, password: &str) -> String {
        let hash = |parts: &[&str]| self.algorithm.hash(parts);
        let mut key = hash(&[self.username, self.realm, password]);
        if self.algorithm.is_session() {
            key = hash(&[&key, self.nonce, self.cnonce]);
        }
        let request = hash(&[self.method, self.uri]);
        match self.qop {
            Some(qop) => hash(&[&key, self.nonce, self.nc, self.cnonce, qop, &request]),
            None => hash(&[&key, self.nonce, &request]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_2617: Ingredients<'_> = Ingredients {
        algorithm: Algorithm::Md5,
        username: "Mufasa",
        realm: "testrealm@host.com",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        method: "GET",
        uri: "/dir/index.html",
        cnonce: "0a4f113b",
        nc: "00000001",
        qop: Some("auth"),
    };

    const RFC_7616: Ingredients<'_> = Ingredients {
        realm: "http-auth@example.org",
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        ..RFC_2617
    };

    #[test]
    fn the_examples_of_the_standards() {
        // RFC 2617 §3.5.
        assert_eq!(RFC_2617.response("Circle Of Life"), "6629fae49393a05397450978507c4ef1");
        // RFC 7616 §3.9.1.
        assert_eq!(RFC_7616.response("Circle of Life"), "8ca523f5e9506fed4657c9700eebdbec");
        let sha256 = Ingredients { algorithm: Algorithm::Sha256, ..RFC_7616 };
        assert_eq!(
            sha256.response("Circle of Life"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        // RFC 2069 §2.4, with the response of its errata.
        let rfc_2069 = Ingredients { qop: None, ..RFC_2617 };
        assert_eq!(rfc_2069.response("CircleOfLife"), "1949323746fe6a43ef61f9606e7febea");
    }

    #[test]
    fn names_read_back() {
        for name in ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess"] {
            assert_eq!(Algorithm::parse(name).map(Algorithm::name), Some(name));
            assert_eq!(Algorithm::parse(&name.to_lowercase()), Algorithm::parse(name));
        }
        assert_eq!(Algorithm::parse("SHA-512-256"), None);
    }
}
