//! The server's side of Digest: challenges with nonces that need no memory,
//! and the judgement on answers (RFC 7616, RFC 2617, RFC 2069).

use std::time::Duration;

use hyper::header::HeaderValue;
use ring::hmac;
use subtle::ConstantTimeEq as _;

use super::authorization::DigestAnswer;
use super::digest::{Algorithm, Ingredients};
use crate::device::Secret;
use crate::time::Timestamp;

/// How long a nonce is good for; an answer to an older one is stale.
const LIFETIME: Duration = Duration::from_secs(300);

/// How far a nonce may lie ahead: the clock was set back, or another node's
/// is fast.
const AHEAD: Duration = Duration::from_secs(60);

/// Hex digits of the time in a nonce, and of the code that makes it ours.
const TIME_DIGITS: usize = 12;
const CODE_BYTES: usize = 16;

/// Writes challenges and judges answers, without state.
///
/// A nonce is its time and a code over it, so it is good on any connection and
/// at any node that shares the secret: some devices close the connection after
/// the 401 and answer on a new one (Q17). `nc` is not counted, since devices
/// repeat it (Q58); a replay is bounded by the nonce's five minutes.
#[derive(Debug)]
pub struct Challenger {
    key: hmac::Key,
    realm: Box<str>,
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Right password, good nonce.
    Right,
    /// Right password, but the nonce is too old or not ours: challenge again
    /// with `stale`, and the client answers without asking anybody.
    Stale,
    /// Wrong.
    Wrong,
}

impl Challenger {
    /// A challenger for one realm; characters that a quoted string cannot hold
    /// are left out of its name.
    pub fn new(secret: [u8; 32], realm: &str) -> Self {
        let sound = |c: &char| !c.is_control() && c.is_ascii() && !matches!(c, '"' | '\\');
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            realm: realm.chars().filter(sound).collect::<String>().into(),
        }
    }

    /// The values of the `WWW-Authenticate` headers of a 401, in their order.
    ///
    /// MD5 stands first: old devices read only the first header and know
    /// nothing else; those that know SHA-256 read on (RFC 7616 §3.7 lets the
    /// client choose). `stale` says that the password was right; `basic` offers
    /// Basic as well, last.
    pub fn challenges(&self, now: Timestamp, stale: bool, basic: bool) -> Vec<HeaderValue> {
        let nonce = self.nonce(now);
        let realm = &self.realm;
        let stale = if stale { ", stale=true" } else { "" };
        let digest = |algorithm: Algorithm| {
            let name = algorithm.name();
            format!(
                "Digest realm=\"{realm}\", qop=\"auth\", nonce=\"{nonce}\", algorithm={name}{stale}"
            )
        };
        let mut texts = vec![digest(Algorithm::Md5), digest(Algorithm::Sha256)];
        if basic {
            texts.push(format!("Basic realm=\"{realm}\""));
        }
        // The realm was cleaned when it was taken, so each text is a sound value.
        texts.into_iter().filter_map(|text| HeaderValue::try_from(text).ok()).collect()
    }

    /// Judges an answer against the password of the user whom it names.
    ///
    /// The caller has found the password by [`DigestAnswer::username`]. For a
    /// name that it does not know it may pass any password, so that the time
    /// taken tells nothing.
    pub fn verify(
        &self,
        answer: &DigestAnswer,
        method: &str,
        password: &Secret,
        now: Timestamp,
    ) -> Verdict {
        let qop = match answer.qop.as_deref().map(str::trim) {
            None => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(qop),
            Some(_) => return Verdict::Wrong,
        };
        let expected = Ingredients {
            algorithm: answer.algorithm,
            username: &answer.username,
            realm: &self.realm,
            nonce: &answer.nonce,
            method,
            uri: &answer.uri,
            cnonce: &answer.cnonce,
            nc: &answer.nc,
            qop,
        }
        .response(password.expose());
        if !bool::from(expected.as_bytes().ct_eq(answer.response.as_bytes())) {
            return Verdict::Wrong;
        }
        if self.is_fresh(&answer.nonce, now) { Verdict::Right } else { Verdict::Stale }
    }

    fn nonce(&self, now: Timestamp) -> String {
        let mut nonce = format!("{:012x}", now.as_millis().max(0));
        let code = hmac::sign(&self.key, self.signed(&nonce).as_bytes());
        nonce.push_str(&hex::encode(code.as_ref().get(..CODE_BYTES).unwrap_or_default()));
        nonce
    }

    /// What the code is over: the time, and the realm, so that a nonce of one
    /// door is none of another that shares the secret.
    fn signed(&self, time: &str) -> String {
        format!("nonce:{time}:{}", self.realm)
    }

    fn is_fresh(&self, nonce: &str, now: Timestamp) -> bool {
        let Some((time, code)) = nonce.split_at_checked(TIME_DIGITS) else {
            return false;
        };
        let Ok(made_at) = i64::from_str_radix(time, 16).map(Timestamp::from_millis) else {
            return false;
        };
        let expected = hmac::sign(&self.key, self.signed(time).as_bytes());
        let expected = hex::encode(expected.as_ref().get(..CODE_BYTES).unwrap_or_default());
        bool::from(expected.as_bytes().ct_eq(code.as_bytes()))
            && now.since(made_at) <= LIFETIME
            && made_at.since(now) <= AHEAD
    }
}

#[cfg(test)]
mod tests;
