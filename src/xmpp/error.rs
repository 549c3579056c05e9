//! Why a stream ended.

use super::reader::MAX_STANZA;
use crate::class::Class;

/// What is wrong with the XML of a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlProblem {
    /// The stream header, a stanza or what stands between them is too large.
    #[error("a stanza of more than {MAX_STANZA} bytes")]
    TooLarge,
    /// Elements too deep inside each other, or too many of them or of their
    /// attributes.
    #[error("too many {0} in a stanza")]
    TooMuch(&'static str),
    /// What a stream must not hold (RFC 6120 §11.1): a DOCTYPE, a comment, a
    /// processing instruction, an entity of its own.
    #[error("{0}, which XMPP forbids")]
    Forbidden(&'static str),
    /// No well-formed XML; what and where, in words.
    #[error("no well-formed XML: {0}")]
    Malformed(Box<str>),
}

/// Why a stream ended, or never came about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmppError {
    /// What the server sends cannot be read.
    #[error("the XMPP server sent {0}")]
    Xml(#[from] XmlProblem),
    /// It is no XMPP 1.0 server for clients.
    #[error("there is no XMPP server for clients")]
    NotXmpp,
    /// Something came that cannot stand there; what, in words.
    #[error("the XMPP server sent {0} where it cannot stand")]
    Unexpected(Box<str>),
    /// The server offers no TLS, and nothing goes out without.
    #[error("the XMPP server offers no TLS")]
    NoTls,
    /// The server offers no way of authentication that may be used; what it
    /// offers.
    #[error("the XMPP server offers no authentication that is safe here, only: {0}")]
    NoMechanism(Box<str>),
    /// The server does not take the credentials; its word.
    #[error("the XMPP server does not take the credentials ({0})")]
    Credentials(Box<str>),
    /// SCRAM went wrong.
    #[error("the XMPP server's part of the authentication is wrong: {0}")]
    Scram(#[from] super::scram::ScramError),
    /// No address was given to this connection; the server's word.
    #[error("the XMPP server gives no address ({0})")]
    Bind(Box<str>),
    /// Somebody else opened a stream with the same address.
    #[error("another client took this XMPP address")]
    Conflict,
    /// The server ended the stream with an error; its word.
    #[error("the XMPP server ended the stream ({0})")]
    Stream(Box<str>),
    /// The server closed the stream.
    #[error("the XMPP server closed the stream")]
    Closed,
    /// Nothing came for too long.
    #[error("the XMPP server does not answer")]
    Silent,
    /// The password holds what SCRAM cannot carry without preparing it.
    #[error("the XMPP password must be of printable ASCII characters")]
    Password,
}

impl XmppError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Password => Class::Invalid,
            Self::Closed | Self::Silent | Self::Conflict => Class::Unavailable,
            _ => Class::Upstream,
        }
    }
}
