//! A disk that is full or fails: commits are refused politely, nothing is
//! lost, and it goes on by itself.

use std::path::Path;
use std::sync::Arc;

use provost::config::Engine;
use provost::store::{self, Ground, Store, StoreError};

use super::fault::{MemoryDisk, Random};
use super::make::*;

async fn open(data: &Path, disk: &MemoryDisk, boot: &str) -> Arc<dyn Store> {
    let ground = Ground { disk: Arc::new(disk.clone()), boot: boot.to_owned() };
    store::open_on(&config(Engine::Sled), data, ground).await.unwrap()
}

async fn numbers(store: &Arc<dyn Store>) -> Vec<String> {
    let devices = store.devices(None, 99).await.unwrap();
    devices.iter().map(|device| device.identity.serial_number.to_string()).collect()
}

/// Commits 1; refuses 2 while the disk is in trouble; takes 3 afterwards. Then
/// 1 and 3 are there and 2 is not, after a restart and after a power cut.
async fn refuses_and_resumes(trouble: impl Fn(&MemoryDisk, bool)) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disk = MemoryDisk::default();
    let store = open(&data, &disk, "a").await;
    store.commit(put_device(1).into()).await.unwrap();
    trouble(&disk, true);
    for _ in 0..3 {
        let refused = store.commit(put_device(2).into()).await;
        assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    }
    let health = store.health();
    assert!(!health.writable && health.alarms.len() == 1, "{health:?}");
    assert_eq!(numbers(&store).await, ["000001"], "reads go on");
    // Nothing of it survives, even if this is where it ends.
    let mut random = Random(7);
    for round in 0..20 {
        let cut =
            disk.after_power_cut(&mut random, round > 0).moved(&data, &folder.path().join("cut"));
        let after = open(&folder.path().join("cut"), &cut, "b").await;
        assert_eq!(numbers(&after).await, ["000001"]);
        drop(after);
        std::fs::remove_dir_all(folder.path().join("cut")).unwrap();
    }
    trouble(&disk, false);
    store.commit(put_device(3).into()).await.unwrap();
    let health = store.health();
    assert!(health.writable && health.alarms.is_empty(), "{health:?}");
    let cut = disk.after_power_cut(&mut random, false).moved(&data, &folder.path().join("cut"));
    let after = open(&folder.path().join("cut"), &cut, "b").await;
    assert_eq!(numbers(&after).await, ["000001", "000003"]);
    drop(store);
    let store = open(&data, &disk, "a").await;
    assert_eq!(numbers(&store).await, ["000001", "000003"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_space_on_write() {
    refuses_and_resumes(MemoryDisk::set_full).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_space_on_sync() {
    refuses_and_resumes(MemoryDisk::set_full_at_sync).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn space_is_left_for_the_index() {
    refuses_and_resumes(|disk, on| disk.set_free(on.then_some(1 << 20))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failed_sync_the_old_pages_are_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disk = MemoryDisk::default();
    let store = open(&data, &disk, "a").await;
    store.commit(put_device(1).into()).await.unwrap();
    disk.fail_syncs(1);
    store.commit(put_device(2).into()).await.unwrap();
    store.commit(put_device(3).into()).await.unwrap();
    let cut = disk.after_power_cut(&mut Random(1), false).moved(&data, &folder.path().join("cut"));
    let after = open(&folder.path().join("cut"), &cut, "b").await;
    assert_eq!(numbers(&after).await, ["000001", "000002", "000003"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_sync_fails_the_outcome_is_unknown_and_then_settled() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let disk = MemoryDisk::default();
    let store = open(&data, &disk, "a").await;
    store.commit(put_device(1).into()).await.unwrap();
    disk.fail_syncs(100);
    let refused = store.commit(put_device(2).into()).await;
    assert!(matches!(refused, Err(StoreError::Io(_))), "{refused:?}");
    assert_eq!(numbers(&store).await, ["000001"]);
    disk.fail_syncs(0);
    store.commit(put_device(3).into()).await.unwrap();
    assert!(store.health().writable);
    drop(store);
    let store = open(&data, &disk, "a").await;
    assert_eq!(numbers(&store).await, ["000001", "000003"], "the next commit settled it");
}
