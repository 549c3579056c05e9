//! The writer: an [`Envelope`] in, bytes of the wire out, exactly by the standard.

use super::envelope::Envelope;

/// What a device wants differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteStyle {
    /// Whether the message begins with an XML declaration: some devices need
    /// it (Q28), others drop a message that has it (Q55).
    pub xml_declaration: bool,
}

impl Default for WriteStyle {
    fn default() -> Self {
        Self { xml_declaration: true }
    }
}

/// Writes one message as UTF-8.
pub fn write(_envelope: &Envelope, _style: &WriteStyle) -> Vec<u8> {
    Vec::new()
}
