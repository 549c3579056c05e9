//! Why a datagram is no SIP message.

use crate::class::Class;

/// Why a datagram is no SIP message that is taken. Nobody is told: whoever
/// sends such a thing gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SipError {
    /// More than [`super::MAX_DATAGRAM`] bytes.
    #[error("the datagram is longer than a SIP message may be here")]
    TooLong,
    /// The first line is neither a request's nor a response's.
    #[error("the first line is neither that of a SIP request nor of a response")]
    StartLine,
    /// More headers than are read.
    #[error("the message has too many headers")]
    TooManyHeaders,
    /// The empty line after the headers is missing: the datagram was cut.
    #[error("the headers do not end")]
    Unended,
    /// The body is shorter than Content-Length says: the datagram was cut.
    #[error("the body is shorter than its Content-Length")]
    CutBody,
}

impl SipError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}
