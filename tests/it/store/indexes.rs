//! By what devices are searched: the indexes follow the records, on both engines,
//! over restarts, backups and damage.

use std::ops::Bound;
use std::sync::Arc;

use provost::config::Engine;
use provost::device::{DeviceId, Labels};
use provost::param::Tree;
use provost::store::{self, Batch, Change, Record, Store, TermSpan};
use provost::term::{Index, Term};

use super::make::*;

const ALL: TermSpan = TermSpan::All;

async fn having(store: &Arc<dyn Store>, index: Index, text: &str) -> Vec<DeviceId> {
    store.indexes().having(&Term::new(index, text), None, 99).await.unwrap()
}

/// Every entry of every index.
async fn entries(store: &Arc<dyn Store>) -> Vec<(Index, Box<[u8]>, DeviceId)> {
    let mut all = Vec::new();
    for index in Index::ALL {
        let entries = store.indexes().entries(*index, &ALL, None, false, 999).await.unwrap();
        all.extend(entries.into_iter().map(|(text, id)| (*index, text, id)));
    }
    all
}

fn known_tree(login: &str) -> Tree {
    let mut tree = tree(20, "x");
    for (name, value) in [
        ("Device.PPP.Interface.1.Username", login),
        ("Device.Ethernet.Interface.1.MACAddress", "0C:38:3E:00:00:01"),
        ("Device.PPP.Interface.1.IPCP.LocalIPAddress", "203.0.113.7"),
    ] {
        tree.learn_value(&path(name), provost::param::Value::string(value), at(1));
    }
    tree
}

fn known_labels(revision: u32) -> Labels {
    let subscriber = [("id", "4711"), ("password", "canary-7a")];
    Labels {
        tenant: "north".into(),
        site: "hq".into(),
        subscriber: subscriber.map(|(name, value)| (name.into(), value.into())).into(),
        ..labels(revision, "Gold")
    }
}

async fn fill(store: &Arc<dyn Store>) {
    for n in [1, 2, 10] {
        let mut batch = Batch::from(put_device(n));
        batch.put(put_tree(n, known_tree(&format!("user{n}"))));
        batch.put(Record::Labels(id(n), known_labels(1)));
        store.commit(batch).await.unwrap();
    }
}

async fn follow(store: &Arc<dyn Store>) {
    fill(store).await;
    for (index, text) in [
        (Index::Oui, "00d09e"),
        (Index::Model, "GATE-way"),
        (Index::Tag, "gold"),
        (Index::Tenant, "north"),
        (Index::Subscriber, "4711"),
        (Index::TreeMac, "0c383e000001"),
        (Index::TreeAddress, "203.0.113.7"),
    ] {
        assert_eq!(having(store, index, text).await, [id(1), id(2), id(10)], "{index:?}");
    }
    assert_eq!(having(store, Index::TreeLogin, "user10").await, [id(10)]);
    assert_eq!(having(store, Index::Serial, "000002").await, [id(2)]);
    assert!(having(store, Index::Subscriber, "canary-7a").await.is_empty(), "a secret is no term");
    // What changes is found under what it became and under nothing else.
    let mut device = device(1);
    device.software_version = "2.0".into();
    let mut batch = Batch::from(Record::Device(Box::new(device.clone())));
    device.software_version = "3.0".into();
    batch.put(Record::Device(Box::new(device)));
    batch.put(Record::Labels(id(1), labels(2, "silver")));
    batch.put(put_tree(1, tree(5, "y")));
    store.commit(batch).await.unwrap();
    assert_eq!(having(store, Index::Version, "3.0").await, [id(1)]);
    for (index, text) in [
        (Index::Version, "2.0"),
        (Index::Version, "1.0"),
        (Index::Tag, "gold"),
        (Index::Tenant, "north"),
        (Index::TreeLogin, "user1"),
    ] {
        assert!(!having(store, index, text).await.contains(&id(1)), "{index:?} {text}");
    }
    // A refused batch changes nothing.
    let before = entries(store).await;
    let mut refused = Batch::from(Record::Labels(id(2), labels(9, "never")));
    refused.put(put_tree(2, known_tree("never")));
    store.commit(refused).await.unwrap_err();
    assert_eq!(entries(store).await, before);
    // What is forgotten is gone, also what the same batch put before.
    let mut batch = Batch::from(put_tree(2, known_tree("other")));
    batch.push(Change::ForgetDevice(id(2)));
    store.commit(batch).await.unwrap();
    let left = entries(store).await;
    assert!(left.len() > 10 && left.iter().all(|(.., of)| *of != id(2)), "{left:?}");
}

#[tokio::test]
async fn entries_follow_the_records_in_memory() {
    let store = store::memory(&config(Engine::Memory));
    follow(&store).await;
    let informed = store.indexes().informed_before(at(10), 9).unwrap();
    assert_eq!(informed, [(id(1), at(1))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_follow_the_records_on_sled_and_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open(&config(Engine::Sled), folder.path()).await.unwrap();
    follow(&store).await;
    let before = entries(&store).await;
    // Once as after a crash, once closed in order.
    drop(store);
    for _ in 0..2 {
        let store = store::open(&config(Engine::Sled), folder.path()).await.unwrap();
        assert!(store.indexes().indexing().terms, "what is there is known to be whole");
        assert_eq!(entries(&store).await, before);
        store.indexes().indexed().await;
        let all = (Bound::Unbounded, Bound::Unbounded);
        let informed = store.indexes().informed(all, None, true, 9).unwrap();
        assert_eq!(informed, [(id(10), at(10)), (id(1), at(1))]);
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_travel_with_a_backup_and_outlive_a_damaged_index() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("backup"), folder.path().join("data"));
    let store = store::memory(&config(Engine::Memory));
    fill(&store).await;
    let before = entries(&store).await;
    store.backup(&file).await.unwrap();
    store::restore(&file, &data).unwrap();
    let restored = store::open(&config(Engine::Sled), &data).await.unwrap();
    assert!(restored.indexes().indexing().terms);
    assert_eq!(entries(&restored).await, before);
    restored.close().await.unwrap();
    std::fs::remove_dir_all(data.join("store/sled")).unwrap();
    let rebuilt = store::open(&config(Engine::Sled), &data).await.unwrap();
    assert_eq!(entries(&rebuilt).await, before);
    rebuilt.close().await.unwrap();
}

#[tokio::test]
async fn pages_of_entries_follow_each_other() {
    let store = store::memory(&config(Engine::Memory));
    fill(&store).await;
    let indexes = store.indexes();
    let term = Term::new(Index::Tag, "gold");
    assert_eq!(indexes.having(&term, Some(&id(1)), 1).await.unwrap(), [id(2)]);
    assert_eq!(indexes.having(&term, Some(&id(10)), 9).await.unwrap(), []);
    assert_eq!(indexes.count(&term, 2).await.unwrap(), 2);
    assert!(indexes.has(&term, &id(2)).await.unwrap());
    assert!(!indexes.has(&term, &id(3)).await.unwrap());
    for (descending, expected) in [(false, [id(1), id(2), id(10)]), (true, [id(10), id(2), id(1)])]
    {
        let mut found = Vec::new();
        let mut after: Option<(Box<[u8]>, DeviceId)> = None;
        loop {
            let behind = after.as_ref().map(|(text, id)| (&**text, id));
            let page = indexes.entries(Index::Serial, &ALL, behind, descending, 1).await.unwrap();
            let Some(entry) = page.into_iter().next() else { break };
            found.push(entry.1.clone());
            after = Some(entry);
        }
        assert_eq!(found, expected);
    }
    assert_eq!(indexes.ids_back(Some(&id(10)), 9).await.unwrap(), [id(2), id(1)]);
}
