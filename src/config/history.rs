//! `[history]`: for how long what happened is kept.

use serde::{Deserialize, Serialize};

/// `[history]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// Days after which events, sessions, reports and traces of a device are
    /// removed; 0 keeps them as long as the numbers of `[store]` allow.
    pub keep_days: u32,
}
