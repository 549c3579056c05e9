//! Changes over many devices at work.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{MutexGuard, Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::ask::Asked;
use super::asker::Asker;
use super::prepare::prepare;
use crate::api::problem::ApiError;
use crate::api::state::{Shared, State as Inner};
use crate::device::DeviceId;
use crate::find::Query;
use crate::ledger::{Actor, acting};
use crate::param::Extent;
use crate::store::{Batch, BulkRecord, Change, OfficeKey, OfficeRecord, Record, StoreError};
use crate::time::Timestamp;

/// Devices of one commit.
const AT_ONCE: usize = 25;

/// Changes that run at a time.
const MAX_RUNNING: usize = 20;

/// Changes that are over and kept.
const KEPT: usize = 100;

/// Problems that are kept of a change.
const MAX_PROBLEMS: usize = 20;

/// Devices that are being woken at a time.
const WAKING: usize = 32;

/// How often a device is tried again that others change meanwhile.
const ATTEMPTS: u32 = 5;

/// How long to wait when the store takes nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// The changes that run, and who may write their records.
#[derive(Debug)]
pub(in crate::api) struct Bulks {
    running: Mutex<BTreeSet<u128>>,
    more: Notify,
    writing: tokio::sync::Mutex<()>,
    waking: Arc<Semaphore>,
}

impl Default for Bulks {
    fn default() -> Self {
        Self {
            running: Mutex::default(),
            more: Notify::new(),
            writing: tokio::sync::Mutex::default(),
            waking: Arc::new(Semaphore::new(WAKING)),
        }
    }
}

impl Bulks {
    /// Held by whoever reads a record to write it again.
    pub(super) async fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// Whether one more may run; makes room among those that are over.
    pub(super) async fn admit(&self, state: &Inner) -> Result<(), ApiError> {
        let all = state.store().office().bulks(None, MAX_RUNNING + KEPT + 1).await?;
        let running = all.iter().filter(|bulk| bulk.ended_at.is_none()).count();
        if running >= MAX_RUNNING {
            return Err(ApiError::BulksFull(MAX_RUNNING));
        }
        let over: Vec<u128> =
            all.iter().filter(|bulk| bulk.ended_at.is_some()).map(|bulk| bulk.id).collect();
        let mut batch = Batch::new();
        for id in over.iter().take(over.len().saturating_sub(KEPT - 1)) {
            batch.push(Change::ForgetOffice(OfficeKey::Bulk(*id)));
        }
        if !batch.is_empty() {
            state.store().commit(batch).await?;
        }
        Ok(())
    }

    /// Begins with a change that is durable.
    pub(super) fn begin(&self, id: u128) {
        self.running().insert(id);
        self.more.notify_one();
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeSet<u128>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works on all changes in turn until `stop`, those first that a former run of the
/// server left.
pub(in crate::api) async fn keep_up(state: Shared, stop: CancellationToken) {
    match state.store().office().bulks(None, MAX_RUNNING + KEPT + 1).await {
        Ok(all) => {
            let open = all.iter().filter(|bulk| bulk.ended_at.is_none());
            state.bulks.running().extend(open.map(|bulk| bulk.id));
        }
        Err(error) => tracing::error!(%error, "changes over many devices do not go on"),
    }
    loop {
        let running: Vec<u128> = state.bulks.running().iter().copied().collect();
        if running.is_empty() {
            tokio::select! {
                () = stop.cancelled() => return,
                () = state.bulks.more.notified() => continue,
            }
        }
        for id in running {
            let pause = match step(&state, id).await {
                Ok(Step::On(devices)) => pace(&state, devices),
                Ok(Step::Over) => {
                    state.bulks.running().remove(&id);
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "a change over many devices waits");
                    PATIENCE
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// How long so many devices are to take.
fn pace(state: &Inner, devices: usize) -> Duration {
    let rate = state.deps.config.northbound.bulk_per_second.max(1);
    Duration::from_secs(devices as u64) / rate
}

/// How far one step led.
enum Step {
    /// So many devices were dealt with, and there may be more.
    On(usize),
    /// There is nothing left to do.
    Over,
}

/// Deals with the next devices of a change.
async fn step(state: &Shared, id: u128) -> Result<Step, StoreError> {
    let _alone = state.bulks.writing().await;
    let Some(mut bulk) = state.store().office().bulk(id).await? else { return Ok(Step::Over) };
    if bulk.ended_at.is_some() {
        return Ok(Step::Over);
    }
    let now = state.deps.clock.now();
    let Some(asked) = Asked::of(&bulk) else { return end(state, bulk, now).await };
    if bulk.expires_at <= now {
        return end(state, bulk, now).await;
    }
    let asker = match Asker::now(state.store(), &bulk, &asked, now).await? {
        Ok(asker) => asker,
        Err(why) => {
            tracing::warn!(bulk.by = %bulk.created_by, why, "a change over many devices was stopped");
            bulk.stopped = why.into();
            return end(state, bulk, now).await;
        }
    };
    let (devices, next) = match next_devices(state, &bulk, &asked).await {
        Ok(next) => next,
        Err(ApiError::Store(error)) => return Err(error),
        Err(error) => {
            tracing::warn!(%error, "a change over many devices cannot go on");
            return end(state, bulk, now).await;
        }
    };
    let address = None;
    let actor = Actor::new((&*bulk.created_by).into(), (&*bulk.token).into(), address, bulk.id);
    let count = devices.len();
    let mut bulk = acting(actor, deal_with(state, bulk, &asker, &asked, &devices)).await?;
    match next {
        Next::Page(page) => {
            bulk.page = Some(page);
            put(state, &bulk).await?;
            Ok(Step::On(count))
        }
        Next::Same => Ok(Step::On(count)),
        Next::None => end(state, bulk, now).await,
    }
}

async fn end(state: &Inner, mut bulk: BulkRecord, now: Timestamp) -> Result<Step, StoreError> {
    bulk.ended_at = Some(now);
    put(state, &bulk).await?;
    let (done, failed) = (bulk.done, bulk.failed);
    tracing::info!(bulk.done = done, bulk.failed = failed, "a change over many devices is over");
    Ok(Step::Over)
}

async fn put(state: &Inner, bulk: &BulkRecord) -> Result<(), StoreError> {
    let record = OfficeRecord::Bulk(Box::new(bulk.clone()));
    state.store().commit(Record::Office(record).into()).await
}

/// What comes behind some devices.
enum Next {
    /// More of the same list.
    Same,
    /// Another page.
    Page(Box<str>),
    /// Nothing.
    None,
}

/// The devices that come next, in the order of their ids.
async fn next_devices(
    state: &Inner,
    bulk: &BulkRecord,
    asked: &Asked,
) -> Result<(Vec<DeviceId>, Next), ApiError> {
    let is_next = |id: &DeviceId| bulk.after.as_ref().is_none_or(|after| id > after);
    if let Some(ids) = &asked.ids {
        let next: Vec<DeviceId> =
            ids.iter().filter(|id| is_next(id)).take(AT_ONCE).cloned().collect();
        let more = if next.len() < AT_ONCE { Next::None } else { Next::Same };
        return Ok((next, more));
    }
    let query = Query {
        filter: asked.which.filter()?,
        reach: bulk.reach.clone(),
        order: None,
        after: bulk.page.as_deref().map(str::to_owned),
        limit: AT_ONCE,
        parameters: Extent::Nothing,
    };
    let page = state.deps.finder.page(&query).await?;
    let ids = page.found.into_iter().map(|found| found.device.id).filter(is_next).collect();
    Ok((ids, page.next.map_or(Next::None, |next| Next::Page(next.into()))))
}

/// Deals with some devices in one commit; one by one if somebody else changed one
/// of them meanwhile.
async fn deal_with(
    state: &Shared,
    bulk: BulkRecord,
    asker: &Asker,
    asked: &Asked,
    devices: &[DeviceId],
) -> Result<BulkRecord, StoreError> {
    match commit(state, bulk.clone(), asker, asked, devices).await {
        Err(StoreError::Conflict(_)) => {}
        other => return other,
    }
    let mut bulk = bulk;
    for device in devices {
        let mut attempt = 0;
        bulk = loop {
            attempt += 1;
            let one = std::slice::from_ref(device);
            match commit(state, bulk.clone(), asker, asked, one).await {
                Err(StoreError::Conflict(_)) if attempt < ATTEMPTS => {}
                Err(error @ StoreError::Conflict(_)) => {
                    let mut told = bulk.clone();
                    failed(&mut told, device, &error.into());
                    told.after = Some(device.clone());
                    put(state, &told).await?;
                    break told;
                }
                other => break other?,
            }
        };
    }
    Ok(bulk)
}

/// Does it for some devices, and notes that it is done, in one commit.
async fn commit(
    state: &Shared,
    mut bulk: BulkRecord,
    asker: &Asker,
    asked: &Asked,
    devices: &[DeviceId],
) -> Result<BulkRecord, StoreError> {
    let mut batch = Batch::new();
    let mut woken = Vec::new();
    for device in devices {
        match prepare(state, &bulk, asker, asked, device).await {
            Ok(prepared) if prepared.left_out => bulk.left_out += 1,
            Ok(prepared) => {
                bulk.done += 1;
                for change in prepared.changes {
                    batch.push(change);
                }
                if prepared.wake {
                    woken.push(device.clone());
                }
            }
            Err(ApiError::Store(error)) => return Err(error),
            Err(error) => failed(&mut bulk, device, &error),
        }
        bulk.after = Some(device.clone());
    }
    batch.put(Record::Office(OfficeRecord::Bulk(Box::new(bulk.clone()))));
    state.store().commit(batch).await?;
    for device in woken {
        wake(state, device).await;
    }
    Ok(bulk)
}

fn failed(bulk: &mut BulkRecord, device: &DeviceId, error: &ApiError) {
    bulk.failed += 1;
    if bulk.problems.len() < MAX_PROBLEMS {
        let told: String = error.to_string().chars().take(300).collect();
        bulk.problems.push((device.clone(), told.into()));
    }
}

/// Wakes a device in the background, a bounded number at a time.
async fn wake(state: &Shared, device: DeviceId) {
    let Ok(place) = state.bulks.waking.clone().acquire_owned().await else { return };
    let waker = state.deps.waker.clone();
    tokio::spawn(async move {
        waker.report(&device).await;
        drop(place);
    });
}
