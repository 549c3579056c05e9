//! Why a body is no message, and what was odd about one that is.

use std::fmt;

use crate::class::Class;
use crate::device::IdError;

/// A body that is no message: where it went wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at byte {at})")]
pub struct ReadError {
    /// The byte at which it went wrong, counted in the UTF-8 form of the body.
    pub at: u64,
    /// Why.
    pub problem: Problem,
}

impl ReadError {
    /// What it means to whoever sent the body.
    pub const fn class(&self) -> Class {
        self.problem.class()
    }
}

/// Why a body is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The body exceeds [`ReadLimits`](super::ReadLimits); which limit.
    #[error("the message has too many {0}")]
    TooMuch(&'static str),
    /// A document type declaration: entities are never expanded.
    #[error("a document type declaration is refused")]
    Doctype,
    /// The body is not well-formed XML; what the parser said.
    #[error("not well-formed XML: {0}")]
    Xml(Box<str>),
    /// The body ends before the envelope does.
    #[error("the message ends in the middle")]
    Truncated,
    /// The document is not a SOAP envelope; the root element's name.
    #[error("the root element is <{0}>, not a SOAP Envelope")]
    NotAnEnvelope(Box<str>),
    /// There is no XML element at all.
    #[error("there is no XML document in the body")]
    NoDocument,
    /// The envelope has no body, or nothing in it.
    #[error("the envelope holds no message")]
    NoMessage,
    /// A second body, a second message, or an Inform inside of another one.
    #[error("more than one message in an envelope: a second <{0}>")]
    SecondMessage(Box<str>),
    /// The identity of an Inform cannot be taken.
    #[error("the Inform cannot be taken: {0}")]
    Identity(#[from] IdError),
    /// A member without which the message has no meaning.
    #[error("<{0}> is missing or empty")]
    Missing(&'static str),
}

impl Problem {
    /// What it means to whoever sent the body.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooMuch(_) => Class::TooLarge,
            Self::Doctype
            | Self::Xml(_)
            | Self::Truncated
            | Self::NotAnEnvelope(_)
            | Self::NoDocument
            | Self::NoMessage
            | Self::SecondMessage(_)
            | Self::Identity(_)
            | Self::Missing(_) => Class::Invalid,
        }
    }
}

/// Something odd that was forgiven, once or more often in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What.
    pub what: Oddity,
    /// How often.
    pub times: u32,
    /// The byte at which it happened first.
    pub first_at: u64,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what.words())?;
        if self.times > 1 {
            write!(f, " ({} times, first at byte {})", self.times, self.first_at)
        } else {
            write!(f, " (at byte {})", self.first_at)
        }
    }
}

/// What can be odd about a message that is taken all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Oddity {
    /// The charset is unknown or contradicts the bytes; read as UTF-8.
    Charset,
    /// Bytes that are no text of the charset, replaced by U+FFFD (Q27).
    BrokenBytes,
    /// Characters that XML does not allow, replaced by U+FFFD (Q27).
    IllegalCharacters,
    /// An ampersand or an entity that means nothing, taken as it stands.
    StrayAmpersand,
    /// The CWMP namespace is missing or unknown; version 1.0 is assumed (Q4).
    Namespace,
    /// Elements where only text belongs, left out.
    ElementInText,
    /// A Value without its type, taken as a string (Q8).
    NoType,
    /// A ParameterValueStruct without its Value, taken as empty (Q9).
    NoValue,
    /// A parameter whose name is no name, left out.
    BadName,
    /// A number that is none or out of its range; the default is taken.
    BadNumber,
    /// A boolean that is none; false is taken.
    BadBoolean,
    /// A structural text that is too long, cut.
    CutText,
    /// More events or faults than are taken, left out.
    CutList,
    /// An event that must come once came again, left out (Q15).
    RepeatedEvent,
    /// An Inform without any event (Q15).
    NoEvents,
    /// The OUI is not six upper-case hex digits (Q35, Q36).
    OddOui,
    /// A SOAP fault without a CWMP fault inside.
    PlainFault,
}

impl Oddity {
    /// The oddity in plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Charset => "unknown or wrong charset, read as UTF-8",
            Self::BrokenBytes => "broken bytes, replaced",
            Self::IllegalCharacters => "characters that XML does not allow, replaced",
            Self::StrayAmpersand => "a stray ampersand or unknown entity, kept as text",
            Self::Namespace => "no known CWMP namespace, version 1.0 assumed",
            Self::ElementInText => "elements where only text belongs, left out",
            Self::NoType => "a value without a type, taken as a string",
            Self::NoValue => "a parameter without a value, taken as empty",
            Self::BadName => "a parameter without a usable name, left out",
            Self::BadNumber => "a number that is none or out of range, default taken",
            Self::BadBoolean => "a boolean that is none, false taken",
            Self::CutText => "a text that is too long, cut",
            Self::CutList => "a list that is too long, cut",
            Self::RepeatedEvent => "an event that was repeated, taken once",
            Self::NoEvents => "no event at all",
            Self::OddOui => "an OUI that is not six upper-case hex digits",
            Self::PlainFault => "a SOAP fault without a CWMP fault, taken as internal error",
        }
    }
}
