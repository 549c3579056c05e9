//! `[admission]`: devices that nobody knows.

use serde::{Deserialize, Serialize};

/// `[admission]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionConfig {}
