//! What is wrong with a path, or with a value for it.

use crate::class::Class;

/// Why something that was to be asked of a device cannot be right.
///
/// In words it is one line without the path, and never with the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// No model knows the path, and the device never told of it.
    #[error("is not known{}", nearest.as_ref().map(|name| format!("; the nearest is {name}")).unwrap_or_default())]
    Unknown {
        /// The name that is most like it, rows as `{i}`.
        nearest: Option<Box<str>>,
    },
    /// It begins with another root than the device's.
    #[error("stands below another root than the device's, which is {0}")]
    OtherRoot(Box<str>),
    /// It is no longer part of the model.
    #[error("is no longer part of {0}")]
    Deleted(Box<str>),
    /// It cannot be written.
    #[error("is read-only")]
    ReadOnly,
    /// A parameter is asked for, and the path is an object's.
    #[error("is an object: it has no value, and its path ends with a dot")]
    IsObject,
    /// An object is asked for, and the path is a parameter's.
    #[error("is a parameter: its path ends without a dot")]
    IsParameter,
    /// The object has no rows.
    #[error("is no table: it has no rows")]
    NoTable,
    /// The device alone adds and deletes the rows.
    #[error("is a table whose rows cannot be added or deleted")]
    RowsFixed,
    /// A row is asked for, and the path names none.
    #[error("names no row, as in Device.NAT.PortMapping.3.")]
    NoRow,
    /// The text is none of the type.
    #[error("is no {0}")]
    NotOfType(Box<str>),
    /// A number is out of its range.
    #[error("is out of {0}")]
    OutOfRange(Box<str>),
    /// A text or a list is too long or too short.
    #[error("has {has} {of}; allowed is {allowed}")]
    WrongLength {
        /// How many there are.
        has: usize,
        /// Of what.
        of: &'static str,
        /// How many there may be.
        allowed: Box<str>,
    },
    /// It is none of the words.
    #[error("is none of {words}{}", nearest.as_ref().map(|word| format!("; the nearest is {word}")).unwrap_or_default())]
    NoSuchWord {
        /// Those that can be written.
        words: Box<str>,
        /// The one that is most like it.
        nearest: Option<Box<str>>,
    },
    /// The word is one that only the device sets.
    #[error("is a word that only the device itself sets; to be written are {0}")]
    DeviceWord(Box<str>),
    /// It has none of the forms.
    #[error("does not have the form {0}")]
    NoPattern(Box<str>),
    /// The text holds what XML cannot say.
    #[error("holds a character that XML cannot say")]
    BadCharacter,
}

impl Misfit {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }

    /// The name or word that is most like what was given.
    pub fn nearest(&self) -> Option<&str> {
        match self {
            Self::Unknown { nearest } | Self::NoSuchWord { nearest, .. } => nearest.as_deref(),
            _ => None,
        }
    }

    /// Whether the path is wrong, rather than the value.
    pub const fn is_of_path(&self) -> bool {
        !matches!(
            self,
            Self::NotOfType(_)
                | Self::OutOfRange(_)
                | Self::WrongLength { .. }
                | Self::NoSuchWord { .. }
                | Self::DeviceWord(_)
                | Self::NoPattern(_)
                | Self::BadCharacter
        )
    }

    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown-path",
            Self::OtherRoot(_) => "other-root",
            Self::Deleted(_) => "deleted",
            Self::ReadOnly => "read-only",
            Self::IsObject => "is-object",
            Self::IsParameter => "is-parameter",
            Self::NoTable => "no-table",
            Self::RowsFixed => "rows-fixed",
            Self::NoRow => "no-row",
            Self::NotOfType(_) => "wrong-type",
            Self::OutOfRange(_) => "out-of-range",
            Self::WrongLength { .. } => "wrong-length",
            Self::NoSuchWord { .. } | Self::DeviceWord(_) => "no-such-word",
            Self::NoPattern(_) => "wrong-form",
            Self::BadCharacter => "bad-character",
        }
    }
}
