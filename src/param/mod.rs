//! Parameters: the names, values and trees that a CPE's data model is made of.
//!
//! Pure words. A [`ParamPath`] can only be built valid; a [`Value`] keeps the
//! text that the device sent together with its type; a [`Tree`] is what is
//! known of one device, each parameter with the time it was read.
//! `instance` knows the other ways to name a row: `[alias]` and `*`.
//! What a path *means* (type, range, access) lives in [`crate::schema`].

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod extent;
mod instance;
mod news;
mod path;
mod tree;
mod value;

pub use extent::Extent;
pub use instance::{InstanceError, is_match, is_wildcard, rows_agree};
pub use news::Change;
pub use path::{ParamPath, PathError};
pub use tree::{Param, Tree};
pub use value::{Value, ValueType};
