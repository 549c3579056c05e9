//! URLs under which one file may be fetched for a while.
//!
//! A link is signed, not stored: its token is the file's hash, the end of its
//! life and a nonce, followed by an HMAC over them. It can be neither guessed
//! nor altered, it survives a restart, and a million of them take no room. The
//! user name and the password that a Download RPC carries (TR-069 §A.3.2.8)
//! are derived from the token, so that they belong to this link alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::device::Secret;
use crate::time::Timestamp;

/// SHA-256 of the file, expiry in seconds since 1970, nonce.
const PAYLOAD: usize = 32 + 8 + 8;
/// The HMAC, cut to 128 bits.
const TAG: usize = 16;

/// Makes and checks links.
#[derive(Clone, Debug)]
pub struct Links {
    key: hmac::Key,
}

/// A link as it goes into a Download RPC.
#[derive(Clone, Debug)]
pub struct Link {
    /// Path and nothing else: `/f/<token>/<name>`.
    pub path: String,
    /// The user name that the file door asks for.
    pub username: String,
    /// The password that the file door asks for.
    pub password: Secret,
}

/// What a sound link allows.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The file, SHA-256 in lower-case hex.
    pub sha256: Box<str>,
    /// The user name to ask for.
    pub username: String,
    /// The password to ask for.
    pub password: Secret,
}

impl Links {
    /// Links signed with `secret`; whoever knows it can make them.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }

    /// A link to the file `sha256` that is good until `expires`.
    ///
    /// `name` is what the device sees at the end of the path; it is reduced to
    /// letters, digits, dot, hyphen and underscore and says nothing to the
    /// door. Each call makes another link. `None` if `sha256` is no SHA-256.
    pub fn make(&self, sha256: &str, name: &str, expires: Timestamp) -> Option<Link> {
        let mut token = [0; PAYLOAD + TAG];
        let (hash, rest) = token.split_at_mut(32);
        hex::decode_to_slice(sha256, hash).ok()?;
        let (expiry, rest) = rest.split_at_mut(8);
        expiry.copy_from_slice(&expires.as_secs().to_be_bytes());
        let (nonce, tag) = rest.split_at_mut(8);
        // The signature is what cannot be guessed; the nonce only keeps two
        // links to one file apart, for which a UUID is random enough.
        nonce.copy_from_slice(uuid::Uuid::new_v4().as_bytes().get(..8)?);
        let payload: [u8; PAYLOAD] = [&*hash, &*expiry, &*nonce].concat().try_into().ok()?;
        tag.copy_from_slice(self.sign("link", &payload).as_ref().get(..TAG)?);
        let (username, password) = self.credentials(&payload);
        let path = format!("/f/{}/{}", URL_SAFE_NO_PAD.encode(token), plain_name(name));
        Some(Link { path, username, password })
    }

    /// What the token of a link allows; `None` if it is none of ours, was
    /// altered, or is past its time at `now`.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Grant> {
        let mut bytes = [0; PAYLOAD + TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        if length != bytes.len() {
            return None;
        }
        let (payload, tag) = bytes.split_first_chunk::<PAYLOAD>()?;
        let expected = self.sign("link", payload);
        let same = subtle::ConstantTimeEq::ct_eq(expected.as_ref().get(..TAG)?, tag);
        if !bool::from(same) {
            return None;
        }
        let (hash, rest) = payload.split_first_chunk::<32>()?;
        let expires = i64::from_be_bytes(*rest.first_chunk::<8>()?);
        if now.as_secs() >= expires {
            return None;
        }
        let (username, password) = self.credentials(payload);
        Some(Grant { sha256: hex::encode(hash).into(), username, password })
    }

    fn credentials(&self, payload: &[u8]) -> (String, Secret) {
        let user = self.sign("user", payload);
        let password = self.sign("password", payload);
        let username = user.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let password = URL_SAFE_NO_PAD.encode(password.as_ref().get(..18).unwrap_or_default());
        (username, Secret::new(password))
    }

    /// The signature of `payload` for one purpose, so that no value made for
    /// one can be shown for another.
    fn sign(&self, purpose: &str, payload: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(payload);
        context.sign()
    }
}

/// A name that needs no escaping in a URL, at most 64 characters.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().take(64).map(plain).collect();
    if name.trim_matches('.').is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn now() -> Timestamp {
        Timestamp::from_millis(1_795_205_100_000)
    }

    fn token(link: &Link) -> &str {
        link.path.split('/').nth(2).unwrap()
    }

    #[test]
    fn a_link_grants_its_file_until_it_expires() {
        let links = Links::new([7; 32]);
        let end = now().after(Duration::from_secs(60));
        let link = links.make(HASH, "image 1.bin", end).unwrap();
        assert!(link.path.ends_with("/image_1.bin"), "{}", link.path);
        let grant = links.check(token(&link), now()).unwrap();
        assert_eq!(&*grant.sha256, HASH);
        assert_eq!(grant.username, link.username);
        assert_eq!(grant.password, link.password);
        assert!(links.check(token(&link), now().after(Duration::from_secs(59))).is_some());
        assert!(links.check(token(&link), end).is_none());
    }

    #[test]
    fn two_links_to_one_file_have_nothing_in_common() {
        let links = Links::new([7; 32]);
        let (one, two) = (links.make(HASH, "a", now()), links.make(HASH, "a", now()));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_ne!(one.path, two.path);
        assert_ne!(one.username, two.username);
        assert_ne!(one.password, two.password);
    }

    #[test]
    fn a_name_from_outside_stays_in_its_segment() {
        for (name, plain) in [
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("..", "file"),
            ("", "file"),
            ("a?b#c%2f\r\nX: y", "a_b_c_2f__X__y"),
            ("größe.bin", "gr__e.bin"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }

    #[test]
    fn another_secret_and_no_hash_give_nothing() {
        let link = Links::new([7; 32]).make(HASH, "a", now()).unwrap();
        let earlier = Timestamp::from_millis(0);
        assert!(Links::new([8; 32]).check(token(&link), earlier).is_none());
        assert!(Links::new([7; 32]).make("../x", "a", now()).is_none());
    }

    proptest! {
        #[test]
        fn an_altered_token_is_worth_nothing(at in 0usize..86, to in "[A-Za-z0-9_-]") {
            let links = Links::new([7; 32]);
            let link = links.make(HASH, "a", now().after(Duration::from_secs(60))).unwrap();
            let mut altered = token(&link).to_owned();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token(&link));
            prop_assert!(links.check(&altered, now()).is_none());
        }

        #[test]
        fn any_text_is_only_refused(text in ".{0,200}") {
            prop_assert!(Links::new([7; 32]).check(&text, now()).is_none());
        }
    }
}
