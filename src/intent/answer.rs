//! What intents come to on one device.

use std::fmt;

use super::ways::Basis;
use super::words::{FieldWord, IntentWord};
use crate::device::Desired;
use crate::param::ParamPath;

/// What an intent comes to on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can be done, by bringing the device to this.
    Wanted(Box<Resolution>),
    /// The device is known, and cannot do it.
    NotSupported(NotSupported),
    /// It was never asked whether it can.
    NotKnownYet(NotKnownYet),
    /// It could be one of several rows, and nobody said which.
    Unclear(Unclear),
}

/// What a device is to be brought to for an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The state, with one source.
    pub desired: Desired,
    /// What is touched.
    pub touched: Vec<Touched>,
    /// How sure the least sure of it is.
    pub basis: Basis,
}

/// One field of one row that is touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// What tells the row from others: `band` and `network`.
    pub which: Vec<(&'static str, String)>,
    /// The field.
    pub field: &'static FieldWord,
    /// The parameters, or the table.
    pub paths: Vec<ParamPath>,
    /// The name of the way: `TR-181`.
    pub way: String,
    /// How sure it is.
    pub basis: Basis,
}

/// Why a device cannot do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSupported {
    /// The intent.
    pub intent: &'static IntentWord,
    /// The field, if it is about one.
    pub field: Option<&'static FieldWord>,
    /// Why.
    pub why: String,
}

impl fmt::Display for NotSupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.map(|field| format!(", {}", field.name)).unwrap_or_default();
        write!(f, "not supported: {}{field}: {}", self.intent.word, self.why)
    }
}

/// What has to be read before an intent can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotKnownYet {
    /// The intent.
    pub intent: &'static IntentWord,
    /// Parameters, and objects with their last dot. Empty if nothing at all is
    /// known of the device: then its whole tree has to be read.
    pub paths: Vec<ParamPath>,
}

impl fmt::Display for NotKnownYet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.intent.word;
        if self.paths.is_empty() {
            return write!(f, "not known yet: {word}: nothing of the device was read yet");
        }
        let paths: Vec<&str> = self.paths.iter().map(ParamPath::as_str).collect();
        write!(f, "not known yet: {word}: {} must be read first", paths.join(", "))
    }
}

/// Which of several rows could be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// The intent.
    pub intent: &'static IntentWord,
    /// The field that tells.
    pub field: &'static str,
    /// What it may be.
    pub choices: Vec<String>,
}

impl fmt::Display for Unclear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, field) = (self.intent.word, self.field);
        write!(f, "{word}: say which {field}: {}", self.choices.join(", "))
    }
}

/// Whether a device can do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can.
    Supported,
    /// It cannot, and why.
    NotSupported(String),
    /// These are to be read first.
    NotKnownYet(Vec<ParamPath>),
}

impl Standing {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported(_) => "not_supported",
            Self::NotKnownYet(_) => "not_known_yet",
        }
    }
}

/// What a device can do of an intent, and how it stands at present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ability {
    /// The intent.
    pub intent: &'static IntentWord,
    /// Whether it can do anything of it.
    pub standing: Standing,
    /// The rows that it could be about.
    pub items: Vec<AbilityItem>,
}

/// One row that an intent could be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbilityItem {
    /// What tells it from others: `band` and `network`.
    pub which: Vec<(&'static str, String)>,
    /// Its fields.
    pub fields: Vec<FieldAbility>,
}

/// One field of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAbility {
    /// The field.
    pub field: &'static FieldWord,
    /// Whether it can be set.
    pub standing: Standing,
    /// The parameters, or the table.
    pub paths: Vec<ParamPath>,
    /// The name of the way: `TR-181`.
    pub way: String,
    /// How sure it is.
    pub basis: Basis,
    /// What it is, in the words of the intent; `None` if that was never read.
    /// Of a secret it is what the device tells, in clear.
    pub value: Option<String>,
}
