//! The walk over the inventory: in pages, in bounded memory, on threads of its
//! own, so that the doors go on.

use std::collections::VecDeque;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use super::super::{Fleet, Known};
use super::{DevicePlan, Proposal, Summary};
use crate::device::{Device, DeviceId, Labels};
use crate::expr::Subject;
use crate::param::Tree;
use crate::plan::Written;
use crate::store::{FileRecord, StoreError, phone_of};
use crate::time::Clock;
use crate::wake::Waker;

/// Devices that one thread takes at a time.
const CHUNK: usize = 128;

/// The most stored files that are looked at for firmware.
const MAX_FILES: usize = 10_000;

/// Devices that are being woken at once.
const MAX_WAKING: usize = 64;

/// Makes plans.
pub struct FleetPlanner {
    fleet: Arc<Fleet>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for FleetPlanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FleetPlanner")
    }
}

/// How far a walk has come, for whoever waits.
#[derive(Debug, Default)]
pub struct Progress {
    seen: AtomicU64,
    stopped: AtomicBool,
}

impl Progress {
    /// Devices that were looked at.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// The walk is not needed any more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Some devices of a plan.
#[derive(Debug, Default)]
pub struct PlanPage {
    /// Those that are concerned, in key order.
    pub plans: Vec<DevicePlan>,
    /// The last device that was looked at, if there may be more.
    pub next: Option<DeviceId>,
}

/// What one walk keeps at hand.
struct Walk {
    fleet: Arc<Fleet>,
    clock: Arc<dyn Clock>,
    proposal: Arc<Proposal>,
    /// Stored files, newest last.
    files: Vec<FileRecord>,
}

/// What came of one chunk.
struct Chunk {
    seen: u64,
    last: Option<DeviceId>,
    plans: Vec<DevicePlan>,
}

impl FleetPlanner {
    /// A planner over an inventory.
    pub const fn new(fleet: Arc<Fleet>, clock: Arc<dyn Clock>) -> Self {
        Self { fleet, clock }
    }

    /// Looks at every device, counts what would change, and keeps the first
    /// `keep` devices that are concerned; `None` if it was stopped.
    ///
    /// All cores take part. The doors share them: a chunk of devices runs on a
    /// thread of its own, and no more chunks are under way than there are cores.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read; a plan that leaves out
    /// devices is none.
    pub async fn survey(
        &self,
        proposal: Arc<Proposal>,
        keep: usize,
        progress: &Progress,
    ) -> Result<Option<(Summary, Vec<DevicePlan>)>, StoreError> {
        let walk = self.walk(proposal).await?;
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut under_way: VecDeque<JoinHandle<Result<Chunk, StoreError>>> = VecDeque::new();
        let (mut summary, mut kept) = (Summary::default(), Vec::new());
        let mut after: Option<DeviceId> = None;
        let mut is_more = true;
        while is_more || !under_way.is_empty() {
            if progress.stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            while is_more && under_way.len() < cores {
                let devices = self.fleet.store.devices(after.as_ref(), CHUNK).await?;
                is_more = devices.len() == CHUNK;
                after = devices.last().map(|device| device.id.clone()).or(after);
                under_way.push_back(walk.start(devices));
            }
            let Some(chunk) = under_way.pop_front() else { break };
            let chunk = done(chunk).await?;
            summary.devices += chunk.seen;
            progress.seen.fetch_add(chunk.seen, Ordering::Relaxed);
            for plan in chunk.plans {
                summary.count(&plan);
                if kept.len() < keep {
                    kept.push(plan);
                }
            }
        }
        Ok(Some((summary, kept)))
    }

    /// The devices that are concerned after a device, at most `limit`, looking at
    /// no more than `scan` devices.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn page(
        &self,
        proposal: Arc<Proposal>,
        after: Option<DeviceId>,
        limit: usize,
        scan: usize,
    ) -> Result<PlanPage, StoreError> {
        let walk = self.walk(proposal).await?;
        let mut page = PlanPage { plans: Vec::new(), next: after };
        let mut looked_at = 0;
        while page.plans.len() < limit && looked_at < scan {
            let devices = self.fleet.store.devices(page.next.as_ref(), CHUNK).await?;
            let is_last = devices.len() < CHUNK;
            looked_at += devices.len();
            let chunk = done(walk.start(devices)).await?;
            let room = limit - page.plans.len();
            let is_cut = chunk.plans.len() > room;
            page.plans.extend(chunk.plans.into_iter().take(room));
            if is_cut {
                page.next = page.plans.last().map(|plan| plan.device.clone());
            } else if is_last {
                page.next = None;
                break;
            } else {
                page.next = chunk.last;
            }
        }
        Ok(page)
    }

    /// Wakes the devices that would change or have to be read, `a_second` of
    /// them; how many were woken. Devices that are not reached are left alone:
    /// they come by themselves.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn wake(
        &self,
        proposal: Arc<Proposal>,
        waker: Arc<Waker>,
        a_second: NonZeroU32,
    ) -> Result<u64, StoreError> {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / a_second.get());
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut under_way: JoinSet<bool> = JoinSet::new();
        let mut woken = 0;
        let mut after = None;
        loop {
            let page = self.page(Arc::clone(&proposal), after, CHUNK, usize::MAX).await?;
            for plan in page.plans {
                if !plan.is_change() && plan.unknown.is_empty() {
                    continue;
                }
                pace.tick().await;
                // A device that does not answer takes seconds.
                while under_way.len() >= MAX_WAKING {
                    woken += u64::from(matches!(under_way.join_next().await, Some(Ok(true))));
                }
                let waker = Arc::clone(&waker);
                under_way.spawn(async move { waker.wake(&plan.device).await.is_ok() });
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        while let Some(outcome) = under_way.join_next().await {
            woken += u64::from(matches!(outcome, Ok(true)));
        }
        Ok(woken)
    }

    /// What one device would be asked; `None` if it is not concerned.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn device(
        &self,
        proposal: Arc<Proposal>,
        device: &Device,
    ) -> Result<Option<DevicePlan>, StoreError> {
        let labels = self.fleet.store.labels(&device.id).await?.unwrap_or_default();
        if !proposal.looks_at(&labels) {
            return Ok(None);
        }
        self.walk(proposal).await?.plan(device, labels).await
    }

    async fn walk(&self, proposal: Arc<Proposal>) -> Result<Arc<Walk>, StoreError> {
        let mut files = self.fleet.store.files(None, MAX_FILES).await?;
        files.sort_by_key(|file| file.uploaded_at);
        let (fleet, clock) = (self.fleet.clone(), self.clock.clone());
        Ok(Arc::new(Walk { fleet, clock, proposal, files }))
    }
}

impl Walk {
    /// Looks at some devices on a thread beside those that serve.
    fn start(self: &Arc<Self>, devices: Vec<Device>) -> JoinHandle<Result<Chunk, StoreError>> {
        let (walk, runtime) = (Arc::clone(self), Handle::current());
        tokio::task::spawn_blocking(move || runtime.block_on(walk.chunk(devices)))
    }

    async fn chunk(&self, devices: Vec<Device>) -> Result<Chunk, StoreError> {
        let mut plans = Vec::new();
        let mut seen = 0;
        for device in &devices {
            let labels = self.fleet.store.labels(&device.id).await?.unwrap_or_default();
            if self.proposal.looks_at(&labels) {
                seen += 1;
                plans.extend(self.plan(device, labels).await?);
            }
        }
        Ok(Chunk { seen, last: devices.last().map(|device| device.id.clone()), plans })
    }

    async fn plan(
        &self,
        device: &Device,
        labels: Labels,
    ) -> Result<Option<DevicePlan>, StoreError> {
        let store = &*self.fleet.store;
        let now = self.clock.now();
        let asks = self.proposal.asks();
        let tree = if asks.tree { Some(self.tree(device).await?) } else { None };
        let phone = if asks.phone { phone_of(store, device, &labels).await? } else { None };
        let subject =
            Subject { device, labels: &labels, tree: tree.as_ref(), phone: phone.as_ref(), now };
        if !self.proposal.concerns(&subject) {
            return Ok(None);
        }
        // Only now what is costly to load.
        let tree = match tree {
            Some(tree) => tree,
            None => self.tree(device).await?,
        };
        let phone = match phone {
            None if self.proposal.asks_in_full().phone => phone_of(store, device, &labels).await?,
            phone => phone,
        };
        let written = store.fleet().written(&device.id).await?.map(|record| record.digests);
        let known = Known {
            device: device.clone(),
            labels,
            tree: Arc::new(tree),
            phone,
            learned: self.fleet.models.learned(device).await?,
            written: Written::new(written.unwrap_or_default(), self.fleet.digest.clone()),
        };
        let wish = self.proposal.wish(&known.subject(now));
        Ok(wish.map(|wish| DevicePlan::new(&known, wish, &self.files)))
    }

    async fn tree(&self, device: &Device) -> Result<Tree, StoreError> {
        Ok(self.fleet.store.tree(&device.id).await?.unwrap_or_default())
    }
}

async fn done(chunk: JoinHandle<Result<Chunk, StoreError>>) -> Result<Chunk, StoreError> {
    match chunk.await {
        Ok(chunk) => chunk,
        // The thread panicked, or the server goes down.
        Err(error) if error.is_panic() => {
            Err(StoreError::Damaged("a device's records cannot be worked on".to_owned()))
        }
        Err(_) => Err(StoreError::Closed),
    }
}
