//! Options as phones see them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use crate::class::Class;

/// The DSL Forum's enterprise number (TR-069 §3.1, option 125).
pub(super) const DSL_FORUM: u32 = 3561;

/// Options by their codes, repeated ones put together (RFC 3396).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options(BTreeMap<u8, Vec<u8>>);

/// A text is no option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an option as CODE=TEXT or CODE=hex:BYTES, as in 66=http://host/ or 43=hex:4207…; codes go from 1 to 254"
)]
pub struct OptionsError;

impl OptionsError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

impl Options {
    /// Adds to what an option holds.
    pub fn add(&mut self, code: u8, bytes: &[u8]) {
        self.0.entry(code).or_default().extend_from_slice(bytes);
    }

    /// Adds an option in the form `CODE=TEXT` or `CODE=hex:BYTES`, in place of
    /// what it held.
    ///
    /// # Errors
    /// [`OptionsError`].
    pub fn set_from(&mut self, text: &str) -> Result<(), OptionsError> {
        let (code, value) = text.split_once('=').ok_or(OptionsError)?;
        let code = u8::from_str(code.trim()).ok().filter(|code| (1..=254).contains(code));
        let bytes = match value.strip_prefix("hex:") {
            Some(digits) => {
                let digits: String =
                    digits.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect();
                hex::decode(digits).map_err(|_| OptionsError)?
            }
            None => value.as_bytes().to_vec(),
        };
        self.0.insert(code.ok_or(OptionsError)?, bytes);
        Ok(())
    }

    /// What an option holds.
    pub fn bytes(&self, code: u8) -> Option<&[u8]> {
        self.0.get(&code).map(Vec::as_slice)
    }

    /// An option as text, without the NULs that some servers add; `None` if it is
    /// absent or empty.
    pub fn text(&self, code: u8) -> Option<Cow<'_, str>> {
        text(self.bytes(code)?)
    }

    /// All options in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &[u8])> {
        self.0.iter().map(|(code, bytes)| (*code, bytes.as_slice()))
    }

    /// The sub-options of the DSL Forum in option 125 (RFC 3925 §4).
    pub fn dsl_forum(&self) -> Vec<(u8, &[u8])> {
        let mut rest = self.bytes(125).unwrap_or_default();
        while let Some(([a, b, c, d, length], behind)) = rest.split_first_chunk::<5>() {
            let Some((data, next)) = behind.split_at_checked(usize::from(*length)) else { break };
            if u32::from_be_bytes([*a, *b, *c, *d]) == DSL_FORUM {
                return sub_options(data).unwrap_or_default();
            }
            rest = next;
        }
        Vec::new()
    }
}

/// Bytes as text, without trailing NULs.
pub(super) fn text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let end = bytes.iter().rposition(|byte| *byte != 0)? + 1;
    Some(String::from_utf8_lossy(bytes.get(..end)?))
}

/// The sub-options that an option encapsulates (RFC 2132 §8.4): code, length,
/// bytes; zeroes are padding and 255 ends them. `None` if the bytes are no such
/// list.
pub fn sub_options(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    loop {
        match rest {
            [] => break,
            [0, behind @ ..] => rest = behind,
            [255, ..] => break,
            [code, length, behind @ ..] => {
                let (data, next) = behind.split_at_checked(usize::from(*length))?;
                found.push((*code, data));
                rest = next;
            }
            [_] => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn options_are_written_as_text_or_hex() {
        let mut options = Options::default();
        options.set_from("66=http://host/a=b").unwrap();
        options.set_from("43=hex:42:03 61-62 63 ff").unwrap();
        assert_eq!(options.text(66).unwrap(), "http://host/a=b");
        assert_eq!(sub_options(options.bytes(43).unwrap()).unwrap(), [(66, b"abc".as_slice())]);
        for text in ["66", "0=x", "255=x", "x=y", "43=hex:4", "300=x"] {
            assert!(options.set_from(text).is_err(), "{text}");
        }
    }

    #[test]
    fn trailing_nuls_are_no_text() {
        let mut options = Options::default();
        options.add(66, b"tftp\0");
        options.add(67, b"\0\0");
        assert_eq!(options.text(66).unwrap(), "tftp");
        assert_eq!(options.text(67), None);
    }

    #[test]
    fn the_dsl_forums_part_of_option_125_is_found_among_others() {
        let mut options = Options::default();
        options.add(125, &[0, 0, 0, 9, 3, 1, 1, 7]);
        options.add(125, &[0, 0, 0x0d, 0xe9, 4, 11, 2, b'h', b'i']);
        assert_eq!(options.dsl_forum(), [(11, b"hi".as_slice())]);
        assert!(Options::default().dsl_forum().is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = sub_options(&bytes);
            let mut options = Options::default();
            options.add(125, &bytes);
            let _ = options.dsl_forum();
        }
    }
}
