//! Adds missing passwords to a mass-deployment text.

use std::collections::HashMap;

use super::mass::{MassError, lines, rows, words};
use super::mode::Mode;

/// A text with its missing passwords added.
#[derive(Clone, PartialEq, Eq)]
pub struct Added {
    /// The text; it holds passwords.
    pub text: Vec<u8>,
    /// How many were added.
    pub count: usize,
}

impl std::fmt::Debug for Added {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Added").field("count", &self.count).finish_non_exhaustive()
    }
}

/// Adds a password to each line that has an extension and no password.
///
/// [`Mode::Right`] puts it behind the extensions and leaves everything else on
/// the line as it was. [`Mode::Original`] writes each line that begins as the one
/// without password does anew, whatever else stood there.
///
/// # Errors
/// [`MassError`] for a text that is none, or what `make` fails with.
pub fn add_passwords<E: From<MassError>>(
    text: &[u8],
    mode: Mode,
    mut make: impl FnMut() -> Result<String, E>,
) -> Result<Added, E> {
    match mode {
        Mode::Right => insert(text, &mut make),
        Mode::Original => rewrite(text, &mut make),
    }
}

fn insert<E: From<MassError>>(
    text: &[u8],
    make: &mut impl FnMut() -> Result<String, E>,
) -> Result<Added, E> {
    rows(text, Mode::Right)?;
    let mut added = Added { text: Vec::with_capacity(text.len() + text.len() / 2), count: 0 };
    // A pointer into the text is where its word ends.
    let mut copied = 0;
    let begin = text.as_ptr().addr();
    for (number, line) in lines(text, Mode::Right)? {
        if let [_, _, Some(exts), None, _] = words(number, line, Mode::Right)? {
            let end = exts.as_ptr().addr() + exts.len() - begin;
            added.text.extend_from_slice(&text[copied..end]);
            added.text.push(b' ');
            added.text.extend_from_slice(make()?.as_bytes());
            added.count += 1;
            copied = end;
        }
    }
    added.text.extend_from_slice(&text[copied..]);
    Ok(added)
}

fn rewrite<E: From<MassError>>(
    text: &[u8],
    make: &mut impl FnMut() -> Result<String, E>,
) -> Result<Added, E> {
    let rows = rows(text, Mode::Original)?;
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    // The lines by what they begin with; a line that begins with a blank is
    // never found.
    let mut places: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for row in &rows {
        if let [Some(template), Some(mac), Some(_), ..] = row.words
            && lines[row.number - 1].starts_with(template.as_bytes())
        {
            places.entry((template, mac)).or_default().push(row.number - 1);
        }
    }
    let mut count = 0;
    for row in &rows {
        let [Some(template), Some(mac), Some(exts), None, _] = row.words else { continue };
        let written = format!("{template} {mac} {exts} {}", make()?);
        count += 1;
        for at in places.get(&(template, mac)).into_iter().flatten() {
            let third = String::from_utf8_lossy(&lines[*at]).into_owned();
            let third = third.split([' ', '\t']).filter(|word| !word.is_empty()).nth(2);
            if third.is_some_and(|third| third.starts_with(exts)) {
                lines[*at] = written.clone().into_bytes();
            }
        }
    }
    Ok(Added { text: lines.join(&b'\n'), count })
}
