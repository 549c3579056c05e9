//! `kill -9` under load: every acknowledged commit is there afterwards.
//!
//! The child is this same test binary, run on one test that is ignored
//! otherwise. It prints a line for each acknowledged commit.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use provost::config::{Engine, StoreConfig};
use provost::store::{self, Batch, Record, Store};

use super::fault::Random;
use super::make::*;

const ROUNDS: usize = 100;
const WORKERS: u32 = 4;
const FOLDER: &str = "PROVOST_TEST_KILL_FOLDER";

fn small_snapshots() -> StoreConfig {
    StoreConfig { snapshot_after: 40 << 10, ..config(Engine::Sled) }
}

async fn count_of(store: &Arc<dyn Store>, worker: u32) -> u32 {
    let device = store.device(&id(worker)).await.unwrap();
    device.map_or(0, |device| u32::try_from(device.sessions).unwrap())
}

/// The child: commits until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of another test"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = store::open(&small_snapshots(), Path::new(&folder)).await.unwrap();
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let store = store.clone();
        workers.push(tokio::spawn(async move {
            for n in count_of(&store, worker).await + 1.. {
                let mut device = device(worker);
                device.sessions = n.into();
                let mut batch = Batch::from(Record::Device(Box::new(device)));
                batch.put(Record::Event(event(worker, n.into())));
                batch.put(put_task(&task(worker, n))).put(put_task(&ended(task(worker, n))));
                if n.is_multiple_of(8) {
                    batch.put(put_tree(worker, tree(20, &format!("{n}/"))));
                }
                store.commit(batch).await.unwrap();
                // One write, so that a line is whole or not there.
                std::io::stdout()
                    .lock()
                    .write_all(format!("ack {worker} {n}\n").as_bytes())
                    .unwrap();
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::kill::child", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a child until it has acknowledged so many commits, kills it, and adds
/// all that it acknowledged.
fn run_and_kill(folder: &Path, commits: u64, acknowledged: &mut HashMap<u32, u32>) {
    let mut child = start(folder);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut count = 0;
    for line in lines {
        let line = line.unwrap();
        let Some((worker, n)) = line.strip_prefix("ack ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        acknowledged.insert(worker.parse().unwrap(), n.parse().unwrap());
        count += 1;
        if count == commits {
            // SIGKILL; what was printed before is still read.
            child.kill().unwrap();
        }
    }
    assert!(count >= commits, "the child ended after {count} of {commits} commits");
    child.wait().unwrap();
}

#[test]
fn a_hundred_kills_lose_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut acknowledged = HashMap::new();
    let mut random = Random(9);
    for round in 0..ROUNDS {
        run_and_kill(folder.path(), 1 + random.next() % 60, &mut acknowledged);
        runtime.block_on(async {
            let store = store::open(&small_snapshots(), folder.path()).await.unwrap();
            assert_eq!(store.health().alarms, [""; 0], "round {round}");
            for (&worker, &count) in &acknowledged {
                let found = count_of(&store, worker).await;
                assert!(found >= count, "round {round}: {worker} has {found} of {count}");
                assert_eq!(
                    store.task(task(worker, found).id).await.unwrap(),
                    Some(ended(task(worker, found)))
                );
                assert!(store.open_tasks(&id(worker)).await.unwrap().is_empty());
                let latest = found - found % 8;
                let expected = (latest > 0).then(|| tree(20, &format!("{latest}/")));
                assert_eq!(store.tree(&id(worker)).await.unwrap(), expected, "round {round}");
            }
        });
    }
}
