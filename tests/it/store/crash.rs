//! Power cuts: what was acknowledged is there, whatever the disk kept of the
//! rest.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use provost::config::{Engine, StoreConfig};
use provost::store::{self, Batch, Ground, Record, TermSpan};
use provost::term::Index;

use super::fault::{MemoryDisk, Random};
use super::make::*;

const POINTS: usize = 50;
const WORKERS: u32 = 6;

/// Device → how many of its commits were acknowledged.
type Acknowledged = Arc<Mutex<HashMap<u32, u32>>>;

/// What is left of a store after the power failed.
struct Remains {
    disk: MemoryDisk,
    folder: tempfile::TempDir,
    acknowledged: HashMap<u32, u32>,
}

fn ground(disk: &MemoryDisk, boot: &str) -> Ground {
    Ground { disk: Arc::new(disk.clone()), boot: boot.to_owned() }
}

fn small_snapshots() -> StoreConfig {
    StoreConfig { snapshot_after: 24 << 10, ..config(Engine::Sled) }
}

/// The `n`-th commit of a device: all its records tell the number.
fn commit(worker: u32, n: u32) -> Batch {
    let mut device = device(worker);
    device.sessions = n.into();
    device.software_version = format!("v{n}").into();
    let mut batch = Batch::from(Record::Device(Box::new(device)));
    batch
        .put(Record::Labels(id(worker), labels(n, &format!("t{n}"))))
        .put(Record::Event(event(worker, n.into())))
        .put(super::audit::entry(n));
    if n.is_multiple_of(4) {
        batch.put(put_tree(worker, tree(30, &format!("{n}/"))));
    }
    batch
}

/// Copies the index's folder with pages lost at random: nobody synced it.
fn copy_mangled(from: &Path, to: &Path, random: &mut Random) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_mangled(&entry.path(), &target, random);
        } else if let Ok(mut bytes) = std::fs::read(entry.path()) {
            for page in bytes.chunks_mut(4096) {
                if random.coin() {
                    page.fill(0);
                }
            }
            std::fs::write(target, bytes).unwrap();
        }
    }
}

fn take_remains(
    data: &Path,
    disk: &MemoryDisk,
    acknowledged: &Acknowledged,
    random: &mut Random,
    pages: bool,
) -> Remains {
    // Before the disk is looked at: what is acknowledged later does not count.
    let acknowledged = acknowledged.lock().unwrap().clone();
    let disk = disk.after_power_cut(random, pages);
    let folder = tempfile::tempdir().unwrap();
    let index = data.join("store/sled");
    if index.exists() {
        copy_mangled(&index, &folder.path().join("data/store/sled"), random);
    }
    // The key of the secrets was synced when it was made, long before.
    let (key, there) = (data.join(store::KEY_FILE), folder.path().join("data"));
    std::fs::create_dir_all(&there).unwrap();
    std::fs::copy(key, there.join(store::KEY_FILE)).unwrap();
    // Paths on the disk are whole: the folder takes the place of the old one.
    Remains { disk: disk.moved(data, &folder.path().join("data")), folder, acknowledged }
}

async fn check(remains: &Remains, point: usize) {
    let data = remains.folder.path().join("data");
    let store = store::open_on(&small_snapshots(), &data, ground(&remains.disk, "second"))
        .await
        .unwrap_or_else(|error| panic!("point {point}: {error}"));
    super::audit::checked(&*store).await;
    for (&worker, &count) in &remains.acknowledged {
        let device = store.device(&id(worker)).await.unwrap();
        let found = device.map_or(0, |device| u32::try_from(device.sessions).unwrap());
        assert!(found >= count, "point {point}: device {worker} has {found} of {count}");
        // Batches are whole.
        let labels = store.labels(&id(worker)).await.unwrap();
        assert_eq!(labels.map_or(0, |labels| labels.revision), found, "point {point}");
        let events = store.events(&id(worker), 1).await.unwrap();
        assert_eq!(events.first().map_or(0, |event| event.at.as_millis()), i64::from(found));
        let latest = found - found % 4;
        let expected = (latest > 0).then(|| tree(30, &format!("{latest}/")));
        assert_eq!(store.tree(&id(worker)).await.unwrap(), expected, "point {point}");
        // The indexes say what the records say.
        if found > 0 {
            for (index, text) in
                [(Index::Version, format!("v{found}")), (Index::Tag, format!("t{found}"))]
            {
                let entries = store.indexes().entries(index, &TermSpan::All, None, false, 99);
                let own = entries.await.unwrap().into_iter().filter(|(_, of)| *of == id(worker));
                let texts: Vec<Box<[u8]>> = own.map(|(text, _)| text).collect();
                assert_eq!(texts, [text.as_bytes().into()], "point {point}");
            }
        }
    }
    assert!(store.indexes().indexing().terms, "point {point}");
    // And it goes on.
    store.commit(put_device(9999).into()).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disk = MemoryDisk::default();
    let acknowledged = Acknowledged::default();
    let remains = Arc::new(Mutex::new(Vec::new()));
    {
        let (data, acknowledged, remains) = (data.clone(), acknowledged.clone(), remains.clone());
        let random = Mutex::new(Random(2026));
        disk.watch(move |operation, disk| {
            let mut remains = remains.lock().unwrap();
            // Every operation of the beginning, then now and then.
            if remains.len() < POINTS && (operation < 10 || operation % 17 == 0) {
                let pages = remains.len() % 3 > 0;
                let mut random = random.lock().unwrap();
                remains.push(take_remains(&data, disk, &acknowledged, &mut random, pages));
            }
        });
    }
    let store = store::open_on(&small_snapshots(), &data, ground(&disk, "first")).await.unwrap();
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let (store, acknowledged, remains) = (store.clone(), acknowledged.clone(), remains.clone());
        workers.push(tokio::spawn(async move {
            let mut n = 0;
            while remains.lock().unwrap().len() < POINTS || n < 20 {
                n += 1;
                store.commit(commit(worker, n)).await.unwrap();
                acknowledged.lock().unwrap().insert(worker, n);
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    drop(store);
    let remains = std::mem::take(&mut *remains.lock().unwrap());
    assert_eq!(remains.len(), POINTS);
    for (point, remains) in remains.iter().enumerate() {
        check(remains, point).await;
    }
    let most = remains.iter().map(|remains| remains.acknowledged.values().sum::<u32>()).max();
    assert!(most > Some(50), "the power failed before much was acknowledged: {most:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_another_boot_is_rebuilt_with_an_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let disk = MemoryDisk::default();
    for (boot, close, alarms) in [
        ("a", false, 0),
        ("a", false, 0),
        ("b", true, 1),
        ("c", true, 0),
        ("c", false, 0),
        ("d", true, 1),
    ] {
        let store =
            store::open_on(&small_snapshots(), folder.path(), ground(&disk, boot)).await.unwrap();
        let health = store.health();
        assert_eq!(health.alarms.len(), alarms, "boot {boot}: {:?}", health.alarms);
        let count = store.device(&id(1)).await.unwrap().map_or(0, |device| device.sessions);
        let next = u32::try_from(count).unwrap() + 1;
        store.commit(commit(1, next)).await.unwrap();
        if close {
            store.close().await.unwrap();
        }
    }
    let store =
        store::open_on(&small_snapshots(), folder.path(), ground(&disk, "d")).await.unwrap();
    assert_eq!(store.device(&id(1)).await.unwrap().unwrap().sessions, 6);
    let aside: Vec<_> = std::fs::read_dir(folder.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("sled.damaged-"))
        .collect();
    assert_eq!(aside, ["sled.damaged-2"], "one is kept");
}
