//! Cuts the bytes of a stream into elements.
//!
//! A stream is one document that ends when the connection does, so that no parser
//! for documents reads it as it comes. The cutter (`cut`) looks at each byte once
//! and finds where the stream header and each stanza end; a stanza is then parsed
//! as a whole (`parse`). What RFC 6120 §11.1 forbids ends the stream.

mod cut;
mod parse;

use cut::{Cutter, Piece};

use super::element::Element;
use super::error::XmlProblem;

/// The largest stanza that is taken, in bytes; the least that a server must take
/// is 10,000 (RFC 6120 §13.12).
pub const MAX_STANZA: usize = 64 << 10;

/// What stands in a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The stream header: an element without what is in it.
    Open(Element),
    /// A stanza, or another element right inside of the stream.
    Stanza(Element),
    /// The end of the stream.
    Close,
}

/// A namespace that is declared: prefix, which may be empty, and URI.
type Declared = (Box<str>, Box<str>);

/// Reads one stream. After an error nothing more is to be read.
#[derive(Clone, Debug, Default)]
pub struct StreamReader {
    /// What came and was not yet given out, from `at` on.
    bytes: Vec<u8>,
    at: usize,
    cutter: Cutter,
    /// What the stream header declares for all that stands in it.
    declared: Vec<Declared>,
}

impl StreamReader {
    /// Takes more bytes. They are to be read by [`Self::read_frame`] until it has
    /// nothing more, before further ones are given: then at most
    /// [`MAX_STANZA`] bytes and those of one call are held.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next thing in the stream; `None` until more bytes come.
    ///
    /// # Errors
    /// [`XmlProblem`].
    pub fn read_frame(&mut self) -> Result<Option<Frame>, XmlProblem> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some((piece, length)) = self.cutter.cut(rest)? else {
                if rest.len() > MAX_STANZA {
                    return Err(XmlProblem::TooLarge);
                }
                return Ok(None);
            };
            self.at += length;
            if matches!(piece, Piece::Blank) {
                continue;
            }
            if length > MAX_STANZA {
                return Err(XmlProblem::TooLarge);
            }
            let text = std::str::from_utf8(rest.get(..length).unwrap_or_default())
                .map_err(|error| XmlProblem::Malformed(error.to_string().into()))?;
            return Ok(Some(match piece {
                Piece::Blank => continue,
                Piece::Close => Frame::Close,
                Piece::Open => {
                    let (element, declared) = parse::header(text)?;
                    self.declared = declared;
                    Frame::Open(element)
                }
                Piece::Stanza => Frame::Stanza(parse::stanza(text, &self.declared)?),
            }));
        }
    }
}

#[cfg(test)]
mod tests;
