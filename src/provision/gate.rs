//! The version gate: when a generated file gets a new version.
//!
//! A phone compares the version of a file with the one that it applied last:
//! some firmware stops when they are equal, other unless the new one is higher.
//! So a version may change only with the content, and may only rise. It is a
//! counter in the store, one for each file, and never made of a hash.

use ring::hmac;

use crate::phone::FileVersion;

/// What tells one body from another: a keyed hash, because a body holds
/// passwords and a bare hash of it would let whoever reads the store try
/// passwords against it.
pub fn fingerprint(secret: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), body);
    let mut fingerprint = [0; 32];
    fingerprint.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    fingerprint
}

/// The version of a file whose body now has this fingerprint.
///
/// Equal to `previous` if the body is; else one higher, and 1 for a file that
/// was never served. A counter at its end stays there.
pub fn advance(key: &str, previous: Option<&FileVersion>, fingerprint: [u8; 32]) -> FileVersion {
    let counter = match previous {
        Some(previous) if previous.body_hash == fingerprint => previous.counter,
        Some(previous) => previous.counter.saturating_add(1),
        None => 1,
    };
    FileVersion { key: key.into(), counter, body_hash: fingerprint }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_version_is_one() {
        assert_eq!(advance("k", None, [1; 32]).counter, 1);
    }

    #[test]
    fn another_secret_gives_another_fingerprint() {
        assert_ne!(fingerprint(&[0; 32], b"body"), fingerprint(&[1; 32], b"body"));
    }

    proptest! {
        /// Any history of bodies: a version changes exactly when the body
        /// does, and never falls.
        #[test]
        fn versions_follow_bodies_and_never_fall(bodies in prop::collection::vec(0u8..3, 1..40)) {
            let mut previous: Option<(u8, FileVersion)> = None;
            for body in bodies {
                let old = previous.as_ref().map(|(_, version)| version);
                let version = advance("k", old, fingerprint(&[9; 32], &[body]));
                if let Some((old_body, old)) = &previous {
                    let expected = old.counter + u64::from(*old_body != body);
                    prop_assert_eq!(version.counter, expected);
                }
                previous = Some((body, version));
            }
        }
    }
}
