//! From where phones may be served: addresses, networks, and the prefix patterns
//! that AstLinux users write.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest pattern, in bytes. The longest address has 39.
const MAX_LENGTH: usize = 64;
/// The most `*` in one pattern, so that matching stays cheap.
const MAX_STARS: usize = 8;
/// The most patterns in one list.
const MAX_PATTERNS: usize = 1000;

/// One pattern of addresses that may fetch.
///
/// Three forms: an address (`192.168.101.20`, `2001:db8::7`), a network
/// (`10.10.50.0/24`), or a pattern over the address as it is written, in which
/// `*` stands for anything (`10.10.50.*`, `2001:db8:1:*`). A pattern with a dot is
/// about IPv4 only, one with a colon about IPv6 only. IPv6 addresses are compared
/// in their shortest form and with all eight groups written out, so that
/// `2001:db8:0:0:*` finds what is usually written `2001:db8::…`.
///
/// Mind that `10.10.5*` also admits `10.10.50.1`; end the pattern with `.*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow {
    text: Box<str>,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Form {
    Network(IpNet),
    /// Lower-case, with at least one `*`.
    Pattern(Box<str>),
}

/// A text is no pattern of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllowError {
    /// It is neither an address nor a network nor a pattern.
    #[error(
        "an allowed source is an address, a network as 10.10.50.0/24, or a pattern as 10.10.50.* or 2001:db8:1:*"
    )]
    NoPattern,
    /// It has more than 64 characters or 8 wildcards.
    #[error("an allowed source has at most {MAX_LENGTH} characters and {MAX_STARS} wildcards")]
    TooLong,
    /// A list holds more than a thousand of them.
    #[error("a list of allowed sources holds at most {MAX_PATTERNS}; use networks")]
    TooMany,
}

impl AllowError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl Allow {
    /// Reads a list as AstLinux keeps it: patterns separated by blanks. Commas
    /// separate too.
    ///
    /// # Errors
    /// [`AllowError`] of the first that is wrong, or if there are over a thousand.
    pub fn list(text: &str) -> Result<Vec<Self>, AllowError> {
        let words = text.split([' ', '\t', '\r', '\n', ',']).filter(|word| !word.is_empty());
        let mut list = Vec::new();
        for word in words {
            if list.len() == MAX_PATTERNS {
                return Err(AllowError::TooMany);
            }
            list.push(word.parse()?);
        }
        Ok(list)
    }

    /// Whether a list admits an address. An empty list admits everybody.
    pub fn any(list: &[Self], address: IpAddr) -> bool {
        list.is_empty() || list.iter().any(|allow| allow.admits(address))
    }

    /// Whether the address is among those meant. An IPv4 address that came over
    /// an IPv6 socket (`::ffff:10.10.50.7`) counts as the IPv4 address.
    pub fn admits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &self.form {
            Form::Network(network) => network.contains(&address),
            Form::Pattern(pattern) => {
                let other_kind = if address.is_ipv4() { ':' } else { '.' };
                if pattern.contains(other_kind) {
                    return false;
                }
                matches(pattern.as_bytes(), address.to_string().as_bytes())
                    || matches!(address, IpAddr::V6(six) if matches(pattern.as_bytes(), written_out(six).as_bytes()))
            }
        }
    }
}

/// All eight groups, without leading zeroes.
fn written_out(address: Ipv6Addr) -> String {
    address.segments().map(|group| format!("{group:x}")).join(":")
}

/// Whether the text is of the pattern's form; `*` stands for any characters,
/// none as well.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where the last `*` stands, and how much of the text it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    let (mut at, mut taken) = (0, 0);
    while taken < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, taken));
                at += 1;
            }
            Some(byte) if text.get(taken) == Some(byte) => {
                at += 1;
                taken += 1;
            }
            _ => {
                let Some((stood, end)) = star else { return false };
                star = Some((stood, end + 1));
                at = stood + 1;
                taken = end + 1;
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

impl FromStr for Allow {
    type Err = AllowError;

    fn from_str(text: &str) -> Result<Self, AllowError> {
        let text = text.trim();
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        if text.len() > MAX_LENGTH || stars > MAX_STARS {
            return Err(AllowError::TooLong);
        }
        let form = if stars > 0 {
            let sound = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'*');
            let mixed = text.contains('.') && text.contains(':');
            if !text.bytes().all(sound) || mixed {
                return Err(AllowError::NoPattern);
            }
            Form::Pattern(text.to_ascii_lowercase().into())
        } else if let Ok(address) = text.parse::<IpAddr>() {
            Form::Network(address.to_canonical().into())
        } else {
            Form::Network(text.parse().map_err(|_| AllowError::NoPattern)?)
        };
        Ok(Self { text: text.into(), form })
    }
}

impl fmt::Display for Allow {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Allow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Allow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(pattern: &str, address: &str) -> bool {
        pattern.parse::<Allow>().unwrap().admits(address.parse().unwrap())
    }

    #[test]
    fn patterns_are_prefixes_of_what_is_written() {
        for (pattern, address) in [
            ("10.10.50.*", "10.10.50.1"),
            ("10.10.50.*", "::ffff:10.10.50.1"),
            ("10.10.5*", "10.10.50.1"),
            ("10.*.1", "10.2.3.1"),
            ("*.1", "10.2.3.1"),
            ("*", "10.2.3.1"),
            ("*", "2001:db8::1"),
            ("2001:db8:1:*", "2001:db8:1::5"),
            ("2001:DB8:1:*", "2001:db8:1:2:3::5"),
            ("2001:db8:0:0:*", "2001:db8::1:0:0:5"),
            ("192.168.101.20", "192.168.101.20"),
            ("2001:db8:0::7", "2001:db8::7"),
            ("10.10.50.0/24", "10.10.50.255"),
            ("2001:db8::/32", "2001:db8:ffff::1"),
        ] {
            assert!(admits(pattern, address), "{pattern} {address}");
        }
        for (pattern, address) in [
            ("10.10.50.*", "10.10.5.1"),
            ("10.10.50.*", "10.10.51.1"),
            ("10.10.50.*", "110.10.50.1"),
            // A dot is a dot, not "any character" as in AstLinux.
            ("10.1.2.*", "10.112.3.4"),
            ("2001:db8:1:*", "2001:db8:11::5"),
            ("192.168.101.20", "192.168.101.200"),
            ("10.10.50.0/24", "10.10.51.0"),
            ("10.10.50.*", "2001:db8::1"),
        ] {
            assert!(!admits(pattern, address), "{pattern} {address}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "x", "10.10.50", "10.10.50.0/33", "pbx.*", "10.1:*", "10.10.50.-", "a b"] {
            assert_eq!(text.parse::<Allow>(), Err(AllowError::NoPattern), "{text}");
        }
        assert_eq!("*.*.*.*.*.*.*.*.*".parse::<Allow>(), Err(AllowError::TooLong));
        assert_eq!("1".repeat(65).parse::<Allow>(), Err(AllowError::TooLong));
    }

    #[test]
    fn a_list_is_separated_by_blanks_and_empty_admits_everybody() {
        let list = Allow::list(" 10.1.2.*  2001:db8:1:*\t192.168.101.20,172.16.0.0/12 ").unwrap();
        assert_eq!(list.len(), 4);
        let any = |address: &str| Allow::any(&list, address.parse().unwrap());
        assert!(any("10.1.2.9") && any("2001:db8:1::") && any("172.31.0.1"));
        assert!(!any("10.1.3.9") && !any("::1"));
        assert!(Allow::any(&[], "::1".parse().unwrap()));
        assert_eq!(Allow::list("10.1.2.* pbx"), Err(AllowError::NoPattern));
        assert_eq!(Allow::list(&"::1 ".repeat(1001)), Err(AllowError::TooMany));
    }

    #[test]
    fn it_is_stored_as_it_was_written() {
        let list = Allow::list("2001:DB8:1:* 10.0.0.0/8").unwrap();
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, r#"["2001:DB8:1:*","10.0.0.0/8"]"#);
        assert_eq!(serde_json::from_str::<Vec<Allow>>(&text).unwrap(), list);
        let bytes = postcard::to_stdvec(&list).unwrap();
        assert_eq!(postcard::from_bytes::<Vec<Allow>>(&bytes).unwrap(), list);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-fA-F.:*/ ]{0,70}", address: u128) {
            if let Ok(allow) = text.parse::<Allow>() {
                allow.admits(Ipv6Addr::from_bits(address).into());
                proptest::prop_assert_eq!(allow.to_string().parse::<Allow>(), Ok(allow));
            }
        }

        #[test]
        fn an_address_admits_itself_however_it_came(bits: u32) {
            let four = std::net::Ipv4Addr::from_bits(bits);
            let allow: Allow = four.to_string().parse().unwrap();
            proptest::prop_assert!(allow.admits(four.into()));
            proptest::prop_assert!(allow.admits(four.to_ipv6_mapped().into()));
        }
    }
}
