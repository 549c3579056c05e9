//! The walk over the inventory: in pages, in bounded memory, on threads of its
//! own, so that the doors go on.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::device::Known;
use super::{DevicePlan, Proposal, Summary};
use crate::device::{Device, DeviceId, Learned, ModelKey, ModelRecord, ModelWishes};
use crate::expr::Subject;
use crate::param::Tree;
use crate::phone::{Mac, Phone};
use crate::plan::{Digest, Written};
use crate::profile::Asked;
use crate::store::{FileRecord, Store, StoreError};
use crate::time::Clock;

/// Devices that one thread takes at a time.
const CHUNK: usize = 128;

/// The most models at hand while a plan is made.
const MAX_MODELS: usize = 4096;

/// The most stored files that are looked at for firmware.
const MAX_FILES: usize = 10_000;

/// What plans are made with.
#[derive(Clone)]
pub struct FleetPlannerDeps {
    /// The inventory.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is assumed of a device that was never met.
    pub assumed: Learned,
    /// Tells what was written before from what was not.
    pub digest: Digest,
}

/// Makes plans.
pub struct FleetPlanner {
    deps: FleetPlannerDeps,
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
}

impl Progress {
    /// Devices that were looked at.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
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
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    assumed: Learned,
    digest: Digest,
    proposal: Arc<Proposal>,
    files: Vec<FileRecord>,
    models: Mutex<HashMap<ModelKey, Arc<Model>>>,
}

/// What is known of one model.
struct Model {
    record: Option<ModelRecord>,
    wishes: Vec<ModelWishes>,
}

/// What came of one chunk.
struct Chunk {
    seen: u64,
    last: Option<DeviceId>,
    plans: Vec<DevicePlan>,
}

impl FleetPlanner {
    /// A planner over an inventory.
    pub const fn new(deps: FleetPlannerDeps) -> Self {
        Self { deps }
    }

    /// Looks at every device, counts what would change, and keeps the first
    /// `keep` devices that are concerned.
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
    ) -> Result<(Summary, Vec<DevicePlan>), StoreError> {
        let walk = self.walk(proposal).await?;
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let mut under_way: VecDeque<JoinHandle<Result<Chunk, StoreError>>> = VecDeque::new();
        let (mut summary, mut kept) = (Summary::default(), Vec::new());
        let mut after: Option<DeviceId> = None;
        let mut is_more = true;
        while is_more || !under_way.is_empty() {
            while is_more && under_way.len() < cores {
                let devices = self.deps.store.devices(after.as_ref(), CHUNK).await?;
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
        Ok((summary, kept))
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
            let devices = self.deps.store.devices(page.next.as_ref(), CHUNK).await?;
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

    /// What one device would be asked; `None` if it is not concerned.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn device(
        &self,
        proposal: Arc<Proposal>,
        device: &Device,
    ) -> Result<Option<DevicePlan>, StoreError> {
        self.walk(proposal).await?.plan(device).await
    }

    /// What goes for a device in its sessions.
    ///
    /// # Errors
    /// [`StoreError`] when its model cannot be read.
    pub async fn learned(&self, device: &Device) -> Result<Learned, StoreError> {
        let model = Model::load(&*self.deps.store, &ModelKey::of(device)).await?;
        Ok(model.learned(&self.deps.assumed, device))
    }

    /// What was written to a device and does not read back.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    pub async fn written(&self, id: &DeviceId) -> Result<Written, StoreError> {
        written(&*self.deps.store, &self.deps.digest, id).await
    }

    async fn walk(&self, proposal: Arc<Proposal>) -> Result<Arc<Walk>, StoreError> {
        let mut files = self.deps.store.files(None, MAX_FILES).await?;
        files.sort_by_key(|file| file.uploaded_at);
        Ok(Arc::new(Walk {
            store: self.deps.store.clone(),
            clock: self.deps.clock.clone(),
            assumed: self.deps.assumed.clone(),
            digest: self.deps.digest.clone(),
            proposal,
            files,
            models: Mutex::default(),
        }))
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
        for device in &devices {
            plans.extend(self.plan(device).await?);
        }
        let seen = u64::try_from(devices.len()).unwrap_or(u64::MAX);
        Ok(Chunk { seen, last: devices.last().map(|device| device.id.clone()), plans })
    }

    async fn plan(&self, device: &Device) -> Result<Option<DevicePlan>, StoreError> {
        let labels = self.store.labels(&device.id).await?.unwrap_or_default();
        let now = self.clock.now();
        let asks = self.proposal.asks();
        let mut tree = self.tree(device, asks.tree).await?;
        let mut phone = self.phone(device, asks.phone).await?;
        let subject =
            Subject { device, labels: &labels, tree: tree.as_ref(), phone: phone.as_ref(), now };
        if !self.proposal.concerns(&subject) {
            return Ok(None);
        }
        let Asked { phone: asks_phone, .. } = self.proposal.asks_in_full();
        if tree.is_none() {
            tree = self.tree(device, true).await?;
        }
        if phone.is_none() {
            phone = self.phone(device, asks_phone).await?;
        }
        let tree = tree.unwrap_or_default();
        let subject =
            Subject { device, labels: &labels, tree: Some(&tree), phone: phone.as_ref(), now };
        let Some(wish) = self.proposal.wish(&subject) else { return Ok(None) };
        let learned = self.model(device).await?.learned(&self.assumed, device);
        let written = written(&*self.store, &self.digest, &device.id).await?;
        let known = Known {
            device,
            labels: &labels,
            tree: &tree,
            learned: &learned,
            written: &written,
            files: &self.files,
        };
        Ok(Some(DevicePlan::new(&known, wish)))
    }

    async fn tree(&self, device: &Device, is_wanted: bool) -> Result<Option<Tree>, StoreError> {
        if !is_wanted {
            return Ok(None);
        }
        Ok(Some(self.store.tree(&device.id).await?.unwrap_or_default()))
    }

    async fn phone(&self, device: &Device, is_wanted: bool) -> Result<Option<Phone>, StoreError> {
        match Mac::of_serial(&device.identity.serial_number).filter(|_| is_wanted) {
            Some(mac) => self.store.phone(mac).await,
            None => Ok(None),
        }
    }

    async fn model(&self, device: &Device) -> Result<Arc<Model>, StoreError> {
        let key = ModelKey::of(device);
        let lock = || self.models.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = lock().get(&key) {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Model::load(&*self.store, &key).await?);
        let mut models = lock();
        // Devices name their models themselves: so the table is bounded.
        if models.len() >= MAX_MODELS {
            models.clear();
        }
        models.insert(key, Arc::clone(&model));
        Ok(model)
    }
}

impl Model {
    async fn load(store: &dyn Store, key: &ModelKey) -> Result<Self, StoreError> {
        let any = key.any_firmware();
        let mut wishes: Vec<ModelWishes> = store.model_wishes(&any).await?.into_iter().collect();
        if any != *key {
            wishes.extend(store.model_wishes(key).await?);
        }
        Ok(Self { record: store.model(key).await?, wishes })
    }

    fn learned(&self, assumed: &Learned, device: &Device) -> Learned {
        assumed.clone().with(self.record.as_ref(), &device.lessons.own, &self.wishes)
    }
}

async fn written(store: &dyn Store, digest: &Digest, id: &DeviceId) -> Result<Written, StoreError> {
    let known = store.fleet().written(id).await?;
    Ok(Written::new(known.map(|written| written.digests).unwrap_or_default(), digest.clone()))
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
