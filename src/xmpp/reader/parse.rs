//! One piece of a stream, parsed.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::Declared;
use crate::xmpp::element::{Element, is_legal};
use crate::xmpp::error::XmlProblem;

/// How deep elements may stand inside each other.
const MAX_DEPTH: usize = 16;

/// The most elements of a stanza.
const MAX_ELEMENTS: usize = 512;

/// The most attributes of an element, and the most namespaces in force.
const MAX_ATTRIBUTES: usize = 32;

/// The prefix that needs no declaration.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The stream header: its tag alone, and what it declares.
pub(super) fn header(text: &str) -> Result<(Element, Vec<Declared>), XmlProblem> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|error| malformed(&error))? {
            Event::Start(tag) => {
                let mut parser = Parser { declared: Vec::new(), elements: 0 };
                let element = parser.enter(&tag)?;
                return Ok((element, parser.declared));
            }
            Event::Text(_) => {}
            _ => return Err(XmlProblem::Malformed("no stream header".into())),
        }
    }
}

/// A whole element.
pub(super) fn stanza(text: &str, declared: &[Declared]) -> Result<Element, XmlProblem> {
    let mut reader = Reader::from_str(text);
    let mut parser = Parser { declared: declared.to_vec(), elements: 0 };
    // The open elements, each with how many declarations were in force around it.
    let mut open: Vec<(Element, String, usize)> = Vec::new();
    loop {
        let around = parser.declared.len();
        let ended = match reader.read_event().map_err(|error| malformed(&error))? {
            Event::Start(tag) => {
                if open.len() >= MAX_DEPTH {
                    return Err(XmlProblem::TooMuch("elements inside each other"));
                }
                open.push((parser.enter(&tag)?, String::new(), around));
                continue;
            }
            Event::Empty(tag) => {
                let element = parser.enter(&tag)?;
                parser.declared.truncate(around);
                element
            }
            Event::End(_) => {
                let (mut element, text, around) = open.pop().ok_or_else(torn)?;
                parser.declared.truncate(around);
                element.text = text.into();
                element
            }
            Event::Text(text) => {
                say(&mut open, &text.into_inner())?;
                continue;
            }
            Event::CData(text) => {
                say(&mut open, &text.into_inner())?;
                continue;
            }
            Event::GeneralRef(reference) => {
                let c = resolve(&reference)?;
                say(&mut open, c.encode_utf8(&mut [0; 4]))?;
                continue;
            }
            Event::Comment(_) => return Err(XmlProblem::Forbidden("a comment")),
            Event::PI(_) | Event::Decl(_) => {
                return Err(XmlProblem::Forbidden("a processing instruction"));
            }
            Event::DocType(_) => return Err(XmlProblem::Forbidden("a declaration")),
            Event::Eof => return Err(torn()),
        };
        match open.last_mut() {
            Some((parent, ..)) => parent.children.push(ended),
            None => return Ok(ended),
        }
    }
}

struct Parser {
    declared: Vec<Declared>,
    elements: usize,
}

impl Parser {
    /// Reads a tag that opens; what it declares is in force from then on.
    fn enter(&mut self, tag: &BytesStart<'_>) -> Result<Element, XmlProblem> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlProblem::TooMuch("elements"));
        }
        let mut own: Vec<(Box<str>, Box<str>)> = Vec::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| XmlProblem::Malformed(error.to_string().into()))?;
            let (key, value) = (attribute.key.into_inner(), unescape(&attribute.value)?);
            match key.strip_prefix("xmlns") {
                Some("") => self.declared.push(("".into(), value.into())),
                Some(rest) if rest.starts_with(':') => {
                    self.declared.push((rest.get(1..).unwrap_or_default().into(), value.into()));
                }
                _ if own.iter().any(|(known, _)| **known == *key) => {
                    return Err(XmlProblem::Malformed("an attribute twice".into()));
                }
                _ => own.push((key.into(), value.into())),
            }
            if own.len() > MAX_ATTRIBUTES || self.declared.len() > MAX_ATTRIBUTES {
                return Err(XmlProblem::TooMuch("attributes"));
            }
        }
        let name = tag.name().into_inner();
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if !is_name(prefix) && !prefix.is_empty() || !is_name(local) {
            return Err(XmlProblem::Malformed("a name that is none".into()));
        }
        let found = self.declared.iter().rev().find(|(known, _)| **known == *prefix);
        let namespace = match found {
            Some((_, uri)) => uri.clone(),
            None if prefix.is_empty() => Box::default(),
            None if prefix == "xml" => XML.into(),
            None => return Err(XmlProblem::Malformed("a prefix that nobody declared".into())),
        };
        Ok(Element { name: local.into(), namespace, attributes: own, ..Element::default() })
    }
}

/// Whether a text can be an element's name; XMPP uses no others.
fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    text.chars().next().is_some_and(first)
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Adds text to the innermost element.
fn say(open: &mut [(Element, String, usize)], text: &str) -> Result<(), XmlProblem> {
    let (_, said, _) = open.last_mut().ok_or_else(torn)?;
    if !text.chars().all(is_legal) {
        return Err(XmlProblem::Malformed("a character that XML cannot hold".into()));
    }
    said.push_str(text);
    Ok(())
}

/// The character of a reference in text.
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlProblem> {
    match &**reference {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => match reference.resolve_char_ref() {
            Ok(Some(c)) if is_legal(c) => Ok(c),
            _ => Err(XmlProblem::Forbidden("an entity of its own")),
        },
    }
}

/// The text of an attribute's value.
fn unescape(raw: &str) -> Result<Cow<'_, str>, XmlProblem> {
    let value = quick_xml::escape::unescape(raw)
        .map_err(|_| XmlProblem::Forbidden("an entity of its own"))?;
    if value.chars().all(is_legal) {
        Ok(value)
    } else {
        Err(XmlProblem::Malformed("a character that XML cannot hold".into()))
    }
}

fn malformed(error: &quick_xml::Error) -> XmlProblem {
    XmlProblem::Malformed(error.to_string().chars().take(200).collect())
}

fn torn() -> XmlProblem {
    XmlProblem::Malformed("an element that is torn".into())
}
