//! The unguessable part of a phone's provisioning URL.
//!
//! A MAC address is no secret: a vendor has 2²⁴ of them to an OUI, and they can
//! be walked. So the path of a phone is `/p/<token>/`, and the token is
//!
//! ```text
//! base64url( MAC (6 bytes) | stamp (8 bytes) | HMAC(server's secret, MAC | stamp) (16 bytes) )
//! ```
//!
//! where the stamp is made of the phone's own random token in the store. Two
//! things follow. The signature is checked before anything is looked up, so
//! that who does not know the server's secret never makes the door touch the
//! store, and cannot tell by time or answer whether a phone exists. And a new
//! random token for one phone changes its stamp, which revokes its old URL
//! without touching any other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::device::Secret;
use crate::phone::Mac;

const STAMP: usize = 8;
const TAG: usize = 16;
const TOKEN: usize = 6 + STAMP + TAG;

/// Makes and checks the tokens of phones.
#[derive(Clone, Debug)]
pub struct PhoneLinks {
    key: hmac::Key,
}

/// A token whose signature is right: which phone it says it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The phone.
    pub mac: Mac,
    stamp: [u8; STAMP],
}

impl PhoneLinks {
    /// Tokens signed with `secret`; whoever knows it can make them.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }

    /// The folder in which a phone finds its files: `/p/<token>/`. `own` is
    /// the phone's random token.
    pub fn path(&self, mac: Mac, own: &Secret) -> String {
        let claim = Claim { mac, stamp: self.stamp(own) };
        let mut token = [claim.mac.bytes().as_slice(), &claim.stamp].concat();
        token.extend(self.sign(&claim).as_ref().iter().take(TAG));
        format!("/p/{}/", URL_SAFE_NO_PAD.encode(token))
    }

    /// Checks a token's signature in constant time; nothing is looked up. The
    /// claim still has to be held against the phone: [`PhoneLinks::holds`].
    pub fn check(&self, token: &str) -> Option<Claim> {
        let mut bytes = [0; TOKEN];
        let length = URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).ok()?;
        let (mac, rest) = bytes.split_first_chunk::<6>().filter(|_| length == TOKEN)?;
        let (stamp, tag) = rest.split_first_chunk::<STAMP>()?;
        let claim = Claim { mac: hex::encode(mac).parse().ok()?, stamp: *stamp };
        let expected = self.sign(&claim);
        let same = subtle::ConstantTimeEq::ct_eq(expected.as_ref().get(..TAG)?, tag);
        bool::from(same).then_some(claim)
    }

    /// Whether a claim was made with the phone's present random token.
    pub fn holds(&self, claim: &Claim, own: &Secret) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.stamp(own)[..], &claim.stamp[..]).into()
    }

    fn stamp(&self, own: &Secret) -> [u8; STAMP] {
        let tag = self.keyed("stamp", own.expose().as_bytes());
        let mut stamp = [0; STAMP];
        stamp.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        stamp
    }

    fn sign(&self, claim: &Claim) -> hmac::Tag {
        self.keyed("phone", &[claim.mac.bytes().as_slice(), &claim.stamp].concat())
    }

    fn keyed(&self, purpose: &str, bytes: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mac() -> Mac {
        "0c383e07e16c".parse().unwrap()
    }

    fn token(path: &str) -> &str {
        path.strip_prefix("/p/").unwrap().strip_suffix('/').unwrap()
    }

    #[test]
    fn a_token_claims_its_phone_until_the_phones_own_token_changes() {
        let links = PhoneLinks::new([3; 32]);
        let path = links.path(mac(), &Secret::new("own"));
        let claim = links.check(token(&path)).unwrap();
        assert_eq!(claim.mac, mac());
        assert!(links.holds(&claim, &Secret::new("own")));
        assert!(!links.holds(&claim, &Secret::new("renewed")));
        assert_eq!(path, links.path(mac(), &Secret::new("own")), "stable over restarts");
    }

    #[test]
    fn another_secret_makes_other_tokens() {
        let path = PhoneLinks::new([3; 32]).path(mac(), &Secret::new("own"));
        assert_eq!(PhoneLinks::new([4; 32]).check(token(&path)), None);
    }

    proptest! {
        #[test]
        fn an_altered_token_claims_nothing(at in 0usize..40, to in "[A-Za-z0-9_-]") {
            let links = PhoneLinks::new([3; 32]);
            let path = links.path(mac(), &Secret::new("own"));
            let mut altered = token(&path).to_owned();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token(&path));
            prop_assert_eq!(links.check(&altered), None);
        }

        #[test]
        fn any_text_is_only_refused(text in ".{0,100}") {
            prop_assert_eq!(PhoneLinks::new([3; 32]).check(&text), None);
        }
    }
}
