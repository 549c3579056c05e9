//! A device that was reset has lost what it had: the last that was known of it is
//! kept before its tree is read over.

use super::driver::Shared;
use crate::device::{Device, DeviceBackup};
use crate::param::Tree;
use crate::plan;
use crate::store::{Batch, Change, Record, StoreError};
use crate::time::Timestamp;

/// Who takes backups that nobody asked for.
pub(super) const AUTOMATIC: &str = "automatic";

/// Backs up what is known of a device that says `0 BOOTSTRAP`, and lets go of the
/// oldest backup of this kind if there are too many.
///
/// # Errors
/// [`StoreError`] when the backups that there are cannot be read.
pub(super) async fn before_reset(
    shared: &Shared,
    device: &Device,
    known: &Tree,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(), StoreError> {
    let keep = usize::try_from(shared.history.automatic_backups).unwrap_or(usize::MAX);
    let id = uuid::Uuid::now_v7().as_u128();
    let backup = plan::backup(id, device, known, (AUTOMATIC, "before a factory reset"), now);
    if keep == 0 || backup.values.is_empty() {
        return Ok(());
    }
    let kept = shared.store.fleet().device_backups(&device.id).await?;
    let automatic: Vec<&DeviceBackup> = kept.iter().filter(|one| *one.by == *AUTOMATIC).collect();
    // A device that is reset again and again, or says so, has nothing new to keep.
    if automatic.last().is_some_and(|last| last.values == backup.values) {
        return Ok(());
    }
    for old in automatic.iter().take((automatic.len() + 1).saturating_sub(keep)) {
        batch.push(Change::ForgetDeviceBackup(device.id.clone(), old.id));
    }
    batch.put(Record::DeviceBackup(Box::new(backup)));
    Ok(())
}
