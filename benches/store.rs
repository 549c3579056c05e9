//! What the store costs: CPU of a commit, and memory of a large inventory.
//!
//! `cargo bench --bench store` measures commits and trees. With
//! `PROVOST_BENCH_DEVICES=100000` it fills a store with so many devices of 300
//! parameters instead, and tells the memory that is resident.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench ends with a panic when something is missing, and tells what it measured"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use provost::config::StoreConfig;
use provost::device::{Device, DeviceId, DeviceIdentity, EventCode, Lessons};
use provost::param::{ParamPath, Tree, Value};
use provost::store::{self, Batch, Record, Store};
use provost::time::Timestamp;

const COMMITTERS: u64 = 64;

fn device(n: u64) -> Device {
    let identity = DeviceIdentity::new("Maker", "00D09E", "Gateway", &format!("{n:09}")).unwrap();
    Device {
        settlement: provost::device::Settlement::default(),
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        first_seen: Timestamp::from_millis(1),
        last_inform: Timestamp::from_millis(1),
        last_boot: None,
        last_bootstrap: None,
        last_events: vec![EventCode::Periodic],
        address: Some([192, 0, 2, 1].into()),
        connection_request_url: "http://192.0.2.1:7547/connection".into(),
        software_version: "1.0.0".into(),
        hardware_version: "A".into(),
        provisioning_code: "".into(),
        inform_hash: n,
        tree_read_at: None,
        parameter_count: 300,
        sessions: 1,
        lessons: Lessons::default(),
    }
}

fn tree(device: u64, count: u64) -> Tree {
    let mut tree = Tree::new();
    let now = Timestamp::from_millis(1_795_205_100_000);
    for n in 0..count {
        let path = format!("Device.Section{}.Table.{}.Parameter{}", n % 10, n / 40 + 1, n % 40);
        let value = match n % 3 {
            0 => Value::boolean(n % 2 == 0),
            1 => Value::unsigned(u32::try_from(device.wrapping_mul(n) % 100_000).unwrap()),
            _ => Value::string(format!("value {} of {device:x}", n % 5)),
        };
        tree.learn_value(&ParamPath::parse(&path).unwrap(), value, now);
    }
    tree
}

/// CPU time of all threads of this process that are alive.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let nanos = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(nanos.sum())
}

/// Commits one hot record `count` times from many tasks; the CPU that it took.
async fn commit_many(store: &Arc<dyn Store>, count: u64) -> Duration {
    let before = cpu();
    let each = count.div_ceil(COMMITTERS);
    let mut tasks = Vec::new();
    for n in 0..COMMITTERS {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            let mut device = device(n);
            for session in 0..each {
                device.sessions = session;
                store.commit(Record::Device(Box::new(device.clone())).into()).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    (cpu() - before).mul_f64(count as f64 / (each * COMMITTERS) as f64)
}

fn bench(criterion: &mut Criterion) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(store::open(&StoreConfig::default(), folder.path())).unwrap();
    criterion.bench_function("commit of one record, 64 at once (CPU)", |bencher| {
        bencher.iter_custom(|count| runtime.block_on(commit_many(&store, count)));
    });
    let id = device(1).id;
    criterion.bench_function("open tasks of a device without any", |bencher| {
        bencher.iter(|| runtime.block_on(store.open_tasks(&id)).unwrap());
    });
    criterion.bench_function("read a hot record", |bencher| {
        bencher.iter(|| runtime.block_on(store.device(&id)).unwrap());
    });
    let memory = store::memory(&StoreConfig::default());
    for count in [300, 5_000] {
        let tree = Arc::new(tree(1, count));
        criterion.bench_function(
            &format!("put a tree of {count} (encoding, in memory)"),
            |bencher| {
                bencher.iter(|| {
                    let record = Record::Tree(id.clone(), tree.clone());
                    runtime.block_on(memory.commit(record.into())).unwrap();
                });
            },
        );
        criterion.bench_function(&format!("read a tree of {count}"), |bencher| {
            bencher.iter(|| runtime.block_on(memory.tree(&id)).unwrap());
        });
    }
    runtime.block_on(store.close()).unwrap();
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
}

fn disk_used(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let sizes = entries.map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => disk_used(&entry.path()),
        _ => entry.metadata().map_or(0, |meta| meta.len() >> 10),
    });
    sizes.sum()
}

/// Every device informs once, 64 at a time.
async fn commit_all(store: &Arc<dyn Store>, count: u64) {
    let mut tasks = Vec::new();
    for n in 0..COMMITTERS {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for n in (n..count).step_by(64) {
                store.commit(Record::Device(Box::new(device(n))).into()).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// Fills a store, lets every device inform once more, opens it again.
async fn fill(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let config = StoreConfig::default();
    let store = store::open(&config, folder.path()).await.unwrap();
    let began = Instant::now();
    for first in (0..count).step_by(64) {
        let mut tasks = Vec::new();
        for n in first..(first + 64).min(count) {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                let mut batch = Batch::from(Record::Device(Box::new(device(n))));
                batch.put(Record::Tree(device(n).id, Arc::new(tree(n, 300))));
                store.commit(batch).await.unwrap();
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    }
    println!("{count} first contacts: {:?}, resident {} MB", began.elapsed(), resident());
    let began = Instant::now();
    commit_all(&store, count).await;
    println!("{count} periodic commits: {:?}, resident {} MB", began.elapsed(), resident());
    store.close().await.unwrap();
    println!("on disk: {} MB", disk_used(folder.path()) >> 10);
    drop(store);
    let began = Instant::now();
    let store = store::open(&config, folder.path()).await.unwrap();
    let some = DeviceId::parse(device(count / 2).id.as_str()).unwrap();
    assert_eq!(store.tree(&some).await.unwrap(), Some(tree(count / 2, 300)));
    println!("opened again: {:?}, resident {} MB", began.elapsed(), resident());
    assert_eq!(store.health().devices, count);
    store.close().await.unwrap();
}

criterion_group!(benches, bench);

fn main() {
    match std::env::var("PROVOST_BENCH_DEVICES").ok().and_then(|count| count.parse().ok()) {
        Some(count) => tokio::runtime::Runtime::new().unwrap().block_on(fill(count)),
        None => {
            benches();
            Criterion::default().configure_from_args().final_summary();
        }
    }
}
