//! `[datamodels]`: what is known of parameters.

use serde::{Deserialize, Serialize};

/// `[datamodels]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatamodelsConfig {}
