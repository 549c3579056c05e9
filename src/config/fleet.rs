//! `[fleet]`: what is wanted of devices.

use serde::{Deserialize, Serialize};

/// `[fleet]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FleetConfig {}
