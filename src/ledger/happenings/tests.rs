//! Which commit brings which news.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use super::super::Ledger;
use super::{concern, words};
use crate::config::StoreConfig;
use crate::device::{
    Action, Cause, ChangeSet, Decision, Device, DeviceIdentity, Event, EventCode, EventKind,
    FaultRecord, Labels, Outcome, RpcOutcome, RpcRecord, SessionRecord, Stranger, Task, TaskId,
    TaskState, ValueChange, Vouched,
};
use crate::ledger::away::Away;
use crate::news::{MAX_VALUES, News, NewsKind};
use crate::rollout::{CampaignRecord, CampaignState, Tally};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, Store};
use crate::time::{Clock as _, ManualClock, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

fn device() -> Device {
    let identity = DeviceIdentity::new("Example", "00D09E", "HG", "1").unwrap();
    Device {
        root: "Device.".into(),
        last_events: vec![EventCode::Periodic],
        address: Some(Ipv4Addr::LOCALHOST.into()),
        software_version: "1.0".into(),
        sessions: 1,
        ..Device::new(identity, NOW)
    }
}

fn event(kind: EventKind) -> Record {
    Record::Event(Event { device: device().id, at: NOW, kind })
}

fn task(revision: u32, state: TaskState) -> Task {
    Task {
        id: TaskId(7),
        device: device().id,
        revision,
        action: Action::Reboot,
        created_at: NOW,
        created_by: "anna".into(),
        expires_at: NOW.after(Duration::from_secs(60)),
        state,
        notes: Vec::new(),
        results: Vec::new(),
    }
}

fn ended(outcome: Outcome) -> TaskState {
    TaskState::Ended { at: NOW, outcome }
}

fn change(path: &str, after: &str) -> ValueChange {
    ValueChange {
        path: path.into(),
        before: Some("old".into()),
        after: Some(after.into()),
        cause: Cause::Device,
    }
}

fn changes(changes: Vec<ValueChange>) -> Record {
    Record::Changes(Box::new(ChangeSet { device: device().id, at: NOW, changes }))
}

fn session(outcome: RpcOutcome, task: Option<TaskId>) -> Record {
    let rpc = RpcRecord {
        method: "GetParameterNames".into(),
        by_device: false,
        after: 5,
        took: 1,
        outcome,
        task,
    };
    Record::Session(Box::new(SessionRecord {
        device: device().id,
        began_at: NOW,
        took: 9,
        address: None,
        events: Vec::new(),
        rpcs: vec![rpc],
        left_out: 0,
        end: "done".into(),
    }))
}

fn campaign(revision: u32, state: CampaignState) -> Record {
    Record::Campaign(Box::new(CampaignRecord {
        name: "c".into(),
        revision,
        text: "{}".into(),
        at: NOW,
        by: "anna".into(),
        why: "".into(),
        state,
        started_at: None,
        approved: None,
        waves: Vec::new(),
        tally: Tally::default(),
        unknown: 0,
        cannot_undo: 0,
        history: Vec::new(),
        tenant: "acme".into(),
    }))
}

const fn made() -> CampaignState {
    CampaignState::Draft
}

const fn running(wave: u32) -> CampaignState {
    CampaignState::Running { wave, since: NOW, not_before: NOW }
}

fn stranger(decision: Decision) -> Record {
    let device = device();
    Record::Stranger(Box::new(Stranger {
        device: device.id,
        identity: device.identity,
        vouched: Vouched::Nobody,
        software_version: "".into(),
        address: Ipv4Addr::LOCALHOST.into(),
        first_seen: NOW,
        last_seen: NOW,
        decision,
    }))
}

fn batch(records: Vec<Record>) -> Batch {
    let mut batch = Batch::new();
    for record in records {
        batch.put(record);
    }
    batch
}

struct Office {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    heard: u64,
}

impl Office {
    fn open() -> Self {
        let store = crate::store::memory(&StoreConfig::default());
        let clock = Arc::new(ManualClock::at(NOW));
        store.accompany(Ledger::new(clock.clone()));
        Self { store, clock, heard: 0 }
    }

    /// Commits, and returns the news that it brought.
    async fn commit(&mut self, batch: impl Into<Batch>) -> Vec<News> {
        self.store.commit(batch.into()).await.unwrap();
        let news = self.store.office().news(self.heard, 1000).await.unwrap();
        self.heard = news.last().map_or(self.heard, |last| last.number + 1);
        news
    }

    async fn kinds(&mut self, records: Vec<Record>) -> Vec<NewsKind> {
        self.commit(batch(records)).await.into_iter().map(|news| news.draft.kind).collect()
    }
}

#[tokio::test]
async fn each_kind_comes_from_the_commit_that_brings_it() {
    use NewsKind::*;
    let mut office = Office::open();
    let fault = |code| FaultRecord { code, text: "s3cret".into(), parameters: Vec::new() };
    let failed = |code| {
        Record::Task(Box::new(Task {
            id: TaskId(u128::from(code) + 100),
            ..task(1, ended(Outcome::Failed(fault(code))))
        }))
    };
    let inform = |codes: &[EventCode]| event(EventKind::Inform(codes.to_vec()));
    let (value, text) = (change("Device.X.Name", "new"), "x".into());
    for (records, kinds) in [
        (vec![event(EventKind::FirstContact)], vec![DeviceNew]),
        (vec![inform(&[EventCode::Bootstrap, EventCode::Boot])], vec![DeviceBootstrap, DeviceBoot]),
        (vec![inform(&[EventCode::Boot])], vec![DeviceBoot]),
        (vec![inform(&[EventCode::ValueChange])], vec![ValueChange]),
        (vec![changes(vec![value.clone()]), inform(&[EventCode::ValueChange])], vec![ValueChange]),
        (vec![inform(&[EventCode::Kicked, EventCode::Periodic])], vec![]),
        (vec![changes(vec![value])], vec![ValueChange]),
        (
            vec![event(EventKind::SoftwareChanged { from: "1".into(), to: "2".into() })],
            vec![SoftwareChange],
        ),
        (vec![event(EventKind::Alarm(text))], vec![Alarm]),
        (vec![event(EventKind::Drifted("x".into()))], vec![Drift]),
        (vec![event(EventKind::Repaired("x".into()))], vec![Drift]),
        (vec![event(EventKind::Told("x".into())), event(EventKind::TakenIn("x".into()))], vec![]),
        (vec![failed(9003)], vec![TaskOutcome, Fault]),
        (vec![failed(0)], vec![TaskOutcome]),
        (vec![session(RpcOutcome::Fault(9002, "x".into()), None)], vec![Fault]),
        (vec![session(RpcOutcome::Fault(9002, "x".into()), Some(TaskId(7)))], vec![]),
        (vec![session(RpcOutcome::Answered, None)], vec![]),
        (vec![stranger(Decision::Waiting)], vec![Alarm]),
        (vec![stranger(Decision::Waiting)], vec![]),
        (vec![campaign(1, made())], vec![CampaignState]),
        (vec![campaign(2, made())], vec![]),
        (vec![campaign(3, running(0))], vec![CampaignState]),
        (vec![campaign(4, running(0))], vec![]),
        (vec![campaign(5, running(1))], vec![CampaignState]),
    ] {
        let shown = format!("{records:?}");
        assert_eq!(office.kinds(records).await, kinds, "{shown}");
    }
}

#[tokio::test]
async fn the_end_of_a_task_is_told_once() {
    let mut office = Office::open();
    let state = |revision, state| Record::Task(Box::new(task(revision, state)));
    assert_eq!(office.kinds(vec![state(1, TaskState::Queued)]).await, []);
    let over = ended(Outcome::Applied);
    let both = vec![state(2, over.clone()), state(3, over.clone())];
    assert_eq!(office.kinds(both).await, [NewsKind::TaskOutcome]);
    assert_eq!(office.kinds(vec![state(4, over)]).await, [], "a note was added to it");
    let news = office.store.office().news(0, 10).await.unwrap();
    let details = &news[0].draft.details;
    assert_eq!(&*details["outcome"], "applied");
    assert_eq!((&*details["action"], &*details["by"]), ("reboot", "anna"));
    assert_eq!(*details["task"], TaskId(7).to_string());
}

#[tokio::test]
async fn what_is_refused_brings_no_news() {
    let mut office = Office::open();
    let old = batch(vec![event(EventKind::FirstContact), campaign(9, CampaignState::Draft)]);
    assert!(office.store.commit(old).await.is_err());
    assert_eq!(office.kinds(vec![Record::Device(Box::new(device()))]).await, []);
}

#[test]
fn a_periodic_session_concerns_nobody() {
    let mut device = device();
    device.last_inform = NOW.after(Duration::from_secs(1));
    let hot = batch(vec![Record::Device(Box::new(device.clone()))]);
    let away = Away::default();
    assert!(!concern(&hot, &away));
    away.put(&device.id, NOW);
    assert!(concern(&hot, &away));
}

#[tokio::test]
async fn a_device_is_told_to_be_away_once_and_to_be_back_once() {
    let mut office = Office::open();
    let mut device = device();
    office.commit(Record::Device(Box::new(device.clone()))).await;
    let gone = || Record::Office(OfficeRecord::Away(device.id.clone(), device.last_inform));
    assert_eq!(office.kinds(vec![gone()]).await, [NewsKind::DeviceOffline]);
    assert_eq!(office.kinds(vec![gone()]).await, []);
    // The end of a session that began before is no Inform.
    let again = Record::Device(Box::new(device.clone()));
    assert_eq!(office.kinds(vec![again]).await, []);

    // After a restart it is known, too.
    let ledger = Ledger::new(office.clock.clone());
    ledger.load(&*office.store).await.unwrap();
    assert!(ledger.away.may_be(&device.id));

    office.clock.advance(Duration::from_secs(120));
    device.last_inform = office.clock.now();
    let back = || Record::Device(Box::new(device.clone()));
    let told = office.commit(back()).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].draft.kind, NewsKind::DeviceOnline);
    assert_eq!(&*told[0].draft.details["away_seconds"], "120");
    assert_eq!(office.store.office().away().await.unwrap(), []);
    assert_eq!(office.kinds(vec![back()]).await, []);
    let forget = Change::ForgetOffice(OfficeKey::Away(device.id.clone()));
    let mut nothing = Batch::new();
    nothing.push(forget);
    assert_eq!(office.commit(nothing).await, []);
}

#[tokio::test]
async fn news_is_the_tenants_whose_the_device_is() {
    let mut office = Office::open();
    let labels = |revision, tenant: &str| {
        let (tenant, site) = (tenant.into(), "hq".into());
        Record::Labels(device().id, Labels { revision, tenant, site, ..Labels::default() })
    };
    let told = office.commit(batch(vec![event(EventKind::FirstContact), labels(1, "north")])).await;
    assert_eq!((&*told[0].draft.tenant, &*told[0].draft.site), ("north", "hq"));
    let told = office.commit(event(EventKind::FirstContact)).await;
    assert_eq!(&*told[0].draft.tenant, "north");
    let told = office.commit(batch(vec![labels(2, "south"), event(EventKind::FirstContact)])).await;
    assert_eq!(&*told[0].draft.tenant, "south");
}

#[test]
fn secrets_are_in_no_news_and_values_are_bounded() {
    let canary = "c4n4ry";
    let secret = change("Device.Users.User.1.Password", canary);
    let url = change("Device.ManagementServer.URL", &format!("http://u:{canary}@acs/"));
    let mut all = vec![secret, url];
    all.extend((0..50).map(|n| change(&format!("Device.X.{n}.Name"), &"y".repeat(5000))));
    let Record::Changes(set) = changes(all) else { unreachable!() };
    let news = words::values(&set);
    assert!(!format!("{news:?}").contains(canary), "{news:?}");
    assert_eq!(news.values.len(), MAX_VALUES);
    assert_eq!(news.values[0].after.as_deref(), Some("***"));
    assert!(news.values.iter().all(|value| value.after.as_ref().unwrap().len() <= 256));
    assert_eq!(&*news.details["count"], "52");
    let fault = FaultRecord {
        code: 9003,
        text: canary.into(),
        parameters: vec![("Device.X.Name".into(), 9007, canary.into())],
    };
    let mut news = Vec::new();
    words::outcome(&task(1, ended(Outcome::Failed(fault))), &mut news);
    words::of_event(
        &Event {
            device: device().id,
            at: NOW,
            kind: EventKind::Alarm(format!("went to http://u:{canary}@h/").into()),
        },
        false,
        &mut news,
    );
    assert_eq!(news.len(), 3);
    assert!(!format!("{news:?}").contains(canary), "{news:?}");
}
