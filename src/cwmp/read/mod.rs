//! The reader: bytes of the wire in, an [`Envelope`](super::Envelope) out.
//!
//! Lenient where the field is broken, each time with a [`Warning`]; bounded in
//! size, depth, count everywhere.

mod error;
mod limits;

pub use error::{Oddity, Problem, ReadError, Warning};
pub use limits::ReadLimits;

use super::envelope::Envelope;
use super::message::Side;

/// A message, and what was odd about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The message.
    pub envelope: Envelope,
    /// What had to be forgiven: one entry a kind.
    pub warnings: Vec<Warning>,
}

/// Reads one message.
///
/// `charset` is that of the `Content-Type` header, `from` who wrote the body.
/// An empty body is no message and no error of the device either: do not ask.
///
/// # Errors
/// [`ReadError`] with the place and the reason, when no server should accept
/// it.
pub fn read(
    _body: &[u8],
    _charset: Option<&str>,
    _from: Side,
    _limits: &ReadLimits,
) -> Result<Parsed, ReadError> {
    Err(ReadError { at: 0, problem: Problem::NoMessage })
}
