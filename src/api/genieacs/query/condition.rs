//! What a query says after it was read.

use regex::Regex;

use super::super::node::Node;
use crate::time::Timestamp;

/// A condition on a document.
#[derive(Clone, Debug)]
pub(in super::super) enum Condition {
    /// All hold; nothing is asked if there are none.
    All(Vec<Self>),
    /// One of them holds; none ever does if there are none.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// Something is so at a path.
    Is(Box<str>, Test),
}

/// What is asked of what stands at a path. A list fits if one of its elements does.
#[derive(Clone, Debug)]
pub(in super::super) enum Test {
    /// It is one of these.
    In(Vec<Literal>),
    /// It comes before.
    Less(Literal),
    /// It comes before or is this.
    AtMost(Literal),
    /// It comes behind.
    Greater(Literal),
    /// It comes behind or is this.
    AtLeast(Literal),
    /// Whether there is anything.
    Exists(bool),
    /// It is a list of so many.
    Size(usize),
}

/// A value to compare with. Only values of one kind are ever compared.
#[derive(Clone, Debug)]
pub(in super::super) enum Literal {
    /// Null, or nothing at all.
    Null,
    /// A truth.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// A time.
    Time(Timestamp),
    /// A pattern that is found in a text.
    Pattern(Regex),
    /// A list or an object, as a whole.
    Whole(Node),
}

impl Condition {
    /// Calls `look` with each path that is asked for.
    pub(in super::super) fn paths<'a>(&'a self, look: &mut impl FnMut(&'a str)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.paths(look)),
            Self::Not(part) => part.paths(look),
            Self::Is(path, _) => look(path),
        }
    }

    /// The text that a path must be for the condition to hold, if there is one such.
    pub(in super::super) fn must_be(&self, wanted: &str) -> Option<&str> {
        match self {
            Self::All(parts) => parts.iter().find_map(|part| part.must_be(wanted)),
            Self::Is(path, Test::In(literals)) if **path == *wanted => match literals.as_slice() {
                [Literal::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }
}
