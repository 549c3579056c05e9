//! Making durable what a session has to record.

use tracing::warn;

use super::driver::{Caller, Shared};
use super::gate::Mismatch;
use crate::device::{Credentials, DeviceId, Event, EventKind, Stage, Task};
use crate::store::{Batch, Record, Store, StoreError};
use crate::time::Timestamp;

/// The device used its own credentials, or said that it took them.
pub(super) fn confirm(own: &mut Option<Credentials>, batch: &mut Batch) {
    if let Some(own) = own
        && own.stage == Stage::Offered
    {
        own.stage = Stage::Confirmed;
        batch.put(Record::Credentials(Box::new(own.clone())));
    }
}

/// Commits a batch with settled tasks. If one of them was changed meanwhile,
/// the rest is recorded and the task is read again.
pub(super) async fn commit_with_tasks(
    store: &dyn Store,
    batch: Batch,
    tasks: &mut Vec<Task>,
) -> Result<(), StoreError> {
    match store.commit(batch.clone()).await {
        Err(StoreError::Conflict(_)) => {
            commit_one_by_one(store, &batch).await?;
            if let Some(first) = tasks.first() {
                *tasks = store.open_tasks(&first.device).await?;
            }
            Ok(())
        }
        other => other,
    }
}

/// Commits the changes of a refused batch one by one and lets go of those that
/// are refused again.
pub(super) async fn commit_one_by_one(store: &dyn Store, batch: &Batch) -> Result<(), StoreError> {
    for change in batch.changes() {
        let mut one = Batch::new();
        one.push(change.clone());
        match store.commit(one).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Somebody claims to be a device that he is not: said in its history.
pub(super) async fn alarm(
    shared: &Shared,
    id: &DeviceId,
    mismatch: &Mismatch,
    caller: &Caller,
    now: Timestamp,
) {
    warn!(device.id = %id, peer.address = %caller.address, reason = %mismatch, "an Inform was refused");
    let text = format!("refused an Inform from {}: {mismatch}", caller.address);
    let event = Event { device: id.clone(), at: now, kind: EventKind::Alarm(text.into()) };
    if let Err(error) = shared.store.commit(Record::Event(event).into()).await {
        warn!(device.id = %id, %error, "an alarm was not recorded");
    }
}
