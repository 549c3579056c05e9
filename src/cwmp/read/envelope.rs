//! The envelope: headers, the one message in the body, and the namespace.

use super::error::{Oddity, Problem, ReadError};
use super::scanner::{Scanner, Tag};
use crate::cwmp::envelope::{Envelope, Namespace};
use crate::cwmp::message::{Message, Side};

/// The headers that mean something to CWMP; all others are ignored, whatever
/// their mustUnderstand says.
#[derive(Default)]
struct Headers {
    id: Option<Box<str>>,
    hold_requests: bool,
    session_timeout: Option<u32>,
    supported_versions: Option<Box<str>>,
    use_version: Option<Box<str>>,
}

/// Reads a document to the end of its envelope; what follows is not looked at.
pub(super) fn envelope(xml: &mut Scanner<'_>, from: Side) -> Result<Envelope, ReadError> {
    let Some(root) = xml.child()? else { return Err(xml.error(Problem::NoDocument)) };
    if root.local() != "Envelope" {
        return Err(xml.error(Problem::NotAnEnvelope(shortened(root.local()))));
    }
    let mut headers = Headers::default();
    let mut message = None;
    xml.members(|xml, tag| match tag.local() {
        "Header" => headers.read(xml),
        "Body" if message.is_some() => Err(xml.error(Problem::SecondMessage("Body".into()))),
        "Body" => {
            message = body(xml, &root, tag, from)?;
            Ok(())
        }
        _ => Ok(()),
    })?;
    let Some((message, namespace)) = message else { return Err(xml.error(Problem::NoMessage)) };
    Ok(Envelope {
        id: headers.id,
        namespace,
        hold_requests: headers.hold_requests,
        session_timeout: headers.session_timeout,
        supported_versions: headers.supported_versions,
        use_version: headers.use_version,
        message,
    })
}

impl Headers {
    fn read(&mut self, xml: &mut Scanner<'_>) -> Result<(), ReadError> {
        xml.members(|xml, tag| {
            match tag.local() {
                "ID" => self.id = Some(xml.text()?),
                "HoldRequests" => self.hold_requests = xml.boolean()?,
                // Taken whatever the namespace says of the version (Q2).
                "SessionTimeout" => self.session_timeout = Some(xml.number()?),
                "SupportedCWMPVersions" => self.supported_versions = Some(xml.text()?),
                "UseCWMPVersion" => self.use_version = Some(xml.text()?),
                _ => {}
            }
            Ok(())
        })
    }
}

/// Reads the one message of a body.
fn body(
    xml: &mut Scanner<'_>,
    root: &Tag<'_>,
    body: &Tag<'_>,
    from: Side,
) -> Result<Option<(Message, Namespace)>, ReadError> {
    let mut found = None;
    xml.members(|xml, tag| {
        if found.is_some() {
            return Err(xml.error(Problem::SecondMessage(shortened(tag.local()))));
        }
        let namespace = namespace(xml, &[tag, body, root]);
        found = Some((Message::read(xml, tag.local(), from)?, namespace));
        Ok(())
    })?;
    Ok(found)
}

/// The CWMP namespace of a message. One rule: what the prefix of the message's
/// element is bound to, innermost first; if that is none of CWMP, the first URI
/// of CWMP declared on the way; else version 1.0 (Q4).
fn namespace(xml: &mut Scanner<'_>, inside_out: &[&Tag<'_>; 3]) -> Namespace {
    let [message, ..] = inside_out;
    let prefix = message.prefix();
    let declared = || inside_out.iter().flat_map(|tag| tag.declarations());
    let bound = declared().find(|(name, _)| *name == prefix).map(|(_, uri)| uri);
    if let Some(namespace) = bound.and_then(|uri| Namespace::parse(uri.trim())) {
        return namespace;
    }
    let any = declared().find_map(|(_, uri)| Namespace::parse(uri.trim()));
    any.unwrap_or_else(|| {
        // A fault stands in the namespace of SOAP and needs none of CWMP.
        if message.local() != "Fault" {
            xml.odd(Oddity::Namespace);
        }
        Namespace::v1_0()
    })
}

fn shortened(name: &str) -> Box<str> {
    name.chars().take(64).collect()
}
