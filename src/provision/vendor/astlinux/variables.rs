//! The variables of templates, `@NAME@`, and texts cut at them.

use memchr::memmem;

/// All variables in the order in which they are put in. The first
/// [`UNNUMBERED`] are also put into the values of `[general]`.
pub(super) const NAMES: [&str; COUNT] = [
    "@TEMPLATE@",
    "@MODEL@",
    "@VENDOR@",
    "@MAC_ADDR@",
    "@MAC@",
    "@MAC4@",
    "@MAC6@",
    "@EXT@",
    "@CID_NAME@",
    "@CID_NUM@",
    "@PASSWORD@",
    "@ACCOUNT@",
    "@USERNAME@",
    "@SIP_SERVER_IPV4@",
    "@EXT1@",
    "@CID_NAME1@",
    "@CID_NUM1@",
    "@PASSWORD1@",
    "@ACCOUNT1@",
    "@USERNAME1@",
    "@EXT2@",
    "@CID_NAME2@",
    "@CID_NUM2@",
    "@PASSWORD2@",
    "@ACCOUNT2@",
    "@USERNAME2@",
    "@EXT3@",
    "@CID_NAME3@",
    "@CID_NUM3@",
    "@PASSWORD3@",
    "@ACCOUNT3@",
    "@USERNAME3@",
    "@EXT4@",
    "@CID_NAME4@",
    "@CID_NUM4@",
    "@PASSWORD4@",
    "@ACCOUNT4@",
    "@USERNAME4@",
    "@EXT5@",
    "@CID_NAME5@",
    "@CID_NUM5@",
    "@PASSWORD5@",
    "@ACCOUNT5@",
    "@USERNAME5@",
    "@EXT6@",
    "@CID_NAME6@",
    "@CID_NUM6@",
    "@PASSWORD6@",
    "@ACCOUNT6@",
    "@USERNAME6@",
];

/// How many variables there are.
pub(super) const COUNT: usize = 50;
/// How many of them carry no number.
pub(super) const UNNUMBERED: usize = 14;

/// The value of each variable, in the order of [`NAMES`].
pub(super) type Values<'a> = [&'a str; COUNT];

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes that stand as they are.
    Text(Box<[u8]>),
    /// The place of a variable, its index in [`NAMES`].
    Value(usize),
}

/// Cuts a text at the first `count` variables, one variable after the other: of
/// two that overlap (`@EXT@MAC@`) the one earlier in [`NAMES`] is taken. A value
/// is never looked at again, unlike in the original.
pub(super) fn cut(text: &[u8], count: usize) -> Vec<Piece> {
    let mut pieces = vec![Piece::Text(text.into())];
    if memchr::memchr(b'@', text).is_none() {
        return pieces;
    }
    for (index, name) in NAMES.iter().enumerate().take(count) {
        let finder = memmem::Finder::new(name.as_bytes());
        if finder.find(text).is_none() {
            continue;
        }
        let mut next = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let Piece::Text(text) = piece else {
                next.push(piece);
                continue;
            };
            let mut from = 0;
            for at in finder.find_iter(&text) {
                push_text(&mut next, &text[from..at]);
                next.push(Piece::Value(index));
                from = at + name.len();
            }
            push_text(&mut next, &text[from..]);
        }
        pieces = next;
    }
    pieces
}

fn push_text(pieces: &mut Vec<Piece>, text: &[u8]) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.into()));
    }
}

/// Appends the pieces with their values.
pub(super) fn fill(pieces: &[Piece], values: &Values<'_>, out: &mut Vec<u8>) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Value(index) => out.extend_from_slice(values[*index].as_bytes()),
        }
    }
}

/// How many bytes [`fill`] appends.
pub(super) fn filled_length(pieces: &[Piece], values: &Values<'_>) -> usize {
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Value(index) => values[*index].len(),
    };
    pieces.iter().map(length).sum()
}
