//! What the scripts of AstLinux really do with a template, for
//! [`Mode::Original`](super::Mode).
//!
//! They hand every value to `sed` as the replacement of `s|@NAME@|value|g`. So
//! `&` in a value becomes the variable's name again, a backslash vanishes, `|`
//! ends the command too early and leaves nothing, and a value that holds a
//! variable of a later command is expanded again.

use memchr::memmem;

use super::variables::{NAMES, Values};

/// The lines of a context as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawBody(Vec<Box<[u8]>>);

impl RawBody {
    pub(super) fn new(lines: &[&[u8]]) -> Self {
        Self(lines.iter().map(|line| Box::from(*line)).collect())
    }

    /// The lines that a phone with this first extension gets, variables put in;
    /// `None` if they become longer than `limit`.
    pub(super) fn render(
        &self,
        values: &Values<'_>,
        extension: &str,
        limit: usize,
    ) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for line in &self.0 {
            let Some(line) = filter(line, extension.as_bytes()) else { continue };
            let line = match line {
                [b'\\', rest @ ..] if matches!(rest.first(), Some(b'#' | b'[')) => rest,
                line => line,
            };
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        substitute(&mut text, values, NAMES.len(), limit).then_some(text)
    }
}

/// What is left of a line; `None` if nothing is.
fn filter<'a>(line: &'a [u8], extension: &[u8]) -> Option<&'a [u8]> {
    if !line.starts_with(b"#") {
        return (!line.is_empty()).then_some(line);
    }
    if longest(&[b"#<.*!", extension, b"!.*>"].concat(), line).is_some() {
        return None;
    }
    let mut line = line;
    if let Some(end) = longest(&[b"#<", extension, b">"].concat(), line) {
        line = &line[end..];
    }
    if let Some(rest) = line.strip_prefix(b"#<!")
        && let Some(end) = memmem::rfind(rest, b"!>")
    {
        line = &rest[end + 2..];
    }
    (!line.is_empty() && !line.starts_with(b"#")).then_some(line)
}

/// The end of the longest match of a basic regular expression at the begin of a
/// text. The original makes its expressions of the extension, so that a dot in it
/// stands for any character, and a star repeats what stands before it: `#<*98>`
/// is not for the extension `*98`. Brackets and backslashes are taken as they
/// stand.
fn longest(expression: &[u8], text: &[u8]) -> Option<usize> {
    let mut steps: Vec<(u8, bool)> = Vec::new();
    for byte in expression {
        match (byte, steps.last_mut()) {
            (b'*', Some((_, repeated))) => *repeated = true,
            _ => steps.push((*byte, false)),
        }
    }
    // All places in the expression at once, so that no text takes long.
    let mut at = vec![false; steps.len() + 1];
    at[0] = true;
    let mut end = None;
    for taken in 0..=text.len() {
        for (index, (_, repeated)) in steps.iter().enumerate() {
            if at[index] && *repeated {
                at[index + 1] = true;
            }
        }
        if at[steps.len()] {
            end = Some(taken);
        }
        let Some(byte) = text.get(taken) else { break };
        let mut next = vec![false; at.len()];
        for (index, (wanted, repeated)) in steps.iter().enumerate() {
            if at[index] && (*wanted == b'.' || wanted == byte) {
                next[if *repeated { index } else { index + 1 }] = true;
            }
        }
        if !next.contains(&true) {
            break;
        }
        at = next;
    }
    end
}

/// Puts in the first `count` variables, one after the other, as `sed` does. False
/// if the text became longer than `limit`: values within values can make it grow
/// without measure.
pub(super) fn substitute(
    text: &mut Vec<u8>,
    values: &Values<'_>,
    count: usize,
    limit: usize,
) -> bool {
    let list = || NAMES.iter().zip(values).take(count);
    if list().any(|(_, value)| breaks(value)) {
        text.clear();
        return true;
    }
    for (name, value) in list() {
        let finder = memmem::Finder::new(name.as_bytes());
        if finder.find(text).is_none() {
            continue;
        }
        let replacement = replacement(value, name);
        let replacement_grows = replacement.len().saturating_sub(name.len());
        let found = finder.find_iter(text.as_slice()).count();
        if text.len() + found * replacement_grows > limit {
            return false;
        }
        let mut next = Vec::with_capacity(text.len());
        let mut from = 0;
        for at in finder.find_iter(text.as_slice()) {
            next.extend_from_slice(&text[from..at]);
            next.extend_from_slice(&replacement);
            from = at + name.len();
        }
        next.extend_from_slice(&text[from..]);
        *text = next;
    }
    true
}

/// Whether `sed` refuses the command that a value makes. A backslash takes what
/// follows with it, be it a bar or the command's own end.
pub(super) fn breaks(value: &str) -> bool {
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'|' => return true,
            b'\\' if bytes.next().is_none() => return true,
            _ => {}
        }
    }
    false
}

fn replacement(value: &str, name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'&' => out.extend_from_slice(name.as_bytes()),
            b'\\' => out.extend(bytes.next()),
            byte => out.push(byte),
        }
    }
    out
}
