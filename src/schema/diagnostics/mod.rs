//! Diagnostics as data models have them: the object, what it is told, what it
//! tells (TR-143, TR-181 `IP.Diagnostics.`, TR-098, TR-181 issue 1).
//!
//! - `table`: the facts, one entry per diagnostic and data model.
//! - `inputs`: whether what an operator chose can be sent to a device.
//! - `figures`: what follows from the results by arithmetic.

mod figures;
mod inputs;
mod table;

pub use figures::{Figure, figures};
pub use inputs::{InputError, is_host};

use crate::device::DiagnosticKind;
use crate::param::ValueType;

/// One diagnostic in one data model.
#[derive(Debug, PartialEq, Eq)]
pub struct DiagnosticObject {
    /// Which diagnostic.
    pub kind: DiagnosticKind,
    /// The root object below which it stands, with its dot.
    pub root: &'static str,
    /// The object below the root, with its dot.
    pub object: &'static str,
    /// What it can be told, `DiagnosticsState` left out.
    pub inputs: &'static [DiagnosticInput],
    /// What it tells, each with its unit; `DiagnosticsState` left out.
    pub results: &'static [(&'static str, Unit)],
    /// Tables of results.
    pub tables: &'static [ResultTable],
}

/// One input parameter of a diagnostic.
#[derive(Debug, PartialEq, Eq)]
pub struct DiagnosticInput {
    /// Its name below the object.
    pub name: &'static str,
    /// What it takes.
    pub form: InputForm,
    /// Whether the diagnostic means nothing without it.
    pub required: bool,
    /// What is sent if the operator does not say, to a device that shows the
    /// parameter: so that a diagnostic does not depend on the one before it.
    pub default: Option<&'static str>,
}

/// What an input parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputForm {
    /// A host name or an address.
    Host,
    /// As [`InputForm::Host`], or empty for the device's own choice.
    OptionalHost,
    /// An `http` or `ftp` URL.
    Url,
    /// The path of an interface, or empty for the device's own choice.
    Interface,
    /// A whole number (`unsignedInt`) within these bounds, both included.
    Number(u32, u32),
    /// A whole number of bytes; `unsignedLong`, or `unsignedInt` in old models.
    Bytes {
        /// Whether the data model has it as `unsignedLong`.
        long: bool,
    },
    /// `true` or `false`.
    Flag,
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

/// The unit of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// None: a count, a text, a time of day.
    Plain,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Bytes.
    Bytes,
    /// Bits per second.
    BitsPerSecond,
}

/// A table of results.
#[derive(Debug, PartialEq, Eq)]
pub struct ResultTable {
    /// Its name below the object, with its dot.
    pub name: &'static str,
    /// The parameter below the object that counts its rows.
    pub counter: &'static str,
    /// The columns, each with its unit.
    pub columns: &'static [(&'static str, Unit)],
}

impl DiagnosticObject {
    /// Where a diagnostic can stand below a root object, newest data model
    /// first; empty if the data model has no such diagnostic.
    pub fn places(kind: DiagnosticKind, root: &str) -> impl Iterator<Item = &'static Self> {
        table::OBJECTS.iter().filter(move |object| object.kind == kind && object.root == root)
    }

    /// Every diagnostic of every data model.
    pub fn all() -> &'static [Self] {
        table::OBJECTS
    }

    /// The input parameter of this name.
    pub fn input(&self, name: &str) -> Option<&'static DiagnosticInput> {
        self.inputs.iter().find(|input| input.name == name)
    }

    /// The full path of the object, with its dot.
    pub fn path(&self) -> String {
        format!("{}{}", self.root, self.object)
    }

    /// The unit of a result by its name below the object: `RouteHops.3.RTTimes`.
    pub fn unit(&self, result: &str) -> Unit {
        let of = |names: &[(&str, Unit)], wanted: &str| {
            names.iter().find(|(name, _)| *name == wanted).map(|(_, unit)| *unit)
        };
        let in_table = || {
            let (table, column) = (result.split('.').next()?, result.rsplit('.').next()?);
            let table = self.tables.iter().find(|known| known.name.trim_end_matches('.') == table);
            of(table?.columns, column)
        };
        of(self.results, result).or_else(in_table).unwrap_or(Unit::Plain)
    }
}

impl InputForm {
    /// The type that the standard gives it.
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::Number(..) | Self::Bytes { long: false } => ValueType::UnsignedInt,
            Self::Bytes { long: true } => ValueType::UnsignedLong,
            Self::Flag => ValueType::Boolean,
            Self::Host | Self::OptionalHost | Self::Url | Self::Interface | Self::OneOf(_) => {
                ValueType::String
            }
        }
    }
}

/// The unit of a result of a diagnostic, whatever the data model; figures that
/// follow by arithmetic included.
pub fn result_unit(kind: DiagnosticKind, result: &str) -> Unit {
    if let Some(figure) = result.strip_prefix("Derived.") {
        return match figure {
            "Throughput" | "ThroughputUnderFullLoading" => Unit::BitsPerSecond,
            "TransferTime" | "ConnectionTime" | "RequestTime" => Unit::Microseconds,
            _ => Unit::Plain,
        };
    }
    let objects = table::OBJECTS.iter().filter(|object| object.kind == kind);
    objects
        .map(|object| object.unit(result))
        .find(|unit| *unit != Unit::Plain)
        .unwrap_or(Unit::Plain)
}

impl Unit {
    /// Its symbol; `None` for what has no unit.
    pub const fn symbol(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Milliseconds => Some("ms"),
            Self::Microseconds => Some("us"),
            Self::Bytes => Some("B"),
            Self::BitsPerSecond => Some("bit/s"),
        }
    }
}

/// What `DiagnosticsState` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiagnosticState<'a> {
    /// It was asked for and is not over.
    Requested,
    /// It is over, and its results can be read.
    Complete,
    /// Nothing runs: it was never asked for, or an input was written meanwhile.
    None,
    /// It was stopped from elsewhere.
    Canceled,
    /// It failed; the word is the device's.
    Error(&'a str),
}

impl<'a> DiagnosticState<'a> {
    /// Takes the text of `DiagnosticsState`. Older data models have
    /// `Completed`, newer ones `Complete`; what nobody knows is an error.
    pub fn parse(text: &'a str) -> Self {
        let text = text.trim();
        match text {
            "Requested" => Self::Requested,
            "Complete" | "Completed" => Self::Complete,
            "None" | "" => Self::None,
            "Canceled" | "Cancelled" => Self::Canceled,
            other => Self::Error(other),
        }
    }

    /// What an error means, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Requested => "the diagnostic still runs",
            Self::Complete => "the diagnostic is complete",
            Self::None => "the device dropped the diagnostic: an input was written meanwhile",
            Self::Canceled => "the diagnostic was canceled from elsewhere",
            Self::Error(state) => table::error_words(state),
        }
    }
}

#[cfg(test)]
mod tests;
