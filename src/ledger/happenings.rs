//! News: what a commit tells of devices.

use crate::store::{Batch, Store, StoreError};
use crate::time::Timestamp;

/// Whether a batch may bring news.
pub(super) fn concern(batch: &Batch) -> bool {
    let _ = batch;
    false
}

/// Adds the news of a batch.
pub(super) async fn add(
    store: &dyn Store,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(), StoreError> {
    let _ = (store, batch, now);
    Ok(())
}
