//! The text of a configuration file: one `path=value` a line.
//!
//! Read as phones and people write it: blanks around `=`, comments after `;` (a
//! whole line, or after a blank behind a value), lines that begin with `#`, and
//! `include FILE`. Written exactly: no blanks, no comments, one order.

use super::parameters::{cut, unwritable};
use crate::class::Class;

/// The largest file, in bytes.
const LARGEST: usize = 1 << 20;
/// The most lines.
const MOST_LINES: usize = 20_000;

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A parameter.
    Set {
        /// Its path.
        path: &'a str,
        /// Its value, blanks around it dropped.
        value: &'a str,
    },
    /// Another file, to be read at this place: a name or an absolute URL.
    Include(&'a str),
}

/// A text is no configuration file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CfgError {
    /// It is larger than phones take.
    #[error("a configuration file has at most {LARGEST} bytes and {MOST_LINES} lines")]
    Large,
    /// It is no UTF-8 text.
    #[error("the file is no text in UTF-8")]
    NoText,
    /// A line is neither a setting nor a comment nor an include.
    #[error("line {0}: write path=value, `; comment` or `include FILE`")]
    Line(usize),
    /// A name or a value cannot be written.
    #[error("{name}: {problem}")]
    Value {
        /// The path.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl CfgError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Reads a file; comments and empty lines are left out.
///
/// # Errors
/// [`CfgError`] for the first line that is none.
pub fn read(bytes: &[u8]) -> Result<Vec<Line<'_>>, CfgError> {
    if bytes.len() > LARGEST {
        return Err(CfgError::Large);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| CfgError::NoText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        if at >= MOST_LINES {
            return Err(CfgError::Large);
        }
        for line in line.split('\r') {
            let line = uncommented(line).trim();
            if !line.is_empty() {
                lines.push(read_line(line).ok_or(CfgError::Line(at + 1))?);
            }
        }
    }
    Ok(lines)
}

/// The line up to its comment.
fn uncommented(line: &str) -> &str {
    let start = line.trim_start();
    if start.starts_with(['#', ';']) {
        return "";
    }
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == ';' && before.is_whitespace() {
            return line.get(..at).unwrap_or_default();
        }
        before = c;
    }
    line
}

fn read_line(line: &str) -> Option<Line<'_>> {
    if let Some(rest) = line.strip_prefix("include") {
        let name = rest.trim_start();
        if rest.starts_with(char::is_whitespace) && !name.is_empty() && !name.starts_with('=') {
            return Some(Line::Include(name));
        }
    }
    let (path, value) = line.split_once('=')?;
    let (path, value) = (path.trim_end(), value.trim_start());
    let sound = !path.is_empty() && !path.contains(char::is_whitespace);
    sound.then_some(Line::Set { path, value })
}

/// Writes a file: the included ones first, so that what follows wins.
///
/// # Errors
/// [`CfgError::Value`] for what would be read back as something else.
pub fn write<'a>(
    includes: impl IntoIterator<Item = &'a str>,
    settings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<String, CfgError> {
    let mut text = String::new();
    for name in includes {
        if name.is_empty() || name.contains(char::is_whitespace) || unwritable(name).is_some() {
            let problem = "an included file is a name or a URL without blanks";
            return Err(CfgError::Value { name: "include".to_owned(), problem });
        }
        text.push_str("include ");
        text.push_str(name);
        text.push('\n');
    }
    for (path, value) in settings {
        let bad = |problem| CfgError::Value { name: cut(path), problem };
        let sound = !path.is_empty()
            && path.bytes().all(|b| matches!(b, b'!'..=b'~') && !matches!(b, b'=' | b';'))
            && !path.starts_with('#');
        if !sound {
            return Err(bad("is no path of a parameter"));
        }
        if let Some(problem) = unwritable(value) {
            return Err(bad(problem));
        }
        text.push_str(path);
        text.push('=');
        text.push_str(value);
        text.push('\n');
    }
    if text.len() > LARGEST { Err(CfgError::Large) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_is_read() {
        let text = "\u{feff}; a comment\r\n# another\r\n\r\nvoip/line/0/id = 1001   ; note\r\n\
            voip/answer_device =HEADSET\ninclude\thttps://host/ipp/option160.cfg\n\
            system/ldap/name_filter=(|(sn=%)(a=b;c))\nsystem/user_name=\n include=1\n";
        let lines = read(text.as_bytes()).unwrap();
        let set = |path, value| Line::Set { path, value };
        let expected = [
            set("voip/line/0/id", "1001"),
            set("voip/answer_device", "HEADSET"),
            Line::Include("https://host/ipp/option160.cfg"),
            set("system/ldap/name_filter", "(|(sn=%)(a=b;c))"),
            set("system/user_name", ""),
            set("include", "1"),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_no_line_is_told_by_its_number() {
        assert_eq!(read(b"a/b=1\n\nnonsense\n"), Err(CfgError::Line(3)));
        assert_eq!(read(b"=1"), Err(CfgError::Line(1)));
        assert_eq!(read(b"a b=1"), Err(CfgError::Line(1)));
        assert_eq!(read(b"\xff"), Err(CfgError::NoText));
        assert_eq!(read(&vec![b'\n'; MOST_LINES + 1]), Err(CfgError::Large));
        assert_eq!(read(&vec![b' '; LARGEST + 1]), Err(CfgError::Large));
    }

    #[test]
    fn nothing_becomes_a_line_of_its_own() {
        for (path, value) in [
            ("a/b", "1\nvoip/line/1/id=7"),
            ("a/b", "1\rx=2"),
            ("a/b", "1 ; note"),
            ("a/b", " 1"),
            ("a/b\nc", "1"),
            ("a/b=c", "1"),
            ("include x", "1"),
            ("#a", "1"),
            ("", "1"),
        ] {
            assert!(write([], [(path, value)]).is_err(), "{path}={value}");
        }
        for name in ["", "x y", "x\ninclude z", "x;y"] {
            assert!(write([name], []).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            pairs in prop::collection::vec(("[a-z_0-9/\\[\\]-]{1,20}", "\\PC{0,30}"), 0..8),
        ) {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(path, value)| (path.as_str(), value.trim()))
                .filter(|(_, value)| unwritable(value).is_none())
                .collect();
            let text = write(["x.cfg"], pairs.iter().copied()).unwrap();
            let lines = read(text.as_bytes()).unwrap();
            let mut expected = vec![Line::Include("x.cfg")];
            expected.extend(pairs.iter().map(|&(path, value)| Line::Set { path, value }));
            prop_assert_eq!(lines, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
