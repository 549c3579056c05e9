//! The unguessable part of a site's provisioning URL.
//!
//! A DHCP option is one text for all phones of a network and cannot carry a
//! token for each. So a site has a folder of its own, `/s/<token>/`, in which a
//! phone is told by what it asks for. The token is
//!
//! ```text
//! base64url( site's name | HMAC(server's secret, site's name) (16 bytes) )
//! ```
//!
//! and is checked before anything is looked up. It is shared by all phones of
//! the site, so it keeps strangers away and proves nothing about a phone: the
//! first-fetch lock is what guards a phone's own file there.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

const TAG: usize = 16;
/// The longest token that is looked at, in characters.
const MAX_TOKEN: usize = 400;

/// Makes and checks the tokens of sites.
#[derive(Clone, Debug)]
pub struct SiteLinks {
    key: hmac::Key,
}

impl SiteLinks {
    /// Tokens signed with `secret`; whoever knows it can make them.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret) }
    }

    /// The folder in which phones of a site find their files: `/s/<token>/`.
    pub fn path(&self, site: &str) -> String {
        let mut token = site.as_bytes().to_vec();
        token.extend(self.sign(site.as_bytes()).as_ref().iter().take(TAG));
        format!("/s/{}/", URL_SAFE_NO_PAD.encode(token))
    }

    /// The site that a token was made for; checked in constant time, and
    /// nothing is looked up.
    pub fn check(&self, token: &str) -> Option<Box<str>> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (name, tag) = bytes.split_last_chunk::<TAG>()?;
        let expected = self.sign(name);
        let same = subtle::ConstantTimeEq::ct_eq(expected.as_ref().get(..TAG)?, tag);
        let name = std::str::from_utf8(name).ok().filter(|_| bool::from(same))?;
        Some(name.into())
    }

    fn sign(&self, name: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"site\0");
        context.update(name);
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(path: &str) -> &str {
        path.strip_prefix("/s/").unwrap().strip_suffix('/').unwrap()
    }

    #[test]
    fn a_token_names_its_site_and_no_other() {
        let links = SiteLinks::new([3; 32]);
        for site in ["hq", "Zürich", "x"] {
            assert_eq!(links.check(token(&links.path(site))).as_deref(), Some(site));
            assert_eq!(SiteLinks::new([4; 32]).check(token(&links.path(site))), None);
        }
        assert_eq!(links.check(&"A".repeat(1 << 20)), None);
    }

    proptest! {
        #[test]
        fn an_altered_token_names_nothing(at in 0usize..24, to in "[A-Za-z0-9_-]") {
            let links = SiteLinks::new([3; 32]);
            let path = links.path("hq");
            let mut altered = token(&path).to_owned();
            altered.replace_range(at..=at, &to);
            prop_assume!(altered != token(&path));
            prop_assert_eq!(links.check(&altered), None);
        }

        #[test]
        fn any_text_is_only_refused(text in ".{0,100}") {
            prop_assert_eq!(SiteLinks::new([3; 32]).check(&text), None);
        }
    }
}
