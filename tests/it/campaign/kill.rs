//! `kill -9` in the middle of campaigns: nothing is lost, and no device sees the
//! RPC of one attempt twice.
//!
//! The child is this same test binary, run on one test that is ignored
//! otherwise: a campaign service, and a door of devices that records an RPC as
//! sent before the device sees it. The device's eyes are the child's output: a
//! line for each RPC, which is still read when the child is dead.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use provost::campaign::{Campaigns, CampaignsDeps};
use provost::config::{CampaignsConfig, Engine, StoreConfig};
use provost::device::{DeviceId, Outcome, Phase, TaskState};
use provost::param::{ParamPath, Tree, Value};
use provost::rollout::{CampaignRecord, Counts, MemberState};
use provost::store::{self, Batch, Record, Store};
use provost::time::SystemClock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::rig::{Bell, end, named, put_devices, refused};
use crate::api::NOW;

const ROUNDS: u32 = 100;
const DEVICES: u32 = 40;
const FOLDER: &str = "PROVOST_TEST_CAMPAIGN_FOLDER";
const PATH: &str = "Device.WiFi.SSID.1.SSID";

fn settings() -> StoreConfig {
    StoreConfig { engine: Engine::Sled, snapshot_after: 200 << 10, ..StoreConfig::default() }
}

fn service(store: &Arc<dyn Store>) -> Arc<Campaigns> {
    Campaigns::new(CampaignsDeps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        config: CampaignsConfig::default().into(),
        waker: Arc::new(Bell::default()),
    })
}

/// The child: campaigns and devices, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of another test"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = store::open(&settings(), Path::new(&folder)).await.unwrap();
    let mut notices = store.watch();
    // What was sent when the server died: nobody knows whether it was done.
    for task in store.waiting_tasks(None, 1000).await.unwrap() {
        if matches!(task.state, TaskState::Sent { .. }) {
            let outcome = Outcome::Unknown("the server ended".into());
            end(&store, &task, outcome).await.unwrap();
        }
    }
    let campaigns = service(&store);
    tokio::spawn(campaigns.clone().run(CancellationToken::new()));
    loop {
        go_on(&store, &campaigns).await;
        for mut task in store.waiting_tasks(None, 1000).await.unwrap() {
            if task.state != TaskState::Queued {
                continue;
            }
            task.revision += 1;
            task.state = TaskState::Sent { at: task.created_at, phase: Phase::Response };
            if store.commit(Record::Task(Box::new(task.clone())).into()).await.is_err() {
                continue;
            }
            // One write, so that a line is whole or not there.
            let line = format!("rpc {} {}\n", task.device, task.id);
            std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            let fails = task.id.0.is_multiple_of(7);
            let outcome = if fails { refused() } else { Outcome::Applied };
            end(&store, &task, outcome).await.unwrap();
        }
        // Looked at again when something happened, and what was missed soon after.
        let _ = tokio::time::timeout(Duration::from_millis(200), notices.recv()).await;
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "campaign::kill::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a child until its devices saw so many RPCs, and kills it. Adds all that
/// they saw.
fn run_and_kill(folder: &Path, rpcs: u64, seen: &mut Seen) {
    let mut child = start(folder);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut count = 0;
    for line in lines {
        let line = line.unwrap();
        let Some((device, task)) = line.strip_prefix("rpc ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        assert!(seen.tasks.insert(task.to_owned()), "{device} saw the RPC of {task} twice");
        *seen.devices.entry(device.to_owned()).or_default() += 1;
        count += 1;
        if count == rpcs {
            // SIGKILL; what was printed before is still read.
            child.kill().unwrap();
        }
    }
    assert!(count >= rpcs, "the child ended after {count} of {rpcs}");
    child.wait().unwrap();
}

/// What the devices saw.
#[derive(Default)]
struct Seen {
    tasks: HashSet<String>,
    devices: BTreeMap<String, u32>,
}

/// Nothing is lost: counts, members and tasks say the same, and they know of
/// every RPC that a device saw.
async fn check(store: &Arc<dyn Store>, seen: &Seen, round: u32) {
    let mut asked: BTreeMap<String, u32> = BTreeMap::new();
    for campaign in store.fleet().campaigns().await.unwrap() {
        // Its members are not all chosen: they are chosen again.
        if campaign.state.word() == "gathering" {
            continue;
        }
        let mut waves = vec![Counts::default(); campaign.waves.len()];
        let members = store.fleet().members(&campaign.name, None, usize::MAX).await.unwrap();
        assert_eq!(members.len(), usize::try_from(DEVICES).unwrap(), "round {round}");
        for member in members {
            let place = member.state.place();
            let counts = &mut waves[usize::try_from(member.wave).unwrap()];
            counts.waiting += 1;
            counts.moved(provost::rollout::Place::Waiting, place);
            if let MemberState::Asked { task, .. } | MemberState::UndoAsked { task, .. } =
                member.state
            {
                assert!(store.task(task).await.unwrap().is_some(), "round {round}: {task}");
            }
            *asked.entry(member.device.to_string()).or_default() += member.asks;
        }
        assert_eq!(waves, campaign.waves, "round {round}: {}", campaign.name);
    }
    for (device, asks) in &asked {
        let id = DeviceId::parse(device).unwrap();
        let tasks = store.tasks(Some(&id), None, 1000).await.unwrap();
        assert_eq!(tasks.len(), usize::try_from(*asks).unwrap(), "round {round}: {device}");
        let was_seen = |id: String| seen.tasks.contains(&id);
        for task in tasks {
            let never_left = match &task.state {
                TaskState::Queued => true,
                TaskState::Sent { .. } => false,
                TaskState::Ended { outcome, .. } => matches!(outcome, Outcome::Cancelled),
            };
            assert!(!(never_left && was_seen(task.id.to_string())), "round {round}: {task:?}");
        }
    }
    for (device, rpcs) in &seen.devices {
        assert!(asked.get(device).is_some_and(|asks| asks >= rpcs), "round {round}: {device}");
    }
}

/// Starts the next campaign when the last one is over; every second one is
/// brought back when it is done. It goes on from wherever the last child died.
async fn go_on(store: &Arc<dyn Store>, campaigns: &Campaigns) {
    let all = store.fleet().campaigns().await.unwrap();
    let last = all.iter().max_by_key(|campaign| number_of(campaign));
    let number = last.map_or(0, number_of);
    if let Some(last) = last {
        match last.state.word() {
            "draft" => {
                campaigns.start(&last.name, "test").await.unwrap();
                return;
            }
            "finished" if number.is_multiple_of(2) => {
                campaigns.roll_back(&last.name, "test", "").await.unwrap();
                return;
            }
            "finished" | "rolled_back" => {}
            "gathering" | "running" | "rolling_back" => return,
            other => panic!("{other}: {last:?}"),
        }
    }
    let next = number + 1;
    let action = if next.is_multiple_of(2) {
        json!({"parameters": {"values": {PATH: "new"}}})
    } else {
        json!({"reboot": {}})
    };
    let text = json!({
        "name": format!("c{next}"),
        "target": {"match": "true"},
        "action": action,
        "waves": {"canary": 5, "sizes": ["50%"]},
        "pace": {"per_minute": 60_000, "concurrency": 8},
        "attempts": {"most": 2, "pause": "0s"},
        "abort": {"failures": "100%", "minimum": 1000},
    });
    let made = campaigns.create(&text.to_string(), "test", "").await.unwrap();
    campaigns.start(&made.name, "test").await.unwrap();
}

fn number_of(campaign: &CampaignRecord) -> u32 {
    campaign.name.trim_start_matches('c').parse().unwrap()
}

#[test]
fn a_hundred_kills_lose_no_device_and_send_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut seen, mut begun, mut random) = (Seen::default(), 0, 0x2545_F491_4F6C_DD1D_u64);
    for round in 0..=ROUNDS {
        runtime.block_on(async {
            let store = store::open(&settings(), folder.path()).await.unwrap();
            if round == 0 {
                put_devices(&store, DEVICES).await;
                let mut batch = Batch::new();
                for number in 0..DEVICES {
                    let mut tree = Tree::new();
                    let path = ParamPath::parse(PATH).unwrap();
                    tree.learn_value(&path, Value::string("old"), NOW);
                    batch.put(Record::Tree(named(number).id, tree.into()));
                }
                store.commit(batch).await.unwrap();
            }
            assert_eq!(store.health().alarms, [""; 0], "round {round}");
            check(&store, &seen, round).await;
            begun = store.fleet().campaigns().await.unwrap().len();
            store.close().await.unwrap();
        });
        if round < ROUNDS {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            run_and_kill(folder.path(), 1 + random % 6, &mut seen);
        }
    }
    assert!(begun >= 4, "{begun} campaigns were begun, and {} RPCs seen", seen.tasks.len());
}
