//! Texts that must never be seen: in memory and at rest.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::HIDDEN;

/// A secret in memory. It has no `Display`, and its `Debug` is masked, so that
/// it cannot slip into a log, an error or a trace.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself: to be sent to whom it belongs, never to be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A secret at rest: opaque bytes that only the store's vault can open.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A text with the user and password of each URL in it left out.
pub fn without_users(text: &str) -> Cow<'_, str> {
    if !text.contains("://") || !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let authority = behind
            .find(|letter: char| matches!(letter, '/' | '?' | '#') || letter.is_whitespace())
            .unwrap_or(behind.len());
        let (authority, tail) = behind.split_at(authority);
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(HIDDEN);
                out.push('@');
                out.push_str(host);
            }
            None => out.push_str(authority),
        }
        rest = tail;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_users() {
        for (text, shown) in [
            ("http://u:p@host:1/a?b=@", "http://***@host:1/a?b=@"),
            ("see http://a/ and ftp://u:p@w@h/x.", "see http://a/ and ftp://***@h/x."),
            ("mail@example.net", "mail@example.net"),
            ("http://host/x@y", "http://host/x@y"),
            ("://@", "://***@"),
        ] {
            assert_eq!(without_users(text), shown);
        }
    }
}
