//! The columns of a line: how a text is put into one, and taken out again.

use std::fmt;
use std::str::FromStr;

/// Why a line is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A column that must be there is not.
    #[error("the {0} is missing")]
    Missing(&'static str),
    /// A column holds what it must not hold.
    #[error("`{1}` is no {0}")]
    Bad(&'static str, Box<str>),
    /// A fact that this program does not know.
    #[error("`{0}` is no fact that this program knows")]
    UnknownFact(Box<str>),
    /// The same fact twice.
    #[error("`{0}` is said twice")]
    Twice(Box<str>),
}

impl LineError {
    /// A column that holds what it must not hold.
    pub(super) fn bad(what: &'static str, text: &str) -> Self {
        Self::Bad(what, text.chars().take(64).collect())
    }
}

/// The version of a data model in which something came to be: `2.15`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Before the dot.
    pub major: u16,
    /// Behind the dot.
    pub minor: u16,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Version {
    type Err = LineError;

    fn from_str(text: &str) -> Result<Self, LineError> {
        let bad = || LineError::bad("version", text);
        // A third number tells corrections of the text, not of the model.
        let mut numbers = text.trim().splitn(3, '.');
        let mut number = || {
            let digits = numbers.next().filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u16>().ok()).ok_or_else(bad)
        };
        Ok(Self { major: number()?, minor: number()? })
    }
}

/// Writes a text so that it holds no tab and no line end.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            other => out.push(other),
        }
    }
    out
}

/// Reads a text that [`escape`] wrote; a backslash before anything else stands
/// for that.
pub(super) fn unescape(text: &str) -> Box<str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    out.into()
}

/// Words in one column, parted by `|`; a `|` inside of a word stands as `\|`.
pub(super) fn join(words: &[Box<str>]) -> String {
    words.iter().map(|word| escape(word).replace('|', "\\|")).collect::<Vec<_>>().join("|")
}

/// The words that [`join`] put into one column.
pub(super) fn split(text: &str) -> Vec<Box<str>> {
    let mut words = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '|' => {
                words.push(unescape(text.get(start..at).unwrap_or_default()));
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(unescape(text.get(start..).unwrap_or_default()));
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_words_come_out_of_a_column_as_they_went_in(
            words in prop::collection::vec("[a-z|\\\\\t\n\r ä]{0,6}", 1..5)
        ) {
            let words: Vec<Box<str>> = words.into_iter().map(Box::from).collect();
            let column = join(&words);
            prop_assert!(!column.contains(['\t', '\n', '\r']), "{column:?}");
            prop_assert_eq!(split(&column), words);
        }
    }

    #[test]
    fn versions_are_numbers_not_texts() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        assert!(version("2.9") < version("2.10"));
        assert_eq!(version("2.15.1").to_string(), "2.15");
        for bad in ["", "2", "2.", ".1", "2.x", "+2.1", "2.99999"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
