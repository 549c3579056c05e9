//! The queries of the dialect: MongoDB's conditions as JSON.
//!
//! Pure. `read` takes a text apart and refuses what cannot be bounded; `expand`
//! knows what else a text may mean in a search for devices; `matching` holds a
//! condition against a document; `translate` makes a filter of our own of it.

mod condition;
mod expand;
mod matching;
mod read;
#[cfg(test)]
mod tests;
mod translate;

pub(super) use condition::{Condition, Literal, Test};
pub(super) use expand::{canonical_id, moment};
pub(super) use matching::{compare, fits};
pub(super) use read::{QueryError, read, value_path};
pub(super) use translate::{filter, order};

/// The collection that a query is about: it decides what a text in it may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Collection {
    /// Devices: names of parameters stand for their values, and a text may mean a
    /// number, a time, a pattern.
    Devices,
    /// Tasks and faults: `timestamp`, `expiry` and `retries` are no texts.
    Work,
    /// All others: as it stands.
    Plain,
}
