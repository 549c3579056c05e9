//! Which devices, phones or tasks are meant: filters over what is known of a
//! device, answered from indexes where one fits, by looking at each otherwise.
//!
//! Both dialects of the northbound read their queries into a [`Filter`] here and
//! know no other way to look for devices. Whose devices are seen at all is part
//! of each search: a [`crate::access::Reach`] can be forgotten by nobody. Secrets
//! are not asked: nobody finds one by guessing.

mod answer;
mod field;
mod filter;
mod look;
mod matching;
mod order;
mod plan;
#[cfg(test)]
mod property;
mod search;
#[cfg(test)]
mod tests;
mod walk;

pub use field::Field;
pub use filter::{
    Filter, FilterError, MAX_CONDITIONS, MAX_DEPTH, MAX_PATTERN, MAX_TEXT, MAX_VALUES, Test, Value,
};
pub use order::Order;
pub use search::{Finder, Found, MAX_LOOKS, MAX_PAGE, MAX_SORTED, Matches, Page, Query};

use crate::class::Class;
use crate::store::StoreError;

/// Why a search has no answer.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// It cannot be asked so, or it would cost too much.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FindError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Filter(error) => error.class(),
            Self::Store(error) => error.class(),
        }
    }
}
