//! What is known of data models: the type of a parameter, whether it can be
//! written, whether it is a secret.
//!
//! Pure. Eight models of the Broadband Forum are compiled in, in the compact form
//! of `datamodels/` (`model`), which `compile` makes of their XML; `catalogue` says
//! which of them goes for a path; `check` holds paths and values against them.
//! What a *device* reported of its own parameters stands in its [`crate::param::Tree`] and goes
//! before what is known here.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod catalogue;
mod check;
mod compile;
mod describe;
mod diagnostics;
mod facts;
mod fitting;
mod learned;
mod misfit;
mod model;
mod nearest;
mod recorded;
mod secrets;

pub use catalogue::{RootModel, add_models, models};
pub use check::{Asked, Known, check_value};
pub use compile::{CompileError, Compiled, compile, read_model};
pub use describe::{
    Described, DescribedObject, DescribedParameter, Found, MAX_FOUND, describe, search,
};
pub use diagnostics::{
    DiagnosticInput, DiagnosticObject, DiagnosticState, Figure, InputError, InputForm, ResultTable,
    Unit, figures, is_host, result_unit,
};
pub use facts::{Access, Fact, Schema};
pub use learned::{LearnedParameter, LearnedParameters, MAX_LEARNED};
pub use misfit::Misfit;
pub use model::{
    LengthRange, LineError, ListRule, ModelDraft, ModelError, ModelObject, ModelParameter,
    NotifyRule, NumberRange, ObjectDraft, ObjectFacts, ParameterAccess, ParameterFacts,
    ParameterModel, Place, RowKey, Status, Syntax, Version,
};
pub use recorded::{RecordedDevice, RecordedError, RecordedParameter, RecordedTree};
