//! `[datamodels]`: what is known of parameters.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[datamodels]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatamodelsConfig {
    /// A table of intents that goes before what is compiled in; its form is
    /// explained in `datamodels/intents.toml`. None if it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intents: Option<PathBuf>,
}
