//! A message in plain words: names and counts, no values.

use crate::cwmp::{AcsRequest, AcsResponse, CpeRequest, CpeResponse, Envelope, Message, story};

/// Whether the message is one of the standard.
pub(super) const fn is_known(message: &Message) -> bool {
    !matches!(
        message,
        Message::CpeRequest(CpeRequest::Unknown(_))
            | Message::AcsResponse(AcsResponse::Unknown(_))
            | Message::AcsRequest(AcsRequest::Unknown(_))
            | Message::CpeResponse(CpeResponse::Unknown(_))
    )
}

/// A message and its envelope in one line.
pub(super) fn about(envelope: &Envelope) -> String {
    let name = envelope.message.element();
    let more = story::details(&envelope.message);
    let id = envelope.id.as_deref().map_or_else(|| "no id".to_owned(), |id| format!("id {id}"));
    story::printable(&format!("{name}{more}; {id}, {}", envelope.namespace))
}
