//! Backups: written under load, refused when altered, whole when restored.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use provost::config::Engine;
use provost::device::Secret;
use provost::store::{self, Batch, Record, Store, StoreError, Vault};

use super::make::*;

async fn open(data: &Path) -> Arc<dyn Store> {
    store::open(&config(Engine::Sled), data).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_restores_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    let vault = Vault::open(&data).unwrap();
    std::fs::create_dir(data.join("tls")).unwrap();
    std::fs::write(data.join("tls/ca.pem"), "PEM").unwrap();
    let store = open(&data).await;
    let sealed = vault.seal(&Secret::new("pässword"));
    let mut batch = Batch::from(Record::Setting("sealed".into(), sealed.0.clone()));
    batch.put(Record::FileVersion(gate(7, 1))).put(put_task(&task(1, 1)));
    for n in 0..500 {
        batch.put(put_device(n)).put(put_tree(n, tree(50, "x")));
    }
    store.commit(batch).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let mut n = 0;
            while !stop.load(Ordering::Relaxed) {
                n += 1;
                let mut batch = Batch::from(Record::Labels(id(1), labels(n, "t")));
                batch.put(Record::Event(event(1, n.into())));
                store.commit(batch).await.unwrap();
            }
        }
    });
    while store.labels(&id(1)).await.unwrap().is_none_or(|labels| labels.revision < 5) {
        tokio::task::yield_now().await;
    }
    let report = store.backup(&file).await.unwrap();
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
    assert!(report.records > 1000, "{report:?}");
    assert_eq!(report.bytes, file.metadata().unwrap().len());
    let target = folder.path().join("other/data");
    assert_eq!(store::restore(&file, &target).unwrap().bytes, report.bytes);
    let restored = open(&target).await;
    assert!(restored.health().alarms.is_empty(), "{:?}", restored.health());
    assert_eq!(restored.devices(None, 9999).await.unwrap().len(), 500);
    assert_eq!(restored.health().devices, 500);
    assert_eq!(restored.tree(&id(9)).await.unwrap(), Some(tree(50, "x")));
    assert_eq!(restored.open_tasks(&id(1)).await.unwrap(), [task(1, 1)]);
    let revision = restored.labels(&id(1)).await.unwrap().unwrap().revision;
    assert!(revision >= 5);
    let events = restored.events(&id(1), 1).await.unwrap();
    assert_eq!(events[0].at.as_millis(), i64::from(revision), "batches are whole");
    // The key came along, and versions do not fall.
    let sealed = provost::device::Sealed(restored.setting("sealed").await.unwrap().unwrap());
    let vault = Vault::open(&target).unwrap();
    assert_eq!(vault.unseal(&sealed).unwrap().expose(), "pässword");
    assert_eq!(std::fs::read(target.join("tls/ca.pem")).unwrap(), b"PEM");
    let version = restored.file_version(&gate(0, 0).key).await.unwrap().unwrap();
    assert_eq!((version.counter, version.body_hash), (1007, [1; 32]));
    restored.commit(put_device(501).into()).await.unwrap();
    restored.close().await.unwrap();
    assert_eq!(open(&target).await.devices(None, 9999).await.unwrap().len(), 501);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_in_memory_is_backed_up_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("backup"), folder.path().join("data"));
    let store = store::memory(&config(Engine::Memory));
    store.commit(put_device(1).into()).await.unwrap();
    store.commit(put_tree(1, tree(9, "x")).into()).await.unwrap();
    store.backup(&file).await.unwrap();
    store::restore(&file, &data).unwrap();
    let restored = open(&data).await;
    assert_eq!(restored.tree(&id(1)).await.unwrap(), Some(tree(9, "x")));
    // Names go on where they were.
    restored.commit(put_tree(1, tree(60, "y")).into()).await.unwrap();
    assert_eq!(restored.tree(&id(1)).await.unwrap(), Some(tree(60, "y")));
}

#[tokio::test(flavor = "multi_thread")]
async fn e15_an_altered_backup_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("backup"), folder.path().join("data"));
    let store = store::memory(&config(Engine::Memory));
    store.commit(put_device(1).into()).await.unwrap();
    store.backup(&file).await.unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 4;
        std::fs::write(&file, &altered).unwrap();
        let error = store::restore(&file, &data).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "byte {at}: {error}");
        std::fs::write(&file, &bytes[..at]).unwrap();
        let error = store::restore(&file, &data).unwrap_err();
        assert!(matches!(error, StoreError::Damaged(_)), "cut at {at}: {error}");
        assert!(!data.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_empty_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("backup"), folder.path().join("data"));
    let store = store::memory(&config(Engine::Memory));
    store.backup(&file).await.unwrap();
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("own"), "own").unwrap();
    assert!(matches!(store::restore(&file, &data), Err(StoreError::Conflict(_))));
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
    std::fs::remove_file(data.join("own")).unwrap();
    store::restore(&file, &data).unwrap();
    assert_eq!(open(&data).await.devices(None, 9).await.unwrap().len(), 0);
}
