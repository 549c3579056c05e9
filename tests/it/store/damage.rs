//! What is damaged on disk: mended where nothing acknowledged is lost, else
//! told in a clear word.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use provost::config::{Engine, StoreConfig};
use provost::store::{self, Store, StoreError};

use super::make::*;

async fn open(data: &Path) -> Result<Arc<dyn Store>, StoreError> {
    store::open(&config(Engine::Sled), data).await
}

/// A store with devices 1 to `count`, closed.
async fn filled(data: &Path, count: u32) {
    let store = open(data).await.unwrap();
    for n in 1..=count {
        store.commit(put_device(n).into()).await.unwrap();
    }
    store.close().await.unwrap();
}

fn journal(data: &Path) -> PathBuf {
    let mut segments: Vec<_> = std::fs::read_dir(data.join("store/journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.metadata().unwrap().len() > 40)
        .collect();
    segments.sort();
    segments.pop().unwrap()
}

fn forget_index(data: &Path) {
    std::fs::remove_dir_all(data.join("store/sled")).unwrap();
}

fn rubbish_below(folder: &Path, how: &dyn Fn(&mut Vec<u8>)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rubbish_below(&path, how);
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            how(&mut bytes);
            std::fs::write(path, bytes).unwrap();
        }
    }
}

/// A way to spoil a file's bytes.
type Damage = dyn Fn(&mut Vec<u8>);

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_rubbish_is_rebuilt_with_an_alarm() {
    let ways: [(&str, &Damage); 6] = [
        ("ones", &|bytes| bytes.fill(0xff)),
        ("zeroes", &|bytes| bytes.fill(0)),
        ("text", &|bytes| *bytes = b"rubbish\n".repeat(9000)),
        ("empty", &|bytes| bytes.clear()),
        ("half", &|bytes| bytes.truncate(bytes.len() / 2)),
        ("every 97th byte", &|bytes| bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 0x55)),
    ];
    for (name, how) in ways {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 30).await;
        rubbish_below(&folder.path().join("store/sled"), how);
        let store = open(folder.path()).await.unwrap();
        assert_eq!(store.devices(None, 99).await.unwrap().len(), 30, "{name}");
        let alarms = store.health().alarms;
        assert!(alarms.len() == 1 && alarms[0].contains("rebuilt"), "{name}: {alarms:?}");
        assert!(folder.path().join("store/sled.damaged-1").exists(), "{name}");
        store.commit(put_device(31).into()).await.unwrap();
        store.close().await.unwrap();
        let store = open(folder.path()).await.unwrap();
        assert!(store.health().alarms.is_empty(), "{name}: the alarm is over");
        assert_eq!(store.devices(None, 99).await.unwrap().len(), 31, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_cut_is_made_up_for_by_the_index() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 10).await;
    let path = journal(folder.path());
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    for round in 0..2 {
        let store = open(folder.path()).await.unwrap();
        assert_eq!(store.devices(None, 99).await.unwrap().len(), 10);
        assert_eq!(store.health().alarms.len(), 1 - round, "told once");
        store.close().await.unwrap();
    }
    // It was made durable again: the index is not needed.
    forget_index(folder.path());
    let store = open(folder.path()).await.unwrap();
    assert_eq!(store.devices(None, 99).await.unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_journal_without_an_index_gives_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    for n in 1..=10 {
        store.commit(put_device(n).into()).await.unwrap();
    }
    // Not closed: nothing tells how far it had come.
    drop(store);
    let path = journal(folder.path());
    let bytes = std::fs::read(&path).unwrap();
    let mut counts = Vec::new();
    for cut in (41..bytes.len()).step_by(bytes.len() / 12) {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        forget_index(folder.path());
        let store = open(folder.path()).await.unwrap();
        counts.push(store.devices(None, 99).await.unwrap().len());
    }
    assert!(counts.is_sorted() && counts[0] == 0 && counts.last() > Some(&7), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_in_the_middle_stops_the_start_and_names_the_place() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 10).await;
    let path = journal(folder.path());
    let bytes = std::fs::read(&path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    let error = open(folder.path()).await.err().unwrap();
    let text = error.to_string();
    assert!(matches!(error, StoreError::Damaged(_)), "{text}");
    assert!(text.contains(name) && text.contains("at offset"), "{text}");
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(open(folder.path()).await.unwrap().devices(None, 99).await.unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_journal_is_made_up_for_by_the_index_or_told() {
    for (has_index, what) in
        [(true, "emptied"), (false, "emptied"), (true, "gone"), (false, "gone")]
    {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 10).await;
        let path = journal(folder.path());
        match what {
            "emptied" => std::fs::write(&path, []).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        if has_index {
            let store = open(folder.path()).await.unwrap();
            assert_eq!(store.devices(None, 99).await.unwrap().len(), 10, "{what}");
            assert_eq!(store.health().alarms.len(), 1, "{what}");
        } else {
            forget_index(folder.path());
            // Told again at every start, not forgotten after the first.
            for _ in 0..2 {
                let error = open(folder.path()).await.err().unwrap().to_string();
                assert!(error.contains("10 were acknowledged"), "{what}: {error}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_without_its_beginning_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3).await;
    let first = folder.path().join("store/journal/000000000001.journal");
    let bytes = std::fs::read(&first).unwrap();
    for content in [None, Some(Vec::new()), Some(bytes[..20].to_vec())] {
        std::fs::remove_file(&first).unwrap();
        if let Some(content) = content {
            std::fs::write(&first, content).unwrap();
        }
        let error = open(folder.path()).await.err().unwrap();
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        std::fs::write(&first, &bytes).unwrap();
    }
    assert_eq!(open(folder.path()).await.unwrap().devices(None, 99).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_seen_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let small = StoreConfig { snapshot_after: 4 << 10, ..config(Engine::Sled) };
    let store = store::open(&small, folder.path()).await.unwrap();
    let parts = folder.path().join("store/snapshot");
    let has_part = || {
        let mut names = std::fs::read_dir(&parts).unwrap().map(|entry| entry.unwrap().path());
        names.find(|path| path.extension().is_some_and(|ext| ext == "part"))
    };
    let mut count = 0;
    while has_part().is_none() {
        count += 1;
        store.commit(put_device(count).into()).await.unwrap();
    }
    store.close().await.unwrap();
    let path = has_part().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    forget_index(folder.path());
    let error = store::open(&small, folder.path()).await.err().unwrap().to_string();
    assert!(error.contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
    std::fs::write(&path, bytes).unwrap();
    let store = store::open(&small, folder.path()).await.unwrap();
    assert_eq!(store.devices(None, 9999).await.unwrap().len(), usize::try_from(count).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_cannot_have_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).await.unwrap();
    let error = open(folder.path()).await.err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    store.commit(put_device(1).into()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_cut_off_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 3).await;
    // As after a crash while the index was rebuilt: no marker.
    std::fs::remove_file(folder.path().join("store/index.marker")).unwrap();
    let store = open(folder.path()).await.unwrap();
    assert_eq!(store.devices(None, 99).await.unwrap().len(), 3);
    assert_eq!(store.health().alarms.len(), 1);
}
