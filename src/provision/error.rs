//! Why a file cannot be made.

use super::TemplateError;
use super::directives::DirectiveError;
use super::fanvil::{CipherError, TextError, VersionError};
use crate::class::Class;

/// Why a file cannot be made. Never tells a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A setting's name is not of the vendor's grammar.
    #[error("`{name}` is no name of a setting: {wanted}")]
    SettingName {
        /// The name, cut to 64 characters.
        name: String,
        /// What a name looks like.
        wanted: &'static str,
    },
    /// A setting does not take this value.
    #[error("{name}: {problem}")]
    SettingValue {
        /// The setting.
        name: String,
        /// What it takes; never the value, which may be secret.
        problem: String,
    },
    /// A directive is none, or has no such value.
    #[error(transparent)]
    Directive(#[from] DirectiveError),
    /// A name or value could not be written without becoming something else.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Two accounts have the same line, or one has a line that the phone has
    /// not.
    #[error("line {0}: each account needs a line of its own, from 1")]
    Line(u8),
    /// Something in an account, a key or a contact cannot be written.
    #[error("{what}: {problem}")]
    Word {
        /// What it is: `the user of line 2`.
        what: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// What the file must repeat is not in it, or what it names is not there.
    #[error("{0}")]
    Incomplete(String),
    /// Something is still to come, as the first account of a new phone. What is
    /// there is sound; until then there is no file.
    #[error("{0}")]
    Unfinished(&'static str),
    /// The version does not fit.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The template does not work.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A row that a template wrote is none.
    #[error("{template} wrote a row that is none, row {row}: {problem}")]
    Row {
        /// The template.
        template: String,
        /// Which row, from 1.
        row: usize,
        /// What is wrong; never the value, which may be secret.
        problem: String,
    },
    /// A key is none.
    #[error(transparent)]
    Key(#[from] CipherError),
    /// The file is larger than phones take.
    #[error("the file would have {0} bytes, more than a phone takes")]
    TooLarge(usize),
}

impl RenderError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Directive(error) => error.class(),
            Self::Text(error) => error.class(),
            Self::Version(error) => error.class(),
            Self::Template(error) => error.class(),
            Self::Key(error) => error.class(),
            Self::SettingName { .. }
            | Self::SettingValue { .. }
            | Self::Line(_)
            | Self::Word { .. }
            | Self::Incomplete(_)
            | Self::Unfinished(_)
            | Self::Row { .. }
            | Self::TooLarge(_) => Class::Invalid,
        }
    }
}
