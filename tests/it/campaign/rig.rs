//! A service over a store, and devices that do what the test says.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use provost::campaign::{Campaigns, CampaignsDeps, WakeDevice};
use provost::config::{CampaignsConfig, StoreConfig};
use provost::device::{Device, DeviceId, FaultRecord, Outcome, Phase, Task, TaskState};
use provost::rollout::{CampaignRecord, Member, Place};
use provost::store::{Batch, Record, Store, StoreError};
use provost::time::{Clock, SystemClock, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The machine's clock, moved.
#[derive(Debug, Default)]
pub(super) struct MovedClock(AtomicI64);

impl MovedClock {
    /// So that it shows this time now.
    pub(super) fn show(&self, time: &str) {
        let time = Timestamp::parse(time).unwrap().as_millis();
        self.0.store(time - SystemClock.now().as_millis(), Ordering::SeqCst);
    }

    pub(super) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::SeqCst))
    }
}

/// Notes who is woken.
#[derive(Debug, Default)]
pub(super) struct Bell(pub(super) Mutex<Vec<DeviceId>>);

#[async_trait]
impl WakeDevice for Bell {
    async fn wake(&self, device: &DeviceId) {
        self.0.lock().unwrap().push(device.clone());
    }
}

/// A service over a store in memory.
pub(super) struct Rig {
    pub(super) store: Arc<dyn Store>,
    pub(super) campaigns: Arc<Campaigns>,
    pub(super) clock: Arc<MovedClock>,
    pub(super) bell: Arc<Bell>,
    _stop_at_the_end: DropGuard,
}

impl Rig {
    /// With so many devices.
    pub(super) async fn with(devices: u32, config: CampaignsConfig) -> Self {
        let store = provost::store::memory(&StoreConfig::default());
        let clock = Arc::new(MovedClock::default());
        let bell = Arc::new(Bell::default());
        put_devices(&store, devices).await;
        let campaigns = Campaigns::new(CampaignsDeps {
            store: store.clone(),
            clock: clock.clone(),
            config: config.into(),
            waker: bell.clone(),
        });
        let stop = CancellationToken::new();
        tokio::spawn(campaigns.clone().run(stop.clone()));
        Self { store, campaigns, clock, bell, _stop_at_the_end: stop.drop_guard() }
    }

    pub(super) async fn made(&self, text: &Value) -> CampaignRecord {
        self.campaigns.create(&text.to_string(), "maker", "").await.unwrap()
    }

    pub(super) async fn record(&self) -> CampaignRecord {
        self.store.fleet().campaign("c").await.unwrap().unwrap()
    }

    /// Waits until the campaign is as wanted.
    pub(super) async fn until(&self, is_so: impl Fn(&CampaignRecord) -> bool) -> CampaignRecord {
        let mut notices = self.store.watch();
        let waiting = async {
            loop {
                let record = self.record().await;
                if is_so(&record) {
                    return record;
                }
                let _ = notices.recv().await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(record) => record,
            Err(_) => panic!("{:#?}", self.record().await),
        }
    }

    pub(super) async fn until_state(&self, word: &str) -> CampaignRecord {
        self.until(|record| record.state.word() == word).await
    }

    pub(super) async fn until_count(&self, place: Place, count: u64) -> CampaignRecord {
        self.until(|record| record.count(place) == count).await
    }

    pub(super) async fn members(&self) -> Vec<Member> {
        self.store.fleet().members("c", None, usize::MAX).await.unwrap()
    }

    /// All tasks that wait for their devices.
    pub(super) async fn waiting(&self) -> Vec<Task> {
        self.store.waiting_tasks(None, usize::MAX).await.unwrap()
    }

    /// Ends a task as its device's session would.
    pub(super) async fn end(&self, task: &Task, outcome: Outcome) {
        end(&self.store, task, outcome).await.unwrap();
    }

    /// Devices come for what they are asked, and it ends so, until the test is
    /// over.
    pub(super) fn serve(
        &self,
        outcome: impl Fn(&Task) -> Outcome + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let store = self.store.clone();
        let mut notices = store.watch();
        tokio::spawn(async move {
            loop {
                for task in store.waiting_tasks(None, 1000).await.unwrap() {
                    // It may be withdrawn meanwhile.
                    let _ = end(&store, &task, outcome(&task)).await;
                }
                if matches!(
                    notices.recv().await,
                    Err(tokio::sync::broadcast::error::RecvError::Closed)
                ) {
                    return;
                }
            }
        })
    }
}

/// A task goes through its states, and the device has opened a session.
pub(super) async fn end(
    store: &Arc<dyn Store>,
    task: &Task,
    outcome: Outcome,
) -> Result<(), StoreError> {
    let mut task = task.clone();
    if task.state == TaskState::Queued {
        task.revision += 1;
        task.state = TaskState::Sent { at: task.created_at, phase: Phase::Response };
        store.commit(Record::Task(Box::new(task.clone())).into()).await?;
    }
    task.revision += 1;
    task.state = TaskState::Ended { at: task.created_at, outcome };
    let mut batch = Batch::from(Record::Task(Box::new(task.clone())));
    if let Some(mut device) = store.device(&task.device).await? {
        device.sessions += 1;
        batch.put(Record::Device(Box::new(device)));
    }
    store.commit(batch).await
}

pub(super) fn refused() -> Outcome {
    Outcome::Failed(FaultRecord { code: 9002, text: "no".into(), parameters: Vec::new() })
}

pub(super) fn named(number: u32) -> Device {
    crate::api::device(&format!("{number:05}"))
}

/// Puts devices that are not there yet.
pub(super) async fn put_devices(store: &Arc<dyn Store>, devices: u32) {
    let mut batch = Batch::new();
    for number in 0..devices {
        batch.put(Record::Device(Box::new(named(number))));
    }
    store.commit(batch).await.unwrap();
}

/// A campaign that is as fast as it may be, with what the test says of it.
pub(super) fn reboot(more: &Value) -> Value {
    let mut text = json!({
        "name": "c",
        "target": {"match": "true"},
        "action": {"reboot": {}},
        "pace": {"per_minute": 60_000, "concurrency": 20},
        "attempts": {"most": 1, "pause": "0s"},
    });
    for (key, value) in more.as_object().unwrap() {
        text[key] = value.clone();
    }
    text
}
