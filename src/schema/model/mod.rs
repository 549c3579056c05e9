//! Data models in the compact form: text that people can compare line by line,
//! and an index over it that stays small.
//!
//! A file begins with its form and version, then lines of a header; then objects
//! in order of their paths, each followed by its parameters, which are indented
//! by a tab. Columns are parted by tabs. A line of an object or parameter is
//! only taken apart when it is asked for: what stays in memory is the text and
//! eight bytes for each parameter.

mod field;
mod index;
mod line;
mod syntax;
mod write;

pub use field::{LineError, Version};
pub use index::{ModelError, ModelObject, ModelParameter, ParameterModel, Place};
pub use line::{ObjectFacts, ParameterAccess, ParameterFacts, RowKey, Status};
pub use syntax::{LengthRange, ListRule, NotifyRule, NumberRange, Syntax};
pub use write::{ModelDraft, ObjectDraft};

pub(super) use syntax::{among, basic_kind};
