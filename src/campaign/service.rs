//! The service: which campaigns are at work, and the loop that carries them on.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{Mutex, Notify, Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::CampaignError;
use super::work::Work;
use crate::config::{CampaignsConfig, Live};
use crate::device::DeviceId;
use crate::rollout::{CampaignRecord, CampaignSpec, CampaignState, PaceSpec};
use crate::store::{Notice, Record, Store, StoreError};
use crate::time::{Clock, Timestamp};
use crate::wake::Waker;

/// All devices at work are looked at this often, whatever was told.
const LOOK_AT_ALL: Duration = Duration::from_secs(30);

/// The least time between two rounds that were not asked for.
const BREATH: Duration = Duration::from_millis(5);

/// How long it waits after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Notices taken in one go.
const NOTICES: usize = 4096;

/// Devices woken at one time.
const WAKES: usize = 32;

/// Wakes devices; nobody waits for what came of it.
#[async_trait]
pub trait WakeDevice: Send + Sync + 'static {
    /// Asks a device to open a session.
    async fn wake(&self, device: &DeviceId);
}

#[async_trait]
impl WakeDevice for Waker {
    async fn wake(&self, device: &DeviceId) {
        if let Err(error) = Self::wake(self, device).await {
            tracing::debug!(device.id = %device, %error, "a device of a campaign was not woken");
        }
    }
}

/// What campaigns work with.
pub struct CampaignsDeps {
    /// Where all of it stands.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub config: Live<CampaignsConfig>,
    /// Wakes devices.
    pub waker: Arc<dyn WakeDevice>,
}

/// The campaigns.
pub struct Campaigns {
    pub(super) deps: CampaignsDeps,
    /// Those in which something can happen by itself.
    pub(super) at_work: Mutex<HashMap<Box<str>, Work>>,
    pub(super) bell: Notify,
    /// Those that could not be read when they had to be.
    unread: Mutex<Vec<Box<str>>>,
    wakes: Arc<Semaphore>,
}

impl fmt::Debug for Campaigns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Campaigns")
    }
}

/// What the loop heard since it looked last.
#[derive(Default)]
struct Heard {
    devices: HashSet<DeviceId>,
    missed_some: bool,
}

impl Campaigns {
    /// The campaigns of a store. Nothing is done before [`Campaigns::run`].
    pub fn new(deps: CampaignsDeps) -> Arc<Self> {
        Arc::new(Self {
            deps,
            at_work: Mutex::default(),
            bell: Notify::new(),
            unread: Mutex::default(),
            wakes: Arc::new(Semaphore::new(WAKES)),
        })
    }

    /// Carries campaigns on until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut notices = self.deps.store.watch();
        while let Err(error) = self.take_up().await {
            warn!(%error, "the campaigns could not be read");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AFTER_FAILURE) => {}
            }
        }
        let mut heard = Heard { missed_some: true, ..Heard::default() };
        loop {
            let next = self.round(&heard).await;
            heard = Heard::default();
            let wait = next.map_or(LOOK_AT_ALL, |next| {
                next.since(self.deps.clock.now()).clamp(BREATH, LOOK_AT_ALL)
            });
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(wait) => heard.missed_some = wait >= LOOK_AT_ALL,
                notice = notices.recv() => {
                    if !heard.hear(notice) {
                        return;
                    }
                }
            }
            heard.drain(&mut notices);
        }
    }

    /// Finds the campaigns in which something is to happen: after a start.
    async fn take_up(&self) -> Result<(), CampaignError> {
        for record in self.deps.store.fleet().campaigns().await? {
            match &record.state {
                CampaignState::Gathering => self.gather_again(record).await?,
                CampaignState::Removing => self.forget_all(&record).await?,
                _ if Work::is_needed(&record) => {
                    let name = record.name.clone();
                    match Work::open(&self.deps, record).await {
                        Ok(work) => {
                            self.at_work.lock().await.insert(name, work);
                        }
                        // One that cannot be read holds up no other.
                        Err(CampaignError::Spec(error)) => {
                            warn!(campaign.name = %name, %error, "a campaign cannot be understood");
                        }
                        Err(error) => return Err(error),
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn stored(&self, name: &str) -> Result<CampaignRecord, CampaignError> {
        let record = self.deps.store.fleet().campaign(name).await?;
        record.ok_or_else(|| CampaignError::NoSuch(name.into()))
    }

    /// Carries every campaign as far as it goes now; when to look again.
    async fn round(&self, heard: &Heard) -> Option<Timestamp> {
        let mut at_work = self.at_work.lock().await;
        let mut next: Option<Timestamp> = None;
        let mut broken = std::mem::take(&mut *self.unread.lock().await);
        for (name, work) in &mut *at_work {
            let devices = (!heard.missed_some).then_some(&heard.devices);
            match work.carry_on(&self.deps, devices).await {
                Ok(until) => next = next.into_iter().chain(until).min(),
                Err(error) => {
                    // What is in memory may be other than what is stored.
                    if !matches!(error, StoreError::Conflict(_)) {
                        warn!(campaign.name = %name, %error, "a campaign could not go on");
                    }
                    broken.push(name.clone());
                }
            }
            self.wake(work.take_wakes());
        }
        at_work.retain(|name, work| !broken.contains(name) && Work::is_needed(work.record()));
        for name in broken {
            match self.read_again(&name).await {
                Ok(Some(work)) => {
                    at_work.insert(name, work);
                    let soon = self.deps.clock.now().after(BREATH);
                    next = Some(next.map_or(soon, |next| next.min(soon)));
                }
                Ok(None) => {}
                Err(error) => {
                    warn!(campaign.name = %name, %error, "a campaign could not be read");
                    let later = self.deps.clock.now().after(AFTER_FAILURE);
                    next = Some(next.map_or(later, |next| next.min(later)));
                    self.unread.lock().await.push(name);
                }
            }
        }
        next
    }

    async fn read_again(&self, name: &str) -> Result<Option<Work>, CampaignError> {
        let Some(record) = self.deps.store.fleet().campaign(name).await? else { return Ok(None) };
        if !Work::is_needed(&record) {
            return Ok(None);
        }
        Work::open(&self.deps, record).await.map(Some)
    }

    /// Wakes devices, a few at a time, behind whoever asks.
    fn wake(&self, devices: Vec<DeviceId>) {
        for device in devices {
            let (waker, wakes) = (self.deps.waker.clone(), self.wakes.clone());
            tokio::spawn(async move {
                if let Ok(_turn) = wakes.acquire().await {
                    waker.wake(&device).await;
                }
            });
        }
    }

    /// A campaign's text, read; what it does not say of its pace is as the
    /// settings have it.
    pub(super) fn read(&self, text: &str) -> Result<CampaignSpec, CampaignError> {
        let config = &self.deps.config;
        let pace = PaceSpec { per_minute: config.per_minute, concurrency: config.concurrency };
        Ok(CampaignSpec::parse(text, pace)?)
    }

    pub(super) async fn put(&self, record: &CampaignRecord) -> Result<(), StoreError> {
        self.deps.store.commit(Record::Campaign(Box::new(record.clone())).into()).await
    }
}

impl Heard {
    /// Whether there will be more.
    fn hear(&mut self, notice: Result<Notice, RecvError>) -> bool {
        match notice {
            Ok(notice) => self.take(notice),
            Err(RecvError::Lagged(_)) => self.missed_some = true,
            Err(RecvError::Closed) => return false,
        }
        true
    }

    fn drain(&mut self, notices: &mut broadcast::Receiver<Notice>) {
        for _ in 0..NOTICES {
            match notices.try_recv() {
                Ok(notice) => self.take(notice),
                Err(TryRecvError::Lagged(_)) => self.missed_some = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, notice: Notice) {
        match notice {
            // With its labels it may become somebody else's.
            Notice::Device(device)
            | Notice::Labels(device)
            | Notice::Task { device, ended: true, .. } => {
                self.devices.insert(device);
            }
            _ => {}
        }
    }
}
