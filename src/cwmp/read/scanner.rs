//! Walks the elements of a document: bounded, without recursion, and never
//! expanding an entity. What the elements mean is known by the message families.

use std::borrow::Cow;
use std::str::FromStr;

use quick_xml::Reader;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::decode::{Decoded, is_legal};
use super::error::{Oddity, Problem, ReadError, Warning};
use super::limits::ReadLimits;
use crate::param::ParamPath;

/// Elements above the members of a message: Envelope, Body, the message.
const MESSAGE_DEPTH: u32 = 3;

/// A cursor over a document.
pub(in crate::cwmp) struct Scanner<'a> {
    reader: Reader<&'a [u8]>,
    limits: &'a ReadLimits,
    /// Elements that are open.
    depth: u32,
    /// Elements met so far.
    elements: u32,
    /// The element opened last has no content: `<a/>`.
    hollow: bool,
    /// Bytes that the parser was not shown: what was left out before the
    /// document, and elements that were read in their plain form.
    skipped: u64,
    warnings: Vec<Warning>,
}

/// The opening tag of an element.
pub(in crate::cwmp) struct Tag<'a> {
    start: BytesStart<'a>,
    /// Where the name begins behind its prefix.
    local_at: usize,
}

/// One step through the document.
enum Step<'a> {
    Open(Tag<'a>),
    Close,
    /// Text as it stands there; its line ends are still to be made those of XML.
    Raw(Cow<'a, str>),
    /// What a reference stands for.
    Text(Cow<'a, str>),
    End,
}

/// The text before a closing tag, and what stands behind it; `None` if there is
/// more to the text than letters: references, other elements, line ends that
/// are not those of XML.
fn plain_text<'a>(content: &'a [u8], close: &str) -> Option<(&'a str, &'a [u8])> {
    let end = memchr::memchr3(b'<', b'&', b'\r', content)?;
    let (text, rest) = content.split_at_checked(end)?;
    let rest = rest.strip_prefix(close.as_bytes())?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl<'a> Tag<'a> {
    fn new(start: BytesStart<'a>) -> Self {
        let name = start.name().into_inner().as_bytes();
        let local_at = name.iter().position(|&b| b == b':').map_or(0, |colon| colon + 1);
        Self { start, local_at }
    }

    /// The name without its prefix: prefixes mean nothing here (Q5).
    pub(in crate::cwmp) fn local(&self) -> &str {
        self.start.name().into_inner().get(self.local_at..).unwrap_or_default()
    }

    /// The prefix of the name; empty if there is none.
    pub(super) fn prefix(&self) -> &str {
        let end = self.local_at.saturating_sub(1);
        self.start.name().into_inner().get(..end).unwrap_or_default()
    }

    /// The namespaces that are declared here: prefix and URI.
    pub(super) fn declarations(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        attributes(&self.start).flatten().filter_map(|attribute| {
            let key = attribute.key.into_inner();
            let prefix = match key.strip_prefix("xmlns")? {
                "" => "",
                rest => rest.strip_prefix(':')?,
            };
            Some((prefix, attribute.value))
        })
    }

    /// The value of an attribute by its local name, as it stands there.
    pub(in crate::cwmp) fn attribute(&self, local: &str) -> Option<Cow<'_, str>> {
        let mut attributes = attributes(&self.start).flatten();
        let found = attributes.find(|one| one.key.local_name().into_inner() == local)?;
        Some(found.value)
    }
}

impl<'a> Scanner<'a> {
    pub(super) fn new(decoded: &'a Decoded<'_>, limits: &'a ReadLimits) -> Self {
        let mut reader = Reader::from_str(&decoded.text);
        reader.config_mut().allow_dangling_amp = true;
        let warning = |&what| Warning { what, times: 1, first_at: 0 };
        Self {
            reader,
            limits,
            depth: 0,
            elements: 0,
            hollow: false,
            skipped: decoded.skipped,
            warnings: decoded.oddities.iter().map(warning).collect(),
        }
    }

    /// What was odd so far, and the end of the walk.
    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }

    /// The limits that hold.
    pub(in crate::cwmp) const fn limits(&self) -> &'a ReadLimits {
        self.limits
    }

    /// Takes note of something odd at the present place.
    pub(in crate::cwmp) fn odd(&mut self, what: Oddity) {
        match self.warnings.iter_mut().find(|warning| warning.what == what) {
            Some(warning) => warning.times = warning.times.saturating_add(1),
            None => {
                let first_at = self.skipped + self.reader.buffer_position();
                self.warnings.push(Warning { what, times: 1, first_at });
            }
        }
    }

    /// An error at the present place.
    pub(in crate::cwmp) fn error(&self, problem: Problem) -> ReadError {
        ReadError { at: self.skipped + self.reader.buffer_position(), problem }
    }

    /// The next element inside of the present one; `None` when that has ended.
    /// At the top, `None` is the end of the document.
    pub(super) fn child(&mut self) -> Result<Option<Tag<'a>>, ReadError> {
        // Blanks between elements are the commonest thing in a message.
        self.reader.config_mut().trim_text_start = true;
        loop {
            match self.step()? {
                Step::Open(tag) => return Ok(Some(tag)),
                Step::Close | Step::End => return Ok(None),
                Step::Raw(_) | Step::Text(_) => {}
            }
        }
    }

    /// Calls `take` for each element inside of the present one, to its end.
    /// What `take` does not read is skipped.
    pub(in crate::cwmp) fn members(
        &mut self,
        mut take: impl FnMut(&mut Self, &Tag<'a>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        while let Some(tag) = self.child()? {
            let inside = self.depth;
            take(self, &tag)?;
            self.skip_out_of(inside)?;
        }
        Ok(())
    }

    /// Reads a list: any element in it is a member, and its arrayType is not
    /// looked at (Q14). Members for which `take` has nothing are left out.
    pub(in crate::cwmp) fn list<T>(
        &mut self,
        mut take: impl FnMut(&mut Self, &Tag<'a>) -> Result<Option<T>, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let mut list = Vec::new();
        self.members(|xml, tag| {
            if list.len() >= xml.limits.items {
                return Err(xml.error(Problem::TooMuch("members in a list")));
            }
            list.extend(take(xml, tag)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// Leaves an element at depth `inside`, unless it has been read already.
    fn skip_out_of(&mut self, inside: u32) -> Result<(), ReadError> {
        while self.depth >= inside {
            if let Step::End = self.step()? {
                break;
            }
        }
        Ok(())
    }

    /// The text of the present element to its end, blanks included.
    pub(in crate::cwmp) fn value(&mut self) -> Result<Cow<'a, str>, ReadError> {
        self.reader.config_mut().trim_text_start = false;
        let mut text = Cow::Borrowed("");
        loop {
            let more = match self.step()? {
                Step::Raw(more) => with_line_feeds(more),
                Step::Text(more) => more,
                Step::Open(_) => {
                    self.odd(Oddity::ElementInText);
                    self.skip_out_of(self.depth)?;
                    continue;
                }
                Step::Close | Step::End => return Ok(text),
            };
            if text.is_empty() {
                text = more;
            } else {
                text.to_mut().push_str(&more);
            }
            if text.len() > self.limits.value_bytes {
                return Err(self.error(Problem::TooMuch("bytes in a value")));
            }
        }
    }

    /// The text of the present element without blanks around it (Q2).
    fn trimmed(&mut self) -> Result<Cow<'a, str>, ReadError> {
        Ok(match self.value()? {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// A structural text: trimmed, and cut if it is too long.
    pub(in crate::cwmp) fn text(&mut self) -> Result<Box<str>, ReadError> {
        let text = self.trimmed()?;
        if text.len() <= self.limits.text_bytes {
            return Ok(text.into());
        }
        self.odd(Oddity::CutText);
        let end = text.floor_char_boundary(self.limits.text_bytes);
        Ok(text.get(..end).unwrap_or_default().into())
    }

    /// A number; its default if it is none, or out of range.
    pub(in crate::cwmp) fn number<T: FromStr + Default>(&mut self) -> Result<T, ReadError> {
        let text = self.trimmed()?;
        Ok(text.parse().unwrap_or_else(|_| {
            self.odd(Oddity::BadNumber);
            T::default()
        }))
    }

    /// A boolean in any of its forms; false if it is none.
    pub(in crate::cwmp) fn boolean(&mut self) -> Result<bool, ReadError> {
        let text = self.trimmed()?;
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        let yes = is("1") || is("true");
        if !yes && !is("0") && !is("false") {
            self.odd(Oddity::BadBoolean);
        }
        Ok(yes)
    }

    /// A parameter's or object's name; `None` if it is none.
    pub(in crate::cwmp) fn path(&mut self) -> Result<Option<ParamPath>, ReadError> {
        let text = self.value()?;
        Ok(self.path_in(&text))
    }

    fn path_in(&mut self, text: &str) -> Option<ParamPath> {
        let path = ParamPath::parse(text).ok();
        if path.is_none() {
            self.odd(Oddity::BadName);
        }
        path
    }

    /// The name that comes next, if it comes in the plainest form there is:
    /// `<Name>text</Name>` without references or attributes. `None` means that
    /// it has to be read the long way, which then finds everything in place.
    ///
    /// Messages with thousands of parameters are made of little else, and most
    /// devices write them so.
    pub(in crate::cwmp) fn plain_name(&mut self) -> Option<Option<ParamPath>> {
        let (text, rest) = plain_text(self.plain_rest("<Name>")?, "</Name>")?;
        self.pass_over(text.len(), rest)?;
        Some(self.path_in(text))
    }

    /// The boolean that comes next, as in [`Scanner::plain_name`]; only `0` and
    /// `1`, `true` and `false`.
    pub(in crate::cwmp) fn plain_writable(&mut self) -> Option<bool> {
        let (text, rest) = plain_text(self.plain_rest("<Writable>")?, "</Writable>")?;
        let yes = match text {
            "1" | "true" => true,
            "0" | "false" => false,
            _ => return None,
        };
        self.pass_over(text.len(), rest)?;
        Some(yes)
    }

    /// The value that comes next, as in [`Scanner::plain_name`]: the name of its
    /// type, which is the only attribute, and its text.
    pub(in crate::cwmp) fn plain_value(&mut self) -> Option<(&'a str, &'a str)> {
        let rest = self.plain_rest("<Value ")?;
        let end = memchr::memchr(b'>', rest)?;
        let attribute = std::str::from_utf8(rest.get(..end)?).ok()?;
        let (name, kind) = attribute.strip_suffix('"')?.split_once("=\"")?;
        let is_type = name.rsplit(':').next() == Some("type");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == ':';
        if !is_type || !kind.chars().all(is_plain) || !name.chars().all(is_plain) {
            return None;
        }
        let (text, rest) = plain_text(rest.get(end + 1..)?, "</Value>")?;
        self.pass_over(text.len(), rest)?;
        Some((kind, text))
    }

    /// What stands behind an opening tag that comes next to the letter, blanks
    /// before it left out.
    fn plain_rest(&self, tag: &str) -> Option<&'a [u8]> {
        let rest: &'a [u8] = self.reader.get_ref();
        if self.hollow {
            return None;
        }
        let begin = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        rest.get(begin..)?.strip_prefix(tag.as_bytes())
    }

    /// Goes on behind an element that was read in its plain form; `None` if a
    /// limit is reached, which is for the long way to tell.
    fn pass_over(&mut self, text: usize, rest: &'a [u8]) -> Option<()> {
        if text > self.limits.value_bytes || self.elements >= self.limits.elements {
            return None;
        }
        self.elements += 1;
        let before = self.reader.get_ref().len();
        self.skipped += u64::try_from(before - rest.len()).unwrap_or(0);
        *self.reader.get_mut() = rest;
        Some(())
    }

    /// A name that may be empty, which is the root.
    pub(in crate::cwmp) fn path_or_root(&mut self) -> Result<Option<ParamPath>, ReadError> {
        let text = self.value()?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let path = ParamPath::parse(&text).ok();
        if path.is_none() {
            self.odd(Oddity::BadName);
        }
        Ok(path)
    }

    fn step(&mut self) -> Result<Step<'a>, ReadError> {
        if self.hollow {
            self.hollow = false;
            self.depth = self.depth.saturating_sub(1);
            return Ok(Step::Close);
        }
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.xml_error(&error)),
            };
            return Ok(match event {
                Event::Start(tag) => Step::Open(self.enter(tag)?),
                Event::Empty(tag) => {
                    self.hollow = true;
                    Step::Open(self.enter(tag)?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Step::Close
                }
                Event::Text(text) => Step::Raw(text.into_inner()),
                Event::CData(text) => Step::Raw(text.into_inner()),
                Event::GeneralRef(reference) => Step::Text(self.resolve(&reference)),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
                Event::DocType(_) => return Err(self.error(Problem::Doctype)),
                Event::Eof if self.depth > 0 => return Err(self.error(Problem::Truncated)),
                Event::Eof => Step::End,
            });
        }
    }

    fn enter(&mut self, tag: BytesStart<'a>) -> Result<Tag<'a>, ReadError> {
        self.depth += 1;
        self.elements += 1;
        let limits = self.limits;
        let length = tag.len();
        if self.depth > limits.depth {
            return Err(self.error(Problem::TooMuch("elements inside each other")));
        }
        if self.elements > limits.elements {
            return Err(self.error(Problem::TooMuch("elements")));
        }
        if length > limits.tag_bytes {
            return Err(self.error(Problem::TooMuch("bytes in a tag")));
        }
        // An attribute takes five bytes at least, so most tags need no counting.
        if length > limits.attributes.saturating_mul(5)
            && attributes(&tag).count() > limits.attributes
        {
            return Err(self.error(Problem::TooMuch("attributes")));
        }
        let tag = Tag::new(tag);
        if self.depth > MESSAGE_DEPTH && matches!(tag.local(), "Inform" | "Body" | "Envelope") {
            return Err(self.error(Problem::SecondMessage(tag.local().into())));
        }
        Ok(tag)
    }

    /// The characters that a reference stands for; an entity that XML does not
    /// know stays as it was written.
    fn resolve(&mut self, reference: &BytesRef<'a>) -> Cow<'a, str> {
        let known = match &**reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => None,
        };
        if let Some(c) = known {
            return Cow::Owned(c.into());
        }
        if !reference.is_char_ref() {
            self.odd(Oddity::StrayAmpersand);
            return Cow::Owned(format!("&{};", &**reference));
        }
        match reference.resolve_char_ref() {
            Ok(Some(c)) if is_legal(c) => Cow::Owned(c.into()),
            _ => {
                self.odd(Oddity::IllegalCharacters);
                Cow::Borrowed("\u{fffd}")
            }
        }
    }

    fn xml_error(&self, error: &quick_xml::Error) -> ReadError {
        let problem = match error {
            // The parser met the end of the input inside of something.
            quick_xml::Error::Syntax(_) => Problem::Truncated,
            _ => Problem::Xml(error.to_string().chars().take(200).collect()),
        };
        ReadError { at: self.skipped + self.reader.error_position(), problem }
    }
}

/// The attributes of a tag. Whether one is repeated is not checked: it does not
/// matter here, and the check is quadratic.
fn attributes<'t>(tag: &'t BytesStart<'_>) -> Attributes<'t> {
    let mut attributes = tag.attributes();
    attributes.with_checks(false);
    attributes
}

/// Line ends as XML wants them: CR LF and CR alone become LF (XML 1.0 §2.11).
fn with_line_feeds(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.as_bytes().contains(&b'\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}
