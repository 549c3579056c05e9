//! The writer: an [`Envelope`] in, bytes of the wire out, exactly by the
//! standard. `element` writes elements and texts; what is inside of a message is
//! written by its family, beside its type.

mod element;

pub(super) use element::Writer;

use super::envelope::Envelope;

/// What a device wants differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteStyle {
    /// Whether the message begins with an XML declaration: some devices need
    /// it (Q28), others drop a message that has it (Q55).
    pub xml_declaration: bool,
    /// Whether NextLevel of GetParameterNames is written `true` and `false`
    /// rather than `1` and `0` (Q11).
    pub next_level_words: bool,
}

impl Default for WriteStyle {
    fn default() -> Self {
        Self { xml_declaration: true, next_level_words: false }
    }
}

/// Writes one message as UTF-8. Characters that XML does not allow become
/// U+FFFD; nothing else is changed.
pub fn write(envelope: &Envelope, style: &WriteStyle) -> Vec<u8> {
    let mut xml = Writer::new(style.next_level_words);
    if style.xml_declaration {
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    }
    xml.raw(concat!(
        "<soap-env:Envelope",
        " xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\"",
        " xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\"",
        " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"",
        " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"",
        " xmlns:cwmp=\"",
    ));
    xml.raw(envelope.namespace.as_str());
    xml.raw("\">");
    xml.element("soap-env:Header", |xml| headers(xml, envelope));
    xml.element("soap-env:Body", |xml| envelope.message.write(xml));
    xml.raw("</soap-env:Envelope>");
    xml.into_bytes()
}

fn headers(xml: &mut Writer, envelope: &Envelope) {
    if let Some(id) = &envelope.id {
        xml.header("ID", true, id);
    }
    if envelope.hold_requests {
        xml.header("HoldRequests", true, "1");
    }
    if let Some(seconds) = envelope.session_timeout {
        xml.header("SessionTimeout", false, &seconds.to_string());
    }
    if let Some(versions) = &envelope.supported_versions {
        xml.header("SupportedCWMPVersions", false, versions);
    }
    if let Some(version) = &envelope.use_version {
        xml.header("UseCWMPVersion", true, version);
    }
}
