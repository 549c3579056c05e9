//! Whether what a template made is a document, and what stands in it.
//!
//! A phone that gets a broken file keeps what it has and says nothing, so every
//! file is read before it is served, an operator's template's as well.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::class::Class;

/// The deepest element.
const DEEPEST: usize = 16;
/// The most elements.
const MOST: usize = 50_000;
/// The largest document, in bytes.
const LARGEST: usize = 2 << 20;

/// An element and its attributes, values unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The element's name.
    pub name: String,
    /// Its attributes, in their order.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(its, _)| its == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A text is no document that a phone would take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is not well-formed.
    #[error("the XML is broken at byte {at}: {problem}")]
    Broken {
        /// Where, from 0.
        at: u64,
        /// What is wrong.
        problem: String,
    },
    /// Its root is another element.
    #[error("the root of the XML must be <{0}>")]
    Root(&'static str),
    /// It is too large.
    #[error("the XML has more than {LARGEST} bytes, {MOST} elements or {DEEPEST} levels")]
    Large,
}

impl XmlError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Reads a document with this root; all its elements, in their order.
///
/// # Errors
/// [`XmlError`]. A document type, an entity of its own or text between elements
/// is broken XML here: no phone needs them.
pub fn read(text: &str, root: &'static str) -> Result<Vec<Tag>, XmlError> {
    if text.len() > LARGEST {
        return Err(XmlError::Large);
    }
    let mut reader = Reader::from_str(text);
    let mut tags: Vec<Tag> = Vec::new();
    let mut depth = 0;
    loop {
        let at = reader.buffer_position();
        let broken = |problem: &str| XmlError::Broken { at, problem: problem.to_owned() };
        let event = reader.read_event().map_err(|error| broken(&error.to_string()))?;
        match event {
            Event::Start(start) => {
                open(&start, &mut tags, depth, root, at)?;
                depth += 1;
            }
            Event::Empty(start) => open(&start, &mut tags, depth, root, at)?,
            Event::End(_) => depth -= 1,
            Event::Decl(_) if at == 0 => {}
            Event::Comment(_) => {}
            Event::Text(text) if text.chars().all(char::is_whitespace) => {}
            Event::Eof if depth == 0 && !tags.is_empty() => return Ok(tags),
            Event::Eof => return Err(broken("it ends too early")),
            Event::DocType(_) => return Err(broken("there must be no document type")),
            _ => return Err(broken("only elements and attributes may stand in it")),
        }
    }
}

fn open(
    start: &BytesStart<'_>,
    tags: &mut Vec<Tag>,
    depth: usize,
    root: &'static str,
    at: u64,
) -> Result<(), XmlError> {
    let broken = |problem: &str| XmlError::Broken { at, problem: problem.to_owned() };
    let name = start.name();
    let name = name.into_inner();
    if depth == 0 && (name != root || !tags.is_empty()) {
        return Err(XmlError::Root(root));
    }
    if depth >= DEEPEST || tags.len() >= MOST {
        return Err(XmlError::Large);
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| broken(&error.to_string()))?;
        let key = attribute.key.into_inner().to_owned();
        let raw = &*attribute.value;
        if raw.contains('<') {
            return Err(broken("a `<` in an attribute must be escaped"));
        }
        let value = quick_xml::escape::unescape(raw)
            .map_err(|_| broken("an `&` in an attribute must be escaped"))?;
        attributes.push((key, value.into_owned()));
    }
    tags.push(Tag { name: name.to_owned(), attributes });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read() {
        let text = "<?xml version=\"1.0\" ?>\n<config>\n <!-- x --><a b=\"1 &lt;&amp;\"/><c></c>\n</config>\n";
        let tags = read(text, "config").unwrap();
        let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["config", "a", "c"]);
        assert_eq!(tags.get(1).and_then(|tag| tag.get("b")), Some("1 <&"));
    }

    #[test]
    fn what_a_phone_would_drop_is_refused() {
        for text in [
            "",
            "config",
            "<config>",
            "<config></confg>",
            "<config/><config/>",
            "<other/>",
            "<config><a b=\"1</config>",
            "<config><a b=1/></config>",
            "<config><a b=\"1\" b=\"2\"/></config>",
            "<config><a b=\"<\"/></config>",
            "<config><a b=\"&\"/></config>",
            "<config><a b=\"&no;\"/></config>",
            "<config>text</config>",
            "<config>&amp;</config>",
            "<config><![CDATA[x]]></config>",
            "<!DOCTYPE config><config/>",
            "<config/>x",
            "<config></config></config>",
            " <?xml version=\"1.0\"?><config/>",
        ] {
            assert!(read(text, "config").is_err(), "{text}");
        }
        let deep = format!("<config>{}{}</config>", "<a>".repeat(20), "</a>".repeat(20));
        assert_eq!(read(&deep, "config"), Err(XmlError::Large));
    }
}
