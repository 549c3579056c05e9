//! The text form of a configuration file.
//!
//! ```text
//! <<VOIP CONFIG FILE>>Version:2.0000000012                      ⏎   exactly 64 bytes with CR LF
//! ⏎
//! <SIP CONFIG MODULE>⏎
//! --SIP Line List--  :⏎                                             opens a sub-list
//! SIP1 Phone Number       :1001⏎                                    key, blanks, colon, value
//! ⏎
//! <<END OF FILE>>⏎
//! ```
//!
//! The reader is lenient and bounded, as a phone is; the writer is exact and
//! refuses whatever could become a line of its own. The blanks before the colon
//! are cosmetic: 19 columns, and in newer firmware 24 for numbered keys and 25
//! for function keys.

use std::borrow::Cow;

use super::sections::{Entry, Section};
use super::{VersionForm, xml};
use crate::class::Class;
use crate::provision::Dialect;

const HEAD: &str = "<<VOIP CONFIG FILE>>Version:";
pub(super) const END: &str = "<<END OF FILE>>";
/// Columns of the first line before CR LF.
const HEAD_COLUMNS: usize = 62;
/// The usual column of the colon.
const NARROW: usize = 19;
/// The largest file that is read, in bytes.
pub(super) const MAX_FILE: usize = 1 << 20;
/// The longest line that is read or written, in bytes.
pub(super) const MAX_LINE: usize = 4096;
/// The most rows that are read.
pub(super) const MAX_ROWS: usize = 20_000;

/// A configuration file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The version in the first line: `2.0000000012`.
    pub version: Box<str>,
    /// The modules in order.
    pub modules: Vec<Module>,
}

/// One module: everything up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name between the brackets, `SIP CONFIG MODULE`.
    pub name: Box<str>,
    /// Its rows in order.
    pub rows: Vec<Row>,
}

/// One row of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A marker like `--SIP Line List--`, without its colon.
    List(Box<str>),
    /// A key without trailing blanks, and its value verbatim.
    Entry(Box<str>, Box<str>),
}

/// Why a text is no configuration file, or cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The first line is not that of a configuration file.
    #[error("the file does not begin with `{HEAD}`: another format, or encrypted with another key")]
    NoHead,
    /// The end marker is missing: the file was cut.
    #[error("the file has no `{END}`: it was cut")]
    Cut,
    /// The file is too large or has too many rows.
    #[error("the file is too large: at most {MAX_FILE} bytes and {MAX_ROWS} rows are read")]
    TooLarge,
    /// A version cannot stand in the first line.
    #[error("`{0}` is no version: digits and dots, at most 34 characters")]
    Version(String),
    /// A module's name, a marker or a key cannot be written.
    #[error("`{0}` is no name of a module or key: printable ASCII, without colon or brackets")]
    Name(String),
    /// A key cannot be an element of an XML file, or two become the same.
    #[error("`{0}` cannot be an XML element of its own: use the text dialect, or another key")]
    Element(String),
    /// XML that no parser takes.
    #[error("the XML is damaged at byte {0}")]
    Malformed(u64),
    /// XML with a document type, which no configuration has.
    #[error("the file has a DOCTYPE, which is refused")]
    Doctype,
    /// A value cannot be written.
    #[error("the value of `{0}` is too long or holds control characters")]
    Value(String),
}

impl TextError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::NoHead | Self::Cut | Self::Malformed(_) | Self::Doctype => Class::Failed,
            Self::TooLarge => Class::TooLarge,
            Self::Version(_) | Self::Name(_) | Self::Element(_) | Self::Value(_) => Class::Invalid,
        }
    }
}

impl Text {
    /// Reads a file as a phone does.
    ///
    /// Line ends may be CR LF or LF; a byte order mark, blank lines, comments
    /// (`##`), lines without a colon, lines with control characters and rows
    /// before the first module are passed over; bytes that are no UTF-8 become
    /// replacement characters.
    ///
    /// # Errors
    /// [`TextError::NoHead`], [`TextError::Cut`] or [`TextError::TooLarge`].
    pub fn read(bytes: &[u8]) -> Result<Self, TextError> {
        if bytes.len() > MAX_FILE {
            return Err(TextError::TooLarge);
        }
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        let version = lines.next().and_then(|line| line.strip_prefix(HEAD));
        let version = version.ok_or(TextError::NoHead)?.trim();
        if !is_version(version) {
            return Err(TextError::NoHead);
        }
        let mut modules: Vec<Module> = Vec::new();
        let mut rows = 0;
        for line in lines {
            if line.trim_end() == END {
                return Ok(Self { version: version.into(), modules });
            }
            rows += 1;
            if rows > MAX_ROWS {
                return Err(TextError::TooLarge);
            }
            if line.len() > MAX_LINE || line.starts_with("##") {
                continue;
            }
            if let Some(name) = module_name(line) {
                modules.push(Module { name: name.into(), rows: Vec::new() });
            } else if let (Some(row), Some(module)) = (Row::read(line), modules.last_mut()) {
                module.rows.push(row);
            }
        }
        Err(TextError::Cut)
    }

    /// Writes the file. What was read can be written, and reads back the same.
    ///
    /// # Errors
    /// [`TextError::Version`], [`TextError::Name`] or [`TextError::Value`]
    /// instead of a file that would read as another.
    pub fn write(&self) -> Result<Vec<u8>, TextError> {
        let newer = self.version.len() > "2.0002".len();
        let form = if newer { VersionForm::TenDigits } else { VersionForm::FourDigits };
        let mut body = BodyWriter::new(form);
        for module in &self.modules {
            body.module(&module.name)?;
            for row in &module.rows {
                match row {
                    Row::List(marker) => body.list(marker)?,
                    Row::Entry(key, value) => body.entry(key, value)?,
                }
            }
        }
        assemble(&self.version, &body.end())
    }

    /// Writes the file in a dialect.
    ///
    /// # Errors
    /// As [`Text::write`], and [`TextError::Element`] in the XML dialects.
    pub fn write_as(&self, dialect: Dialect) -> Result<Vec<u8>, TextError> {
        if dialect == Dialect::Text {
            return self.write();
        }
        let sections: Vec<Section<'_>> = self.modules.iter().map(Module::section).collect();
        let body = match dialect {
            Dialect::SysConf => xml::newer(&sections)?,
            Dialect::Xml | Dialect::Text => xml::older(&sections)?,
        };
        xml::assemble(dialect, &self.version, &body)
    }

    /// Every setting as module, key and value, in the order of the file.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.modules.iter().flat_map(|module| {
            module.rows.iter().filter_map(|row| match row {
                Row::Entry(key, value) => Some((&*module.name, &**key, &**value)),
                Row::List(_) => None,
            })
        })
    }

    /// The value of a key in a module (`SIP CONFIG MODULE`), case aside.
    pub fn value(&self, module: &str, key: &str) -> Option<&str> {
        self.settings()
            .find(|(its, name, _)| {
                its.eq_ignore_ascii_case(module) && name.eq_ignore_ascii_case(key)
            })
            .map(|(_, _, value)| value)
    }
}

impl Module {
    fn section(&self) -> Section<'_> {
        let mut list = None;
        let mut entries = Vec::new();
        for row in &self.rows {
            match row {
                Row::List(marker) => list = Some(&**marker),
                Row::Entry(key, value) => entries.push(Entry {
                    list: list.map(Cow::Borrowed),
                    key: Cow::Borrowed(key),
                    value: Cow::Borrowed(value),
                }),
            }
        }
        // A list may be opened twice; its rows stand together in XML.
        entries.sort_by(|one: &Entry<'_>, two| one.list.cmp(&two.list));
        Section { header: Cow::Borrowed(&self.name), entries }
    }
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let (key, value) = line.split_once(':')?;
        let key = key.trim_end();
        if is_marker(key) {
            return Some(Self::List(key.into()));
        }
        (is_key(key) && is_value(value)).then(|| Self::Entry(key.into(), value.into()))
    }
}

/// Writes a body, which is all but the first line: what the version gate looks
/// at.
pub(super) struct BodyWriter {
    out: String,
    form: VersionForm,
    begun: bool,
}

impl BodyWriter {
    pub(super) fn new(form: VersionForm) -> Self {
        Self { out: String::from("\r\n"), form, begun: false }
    }

    /// Begins a module; `name` is what stands between the brackets.
    pub(super) fn module(&mut self, name: &str) -> Result<(), TextError> {
        if !is_module_name(name) {
            return Err(TextError::Name(shown(name)));
        }
        if self.begun {
            self.out.push_str("\r\n");
        }
        self.begun = true;
        for part in ["<", name, ">\r\n"] {
            self.out.push_str(part);
        }
        Ok(())
    }

    /// Opens a sub-list.
    pub(super) fn list(&mut self, marker: &str) -> Result<(), TextError> {
        if !is_marker(marker) {
            return Err(TextError::Name(shown(marker)));
        }
        self.row(marker, NARROW, "");
        Ok(())
    }

    /// Writes a key with its value.
    pub(super) fn entry(&mut self, key: &str, value: &str) -> Result<(), TextError> {
        if !is_key(key) {
            return Err(TextError::Name(shown(key)));
        }
        let column = column(key, self.form);
        if !is_value(value) || key.len().max(column) + 1 + value.len() > MAX_LINE {
            return Err(TextError::Value(shown(key)));
        }
        self.row(key, column, value);
        Ok(())
    }

    /// The body, with its end marker.
    pub(super) fn end(mut self) -> String {
        if self.begun {
            self.out.push_str("\r\n");
        }
        self.out.push_str(END);
        self.out.push_str("\r\n");
        self.out
    }

    fn row(&mut self, key: &str, column: usize, value: &str) {
        self.out.push_str(key);
        let blanks = column.saturating_sub(key.len());
        self.out.extend(std::iter::repeat_n(' ', blanks));
        for part in [":", value, "\r\n"] {
            self.out.push_str(part);
        }
    }
}

/// The body of sections, in a dialect.
pub(super) fn body(
    sections: &[Section<'_>],
    dialect: Dialect,
    form: VersionForm,
) -> Result<String, TextError> {
    match dialect {
        Dialect::Xml => return xml::older(sections),
        Dialect::SysConf => return xml::newer(sections),
        Dialect::Text => {}
    }
    let mut body = BodyWriter::new(form);
    for section in sections {
        body.module(&section.header)?;
        let mut list = None;
        for entry in &section.entries {
            let its = entry.list.as_deref();
            if let Some(marker) = its.filter(|_| its != list) {
                body.list(marker)?;
            }
            list = its;
            body.entry(&entry.key, &entry.value)?;
        }
    }
    Ok(body.end())
}

/// A whole file of a version and a body, in a dialect.
///
/// # Errors
/// [`TextError::Version`].
pub fn assemble_as(dialect: Dialect, version: &str, body: &str) -> Result<Vec<u8>, TextError> {
    match dialect {
        Dialect::Text => assemble(version, body),
        Dialect::Xml | Dialect::SysConf => xml::assemble(dialect, version, body),
    }
}

/// A whole file of a version and a body.
///
/// # Errors
/// [`TextError::Version`].
pub fn assemble(version: &str, body: &str) -> Result<Vec<u8>, TextError> {
    if !is_version(version) {
        return Err(TextError::Version(shown(version)));
    }
    let width = HEAD_COLUMNS - HEAD.len();
    Ok(format!("{HEAD}{version:<width$}\r\n{body}").into_bytes())
}

/// The column of the colon.
fn column(key: &str, form: VersionForm) -> usize {
    let numbered = |prefix: &str| {
        key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    match form {
        VersionForm::TenDigits if numbered("SIP") => 24,
        VersionForm::TenDigits if numbered("Fkey") => 25,
        _ => NARROW,
    }
}

/// The name in `<NAME MODULE>`.
fn module_name(line: &str) -> Option<&str> {
    let name = line.trim_end().strip_prefix('<')?.strip_suffix('>')?;
    is_module_name(name).then_some(name)
}

pub(super) fn is_module_name(name: &str) -> bool {
    is_printable(name)
        && !name.starts_with([' ', '<'])
        && !name.ends_with([' ', '>'])
        && !name.contains(':')
}

pub(super) fn is_marker(key: &str) -> bool {
    key.len() > 4
        && key.starts_with("--")
        && key.ends_with("--")
        && is_printable(key)
        && !key.contains(':')
}

pub(super) fn is_key(key: &str) -> bool {
    let first = key.chars().next().is_some_and(|c| !matches!(c, ' ' | '<' | '#'));
    first && is_printable(key) && !key.ends_with(' ') && !key.contains(':') && !is_marker(key)
}

fn is_printable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 128 && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// No control characters, and none of the other line ends that Unicode has.
pub(super) fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        || !value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

pub(super) fn is_version(version: &str) -> bool {
    (1..=HEAD_COLUMNS - HEAD.len()).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// What may stand in an error: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
