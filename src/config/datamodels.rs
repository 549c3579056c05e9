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
    /// Data models beside those that are compiled in, as of a vendor's own
    /// parameters: files in the compact form (`.txt`) or in the XML of the
    /// Broadband Forum (`.xml`), or folders of such. They are read at the start
    /// and go before those that are compiled in.
    pub files: Vec<PathBuf>,
}
