//! Removes what is older than it is to be kept: a few devices at a time, so that
//! nobody notices.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{HistoryConfig, Live};
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

/// Sweeps until `stop`. With `keep_days` 0 there is nothing to do, until it is changed.
pub(super) async fn run(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    history: Live<HistoryConfig>,
    stop: CancellationToken,
) {
    let mut last: Option<DeviceId> = None;
    loop {
        let keep_days = history.keep_days;
        let before = clock.now().before(DAY.saturating_mul(keep_days));
        let rest = if keep_days == 0 {
            REST
        } else {
            match sweep(&*store, last.as_ref(), before).await {
                Ok(next) => {
                    last = next;
                    if last.is_some() { PAUSE } else { REST }
                }
                Err(error) => {
                    warn!(%error, "old history was not removed");
                    REST
                }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreConfig;
    use crate::device::{Device, DeviceIdentity, Event, EventKind};
    use crate::store::Record;
    use crate::time::ManualClock;

    /// More devices than one page holds.
    const DEVICES: usize = PAGE * 2 + 7;

    fn device(n: usize, now: Timestamp) -> Device {
        let identity = DeviceIdentity::new("Maker", "00D09E", "Box", &format!("{n}")).unwrap();
        Device { root: "Device.".into(), sessions: 1, ..Device::new(identity, now) }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_reaches_every_device_and_takes_only_what_is_old() {
        let store = crate::store::memory(&StoreConfig::default());
        let begin = Timestamp::from_millis(1_800_000_000_000);
        let clock = Arc::new(ManualClock::at(begin.after(DAY.saturating_mul(2))));
        let mut ids = Vec::new();
        for n in 0..DEVICES {
            let device = device(n, begin);
            let id = device.id.clone();
            let mut batch = Batch::new();
            batch.put(Record::Device(Box::new(device)));
            for at in [begin, begin.after(DAY.saturating_mul(2))] {
                let kind = EventKind::FirstContact;
                batch.put(Record::Event(Event { device: id.clone(), at, kind }));
            }
            store.commit(batch).await.unwrap();
            ids.push(id);
        }
        let stop = CancellationToken::new();
        let keeping = |keep_days| HistoryConfig { keep_days, ..HistoryConfig::default() };
        let history: Live<HistoryConfig> = keeping(0).into();
        let sweeping = tokio::spawn(run(store.clone(), clock, history.clone(), stop.clone()));
        // Time stands still but for the pauses.
        tokio::time::sleep(PAUSE.saturating_mul(4)).await;
        assert_eq!(store.events(&ids[0], 10).await.unwrap().len(), 2, "all is kept");
        history.set(keeping(1));
        tokio::time::sleep(REST + PAUSE.saturating_mul(4)).await;
        for id in &ids {
            assert_eq!(store.events(id, 10).await.unwrap().len(), 1, "{id}");
        }
        stop.cancel();
        sweeping.await.unwrap();
    }
}
