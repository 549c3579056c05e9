//! Walks the elements of a file: bounded, without recursion, never expanding an
//! entity. All that is told stands in attributes.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::CompileError;
use super::build::{Builder, Place};

/// The largest file in bytes.
const MAX_BYTES: usize = 64 << 20;

/// Elements inside each other.
const MAX_DEPTH: usize = 64;

/// Elements in all.
const MAX_ELEMENTS: u32 = 2_000_000;

/// Bytes of one tag.
const MAX_TAG: usize = 64 << 10;

/// Attributes of one element.
const MAX_ATTRIBUTES: usize = 64;

/// Bytes of the notice before the document.
const MAX_NOTICE: usize = 16 << 10;

/// A cursor over a file.
pub(super) struct Walk<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// What stands in comments before the document.
    notice: String,
}

/// The opening tag of an element, with its attributes.
pub(super) struct Tag<'a> {
    pub(super) local: &'a str,
    attributes: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Where it stands, counted from 1.
    pub(super) line: usize,
}

impl Tag<'_> {
    /// An attribute by its local name, without blanks around it.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.trim())
    }

    /// An attribute with all its blanks.
    pub(super) fn exact(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// An attribute that says yes or no; no if it is not there.
    pub(super) fn says(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    /// The error for an attribute that is missing or holds nonsense.
    pub(super) fn without(&self, attribute: &'static str) -> CompileError {
        let element = self.local.chars().take(64).collect();
        CompileError::Attribute { line: self.line, element, attribute }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, CompileError> {
        if text.len() > MAX_BYTES {
            return Err(CompileError::TooMuch { line: 1, what: "bytes" });
        }
        Ok(Self { text, reader: Reader::from_str(text), notice: String::new() })
    }

    /// The lines of the notice.
    pub(super) fn into_notice(self) -> Vec<Box<str>> {
        let lines: Vec<&str> = self.notice.trim_end().lines().collect();
        let first = lines.iter().position(|line| !line.trim().is_empty()).unwrap_or(lines.len());
        let lines = lines.get(first..).unwrap_or_default();
        let blank = |line: &&str| line.len() - line.trim_start().len();
        let indent = lines.iter().filter(|line| !line.trim().is_empty()).map(blank).min();
        let cut =
            |line: &&str| line.get(indent.unwrap_or(0)..).unwrap_or_default().trim_end().into();
        lines.iter().map(cut).collect()
    }

    /// Shows every element to the builder, in order.
    pub(super) fn through(&mut self, builder: &mut Builder) -> Result<(), CompileError> {
        let mut inside: Vec<Place> = Vec::new();
        let mut elements = 0_u32;
        // Lines are counted along the way: once from the beginning is enough.
        let (mut counted, mut line) = (0, 1);
        loop {
            let event = self.reader.read_event();
            let at = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            let passed = self.text.as_bytes().get(counted..at).unwrap_or_default();
            line += passed.iter().filter(|byte| **byte == b'\n').count();
            counted = at.max(counted);
            match event {
                Err(error) => {
                    let problem = error.to_string().chars().take(200).collect();
                    return Err(CompileError::Xml { line, problem });
                }
                Ok(Event::DocType(_)) => return Err(CompileError::Doctype(line)),
                Ok(event @ (Event::Start(_) | Event::Empty(_))) => {
                    elements += 1;
                    if inside.len() >= MAX_DEPTH {
                        return Err(CompileError::TooMuch {
                            line,
                            what: "elements inside each other",
                        });
                    }
                    if elements > MAX_ELEMENTS {
                        return Err(CompileError::TooMuch { line, what: "elements" });
                    }
                    let hollow = matches!(event, Event::Empty(_));
                    let (Event::Start(start) | Event::Empty(start)) = event else { continue };
                    let place = shown(&start, line, inside.last().copied(), builder)?;
                    if hollow {
                        builder.leave(place);
                    } else {
                        inside.push(place);
                    }
                }
                Ok(Event::End(_)) => {
                    if let Some(place) = inside.pop() {
                        builder.leave(place);
                    }
                }
                Ok(Event::Comment(comment)) if elements == 0 => {
                    let words = comment.into_inner();
                    if self.notice.len() + words.len() > MAX_NOTICE {
                        return Err(CompileError::TooMuch { line, what: "bytes of a notice" });
                    }
                    self.notice.push_str(&words);
                    self.notice.push('\n');
                }
                Ok(Event::Eof) if inside.is_empty() && elements > 0 => return Ok(()),
                Ok(Event::Eof) => return Err(CompileError::Truncated),
                Ok(_) => {}
            }
        }
    }
}

/// Shows one element to the builder, unless it stands inside of one that is
/// skipped.
fn shown(
    start: &BytesStart<'_>,
    line: usize,
    inside: Option<Place>,
    builder: &mut Builder,
) -> Result<Place, CompileError> {
    if inside == Some(Place::Skipped) {
        return Ok(Place::Skipped);
    }
    if start.len() > MAX_TAG {
        return Err(CompileError::TooMuch { line, what: "bytes in a tag" });
    }
    let xml =
        |problem: String| CompileError::Xml { line, problem: problem.chars().take(200).collect() };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| xml(error.to_string()))?;
        let name = attribute.key.local_name().into_inner().to_owned();
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| xml(error.to_string()))?
            .into_owned();
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(CompileError::TooMuch { line, what: "attributes" });
        }
        attributes.push((Cow::Owned(name), Cow::Owned(value)));
    }
    let local = start.local_name();
    builder.enter(&Tag { local: local.into_inner(), attributes, line }, inside)
}
