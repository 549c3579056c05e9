//! The reader: bytes of the wire in, an [`Envelope`] out.
//!
//! Lenient where the field is broken, each time with a [`Warning`]; bounded in
//! size, depth and count everywhere. `decode` makes text of the bytes, `scanner`
//! walks the elements, `envelope` finds the message; what is inside of a message
//! is read by its family, beside its type.

mod decode;
mod envelope;
mod error;
mod limits;
mod scanner;

pub(super) use decode::{decode, is_legal};
pub use error::{Oddity, Problem, ReadError, Warning};
pub use limits::ReadLimits;
pub(super) use scanner::{Scanner, Tag};

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
/// An empty body is a legal thing to post, but no message: do not ask for it.
///
/// # Errors
/// [`ReadError`] with the place and the reason, when no server should accept
/// it.
pub fn read(
    body: &[u8],
    charset: Option<&str>,
    from: Side,
    limits: &ReadLimits,
) -> Result<Parsed, ReadError> {
    if body.len() > limits.bytes {
        return Err(ReadError { at: 0, problem: Problem::TooMuch("bytes") });
    }
    let decoded = decode(body, charset);
    let mut xml = Scanner::new(&decoded, limits);
    let envelope = envelope::envelope(&mut xml, from)?;
    Ok(Parsed { envelope, warnings: xml.into_warnings() })
}

/// Walks a document that is no SOAP message, from its top.
///
/// # Errors
/// [`ReadError`] beyond the limits, and whatever `take` returns.
pub(super) fn walk<T>(
    body: &[u8],
    limits: &ReadLimits,
    take: impl FnOnce(&mut Scanner<'_>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    if body.len() > limits.bytes {
        return Err(ReadError { at: 0, problem: Problem::TooMuch("bytes") });
    }
    let decoded = decode(body, None);
    take(&mut Scanner::new(&decoded, limits))
}
