//! `[store]`: what survives.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where records live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// sled behind the journal, in the data folder.
    #[default]
    Sled,
    /// In memory only: nothing survives. For tests and load generators.
    Memory,
}

/// `[store]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// Where records live.
    pub engine: Engine,
    /// The file of the key that secrets are sealed with; in the data folder if not
    /// given. Later keys are made beside it.
    pub key_file: Option<PathBuf>,
    /// Bytes of journal after which a snapshot is taken.
    pub snapshot_after: u64,
    /// sled's cache in bytes.
    pub cache: u64,
    /// Events kept per device.
    pub events_per_device: u32,
    /// Ended tasks kept per device.
    pub tasks_per_device: u32,
    /// Sessions kept per device; those in which nothing was asked are counted
    /// and not kept.
    pub sessions_per_device: u32,
    /// Reports (bulk data, lightweight notifications) kept per device.
    pub reports_per_device: u32,
    /// Messages kept of a device that is traced.
    pub traced_messages_per_device: u32,
    /// Sessions that found values changed, kept per device.
    pub changes_per_device: u32,
    /// Entries of the audit that are kept.
    pub audit_entries: u32,
    /// News that is kept for listeners and webhooks that were away.
    pub news_entries: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            engine: Engine::default(),
            key_file: None,
            snapshot_after: 256 << 20,
            cache: 128 << 20,
            events_per_device: 100,
            tasks_per_device: 100,
            sessions_per_device: 50,
            reports_per_device: 100,
            traced_messages_per_device: 500,
            changes_per_device: 500,
            audit_entries: 1_000_000,
            news_entries: 100_000,
        }
    }
}
