//! Where the pieces of a stream end. Each byte is looked at once.

use crate::xmpp::error::XmlProblem;

/// A part of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Blanks between stanzas, or the XML declaration.
    Blank,
    /// The tag that opens the stream.
    Open,
    /// A whole element right inside of it.
    Stanza,
    /// The tag that closes it.
    Close,
}

/// What opens a CDATA section, behind `<!`.
const CDATA: &[u8] = b"[CDATA[";

/// Where in the XML the last byte left off.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Text,
    /// Behind `<`.
    Less,
    /// In a tag that opens; `slash` if the last byte was one.
    Opening { slash: bool },
    /// In a value of such a tag, up to this quote.
    Quoted(u8),
    /// In a tag that closes.
    Closing,
    /// Behind `<!` and this many bytes of what opens CDATA.
    Bang(usize),
    /// In CDATA, behind this many `]`.
    Cdata(usize),
    /// In the XML declaration; whether the last byte was `?`.
    Declaration { question: bool },
}

/// Finds the pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutter {
    state: State,
    /// How many elements are open, the stream itself included.
    depth: usize,
    /// How many bytes of the present piece were looked at.
    seen: usize,
    /// Whether anything came before: then no declaration may come.
    begun: bool,
}

impl Cutter {
    /// The first piece in the bytes, and its length; `None` if it has not ended.
    /// Given the same bytes and more, or without the piece, it goes on.
    pub(super) fn cut(&mut self, bytes: &[u8]) -> Result<Option<(Piece, usize)>, XmlProblem> {
        for byte in bytes.iter().skip(self.seen) {
            // Blanks end where a tag begins: that is looked at again.
            let outside = self.depth <= 1 && matches!(self.state, State::Text);
            if outside && *byte == b'<' && self.seen > 0 {
                return Ok(Some((Piece::Blank, std::mem::take(&mut self.seen))));
            }
            self.seen += 1;
            if let Some(piece) = self.step(*byte)? {
                self.begun = true;
                return Ok(Some((piece, std::mem::take(&mut self.seen))));
            }
        }
        // Blanks that keep a connection alive are not to pile up.
        if self.depth <= 1 && matches!(self.state, State::Text) && self.seen > 0 {
            return Ok(Some((Piece::Blank, std::mem::take(&mut self.seen))));
        }
        Ok(None)
    }

    fn step(&mut self, byte: u8) -> Result<Option<Piece>, XmlProblem> {
        let state = std::mem::take(&mut self.state);
        self.state = match (state, byte) {
            (State::Text, b'<') => State::Less,
            (State::Text, _) if self.depth > 1 || byte.is_ascii_whitespace() => State::Text,
            (State::Text, _) => return Err(malformed("text outside of a stanza")),
            (State::Less, b'/') => State::Closing,
            (State::Less, b'?') if !self.begun && self.depth == 0 => {
                State::Declaration { question: false }
            }
            (State::Less, b'?') => return Err(XmlProblem::Forbidden("a processing instruction")),
            (State::Less, b'!') => State::Bang(0),
            (State::Less, b'>' | b'<') => return Err(malformed("an empty tag")),
            (State::Less, _) => State::Opening { slash: false },
            (State::Opening { slash: true }, b'>') => return self.closed(true),
            (State::Opening { .. }, b'>') => return Ok(self.opened()),
            (State::Opening { .. }, quote @ (b'"' | b'\'')) => State::Quoted(quote),
            (State::Opening { .. }, b'<') => return Err(malformed("a tag in a tag")),
            (State::Opening { .. }, byte) => State::Opening { slash: byte == b'/' },
            (State::Quoted(quote), byte) if byte == quote => State::Opening { slash: false },
            (State::Quoted(_), b'<') => return Err(malformed("a tag in a value")),
            (State::Quoted(quote), _) => State::Quoted(quote),
            (State::Closing, b'>') => return self.closed(false),
            (State::Closing, _) => State::Closing,
            (State::Bang(matched), byte) => self.bang(matched, byte)?,
            (State::Cdata(2..), b'>') => State::Text,
            (State::Cdata(count), b']') => State::Cdata((count + 1).min(2)),
            (State::Cdata(_), _) => State::Cdata(0),
            (State::Declaration { question: true }, b'>') => return Ok(Some(Piece::Blank)),
            (State::Declaration { .. }, byte) => State::Declaration { question: byte == b'?' },
        };
        Ok(None)
    }

    /// Behind `<!`: only CDATA inside of a stanza may go on.
    fn bang(&self, matched: usize, byte: u8) -> Result<State, XmlProblem> {
        if CDATA.get(matched) != Some(&byte) || self.depth <= 1 {
            let what = if byte == b'-' { "a comment" } else { "a declaration" };
            return Err(XmlProblem::Forbidden(what));
        }
        Ok(if matched + 1 == CDATA.len() { State::Cdata(0) } else { State::Bang(matched + 1) })
    }

    fn opened(&mut self) -> Option<Piece> {
        self.depth += 1;
        (self.depth == 1).then_some(Piece::Open)
    }

    /// A tag that closes; `own` if it is the one that opened as well.
    fn closed(&mut self, own: bool) -> Result<Option<Piece>, XmlProblem> {
        if !own {
            self.depth = self.depth.checked_sub(1).ok_or(malformed("an end without a start"))?;
        }
        match self.depth {
            0 if own => Err(malformed("a stream without anything in it")),
            0 => Ok(Some(Piece::Close)),
            1 => Ok(Some(Piece::Stanza)),
            _ => Ok(None),
        }
    }
}

fn malformed(what: &str) -> XmlProblem {
    XmlProblem::Malformed(what.into())
}
