//! URLs under which one file may be fetched, or sent, for a while.
//!
//! A link is signed, not stored: its token is the file's hash (or, of one that
//! is yet to be sent, the task that asked for it), the end of its life and a
//! nonce, followed by an HMAC over them. It can be neither guessed nor altered,
//! it survives a restart, and a million of them take no room. The user name and
//! the password that a Download or an Upload carries (TR-069 §A.3.2.8, §A.4.1.5)
//! are derived from the token, so that they belong to this link alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::device::{Secret, TaskId};
use crate::time::Timestamp;

/// SHA-256 of the file, expiry in seconds since 1970, nonce.
const PAYLOAD: usize = 32 + 8 + 8;
/// The task, expiry in seconds since 1970, nonce.
const UPLOAD_PAYLOAD: usize = 16 + 8 + 8;
/// The HMAC, cut to 128 bits.
const TAG: usize = 16;

/// What signatures are for.
#[derive(Clone, Copy)]
struct Purposes {
    link: &'static str,
    user: &'static str,
    password: &'static str,
}

/// Links to files.
const FETCH: Purposes = Purposes { link: "link", user: "user", password: "password" };
/// Links for files that are to come.
const SEND: Purposes =
    Purposes { link: "upload link", user: "upload user", password: "upload password" };

/// Makes and checks links.
#[derive(Clone, Debug)]
pub struct Links {
    key: hmac::Key,
}

/// A link as it goes into a Download or an Upload RPC.
#[derive(Clone, Debug)]
pub struct Link {
    /// Path and nothing else: `/f/<token>/<name>`, `/u/<token>/<name>`.
    pub path: String,
    /// The user name that the file door asks for.
    pub username: String,
    /// The password that the file door asks for.
    pub password: Secret,
}

/// What a sound link to a file allows: to fetch it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The file, SHA-256 in lower-case hex.
    pub sha256: Box<str>,
    /// The user name to ask for.
    pub username: String,
    /// The password to ask for.
    pub password: Secret,
}

/// What a sound link for a file that is to come allows: to send it.
#[derive(Clone, Debug)]
pub struct UploadGrant {
    /// The task that asked for it.
    pub task: TaskId,
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
        let mut hash = [0; 32];
        hex::decode_to_slice(sha256, &mut hash).ok()?;
        let (expiry, nonce) = (expires.as_secs().to_be_bytes(), nonce()?);
        let payload: [u8; PAYLOAD] = [&hash[..], &expiry, &nonce].concat().try_into().ok()?;
        let (username, password) = self.credentials(FETCH, &payload);
        let path = format!("/f/{}/{}", self.token(FETCH, &payload)?, plain_name(name));
        Some(Link { path, username, password })
    }

    /// A link by which the file that `task` asks for can be sent until `expires`.
    ///
    /// `name` is as with [`Links::make`]. `None` if there is no randomness.
    pub fn make_upload(&self, task: TaskId, name: &str, expires: Timestamp) -> Option<Link> {
        let (task, expiry, nonce) =
            (task.0.to_be_bytes(), expires.as_secs().to_be_bytes(), nonce()?);
        let payload: [u8; UPLOAD_PAYLOAD] =
            [&task[..], &expiry, &nonce].concat().try_into().ok()?;
        let (username, password) = self.credentials(SEND, &payload);
        let path = format!("/u/{}/{}", self.token(SEND, &payload)?, plain_name(name));
        Some(Link { path, username, password })
    }

    /// What the token of a link to a file allows; `None` if it is none of ours,
    /// was altered, or is past its time at `now`.
    pub fn check(&self, token: &str, now: Timestamp) -> Option<Grant> {
        let payload: [u8; PAYLOAD] = self.open(FETCH, token)?;
        let (hash, rest) = payload.split_first_chunk::<32>()?;
        before_expiry(rest, now)?;
        let (username, password) = self.credentials(FETCH, &payload);
        Some(Grant { sha256: hex::encode(hash).into(), username, password })
    }

    /// What the token of a link for a file that is to come allows; `None` as
    /// with [`Links::check`]. That the task still waits for it is not said.
    pub fn check_upload(&self, token: &str, now: Timestamp) -> Option<UploadGrant> {
        let payload: [u8; UPLOAD_PAYLOAD] = self.open(SEND, token)?;
        let (task, rest) = payload.split_first_chunk::<16>()?;
        before_expiry(rest, now)?;
        let (username, password) = self.credentials(SEND, &payload);
        Some(UploadGrant { task: TaskId(u128::from_be_bytes(*task)), username, password })
    }

    /// A payload with its signature, as it stands in a URL.
    fn token(&self, purposes: Purposes, payload: &[u8]) -> Option<String> {
        let tag = self.sign(purposes.link, payload);
        Some(URL_SAFE_NO_PAD.encode([payload, tag.as_ref().get(..TAG)?].concat()))
    }

    /// The payload of a token whose signature is ours, for this purpose.
    fn open<const LENGTH: usize>(&self, purposes: Purposes, token: &str) -> Option<[u8; LENGTH]> {
        let mut bytes = [0; PAYLOAD + TAG];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        let (payload, tag) = bytes.get(..length)?.split_first_chunk::<LENGTH>()?;
        if tag.len() != TAG {
            return None;
        }
        let expected = self.sign(purposes.link, payload);
        let same = subtle::ConstantTimeEq::ct_eq(expected.as_ref().get(..TAG)?, tag);
        bool::from(same).then_some(*payload)
    }

    fn credentials(&self, purposes: Purposes, payload: &[u8]) -> (String, Secret) {
        let user = self.sign(purposes.user, payload);
        let password = self.sign(purposes.password, payload);
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

/// Tells two links for one thing apart. The signature is what cannot be guessed,
/// for which a UUID is random enough.
fn nonce() -> Option<[u8; 8]> {
    uuid::Uuid::new_v4().as_bytes().first_chunk::<8>().copied()
}

/// Whether the expiry at the head of `rest` lies after `now`.
fn before_expiry(rest: &[u8], now: Timestamp) -> Option<()> {
    (now.as_secs() < i64::from_be_bytes(*rest.first_chunk::<8>()?)).then_some(())
}

/// A name that needs no escaping in a URL and is no path, at most 64 characters:
/// whatever is no letter, digit, dot, hyphen or underscore becomes an underscore.
pub fn plain_name(name: &str) -> String {
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

    fn task() -> TaskId {
        "018f0b1c-2d3e-7f40-8123-456789abcdef".parse().unwrap()
    }

    #[test]
    fn an_upload_link_grants_its_task_until_it_expires() {
        let links = Links::new([7; 32]);
        let end = now().after(Duration::from_secs(60));
        let link = links.make_upload(task(), "3 Vendor Configuration File", end).unwrap();
        assert!(link.path.starts_with("/u/"), "{}", link.path);
        assert!(link.path.ends_with("/3_Vendor_Configuration_File"), "{}", link.path);
        let grant = links.check_upload(token(&link), now()).unwrap();
        assert_eq!(grant.task, task());
        assert_eq!(grant.username, link.username);
        assert_eq!(grant.password, link.password);
        assert!(links.check_upload(token(&link), end).is_none());
        assert!(Links::new([8; 32]).check_upload(token(&link), now()).is_none());
        let other = links.make_upload(task(), "x", end).unwrap();
        assert_ne!(other.password, link.password);
    }

    #[test]
    fn a_link_to_fetch_sends_nothing_and_the_other_way_round() {
        let links = Links::new([7; 32]);
        let end = now().after(Duration::from_secs(60));
        let fetch = links.make(HASH, "a", end).unwrap();
        let send = links.make_upload(task(), "a", end).unwrap();
        assert!(links.check_upload(token(&fetch), now()).is_none());
        assert!(links.check(token(&send), now()).is_none());
    }

    proptest! {
        #[test]
        fn an_altered_upload_token_is_worth_nothing(at in 0usize..64, to in "[A-Za-z0-9_-]") {
            let links = Links::new([7; 32]);
            let end = now().after(Duration::from_secs(60));
            let link = links.make_upload(task(), "a", end).unwrap();
            let mut altered = token(&link).to_owned();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token(&link));
            prop_assert!(links.check_upload(&altered, now()).is_none());
        }

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
            prop_assert!(Links::new([7; 32]).check_upload(&text, now()).is_none());
        }
    }
}
