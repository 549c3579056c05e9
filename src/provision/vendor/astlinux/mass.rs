//! The lines of a mass-deployment text.

use super::mode::Mode;
use crate::class::Class;

/// The largest text, in bytes.
const MAX_TEXT: usize = 16 << 20;
/// The longest line, in bytes.
const MAX_LINE: usize = 4096;
/// The most phones in one text.
const MAX_ROWS: usize = 100_000;

/// The words of one line: template, MAC address, extensions, passwords, accounts.
/// What follows them is passed over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The number of its line, from 1; 0 if it stands in no text.
    pub number: usize,
    /// Its first five words.
    pub words: [Option<&'a str>; 5],
}

/// Never tells the passwords.
impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("words", &&self.words[..3])
            .finish()
    }
}

/// Why a text is no mass deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MassError {
    /// The text is larger than any.
    #[error(
        "the text is larger than {MAX_TEXT} bytes or has more than {MAX_ROWS} phones; split it"
    )]
    TooLarge,
    /// A line is longer than any.
    #[error("line {0}: longer than {MAX_LINE} bytes")]
    LineTooLong(usize),
    /// A line holds bytes that are no UTF-8, or control characters.
    #[error("line {0}: control characters, or bytes that are no UTF-8; save the file as UTF-8")]
    NotText(usize),
}

impl MassError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooLarge | Self::LineTooLong(_) => Class::TooLarge,
            Self::NotText(_) => Class::Invalid,
        }
    }
}

/// Reads the lines that stand for phones.
///
/// Words are separated by blanks and tabs, as in a shell but without its quotes
/// and patterns. Empty lines and those with `#` in the first column are passed
/// over. [`Mode::Right`] takes a byte order mark and the CR of a CR LF away;
/// [`Mode::Original`] keeps both.
///
/// # Errors
/// [`MassError`] with the number of the line.
pub fn rows(text: &[u8], mode: Mode) -> Result<Vec<Row<'_>>, MassError> {
    let mut rows = Vec::new();
    for (number, line) in lines(text, mode)? {
        let row = Row { number, words: words(number, line, mode)? };
        if row.words[0].is_none() {
            continue;
        }
        if rows.len() == MAX_ROWS {
            return Err(MassError::TooLarge);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The lines that are no comments, with their numbers.
pub(super) fn lines(
    text: &[u8],
    mode: Mode,
) -> Result<impl Iterator<Item = (usize, &[u8])>, MassError> {
    if text.len() > MAX_TEXT {
        return Err(MassError::TooLarge);
    }
    let text = match mode {
        Mode::Right => text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
        Mode::Original => text,
    };
    let lines = text.split(|byte| *byte == b'\n').zip(1..);
    Ok(lines.map(|(line, number)| (number, line)).filter(|(_, line)| !line.starts_with(b"#")))
}

/// The first five words of a line.
pub(super) fn words(
    number: usize,
    line: &[u8],
    mode: Mode,
) -> Result<[Option<&str>; 5], MassError> {
    if line.len() > MAX_LINE {
        return Err(MassError::LineTooLong(number));
    }
    let line = match mode {
        Mode::Right => line.strip_suffix(b"\r").unwrap_or(line),
        Mode::Original => line,
    };
    let line = std::str::from_utf8(line).map_err(|_| MassError::NotText(number))?;
    let refused = |c: char| match mode {
        Mode::Right => c.is_control() && c != '\t',
        Mode::Original => c == '\0',
    };
    if line.contains(refused) {
        return Err(MassError::NotText(number));
    }
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    Ok([(); 5].map(|()| words.next()))
}
