//! Removes what is older than it is to be kept: a few devices at a time, so that
//! nobody notices.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::device::DeviceId;
use crate::store::{Batch, Change, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// Devices looked at in one go.
const PAGE: usize = 50;

/// Between two pages.
const PAUSE: Duration = Duration::from_secs(1);

/// Between the end of a round and the next: what is a day too old may be an hour
/// older.
const REST: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);

/// Sweeps until `stop`. With `keep_days` 0 there is nothing to do.
pub(super) async fn run(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keep_days: u32,
    stop: CancellationToken,
) {
    if keep_days == 0 {
        return;
    }
    let mut last: Option<DeviceId> = None;
    loop {
        let before = clock.now().before(DAY.saturating_mul(keep_days));
        let rest = match sweep(&*store, last.as_ref(), before).await {
            Ok(next) => {
                last = next;
                if last.is_some() { PAUSE } else { REST }
            }
            Err(error) => {
                warn!(%error, "old history was not removed");
                REST
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// One page of devices behind `last`: their history from before this time is
/// removed, in one commit. Returns the last one; `None` when all were seen.
async fn sweep(
    store: &dyn Store,
    last: Option<&DeviceId>,
    before: Timestamp,
) -> Result<Option<DeviceId>, StoreError> {
    let page = store.devices(last, PAGE).await?;
    let mut batch = Batch::new();
    for device in &page {
        if store.has_stale_history(&device.id, before).await? {
            batch.push(Change::TrimHistory(device.id.clone(), before));
        }
        // Reading is done in this task: others have their turn.
        tokio::task::yield_now().await;
    }
    let devices = batch.changes().len();
    if devices > 0 {
        store.commit(batch).await?;
        info!(devices, "old history was removed");
    }
    Ok(page.last().map(|device| device.id.clone()).filter(|_| page.len() == PAGE))
}
