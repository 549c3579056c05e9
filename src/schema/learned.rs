//! What devices told of parameters that no data model names.

use serde::{Deserialize, Serialize};

use crate::device::ModelKey;

/// The most parameters that are learned of one model.
pub const MAX_LEARNED: usize = 5_000;

/// The vendor's own parameters of a model, as its devices told them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedParameters {
    /// The model.
    pub key: ModelKey,
    /// Each with `{i}` in place of instance numbers, in order.
    pub parameters: Vec<LearnedParameter>,
}

/// One parameter of a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedParameter {
    /// The path with the root, instance numbers as `{i}`.
    pub path: Box<str>,
    /// The type by its name in XML Schema, as the device sends it; empty if it
    /// was never read.
    pub kind: Box<str>,
    /// Whether the device calls it writable, if it told.
    pub writable: Option<bool>,
}
