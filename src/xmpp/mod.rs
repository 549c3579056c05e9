//! XMPP (RFC 6120) as far as waking devices needs it: one stream to one server,
//! and one stanza, the connection request of TR-069 Annex K.
//!
//! [`StreamReader`] cuts the bytes of a stream into elements and parses those,
//! with limits on everything; [`Element`] writes itself with exact escaping.
//! [`Jid`] is an address. [`Scram`] proves a password without showing it, and
//! makes the server prove that it knows it as well. [`Connection`] is the stream
//! itself: bytes go in, bytes and [`Event`]s come out. It is the client of both
//! sides: of an ACS that wakes, and of a simulated device that is woken.
//!
//! Sockets, TLS and the time of connecting again are [`crate::wake`]'s.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod backoff;
mod connection;
mod element;
mod error;
mod jid;
mod reader;
mod request;
mod scram;

pub use backoff::Backoff;
pub use connection::{Connection, Event, Security, Settings};
pub use element::Element;
pub use error::{XmlProblem, XmppError};
pub use jid::{Jid, JidError};
pub use reader::{Frame, MAX_STANZA, StreamReader};
pub use request::{Answer, ConnectionRequest, Refusal};
pub use scram::{MAX_ITERATIONS, Scram, ScramError, ScramHash};

/// Namespaces.
mod ns {
    pub(super) const CLIENT: &str = "jabber:client";
    pub(super) const STREAM: &str = "http://etherx.jabber.org/streams";
    pub(super) const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
    pub(super) const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
    pub(super) const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
    pub(super) const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
    pub(super) const STREAMS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
    pub(super) const PING: &str = "urn:xmpp:ping";
    /// TR-069 Annex K.
    pub(super) const WAKE: &str = "urn:broadband-forum-org:cwmp:xmppConnReq-1-0";
}
