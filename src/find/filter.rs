//! Filters.

use super::Field;
use crate::expr::Rule;
use crate::time::Timestamp;

/// Which devices are meant.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of them.
    All,
    /// Those that fit every one.
    And(Vec<Self>),
    /// Those that fit any.
    Or(Vec<Self>),
    /// Those that do not fit.
    Not(Box<Self>),
    /// Those of which something is so. A field with several values (tags, MAC
    /// addresses) fits if one of them does; a field that is unknown fits none but
    /// `Exists(false)`.
    Is(Field, Test),
    /// Those that a rule matches (CEL).
    Rule(std::sync::Arc<Rule>),
}

/// What is asked of a value.
#[derive(Clone, Debug)]
pub enum Test {
    /// It is this.
    Equals(Value),
    /// It is one of these.
    In(Vec<Value>),
    /// It comes before.
    Less(Value),
    /// It comes before or is this.
    AtMost(Value),
    /// It comes behind.
    Greater(Value),
    /// It comes behind or is this.
    AtLeast(Value),
    /// It begins so, in any case.
    Begins(Box<str>),
    /// It holds this part, in any case.
    Contains(Box<str>),
    /// A regular expression is found in it; runs in linear time.
    Matches(regex::Regex),
    /// Whether it is known at all.
    Exists(bool),
}

/// A value to compare with. Texts are compared as texts, or as numbers or times
/// where the field is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(Box<str>),
    /// A number.
    Number(f64),
    /// A truth.
    Boolean(bool),
    /// A time.
    Time(Timestamp),
}

/// Why a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub String);
