//! The client's side of Digest: reading challenges, writing the answer.

use super::authorization::Authorization;
use super::digest::{Algorithm, Ingredients};
use super::words::{Word, words};
use crate::device::Secret;

/// The most challenges that are looked at.
const MAX_CHALLENGES: usize = 8;

/// The longest realm, nonce or opaque value that is taken, in bytes.
const MAX_PART: usize = 1024;

/// Answers challenges; has no state.
#[derive(Clone, Copy, Debug)]
pub struct DigestClient;

impl DigestClient {
    /// The `Authorization` value that answers the strongest Digest challenge
    /// among the given `WWW-Authenticate` values; `None` if there is none that
    /// can be answered.
    pub fn answer(
        challenges: &[&str],
        method: &str,
        target: &str,
        username: &str,
        password: &Secret,
        cnonce: &str,
        nc: u32,
    ) -> Option<String> {
        Some(Offer::strongest(challenges)?.answer(method, target, username, password, cnonce, nc))
    }

    /// Whether Basic is offered.
    pub fn offers_basic(challenges: &[&str]) -> bool {
        challenges.iter().take(MAX_CHALLENGES).any(|challenge| {
            words(challenge)
                .any(|word| matches!(word, Word::Scheme(s) if s.eq_ignore_ascii_case("basic")))
        })
    }

    /// The `Authorization` value of Basic: the password in clear text, so only
    /// where the caller allows that.
    pub fn basic(username: &str, password: &Secret) -> String {
        Authorization::basic(username, password)
    }
}

/// One Digest challenge that can be answered, more than once with rising `nc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// As it is to be echoed; `None` if the challenge named none.
    algorithm: Option<Algorithm>,
    /// Whether `auth` was offered; else the form of RFC 2069 is used (Q16).
    qop: bool,
    /// Whether the server says that the password was right and only the nonce
    /// too old.
    pub stale: bool,
}

impl Offer {
    /// The strongest challenge: SHA-256 before MD5, and of equals the first.
    pub fn strongest(challenges: &[&str]) -> Option<Self> {
        let mut best: Option<Self> = None;
        for offer in challenges.iter().take(MAX_CHALLENGES).flat_map(|text| Self::read(text)) {
            if best.as_ref().is_none_or(|best| offer.strength() > best.strength()) {
                best = Some(offer);
            }
        }
        best
    }

    /// The `Authorization` value for one request. `cnonce` is any text without
    /// quotes that was never used before; `nc` counts uses of this challenge
    /// from 1.
    pub fn answer(
        &self,
        method: &str,
        target: &str,
        username: &str,
        password: &Secret,
        cnonce: &str,
        nc: u32,
    ) -> String {
        let algorithm = self.algorithm.unwrap_or(Algorithm::Md5);
        let nc = format!("{nc:08x}");
        let response = Ingredients {
            algorithm,
            username,
            realm: &self.realm,
            nonce: &self.nonce,
            method,
            uri: target,
            cnonce,
            nc: &nc,
            qop: self.qop.then_some("auth"),
        }
        .response(password.expose());
        let mut out = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(username),
            quoted(&self.realm),
            quoted(&self.nonce),
            quoted(target),
        );
        if let Some(algorithm) = self.algorithm {
            out.push_str(", algorithm=");
            out.push_str(algorithm.name());
        }
        if let Some(opaque) = &self.opaque {
            out.push_str(", opaque=");
            out.push_str(&quoted(opaque));
        }
        if self.qop {
            out.push_str(&format!(", qop=auth, nc={nc}, cnonce={}", quoted(cnonce)));
        } else if algorithm.is_session() {
            out.push_str(&format!(", cnonce={}", quoted(cnonce)));
        }
        out
    }

    /// All challenges in one header value that can be answered.
    fn read(text: &str) -> Vec<Self> {
        let mut offers = Vec::new();
        let mut parts: Option<Parts> = None;
        for word in words(text) {
            match word {
                Word::Scheme(scheme) => {
                    offers.extend(parts.take().and_then(Parts::offer));
                    parts = scheme.eq_ignore_ascii_case("digest").then(Parts::default);
                }
                Word::Pair(name, value) => {
                    if let Some(parts) = &mut parts {
                        parts.take(name, &value);
                    }
                }
            }
        }
        offers.extend(parts.and_then(Parts::offer));
        offers
    }

    const fn strength(&self) -> u8 {
        match self.algorithm {
            Some(Algorithm::Sha256 | Algorithm::Sha256Session) => 1,
            Some(Algorithm::Md5 | Algorithm::Md5Session) | None => 0,
        }
    }
}

/// The parameters of a challenge while they are being read.
#[derive(Default)]
struct Parts {
    realm: Option<String>,
    nonce: Option<String>,
    opaque: Option<String>,
    algorithm: Option<String>,
    qop: Option<String>,
    stale: bool,
    too_long: bool,
}

impl Parts {
    fn take(&mut self, name: &str, value: &str) {
        self.too_long |= value.len() > MAX_PART;
        let slot = match name.to_ascii_lowercase().as_str() {
            "realm" => &mut self.realm,
            "nonce" => &mut self.nonce,
            "opaque" => &mut self.opaque,
            "algorithm" => &mut self.algorithm,
            "qop" => &mut self.qop,
            "stale" => {
                self.stale = value.eq_ignore_ascii_case("true");
                return;
            }
            _ => return,
        };
        slot.get_or_insert_with(|| value.to_owned());
    }

    /// `None` for a challenge that cannot be answered: no nonce, an unknown
    /// algorithm, only `auth-int`, or a part beyond measure.
    fn offer(self) -> Option<Offer> {
        if self.too_long {
            return None;
        }
        let algorithm = match self.algorithm {
            Some(name) if !name.trim().is_empty() => Some(Algorithm::parse(&name)?),
            _ => None,
        };
        let qop = match self.qop {
            Some(list) if !list.trim().is_empty() => {
                let auth = |word: &str| word.trim().eq_ignore_ascii_case("auth");
                if !list.split(',').any(auth) {
                    return None;
                }
                true
            }
            _ => false,
        };
        Some(Offer {
            realm: self.realm.unwrap_or_default(),
            nonce: self.nonce?,
            opaque: self.opaque,
            algorithm,
            qop,
            stale: self.stale,
        })
    }
}

/// A quoted string (RFC 9110 §5.6.4); control characters, which it cannot
/// hold, are left out.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(challenge: &str) -> Option<String> {
        let password = Secret::new("Circle Of Life");
        DigestClient::answer(
            &[challenge],
            "GET",
            "/dir/index.html",
            "Mufasa",
            &password,
            "0a4f113b",
            1,
        )
    }

    #[test]
    fn the_example_of_rfc_2617() {
        let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
                         opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        assert_eq!(
            answer(challenge).unwrap(),
            "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
             nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
             response=\"6629fae49393a05397450978507c4ef1\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", \
             qop=auth, nc=00000001, cnonce=\"0a4f113b\""
        );
    }

    #[test]
    fn what_was_not_offered_is_not_sent() {
        // Q16: a device refused an answer that carried qop and opaque anyway.
        let text = answer("Digest realm=\"r\", nonce=\"n\"").unwrap();
        for absent in ["qop", "nc=", "cnonce", "opaque", "algorithm"] {
            assert!(!text.contains(absent), "{text}");
        }
    }

    #[test]
    fn several_challenges_in_one_value_are_told_apart() {
        let text = "Basic realm=\"b\", Digest realm=\"weak\", nonce=\"n\", algorithm=MD5, \
                    Digest realm=\"strong\", nonce=\"m\", algorithm=SHA-256, Negotiate";
        assert_eq!(Offer::strongest(&[text]).unwrap().realm, "strong");
        assert!(DigestClient::offers_basic(&[text]));
        assert!(!DigestClient::offers_basic(&["Digest realm=\"basic\", nonce=\"n\""]));
    }

    #[test]
    fn challenges_that_cannot_be_answered_are_passed_over() {
        let huge = format!("Digest realm=\"{}\", nonce=\"n\"", "x".repeat(1 << 20));
        let large = format!("Digest realm=\"{}\", nonce=\"n\"", "x".repeat(2000));
        for challenge in [
            "",
            "Digest",
            "Basic realm=\"r\"",
            "Digest realm=\"r\"",
            "Digest nonce=\"n\", algorithm=SHA-512-256",
            "Digest nonce=\"n\", algorithm=token",
            "Digest nonce=\"n\", qop=\"auth-int\"",
            huge.as_str(),
            large.as_str(),
        ] {
            assert_eq!(answer(challenge), None, "{:.60}", challenge);
        }
        let sound = "Digest realm=\"r\", nonce=\"n\"";
        assert!(Offer::strongest(&["Digest nonce=\"n\", algorithm=X", sound]).is_some());
    }

    #[test]
    fn quotes_and_line_breaks_cannot_leave_their_place() {
        let challenge = r#"Digest realm="a\"b\\", nonce="x\"y", qop="auth""#;
        let password = Secret::new("p");
        let text = DigestClient::answer(&[challenge], "GET", "/", "u\"\r\nX: y", &password, "c", 1)
            .unwrap();
        assert!(text.starts_with(r#"Digest username="u\"X: y", realm="a\"b\\", nonce="x\"y","#));
        assert!(!text.contains(['\r', '\n']), "{text}");
    }

    proptest::proptest! {
        #[test]
        fn no_challenge_panics(text in "(Digest )?[\\x20-\\x7eäß]{0,120}") {
            if let Some(text) = answer(&text) {
                proptest::prop_assert!(hyper::header::HeaderValue::try_from(text).is_ok());
            }
        }
    }
}
