//! The connection request of TR-069 Annex K, and what is answered to it.

use super::element::Element;
use super::ns;
use crate::device::Secret;

/// The longest user name and password that are taken, in bytes: 256 characters
/// (TR-181 `ManagementServer.`).
const MAX_TEXT: usize = 1024;

/// What an ACS asks of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRequest {
    /// The stanza's id, to be echoed.
    pub id: Box<str>,
    /// Who asks, as the XMPP server says; it is the one to answer.
    pub from: Box<str>,
    /// What is shown for a user name.
    pub username: Box<str>,
    /// What is shown for a password.
    pub password: Secret,
}

/// Why a device does not do as it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The credentials are wrong.
    NotAuthorized,
    /// It is busy, or does not know who asks.
    ServiceUnavailable,
}

/// What came back to a connection request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The device will open a session.
    Woken,
    /// The device does not take the credentials; its word.
    Refused(Box<str>),
    /// The device is connected and does not open a session now.
    Busy,
    /// The XMPP server says that no such device is connected; its word. A device
    /// that does not allow us to wake it may answer the same.
    Offline(Box<str>),
    /// Something that no connection request is answered with.
    Odd(Box<str>),
    /// Nothing came back in time.
    Silent,
    /// The stream to our server ended meanwhile.
    Lost,
}

impl ConnectionRequest {
    /// The request that an iq stanza carries; `None` if it is none.
    pub(super) fn read(stanza: &Element) -> Option<Self> {
        let request = stanza.child("connectionRequest", ns::WAKE)?;
        // Its members are qualified by the schema; devices and servers are known
        // that leave that out.
        let text = |name: &str| {
            let found = request.children.iter().find(|child| *child.name == *name)?;
            (found.text.len() <= MAX_TEXT).then(|| found.text.trim())
        };
        Some(Self {
            id: stanza.attribute("id")?.into(),
            from: stanza.attribute("from")?.into(),
            username: text("username")?.into(),
            password: Secret::new(text("password")?),
        })
    }

    /// The element that asks.
    pub(super) fn payload(username: &str, password: &Secret) -> Element {
        let text = |name, text| Element::new(name, ns::WAKE).saying(text);
        Element::new("connectionRequest", ns::WAKE)
            .holding(text("username", username))
            .holding(text("password", password.expose()))
    }

    /// The stanza that answers.
    pub(super) fn reply(&self, outcome: Result<(), Refusal>) -> Element {
        match outcome {
            Ok(()) => iq("result", &self.id, &self.from),
            Err(Refusal::NotAuthorized) => failed(&self.id, &self.from, "auth", "not-authorized"),
            Err(Refusal::ServiceUnavailable) => {
                failed(&self.id, &self.from, "cancel", "service-unavailable")
            }
        }
    }
}

/// An iq stanza without anything in it.
pub(super) fn iq(kind: &str, id: &str, to: &str) -> Element {
    let iq = Element::new("iq", ns::CLIENT).with("type", kind).with("id", id);
    if to.is_empty() { iq } else { iq.with("to", to) }
}

/// An iq stanza that refuses (RFC 6120 §8.3).
pub(super) fn failed(id: &str, to: &str, kind: &str, condition: &str) -> Element {
    iq("error", id, to).holding(
        Element::new("error", ns::CLIENT)
            .with("type", kind)
            .holding(Element::new(condition, ns::STANZAS)),
    )
}

/// The condition that an iq stanza of type error names; a stanza without one is
/// `undefined-condition` (RFC 6120 §8.3.3.21).
pub(super) fn condition(stanza: &Element) -> Box<str> {
    let error = stanza.child("error", ns::CLIENT);
    let named = error.and_then(|error| {
        error
            .children
            .iter()
            .find(|child| *child.namespace == *ns::STANZAS && *child.name != *"text")
    });
    named.map_or("undefined-condition".into(), |child| child.name.chars().take(64).collect())
}

/// What an error in answer to a connection request means; `None` for
/// `service-unavailable`, which a device says that is busy as well as a server
/// that has no such device.
pub(super) fn meaning(condition: &str) -> Option<Answer> {
    Some(match condition {
        "service-unavailable" => return None,
        "not-authorized" | "forbidden" | "not-allowed" => Answer::Refused(condition.into()),
        "resource-constraint" => Answer::Busy,
        "recipient-unavailable"
        | "remote-server-not-found"
        | "remote-server-timeout"
        | "item-not-found"
        | "gone" => Answer::Offline(condition.into()),
        other => Answer::Odd(other.into()),
    })
}
