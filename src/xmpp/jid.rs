//! Addresses of XMPP (RFC 7622).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most bytes of each part (RFC 7622 §3.1).
const MAX_PART: usize = 1023;

/// What a localpart cannot hold (RFC 7622 §3.3.1).
const NOT_LOCAL: &[char] = &['"', '&', '\'', '/', ':', '<', '>', '@'];

/// Why a text is no JID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JidError {
    /// Nothing between the start and `@`, or after `/`.
    #[error("a part of the JID is empty")]
    Empty,
    /// A part is longer than 1,023 bytes.
    #[error("a part of the JID is longer than 1023 bytes")]
    TooLong,
    /// A character that cannot stand in its part.
    #[error("{0:?} cannot stand in that part of a JID")]
    Character(char),
}

/// An address: `localpart@domain/resource`, of which only the domain must be
/// there.
///
/// Of RFC 7622 this is the part that is needed to compare addresses of one
/// server: upper-case letters of localpart and domain become lower-case, nothing
/// is normalised further.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Jid {
    local: Option<Box<str>>,
    domain: Box<str>,
    resource: Option<Box<str>>,
}

impl Jid {
    /// Reads an address.
    ///
    /// # Errors
    /// [`JidError`].
    pub fn parse(text: &str) -> Result<Self, JidError> {
        let (bare, resource) = match text.split_once('/') {
            Some((bare, resource)) => (bare, Some(resource)),
            None => (text, None),
        };
        // Lower-case letters may be longer: what is checked is what is kept.
        let bare = bare.to_lowercase();
        let (local, domain) = match bare.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, &*bare),
        };
        // The dot of the root is no part of the name (RFC 7622 §3.2).
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        let local = local.map(|text| part(text, |c| NOT_LOCAL.contains(&c) || c.is_whitespace()));
        let domain = part(domain, |c| {
            c.is_whitespace() || c.is_ascii() && !c.is_ascii_alphanumeric() && !"-_.:[]".contains(c)
        })?;
        if domain.split('.').any(str::is_empty) {
            return Err(JidError::Character('.'));
        }
        let resource = resource.map(|text| part(text, |_| false)).transpose()?;
        Ok(Self {
            local: local.transpose()?.map(Into::into),
            domain: domain.into(),
            resource: resource.map(Into::into),
        })
    }

    /// The localpart: the account's name.
    pub fn local(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// The domain: the server's name.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The resource: one of the account's connections.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The address without a resource.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { resource: None, ..self.clone() }
    }

    /// Whether a list entry such as those of `ConnReqAllowedJabberIDs` is about
    /// `other`: a bare address is about all resources (TR-069 Annex K).
    pub fn covers(&self, other: &Self) -> bool {
        match self.resource {
            None => *self == other.bare(),
            Some(_) => self == other,
        }
    }
}

/// A part, if it is neither empty nor too long and holds nothing that it cannot.
fn part(text: &str, refused: impl Fn(char) -> bool) -> Result<&str, JidError> {
    if text.is_empty() {
        return Err(JidError::Empty);
    }
    if text.len() > MAX_PART {
        return Err(JidError::TooLong);
    }
    match text.chars().find(|c| c.is_control() || !is_character(*c) || refused(*c)) {
        Some(c) => Err(JidError::Character(c)),
        None => Ok(text),
    }
}

/// Whether XML can hold it, and it is no noncharacter.
const fn is_character(c: char) -> bool {
    !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{fdd0}'..='\u{fdef}')
}

impl FromStr for Jid {
    type Err = JidError;

    fn from_str(text: &str) -> Result<Self, JidError> {
        Self::parse(text)
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(local) = &self.local {
            write!(f, "{local}@")?;
        }
        f.write_str(&self.domain)?;
        match &self.resource {
            Some(resource) => write!(f, "/{resource}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Jid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Jid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        for (text, written) in [
            ("acs@example.net", "acs@example.net"),
            ("ACS@Example.NET./Room A", "acs@example.net/Room A"),
            ("example.net", "example.net"),
            ("example.net/a@b/c", "example.net/a@b/c"),
            ("00D09E-SimGateway-1@example.net/cwmp", "00d09e-simgateway-1@example.net/cwmp"),
            ("a%2fb@[2001:db8::1]", "a%2fb@[2001:db8::1]"),
            ("größe@exämple.net", "größe@exämple.net"),
        ] {
            let jid = Jid::parse(text).unwrap();
            assert_eq!(jid.to_string(), written);
            assert_eq!(Jid::parse(written).unwrap(), jid);
        }
        let jid = Jid::parse("acs@example.net/r").unwrap();
        assert_eq!((jid.local(), jid.domain()), (Some("acs"), "example.net"));
        assert_eq!((jid.resource(), jid.bare().resource()), (Some("r"), None));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.net", "x".repeat(1024));
        for (text, error) in [
            ("", JidError::Empty),
            ("@example.net", JidError::Empty),
            ("acs@", JidError::Empty),
            ("acs@/r", JidError::Empty),
            ("acs@example.net/", JidError::Empty),
            (&long, JidError::TooLong),
            ("a b@example.net", JidError::Character(' ')),
            ("a<b@example.net", JidError::Character('<')),
            ("a\"b@example.net", JidError::Character('"')),
            ("a@b@example.net", JidError::Character('@')),
            ("a@exa mple.net", JidError::Character(' ')),
            ("a@..", JidError::Character('.')),
            ("a@example..net", JidError::Character('.')),
            ("a@exa'mple.net", JidError::Character('\'')),
            ("a@example.net/\0", JidError::Character('\0')),
            ("a@example.net/\u{ffff}", JidError::Character('\u{ffff}')),
        ] {
            assert_eq!(Jid::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_bare_address_covers_all_resources() {
        let of = |text| Jid::parse(text).unwrap();
        assert!(of("acs@example.net").covers(&of("ACS@example.net/any")));
        assert!(of("acs@example.net/a").covers(&of("acs@example.net/a")));
        assert!(!of("acs@example.net/a").covers(&of("acs@example.net/b")));
        assert!(!of("acs@example.net/a").covers(&of("acs@example.net")));
        assert!(!of("acs@example.org").covers(&of("acs@example.net")));
    }
}
