//! What is known of data models: the type of a parameter, whether it can be
//! written, whether it is a secret.
//!
//! Pure. The facts are compiled in from `datamodels/core.tsv`. What a *device*
//! reported of its own parameters stands in its [`crate::param::Tree`] and goes
//! before what is known here.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod diagnostics;
mod facts;
mod learned;
mod recorded;

pub use diagnostics::{
    DiagnosticInput, DiagnosticObject, DiagnosticState, Figure, InputError, InputForm, ResultTable,
    Unit, figures, is_host, result_unit,
};
pub use facts::{Access, Fact, Schema};
pub use learned::{LearnedParameter, LearnedParameters, MAX_LEARNED};
pub use recorded::{RecordedDevice, RecordedError, RecordedParameter, RecordedTree};
