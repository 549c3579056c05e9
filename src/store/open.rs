//! How a store comes to be: opened, made in memory, or restored from a backup.

use std::path::Path;
use std::sync::Arc;

use super::{BackupReport, Store, StoreError};
use crate::config::StoreConfig;

/// Opens the store of a data folder with the engine that the settings name.
///
/// A missing folder is made. What a crash left behind is set right: a torn tail
/// of the journal is cut, an index behind the journal is caught up, and an index
/// that cannot be trusted is moved aside and rebuilt, with an alarm in
/// [`Health`](super::Health).
///
/// # Errors
/// [`StoreError::Damaged`] when acknowledged data is no longer readable; it
/// names the file and the offset. [`StoreError::Io`] when the disk fails or
/// another process has the store open.
pub async fn open(config: &StoreConfig, data: &Path) -> Result<Arc<dyn Store>, StoreError> {
    let _ = (config, data);
    Err(StoreError::Closed)
}

/// A store in memory: the same behaviour, and nothing survives.
pub fn memory(config: &StoreConfig) -> Arc<dyn Store> {
    let _ = config;
    unimplemented!()
}

/// Restores a backup into an empty or missing data folder.
///
/// # Errors
/// [`StoreError::Conflict`] when the folder is not empty,
/// [`StoreError::Damaged`] when the file is no backup or was altered, and then
/// nothing is left in the folder.
pub fn restore(backup: &Path, data: &Path) -> Result<BackupReport, StoreError> {
    let _ = (backup, data);
    Err(StoreError::Closed)
}
