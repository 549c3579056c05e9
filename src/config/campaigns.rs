//! `[campaigns]`: changes over many devices.

use serde::{Deserialize, Serialize};

/// `[campaigns]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignsConfig {}
