//! Elements and texts, straight into the bytes to be sent.

use crate::cwmp::read::is_legal;
use crate::param::{Value, ValueType};

/// Grows the document.
pub(in crate::cwmp) struct Writer {
    out: Vec<u8>,
    next_level_words: bool,
}

impl Writer {
    pub(super) fn new(next_level_words: bool) -> Self {
        Self { out: Vec::with_capacity(1024), next_level_words }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Text that needs no escaping.
    pub(super) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// An element with others inside; one without any is written `<name/>`.
    pub(in crate::cwmp) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element_with(name, "", content);
    }

    /// An element with attributes, given as they stand behind its name.
    fn element_with(&mut self, name: &str, attributes: &str, content: impl FnOnce(&mut Self)) {
        self.raw("<");
        self.raw(name);
        self.raw(attributes);
        self.raw(">");
        let start = self.out.len();
        content(self);
        if self.out.len() == start {
            self.out.pop();
            self.raw("/>");
        } else {
            self.close(name);
        }
    }

    /// The element of a message: the only one besides its headers and its
    /// fault that stands in the namespace of CWMP.
    pub(in crate::cwmp) fn message(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let name = if is_name(name) { name } else { "Unknown" };
        self.element(&format!("cwmp:{name}"), content);
    }

    /// A header of CWMP.
    pub(super) fn header(&mut self, name: &str, must_understand: bool, text: &str) {
        let must = if must_understand { "1" } else { "0" };
        let attributes = format!(" soap-env:mustUnderstand=\"{must}\"");
        self.element_with(&format!("cwmp:{name}"), &attributes, |xml| xml.escaped(text));
    }

    /// An element with a text.
    pub(in crate::cwmp) fn text(&mut self, name: &str, text: &str) {
        self.raw("<");
        self.raw(name);
        self.raw(">");
        self.escaped(text);
        self.close(name);
    }

    /// An element with a number.
    pub(in crate::cwmp) fn number(&mut self, name: &str, number: impl Into<i128>) {
        let number: i128 = number.into();
        self.text(name, &number.to_string());
    }

    /// An element with a boolean, in the form that most devices take (Q11).
    pub(in crate::cwmp) fn boolean(&mut self, name: &str, truth: bool) {
        self.text(name, if truth { "1" } else { "0" });
    }

    /// NextLevel, in the form that the device understands (Q11).
    pub(in crate::cwmp) fn next_level(&mut self, truth: bool) {
        match (self.next_level_words, truth) {
            (true, true) => self.text("NextLevel", "true"),
            (true, false) => self.text("NextLevel", "false"),
            (false, truth) => self.boolean("NextLevel", truth),
        }
    }

    /// An element with a text, if there is one.
    pub(in crate::cwmp) fn text_if(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A SOAP array of `count` members of a type.
    pub(in crate::cwmp) fn array<T>(
        &mut self,
        name: &str,
        member: &str,
        members: &[T],
        mut write: impl FnMut(&mut Self, &T),
    ) {
        let attributes = format!(" soap-enc:arrayType=\"{member}[{}]\"", members.len());
        self.element_with(name, &attributes, |xml| {
            for one in members {
                write(xml, one);
            }
        });
    }

    /// An element whose type is one of CWMP's, named by `xsi:type`.
    pub(in crate::cwmp) fn typed(
        &mut self,
        name: &str,
        kind: &str,
        content: impl FnOnce(&mut Self),
    ) {
        self.element_with(name, &format!(" xsi:type=\"cwmp:{kind}\""), content);
    }

    /// A `Value` with its type. A type that is no name becomes a string.
    pub(in crate::cwmp) fn value(&mut self, value: &Value) {
        let kind = match &value.kind {
            // The short name is no type of XML Schema.
            ValueType::Base64 => "base64Binary",
            kind if is_name(kind.name()) => kind.name(),
            _ => ValueType::String.name(),
        };
        self.raw("<Value xsi:type=\"xsd:");
        self.raw(kind);
        self.raw("\">");
        self.escaped(&value.text);
        self.close("Value");
    }

    fn close(&mut self, name: &str) {
        self.raw("</");
        self.raw(name);
        self.raw(">");
    }

    /// Text between tags. Line ends and tabs are written as references: some
    /// parsers fold them otherwise, and a carriage return would be lost by rule.
    fn escaped(&mut self, text: &str) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let reference = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\t' => "&#9;",
                '\n' => "&#10;",
                '\r' => "&#13;",
                c if is_legal(c) => continue,
                _ => "\u{fffd}",
            };
            self.raw(text.get(plain..at).unwrap_or_default());
            self.raw(reference);
            plain = at + c.len_utf8();
        }
        self.raw(text.get(plain..).unwrap_or_default());
    }
}

/// Whether a text can be a name in XML, without a prefix.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut xml = Writer::new(false);
        write(&mut xml);
        String::from_utf8(xml.into_bytes()).unwrap()
    }

    #[test]
    fn text_is_escaped_and_cleaned() {
        assert_eq!(
            written(|xml| xml.text("A", "<b>&\"'\t\r\n\0\u{2}\u{fffe}ä\u{1f600}")),
            "<A>&lt;b&gt;&amp;\"'&#9;&#13;&#10;\u{fffd}\u{fffd}\u{fffd}ä\u{1f600}</A>"
        );
    }

    #[test]
    fn nothing_inside_is_written_short() {
        assert_eq!(written(|xml| xml.message("RebootResponse", |_| ())), "<cwmp:RebootResponse/>");
        assert_eq!(
            written(|xml| xml.array("L", "cwmp:X", &[] as &[u8], |_, _| ())),
            "<L soap-enc:arrayType=\"cwmp:X[0]\"/>"
        );
    }

    #[test]
    fn names_from_outside_cannot_break_the_document() {
        assert_eq!(written(|xml| xml.message("a b><x", |_| ())), "<cwmp:Unknown/>");
        let value = Value::new("1", ValueType::Other("\"><x".into()));
        assert_eq!(written(|xml| xml.value(&value)), "<Value xsi:type=\"xsd:string\">1</Value>");
        let value = Value::new("{}", ValueType::Other("json".into()));
        assert_eq!(written(|xml| xml.value(&value)), "<Value xsi:type=\"xsd:json\">{}</Value>");
    }
}
