//! Reading the `Authorization` header: Digest and Basic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::header::HeaderValue;

use super::digest::Algorithm;
use super::words::{MAX_VALUE, Word, words};
use crate::device::Secret;

/// Base64 with or without its padding, as clients send both.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What an `Authorization` header says.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// An answer to a Digest challenge.
    Digest(DigestAnswer),
    /// A name and a password in clear text.
    Basic {
        /// The name.
        username: Box<str>,
        /// The password.
        password: Secret,
    },
}

impl Authorization {
    /// Reads a header. `None` for other schemes and for what misses a part
    /// that is needed: it counts as no credentials at all.
    pub fn parse(value: &HeaderValue) -> Option<Self> {
        if value.len() > MAX_VALUE {
            return None;
        }
        let text = std::str::from_utf8(value.as_bytes()).ok()?.trim();
        let (scheme, rest) = text.split_once(char::is_whitespace)?;
        if scheme.eq_ignore_ascii_case("digest") {
            return DigestAnswer::parse(rest).map(Self::Digest);
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = LENIENT.decode(rest.trim()).ok()?;
            let (username, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
            return Some(Self::Basic {
                username: username.into(),
                password: Secret::new(password),
            });
        }
        None
    }

    /// The name that is claimed.
    pub fn username(&self) -> &str {
        match self {
            Self::Digest(answer) => &answer.username,
            Self::Basic { username, .. } => username,
        }
    }

    /// The value of a Basic header.
    pub(super) fn basic(username: &str, password: &Secret) -> String {
        format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose())))
    }
}

/// A client's answer to a Digest challenge (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestAnswer {
    /// The name that is claimed.
    pub username: Box<str>,
    /// The nonce that was answered.
    pub nonce: Box<str>,
    /// The request's target as the client hashed it; devices send it absolute,
    /// or with a path of their own, so it is not compared with the request's.
    pub uri: Box<str>,
    /// The algorithm; told by the response's length if the client names none.
    pub algorithm: Algorithm,
    pub(super) response: Box<str>,
    pub(super) qop: Option<Box<str>>,
    pub(super) nc: Box<str>,
    pub(super) cnonce: Box<str>,
}

impl DigestAnswer {
    /// What tells this answer from others: the first half of its response, or
    /// what there is of it.
    pub fn fingerprint(&self) -> u128 {
        let digits = self.response.get(..32).unwrap_or(&self.response);
        u128::from_str_radix(digits, 16).unwrap_or_default()
    }

    /// Reads what follows the word `Digest`. Of a parameter that stands twice
    /// the first counts.
    fn parse(text: &str) -> Option<Self> {
        let mut username = None;
        let mut nonce = None;
        let mut uri = None;
        let mut algorithm = None;
        let mut response: Option<Box<str>> = None;
        let mut qop = None;
        let mut nc = None;
        let mut cnonce = None;
        for word in words(text) {
            let Word::Pair(name, value) = word else {
                continue;
            };
            let slot = match name.to_ascii_lowercase().as_str() {
                "username" => &mut username,
                "nonce" => &mut nonce,
                "uri" => &mut uri,
                "algorithm" => &mut algorithm,
                "response" => &mut response,
                "qop" => &mut qop,
                "nc" => &mut nc,
                "cnonce" => &mut cnonce,
                _ => continue,
            };
            slot.get_or_insert_with(|| Box::from(value));
        }
        let mut response = response?;
        response.make_ascii_lowercase();
        let algorithm = match algorithm.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Algorithm::parse(name)?,
            None if response.len() == Algorithm::Sha256.hex_digits() => Algorithm::Sha256,
            None => Algorithm::Md5,
        };
        Some(Self {
            username: username?,
            nonce: nonce?,
            uri: uri?,
            algorithm,
            response,
            qop: qop.filter(|qop| !qop.trim().is_empty()),
            nc: nc.unwrap_or_default(),
            cnonce: cnonce.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Option<DigestAnswer> {
        match Authorization::parse(&text.parse().unwrap())? {
            Authorization::Digest(answer) => Some(answer),
            Authorization::Basic { .. } => None,
        }
    }

    fn basic(text: &str) -> Option<(Box<str>, Secret)> {
        match Authorization::parse(&text.parse().unwrap())? {
            Authorization::Digest(_) => None,
            Authorization::Basic { username, password } => Some((username, password)),
        }
    }

    #[test]
    fn answers_are_read_in_every_dress() {
        let plain = digest(
            "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"/x\", algorithm=MD5, \
             response=\"0123456789abcdef0123456789abcdef\", qop=auth, nc=00000001, cnonce=\"c\"",
        )
        .unwrap();
        for same in [
            "DIGEST  response=0123456789ABCDEF0123456789ABCDEF,qop=\"auth\" cnonce=c nc=00000001 \
             algorithm=\"md5\",uri=/x , nonce=n realm=r USERNAME=u,,",
            "digest\tusername = \"u\",username=\"v\",nonce=\"n\",uri=\"/x\",cnonce=\"c\",nc=00000001,\
             response=\"0123456789abcdef0123456789abcdef\",qop=auth,invented=\"x\"",
        ] {
            assert_eq!(digest(same).as_ref(), Some(&plain), "{same}");
        }
    }

    #[test]
    fn what_misses_a_part_is_no_answer() {
        let whole = [
            "username=\"u\"",
            "nonce=\"n\"",
            "uri=\"/\"",
            "response=\"0123456789abcdef0123456789abcdef\"",
        ];
        assert!(digest(&format!("Digest {}", whole.join(","))).is_some());
        for missing in 0..whole.len() {
            let mut parts = whole.to_vec();
            parts.remove(missing);
            assert_eq!(digest(&format!("Digest {}", parts.join(","))), None, "{missing}");
        }
        assert_eq!(digest(&format!("Digest {},algorithm=ROT13", whole.join(","))), None);
        assert_eq!(digest("Digest"), None);
        assert_eq!(digest("Bearer abc"), None);
    }

    #[test]
    fn basic_is_read_with_and_without_padding() {
        for text in ["Basic dTpwOnE=", "basic  dTpwOnE"] {
            let (username, password) = basic(text).unwrap();
            assert_eq!((&*username, password.expose()), ("u", "p:q"), "{text}");
        }
        for bad in ["Basic", "Basic ", "Basic !!!", "Basic dXNlcg=="] {
            assert!(basic(bad).is_none(), "{bad}");
        }
        assert_eq!(Authorization::basic("u", &Secret::new("p:q")), "Basic dTpwOnE=");
    }

    #[test]
    fn a_megabyte_of_header_is_not_read() {
        assert_eq!(digest(&format!("Digest username=\"{}\"", "x".repeat(1 << 20))), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_panics(text in "(Digest|Basic)? ?[\\x20-\\x7e]{0,120}") {
            let _ = Authorization::parse(&text.parse().unwrap());
        }
    }
}
