//! The lines of a context: comments, escapes and lines for some extensions only.

use super::variables::{self, Piece, Values};

/// For which phones a block is meant, by their first extension.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// `#<201>`
    Only(Box<str>),
    /// `#<!201!202!>`
    Not(Box<[Box<str>]>),
}

impl Condition {
    fn holds(&self, extension: &str) -> bool {
        match self {
            Self::Only(only) => &**only == extension,
            Self::Not(list) => list.iter().all(|one| &**one != extension),
        }
    }
}

/// Lines that are for the same phones, cut at their variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// All must hold; at most two.
    conditions: Vec<Condition>,
    pieces: Vec<Piece>,
}

impl Block {
    /// Whether a phone with this first extension gets it.
    pub(super) fn is_for(&self, extension: &str) -> bool {
        self.conditions.iter().all(|condition| condition.holds(extension))
    }

    /// Its pieces, each line with its line feed.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// How many bytes it is with these values.
    pub(super) fn length(&self, values: &Values<'_>) -> usize {
        variables::filled_length(&self.pieces, values)
    }
}

/// Reads the lines of a context; neighbours that are for all phones become one
/// block.
pub(super) fn blocks(lines: &[&[u8]]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut common = Vec::new();
    let flush = |common: &mut Vec<u8>, blocks: &mut Vec<Block>| {
        if !common.is_empty() {
            let pieces = variables::cut(common, variables::COUNT);
            blocks.push(Block { conditions: Vec::new(), pieces });
            common.clear();
        }
    };
    for line in lines {
        let (conditions, text) = conditions(line);
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let text = match text {
            [b'\\', rest @ ..] if matches!(rest.first(), Some(b'#' | b'[')) => rest,
            text => text,
        };
        if conditions.is_empty() {
            common.extend_from_slice(text);
            common.push(b'\n');
        } else {
            flush(&mut common, &mut blocks);
            let mut text = text.to_vec();
            text.push(b'\n');
            blocks.push(Block { conditions, pieces: variables::cut(&text, variables::COUNT) });
        }
    }
    flush(&mut common, &mut blocks);
    blocks
}

/// Takes the marker off a line: `#<201>`, `#<!201!202!>`, or the second after the
/// first.
fn conditions(line: &[u8]) -> (Vec<Condition>, &[u8]) {
    let mut found = Vec::new();
    let mut text = line;
    if let Some((only, rest)) = only(text) {
        found.push(only);
        text = rest;
    }
    if let Some((not, rest)) = not(text) {
        found.push(not);
        text = rest;
    }
    (found, text)
}

fn only(line: &[u8]) -> Option<(Condition, &[u8])> {
    let inside = line.strip_prefix(b"#<")?;
    let end = memchr::memchr(b'>', inside)?;
    let extension = std::str::from_utf8(&inside[..end]).ok()?;
    let sound = !extension.is_empty() && !extension.starts_with('!');
    sound.then(|| (Condition::Only(extension.into()), &inside[end + 1..]))
}

fn not(line: &[u8]) -> Option<(Condition, &[u8])> {
    let inside = line.strip_prefix(b"#<!")?;
    let end = memchr::memmem::find(inside, b"!>")?;
    let list = std::str::from_utf8(&inside[..end]).ok()?;
    let list = list.split('!').map(Into::into).collect();
    Some((Condition::Not(list), &inside[end + 2..]))
}
