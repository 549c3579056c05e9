//! The audit in the store: numbered without gaps, chained over restarts, trimmed
//! from its oldest end.

use std::path::Path;
use std::sync::Arc;

use provost::access::{AuditDraft, Chain};
use provost::config::{Engine, StoreConfig};
use provost::store::{self, OfficeRecord, Record, Store};

use super::make::*;

/// An entry that tells a number.
pub(crate) fn entry(n: u32) -> Record {
    Record::Office(OfficeRecord::Audit(Box::new(AuditDraft {
        at: at(n.into()),
        actor: "ada".into(),
        token: "".into(),
        address: None,
        request: n.into(),
        action: "labels.change".into(),
        kind: "device".into(),
        key: "x".into(),
        tenant: "".into(),
        site: "".into(),
        sentence: format!("entry {n}").into(),
        before: None,
        after: Some("{}".into()),
    })))
}

/// Checks the whole chain; the numbers of the first entry and behind the last.
pub(crate) async fn checked(store: &dyn Store) -> (u64, u64) {
    let (first, end) = store.office().audit_range().await.unwrap();
    let mut chain = Chain::default();
    for entry in store.office().audit(first, usize::MAX).await.unwrap() {
        chain.take(entry.number, &entry.body, &entry.hash).unwrap();
        assert_eq!(AuditDraft::of_body(&entry.body), Some(entry.draft));
    }
    assert_eq!(chain.entries(), end - first);
    (first, end)
}

fn bounded(audit_entries: u32) -> StoreConfig {
    StoreConfig { audit_entries, ..config(Engine::Sled) }
}

async fn open(config: &StoreConfig, folder: &Path) -> Arc<dyn Store> {
    store::open(config, folder).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_goes_on_over_restarts_and_restores() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("backup"));
    for round in 0..3 {
        let store = open(&bounded(1000), &data).await;
        let mut batch = store::Batch::from(entry(round * 10));
        batch.put(entry(round * 10 + 1)).put(put_device(round));
        store.commit(batch).await.unwrap();
        store.commit(entry(round * 10 + 2).into()).await.unwrap();
        assert_eq!(checked(&*store).await, (0, u64::from(round + 1) * 3));
        store.backup(&file).await.unwrap();
        store.close().await.unwrap();
        std::fs::remove_file(&file).unwrap_or_default();
    }
    let store = open(&bounded(1000), &data).await;
    store.backup(&file).await.unwrap();
    let other = folder.path().join("other");
    store::restore(&file, &other).unwrap();
    let restored = open(&bounded(1000), &other).await;
    restored.commit(entry(99).into()).await.unwrap();
    assert_eq!(checked(&*restored).await, (0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_go_also_when_the_bound_was_lowered() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&bounded(20), folder.path()).await;
    for n in 0..50 {
        let mut batch = store::Batch::from(entry(n));
        batch.put(entry(n));
        store.commit(batch).await.unwrap();
    }
    assert_eq!(checked(&*store).await, (80, 100));
    store.close().await.unwrap();
    let store = open(&bounded(5), folder.path()).await;
    store.commit(entry(50).into()).await.unwrap();
    assert_eq!(checked(&*store).await, (96, 101), "from the oldest on, without a gap");
    store.close().await.unwrap();
    let store = open(&bounded(8), folder.path()).await;
    for n in 51..60 {
        store.commit(entry(n).into()).await.unwrap();
    }
    assert_eq!(checked(&*store).await, (102, 110));
}

#[tokio::test]
async fn an_entry_that_was_touched_is_found() {
    let store = store::memory(&bounded(100));
    for n in 0..5 {
        store.commit(entry(n).into()).await.unwrap();
    }
    let mut entries = store.office().audit(0, 9).await.unwrap();
    entries[2].body[3] ^= 1;
    let mut chain = Chain::default();
    let broken =
        entries.iter().find_map(|entry| chain.take(entry.number, &entry.body, &entry.hash).err());
    assert_eq!(broken, Some(provost::access::ChainBreak::Altered(2)));
}
