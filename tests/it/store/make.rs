//! Records to store.

use std::sync::Arc;

use provost::config::{Engine, StoreConfig};
use provost::device::{
    Ability, Action, Cause, ChangeSet, Credentials, Device, DeviceId, DeviceIdentity, Event,
    EventCode, EventKind, Labels, Lesson, ModelKey, ModelRecord, ModelWishes, Outcome, Proof,
    Report, ReportSource, RpcOutcome, RpcRecord, Sealed, SessionRecord, Stage, Task, TaskId,
    TaskState, TraceDirection, TraceEntry, ValueChange,
};
use provost::param::{ParamPath, Tree, Value};
use provost::phone::{Account, FileVersion, Mac, Phone, Seen, Site, Transport, Vendor};
use provost::store::{FileRecord, Record};
use provost::time::Timestamp;
use sha2::{Digest as _, Sha256};

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn config(engine: Engine) -> StoreConfig {
    StoreConfig {
        engine,
        cache: 8 << 20,
        events_per_device: 5,
        tasks_per_device: 3,
        sessions_per_device: 4,
        reports_per_device: 3,
        traced_messages_per_device: 5,
        changes_per_device: 5,
        ..StoreConfig::default()
    }
}

pub(crate) fn identity(n: u32) -> DeviceIdentity {
    DeviceIdentity::new("Maker", "00D09E", "Gate-Way", &format!("{n:06}")).unwrap()
}

pub(crate) fn id(n: u32) -> DeviceId {
    identity(n).id()
}

pub(crate) fn device(n: u32) -> Device {
    Device {
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        last_inform: at(i64::from(n)),
        last_bootstrap: Some(at(1)),
        last_events: vec![EventCode::Periodic],
        address: Some([192, 0, 2, 1].into()),
        connection_request_url: "http://192.0.2.1:7547/a".into(),
        software_version: "1.0".into(),
        hardware_version: "A".into(),
        inform_hash: 7,
        parameter_count: 300,
        sessions: 1,
        ..Device::new(identity(n), at(1))
    }
}

pub(crate) fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

/// A tree of so many parameters.
pub(crate) fn tree(count: u32, text: &str) -> Tree {
    let mut tree = Tree::new();
    for n in 0..count {
        let name = format!("Device.Table.{}.Object.{}.Name{}", n % 7, n, n % 50);
        tree.learn_value(&path(&name), Value::string(format!("{text}{n}")), at(9));
        tree.learn_name(&path(&format!("Device.Table.{}.", n % 7)), false, at(9));
    }
    tree
}

/// Text that cannot be compressed to nothing.
pub(crate) fn noise(seed: usize, length: usize) -> String {
    let block = |n: usize| hex::encode(Sha256::digest(format!("{seed} {n}")));
    (0..length.div_ceil(64)).map(block).collect::<String>()[..length].to_owned()
}

/// A tree that lies in parts.
pub(crate) fn large_tree() -> Tree {
    let mut tree = Tree::new();
    for n in 0..300 {
        let name = format!("Device.X_Table.{}.Text", n + 1);
        tree.learn_value(&path(&name), Value::string(noise(n, 1000)), at(9));
    }
    tree
}

pub(crate) fn task(device: u32, n: u32) -> Task {
    Task {
        id: TaskId((u128::from(n) << 64) | u128::from(device)),
        device: id(device),
        revision: 1,
        action: Action::Set(vec![(path("Device.A"), Value::boolean(true))]),
        created_at: at(5),
        created_by: "test".into(),
        expires_at: at(50),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    }
}

pub(crate) fn ended(mut task: Task) -> Task {
    task.revision += 1;
    task.state = TaskState::Ended { at: at(6), outcome: Outcome::Applied };
    task
}

pub(crate) fn put_task(task: &Task) -> Record {
    Record::Task(Box::new(task.clone()))
}

pub(crate) fn put_device(n: u32) -> Record {
    Record::Device(Box::new(device(n)))
}

pub(crate) fn changes(n: u32, millis: i64) -> ChangeSet {
    let change = ValueChange {
        path: "Device.A".into(),
        before: None,
        after: Some("1".into()),
        cause: Cause::Device,
    };
    ChangeSet { device: id(n), at: at(millis), changes: vec![change] }
}

pub(crate) fn put_tree(n: u32, tree: Tree) -> Record {
    Record::Tree(id(n), Arc::new(tree))
}

pub(crate) fn event(n: u32, millis: i64) -> Event {
    Event { device: id(n), at: at(millis), kind: EventKind::Inform(vec![EventCode::Boot]) }
}

pub(crate) fn labels(revision: u32, tag: &str) -> Labels {
    Labels { revision, tags: [tag.into()].into(), ..Labels::default() }
}

pub(crate) fn credentials(n: u32) -> Credentials {
    Credentials {
        device: id(n),
        username: "u".into(),
        password: Sealed(vec![1, 2, 3]),
        connection_request_username: "c".into(),
        connection_request_password: Sealed(vec![4]),
        stage: Stage::Offered,
        made_at: at(3),
        offers: 1,
    }
}

pub(crate) fn mac(n: u8) -> Mac {
    format!("0c383e0000{n:02x}").parse().unwrap()
}

pub(crate) fn phone(n: u8, revision: u32) -> Phone {
    Phone {
        revision,
        accounts: vec![Account {
            line: 1,
            user: "100".into(),
            auth_user: "".into(),
            password: Sealed(vec![9]),
            display_name: "Anna".into(),
            server: "sip.example.net".into(),
            port: 5060,
            transport: Transport::Tls,
            outbound_proxy: "".into(),
            voicemail: "*97".into(),
            label: "".into(),
        }],
        settings: [("A/B".into(), "c".into())].into(),
        ..Phone::new(mac(n), Vendor::Fanvil, "X4", "here", Sealed(vec![n]))
    }
}

pub(crate) fn seen() -> Seen {
    Seen {
        at: at(4),
        address: [192, 0, 2, 9].into(),
        firmware: "2.4".into(),
        file: "f.cfg".into(),
        version: "2.0000000001".into(),
    }
}

pub(crate) fn site(name: &str, revision: u32) -> Site {
    Site { name: name.into(), revision, ..Site::default() }
}

pub(crate) fn gate(counter: u64, hash: u8) -> FileVersion {
    FileVersion { key: "fanvil/common/here/f.cfg".into(), counter, body_hash: [hash; 32] }
}

pub(crate) fn file(n: u8) -> FileRecord {
    FileRecord {
        sha256: hex::encode([n; 32]).into(),
        name: "image.bin".into(),
        size: 3,
        file_type: "1 Firmware Upgrade Image".into(),
        version: Some("2.0".into()),
        uploaded_at: at(8),
        from: None,
        tenant: "".into(),
        shares: Vec::new(),
    }
}

pub(crate) fn session(n: u32, millis: i64) -> SessionRecord {
    let rpc = RpcRecord {
        method: "Reboot".into(),
        by_device: false,
        after: 3,
        took: 4,
        outcome: RpcOutcome::Fault(9001, "no".into()),
        task: Some(TaskId(5)),
    };
    SessionRecord {
        device: id(n),
        began_at: at(millis),
        took: 9,
        address: None,
        events: vec![EventCode::Boot],
        rpcs: vec![rpc],
        left_out: 0,
        end: "done".into(),
    }
}

pub(crate) fn report(n: u32, millis: i64) -> Report {
    Report {
        device: id(n),
        at: at(millis),
        source: ReportSource::BulkData,
        collected_at: Some(at(1)),
        values: vec![("Device.A".into(), "1".into())],
        left_out: 0,
    }
}

pub(crate) fn traced(n: u32, millis: i64) -> TraceEntry {
    TraceEntry {
        device: id(n),
        session: at(1),
        at: at(millis),
        direction: TraceDirection::FromDevice,
        sentence: "it answers".into(),
        body: "<x/>".into(),
        size: 4,
        is_whole: true,
    }
}

pub(crate) fn model() -> ModelRecord {
    let key = ModelKey {
        oui: "00D09E".into(),
        product_class: "A/B%".into(),
        software_version: "1.0".into(),
    };
    let taught = Lesson::new(Ability::ReadBatch(32), Proof::Answer, "x", at(1));
    let mut record = ModelRecord::new(key);
    let _ = record.hear(&id(1), &taught);
    record
}

pub(crate) fn model_wishes(revision: u32) -> ModelWishes {
    ModelWishes { key: model().key, revision, abilities: vec![Ability::ReadBatch(8)] }
}
