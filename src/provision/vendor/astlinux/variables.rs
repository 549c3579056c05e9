//! The variables of templates, `@NAME@`, and texts cut at them.

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

/// Cuts a text at the first `count` variables. Of two that overlap (`@EXT@MAC@`)
/// the one earlier in [`NAMES`] is taken, as if one variable were put in after the
/// other; but a value is never looked at again, unlike in the original.
pub(super) fn cut(text: &[u8], count: usize) -> Vec<Piece> {
    // Where each variable is written, from left to right. Two overlap if one ends
    // with the sign that the next begins with.
    let mut signs = memchr::memchr_iter(b'@', text).peekable();
    let mut found: Vec<(usize, usize)> = Vec::new();
    while let (Some(from), Some(to)) = (signs.next(), signs.peek()) {
        let name = &text[from..=*to];
        found.extend(
            NAMES[..count].iter().position(|known| known.as_bytes() == name).map(|v| (from, v)),
        );
    }
    let overlap = |left: usize, right: usize| {
        let (Some(left), Some(right)) = (found.get(left), found.get(right)) else { return false };
        left.0 + NAMES[left.1].len() > right.0
    };
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| (found[*at].1, *at));
    let mut taken = vec![false; found.len()];
    for at in order {
        let left = at > 0 && taken[at - 1] && overlap(at - 1, at);
        let right = at + 1 < taken.len() && taken[at + 1] && overlap(at, at + 1);
        taken[at] = !left && !right;
    }
    let mut pieces = Vec::new();
    let mut from = 0;
    for ((at, variable), _) in found.iter().zip(taken).filter(|(_, taken)| *taken) {
        push_text(&mut pieces, &text[from..*at]);
        pieces.push(Piece::Value(*variable));
        from = at + NAMES[*variable].len();
    }
    push_text(&mut pieces, &text[from..]);
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
