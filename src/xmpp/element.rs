//! Elements: what a stream is made of.

use super::ns;

/// An element with all that is in it. Text that stands between its children is
/// put together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The name without prefix.
    pub name: Box<str>,
    /// The namespace; empty if there is none.
    pub namespace: Box<str>,
    /// Names, with prefix where they have one, and values. No declarations of
    /// namespaces are among them.
    pub attributes: Vec<(Box<str>, Box<str>)>,
    /// The elements inside, in their order.
    pub children: Vec<Self>,
    /// The text inside, that of children left out.
    pub text: Box<str>,
}

impl Element {
    /// An empty element.
    pub fn new(name: &str, namespace: &str) -> Self {
        Self { name: name.into(), namespace: namespace.into(), ..Self::default() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds a child.
    #[must_use]
    pub fn holding(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Sets the text.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        self.text = text.into();
        self
    }

    /// Whether it is the element of this name in this namespace.
    pub fn is(&self, name: &str, namespace: &str) -> bool {
        *self.name == *name && *self.namespace == *namespace
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }

    /// The first child of this name in this namespace.
    pub fn child(&self, name: &str, namespace: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(name, namespace))
    }

    /// Writes it as it stands in a stream whose own namespace is
    /// `jabber:client`. Characters that XML cannot hold are left out.
    pub fn write(&self, out: &mut String) {
        self.write_in(ns::CLIENT, out);
    }

    fn write_in(&self, around: &str, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        if *self.namespace != *around {
            attribute("xmlns", &self.namespace, out);
        }
        for (name, value) in &self.attributes {
            attribute(name, value, out);
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        escape(&self.text, out);
        for child in &self.children {
            child.write_in(&self.namespace, out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

/// Writes an attribute with the blank before it.
pub(super) fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

/// Writes a text so that it reads back the same in text and in attributes.
fn escape(text: &str, out: &mut String) {
    for c in text.chars().filter(|c| is_legal(*c)) {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // Left as they are, a reader would make blanks or line feeds of them.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

/// Whether XML 1.0 can hold a character (§2.2).
pub(super) const fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_written_to_the_letter() {
        let element =
            Element::new("iq", ns::CLIENT).with("type", "get").with("to", "a'b\"@c/<&>\n").holding(
                Element::new("connectionRequest", ns::WAKE)
                    .holding(Element::new("username", ns::WAKE).saying("u<&>\u{0}]]>"))
                    .holding(Element::new("password", ns::WAKE)),
            );
        let mut out = String::new();
        element.write(&mut out);
        assert_eq!(
            out,
            "<iq type=\"get\" to=\"a&apos;b&quot;@c/&lt;&amp;&gt;&#10;\"><connectionRequest \
             xmlns=\"urn:broadband-forum-org:cwmp:xmppConnReq-1-0\"><username>u&lt;&amp;&gt;]]&gt;\
             </username><password/></connectionRequest></iq>"
        );
    }
}
