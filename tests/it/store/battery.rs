//! One battery for every engine: what holds on one holds on all.

use std::sync::Arc;

use provost::config::Engine;
use provost::device::{Association, Kinship, Teller};
use provost::profile::ProfileRecord;
use provost::store::{self, Batch, Change, Kind, Notice, Record, Store, StoreError};
use provost::time::Timestamp;
use tokio::sync::broadcast::error::TryRecvError;

use super::make::*;

/// Runs a test on both engines; sled's store is opened anew in between, at
/// `again`, so that what is read was stored and not just remembered.
macro_rules! on_every_engine {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                let store = provost::store::memory(&super::config(provost::config::Engine::Memory));
                super::$name(&super::Bench { store, folder: None }).await;
            })*
        }
        mod sled {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(&super::Bench::sled().await).await;
            })*
        }
    };
}

/// A store to be tried.
struct Bench {
    store: Arc<dyn Store>,
    folder: Option<tempfile::TempDir>,
}

impl Bench {
    async fn sled() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store::open(&config(Engine::Sled), folder.path()).await.unwrap();
        Self { store, folder: Some(folder) }
    }

    /// The store after it was closed and opened again, where that is possible.
    async fn again(&self) -> Arc<dyn Store> {
        match &self.folder {
            None => self.store.clone(),
            Some(folder) => {
                self.store.close().await.unwrap();
                store::open(&config(Engine::Sled), folder.path()).await.unwrap()
            }
        }
    }
}

on_every_engine! {
    every_record_reads_back
    lists_are_ordered_and_paged
    revisions_are_kept
    a_refused_batch_leaves_nothing
    tasks_move_between_the_lists
    ended_tasks_and_events_are_bounded
    large_records_come_in_parts
    a_forgotten_device_leaves_nothing
    version_gates_never_fall
    watchers_are_told_after_the_fact
    changes_of_kept_kinds_are_counted
    many_commit_at_once
    a_closed_store_says_so
    old_history_is_trimmed
    what_is_too_large_is_refused
    histories_are_rings_and_associations_have_two_ends
}

async fn put(store: &Arc<dyn Store>, record: Record) {
    store.commit(record.into()).await.unwrap();
}

async fn every_record_reads_back(bench: &Bench) {
    let mut batch = Batch::new();
    batch
        .put(put_device(1))
        .put(put_tree(1, tree(300, "x")))
        .put(Record::Labels(id(1), labels(1, "tag")))
        .put(Record::Credentials(Box::new(credentials(1))))
        .put(put_task(&task(1, 1)))
        .put(Record::Event(event(1, 10)))
        .put(Record::Phone(Box::new(phone(1, 1))))
        .put(Record::Seen(mac(1), seen()))
        .put(Record::Site(Box::new(site("here", 1))))
        .put(Record::FileVersion(gate(1, 1)))
        .put(Record::File(file(1)))
        .put(Record::Setting("s".into(), vec![1, 2]));
    bench.store.commit(batch).await.unwrap();
    let store = bench.again().await;
    assert_eq!(store.device(&id(1)).await.unwrap(), Some(device(1)));
    assert_eq!(store.tree(&id(1)).await.unwrap(), Some(tree(300, "x")));
    assert_eq!(store.labels(&id(1)).await.unwrap(), Some(labels(1, "tag")));
    assert_eq!(store.credentials(&id(1)).await.unwrap(), Some(credentials(1)));
    assert_eq!(store.task(task(1, 1).id).await.unwrap(), Some(task(1, 1)));
    assert_eq!(store.events(&id(1), 10).await.unwrap(), [event(1, 10)]);
    assert_eq!(store.phone(mac(1)).await.unwrap(), Some(phone(1, 1)));
    assert_eq!(store.seen(mac(1)).await.unwrap(), Some(seen()));
    assert_eq!(store.site("here").await.unwrap(), Some(site("here", 1)));
    assert_eq!(store.file_version("fanvil/common/here/f.cfg").await.unwrap(), Some(gate(1, 1)));
    assert_eq!(store.file(&file(1).sha256).await.unwrap(), Some(file(1)));
    assert_eq!(store.setting("s").await.unwrap(), Some(vec![1, 2]));
    assert_eq!(store.device(&id(2)).await.unwrap(), None);
    assert_eq!(store.tree(&id(2)).await.unwrap(), None);
    assert_eq!(store.setting("t").await.unwrap(), None);
    assert_eq!(store.health().devices, 1);
    assert!(store.health().writable && store.health().alarms.is_empty());
}

async fn lists_are_ordered_and_paged(bench: &Bench) {
    let mut batch = Batch::new();
    for n in [5, 1, 3, 2, 4] {
        batch.put(put_device(n)).put(Record::Phone(Box::new(phone(n as u8, 1))));
        batch.put(Record::File(file(n as u8))).put(put_task(&task(n, 9 - n)));
    }
    batch.put(Record::Site(Box::new(site("b", 1)))).put(Record::Site(Box::new(site("a", 1))));
    bench.store.commit(batch).await.unwrap();
    let store = bench.again().await;
    let numbers = |from: u32, to: u32| (from..=to).map(device).collect::<Vec<_>>();
    assert_eq!(store.devices(None, 2).await.unwrap(), numbers(1, 2));
    assert_eq!(store.devices(Some(&id(2)), 2).await.unwrap(), numbers(3, 4));
    assert_eq!(store.devices(Some(&id(4)), 9).await.unwrap(), numbers(5, 5));
    assert!(store.devices(Some(&id(5)), 9).await.unwrap().is_empty());
    assert!(store.devices(None, 0).await.unwrap().is_empty());
    let phones = store.phones(Some(mac(3)), 9).await.unwrap();
    assert_eq!(phones.iter().map(|phone| phone.mac).collect::<Vec<_>>(), [mac(4), mac(5)]);
    assert_eq!(store.files(Some(&file(4).sha256), 9).await.unwrap(), [file(5)]);
    let sites = store.sites().await.unwrap();
    assert_eq!(sites.iter().map(|site| &*site.name).collect::<Vec<_>>(), ["a", "b"]);
    let tasks = store.tasks(None, Some(task(4, 5).id), 2).await.unwrap();
    assert_eq!(tasks, [task(3, 6), task(2, 7)], "by the time of their making");
    let waiting = store.waiting_tasks(Some((&id(2), task(2, 7).id)), 2).await.unwrap();
    assert_eq!(waiting, [task(3, 6), task(4, 5)], "by device");
}

async fn revisions_are_kept(bench: &Bench) {
    let store = &bench.store;
    let is_conflict =
        |result: Result<(), StoreError>| matches!(result, Err(StoreError::Conflict(_)));
    let labels = |revision| Batch::from(Record::Labels(id(1), labels(revision, "t")));
    assert!(is_conflict(store.commit(labels(2)).await), "a new record has revision 1");
    store.commit(labels(1)).await.unwrap();
    assert!(is_conflict(store.commit(labels(1)).await));
    store.commit(labels(2)).await.unwrap();
    assert!(is_conflict(store.commit(labels(2)).await));
    assert!(is_conflict(store.commit(labels(4)).await));
    let phone = |revision| Batch::from(Record::Phone(Box::new(phone(1, revision))));
    store.commit(phone(1)).await.unwrap();
    let error = store.commit(phone(1)).await.unwrap_err();
    assert!(error.to_string().contains("phone 0c383e000001"), "{error}");
    // Within one batch as well.
    let mut twice = Batch::new();
    twice.put(put_task(&task(1, 1))).put(put_task(&ended(task(1, 1))));
    store.commit(twice).await.unwrap();
    assert_eq!(store.task(task(1, 1).id).await.unwrap(), Some(ended(task(1, 1))));
    assert!(is_conflict(store.commit(put_task(&ended(task(1, 1))).into()).await));
    let store = bench.again().await;
    assert!(is_conflict(store.commit(labels(2)).await));
    store.commit(labels(3)).await.unwrap();
}

async fn a_refused_batch_leaves_nothing(bench: &Bench) {
    let mut batch = Batch::new();
    batch
        .put(put_device(1))
        .put(put_tree(1, tree(10, "x")))
        .put(Record::Event(event(1, 1)))
        .put(put_task(&task(1, 1)))
        .put(Record::Labels(id(1), labels(7, "t")));
    assert!(matches!(bench.store.commit(batch).await, Err(StoreError::Conflict(_))));
    let store = bench.again().await;
    assert_eq!(store.device(&id(1)).await.unwrap(), None);
    assert_eq!(store.tree(&id(1)).await.unwrap(), None);
    assert!(store.events(&id(1), 9).await.unwrap().is_empty());
    assert!(store.open_tasks(&id(1)).await.unwrap().is_empty());
    assert_eq!(store.health().devices, 0);
    // The names that it would have brought are given again, and durably.
    put(&store, put_tree(1, tree(10, "x"))).await;
    assert_eq!(store.tree(&id(1)).await.unwrap(), Some(tree(10, "x")));
}

async fn tasks_move_between_the_lists(bench: &Bench) {
    let store = &bench.store;
    let (first, second) = (task(1, 1), task(1, 2));
    put(store, put_task(&second)).await;
    put(store, put_task(&first)).await;
    // An id that begins with the other's.
    put(store, put_task(&task(10, 3))).await;
    assert_eq!(store.open_tasks(&id(1)).await.unwrap(), [first.clone(), second.clone()]);
    put(store, put_task(&ended(first.clone()))).await;
    let store = bench.again().await;
    assert_eq!(store.open_tasks(&id(1)).await.unwrap(), std::slice::from_ref(&second));
    let all = store.tasks(Some(&id(1)), None, 9).await.unwrap();
    assert_eq!(all, [ended(first.clone()), second.clone()]);
    let rest = store.tasks(Some(&id(1)), Some(first.id), 9).await.unwrap();
    assert_eq!(rest, [second]);
    assert!(store.open_tasks(&id(2)).await.unwrap().is_empty());
}

async fn ended_tasks_and_events_are_bounded(bench: &Bench) {
    let store = &bench.store;
    put(store, put_task(&task(1, 100))).await;
    for n in 0..10 {
        put(store, put_task(&task(1, n))).await;
        put(store, put_task(&ended(task(1, n)))).await;
        put(store, Record::Event(event(1, n.into()))).await;
    }
    // Many in one batch turn the ring as well.
    let mut batch = Batch::new();
    for n in 10..20 {
        batch.put(put_task(&task(1, n))).put(put_task(&ended(task(1, n))));
        batch.put(Record::Event(event(1, n.into())));
    }
    store.commit(batch).await.unwrap();
    let store = bench.again().await;
    let ids = |tasks: Vec<provost::device::Task>| {
        tasks.into_iter().map(|task| task.id.0 >> 64).collect::<Vec<_>>()
    };
    assert_eq!(ids(store.tasks(Some(&id(1)), None, 99).await.unwrap()), [17, 18, 19, 100]);
    assert_eq!(ids(store.tasks(None, None, 99).await.unwrap()), [17, 18, 19, 100]);
    assert_eq!(store.task(task(1, 16).id).await.unwrap(), None);
    let events = store.events(&id(1), 99).await.unwrap();
    let times: Vec<i64> = events.iter().map(|event| event.at.as_millis()).collect();
    assert_eq!(times, [19, 18, 17, 16, 15], "newest first");
    assert_eq!(store.events(&id(1), 2).await.unwrap().len(), 2);
}

/// Text that does not compress.
fn noise(count: usize, seed: u64) -> String {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
        })
        .collect()
}

async fn large_records_come_in_parts(bench: &Bench) {
    let store = &bench.store;
    let mut large = tree(10, "x");
    for n in 0..200 {
        let value = provost::param::Value::string(noise(2_000, n));
        large.learn_value(&path(&format!("Device.Large.{n}.Text")), value, at(1));
    }
    let mut long = task(1, 1);
    long.notes = (0..100).map(|n| noise(3_000, n).into()).collect();
    let mut batch = Batch::new();
    batch.put(put_tree(1, large.clone())).put(put_task(&long));
    batch.put(Record::Setting("s".into(), noise(200_000, 3).into_bytes()));
    store.commit(batch).await.unwrap();
    let store = bench.again().await;
    assert_eq!(store.tree(&id(1)).await.unwrap(), Some(large));
    assert_eq!(store.task(long.id).await.unwrap(), Some(long.clone()));
    assert_eq!(store.open_tasks(&id(1)).await.unwrap(), std::slice::from_ref(&long));
    assert_eq!(store.tasks(None, None, 9).await.unwrap(), std::slice::from_ref(&long));
    assert_eq!(store.setting("s").await.unwrap().unwrap().len(), 200_000);
    // A smaller one in its place takes the parts away.
    put(&store, put_tree(1, tree(1, "y"))).await;
    put(&store, Record::Setting("s".into(), vec![1])).await;
    assert_eq!(store.tree(&id(1)).await.unwrap(), Some(tree(1, "y")));
    assert_eq!(store.setting("s").await.unwrap(), Some(vec![1]));
}

async fn a_forgotten_device_leaves_nothing(bench: &Bench) {
    let mut all = Batch::new();
    for n in [1, 10] {
        all.put(put_device(n)).put(put_tree(n, tree(5, "x")));
        all.put(Record::Labels(id(n), labels(1, "t")));
        all.put(Record::Credentials(Box::new(credentials(n))));
        all.put(put_task(&task(n, 1))).put(put_task(&task(n, 2))).put(put_task(&ended(task(n, 2))));
        all.put(Record::Event(event(n, 1)));
    }
    bench.store.commit(all).await.unwrap();
    // What stands in the same batch before it goes as well; what stands behind it stays.
    let mut batch = Batch::new();
    batch.put(put_task(&task(1, 3))).push(Change::ForgetDevice(id(1)));
    batch.put(Record::Labels(id(1), labels(1, "new")));
    bench.store.commit(batch).await.unwrap();
    let store = bench.again().await;
    assert_eq!(store.device(&id(1)).await.unwrap(), None);
    assert_eq!(store.tree(&id(1)).await.unwrap(), None);
    assert_eq!(store.credentials(&id(1)).await.unwrap(), None);
    assert_eq!(store.labels(&id(1)).await.unwrap(), Some(labels(1, "new")));
    assert!(store.tasks(Some(&id(1)), None, 9).await.unwrap().is_empty());
    assert!(store.open_tasks(&id(1)).await.unwrap().is_empty());
    assert!(store.events(&id(1), 9).await.unwrap().is_empty());
    assert_eq!(store.tasks(None, None, 9).await.unwrap().len(), 2);
    assert_eq!(store.device(&id(10)).await.unwrap(), Some(device(10)));
    assert_eq!(store.open_tasks(&id(10)).await.unwrap(), [task(10, 1)]);
    assert_eq!(store.health().devices, 1);
    put(&store, put_device(1)).await;
    put(&store, Record::Event(event(1, 7))).await;
    assert_eq!(store.events(&id(1), 9).await.unwrap(), [event(1, 7)]);
    assert_eq!(store.health().devices, 2);
}

async fn version_gates_never_fall(bench: &Bench) {
    let store = &bench.store;
    let put = |counter, hash| Batch::from(Record::FileVersion(gate(counter, hash)));
    store.commit(put(3, 1)).await.unwrap();
    store.commit(put(3, 1)).await.unwrap();
    for (counter, hash) in [(2, 1), (3, 2), (2, 2)] {
        let refused = store.commit(put(counter, hash)).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{counter} {hash}");
    }
    store.commit(put(4, 2)).await.unwrap();
    // Not even when the phone is forgotten.
    let mut batch = Batch::from(Record::Phone(Box::new(phone(1, 1))));
    batch.put(Record::Seen(mac(1), seen())).push(Change::ForgetPhone(mac(1)));
    batch.put(Record::File(file(1))).push(Change::ForgetFile(file(1).sha256));
    store.commit(batch).await.unwrap();
    let store = bench.again().await;
    assert_eq!(store.file_version(&gate(4, 2).key).await.unwrap(), Some(gate(4, 2)));
    assert_eq!(store.phone(mac(1)).await.unwrap(), None);
    assert_eq!(store.seen(mac(1)).await.unwrap(), None);
    assert_eq!(store.file(&file(1).sha256).await.unwrap(), None);
}

async fn watchers_are_told_after_the_fact(bench: &Bench) {
    let store = &bench.store;
    let mut notices = store.watch();
    let mut batch = Batch::from(put_device(1));
    batch.put(put_task(&ended(task(1, 1)))).put(Record::Event(event(1, 1)));
    assert!(store.commit(batch).await.is_err());
    assert_eq!(notices.try_recv(), Err(TryRecvError::Empty), "what was refused is not told");
    let mut batch = Batch::from(put_device(1));
    batch.put(put_task(&task(1, 1))).put(Record::Phone(Box::new(phone(1, 1))));
    store.commit(batch).await.unwrap();
    assert_eq!(notices.try_recv(), Ok(Notice::Device(id(1))));
    let told = Notice::Task { id: task(1, 1).id, device: id(1), ended: false };
    assert_eq!(notices.try_recv(), Ok(told));
    assert_eq!(notices.try_recv(), Ok(Notice::Phone(mac(1))));
    assert_eq!(notices.try_recv(), Err(TryRecvError::Empty));
}

async fn changes_of_kept_kinds_are_counted(bench: &Bench) {
    let store = &bench.store;
    let profile = |version| {
        Record::Profile(Box::new(ProfileRecord {
            name: "wifi".into(),
            version,
            text: "{}".into(),
            enabled: true,
            at: at(1),
            by: "test".into(),
            why: "".into(),
            tenant: "".into(),
        }))
    };
    let counts = || [Kind::Profile, Kind::Model].map(|kind| store.generation(kind));
    let before = counts();
    put(store, put_device(1)).await;
    assert_eq!(counts(), before, "a device's record is none of these");
    put(store, profile(1)).await;
    let made = counts();
    assert!(made[0] > before[0] && made[1] == before[1]);
    assert!(store.commit(profile(7).into()).await.is_err());
    assert_eq!(counts(), made, "what was refused is not counted");
    store.commit(Batch::from(Record::Model(Box::new(model())))).await.unwrap();
    assert!(counts()[1] > made[1]);
    let mut batch = Batch::new();
    batch.push(Change::ForgetProfile("wifi".into(), 1));
    store.commit(batch).await.unwrap();
    assert!(counts()[0] > made[0]);
}

async fn many_commit_at_once(bench: &Bench) {
    let mut workers = Vec::new();
    for worker in 0..16u32 {
        let store = bench.store.clone();
        workers.push(tokio::spawn(async move {
            for n in 0..20 {
                let own = worker * 100 + n;
                put(&store, put_device(own)).await;
                assert!(store.device(&id(own)).await.unwrap().is_some());
                // All contend for one label; each try that is taken raises it by one.
                loop {
                    let now =
                        store.labels(&id(0)).await.unwrap().map_or(0, |labels| labels.revision);
                    match store.commit(Record::Labels(id(0), labels(now + 1, "t")).into()).await {
                        Ok(()) => break,
                        Err(StoreError::Conflict(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    let store = bench.again().await;
    assert_eq!(store.labels(&id(0)).await.unwrap().unwrap().revision, 16 * 20);
    assert_eq!(store.devices(None, 999).await.unwrap().len(), 320);
    assert_eq!(store.health().devices, 320);
}

async fn a_closed_store_says_so(bench: &Bench) {
    put(&bench.store, put_device(1)).await;
    bench.store.close().await.unwrap();
    bench.store.close().await.unwrap();
    assert!(matches!(bench.store.device(&id(1)).await, Err(StoreError::Closed)));
    let refused = bench.store.commit(put_device(1).into()).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
    assert!(!bench.store.health().writable);
}

async fn what_is_too_large_is_refused(bench: &Bench) {
    let mut fat = device(1);
    fat.namespace = "x".repeat(70_000).into();
    let refused = bench.store.commit(Record::Device(Box::new(fat)).into()).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))));
    let refused = bench.store.commit(Record::Setting("k".repeat(5000).into(), vec![]).into()).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))));
    assert_eq!(bench.store.device(&id(1)).await.unwrap(), None);
}

async fn histories_are_rings_and_associations_have_two_ends(bench: &Bench) {
    let store = &bench.store;
    let (gateway, member) = (id(1), id(2));
    for n in 0..7 {
        let mut batch = Batch::new();
        batch
            .put(Record::Session(Box::new(session(1, n))))
            .put(Record::Report(Box::new(report(1, n))))
            .put(Record::Trace(Box::new(traced(1, n))));
        store.commit(batch).await.unwrap();
    }
    let mut words: Vec<Association> = [Teller::Gateway, Teller::Member]
        .map(|teller| Association {
            gateway: gateway.clone(),
            member: member.clone(),
            teller,
            kinship: Kinship::Associated,
            since: at(3),
        })
        .to_vec();
    for word in &words {
        put(store, Record::Association(Box::new(word.clone()))).await;
    }
    put(store, Record::Model(Box::new(model()))).await;
    put(store, Record::ModelWishes(Box::new(model_wishes(1)))).await;

    let store = bench.again().await;
    let newest = |count: i64| (0..count).map(|n| at(6 - n)).collect::<Vec<_>>();
    let sessions = store.sessions(&gateway, 100).await.unwrap();
    assert_eq!(sessions.iter().map(|s| s.began_at).collect::<Vec<_>>(), newest(4));
    let reports = store.reports(&gateway, 100).await.unwrap();
    assert_eq!(reports.iter().map(|r| r.at).collect::<Vec<_>>(), newest(3));
    let trace = store.trace(&gateway, 2).await.unwrap();
    assert_eq!(trace.iter().map(|t| t.at).collect::<Vec<_>>(), newest(2));
    assert_eq!(store.associations(&gateway, 10).await.unwrap(), words);
    let own_first = [words[1].clone(), words[0].clone()];
    assert_eq!(store.associations(&member, 10).await.unwrap(), own_first);
    assert_eq!(store.model(&model().key).await.unwrap(), Some(model()));
    assert_eq!(store.models(None, 10).await.unwrap(), [model()]);
    assert_eq!(store.models(Some(&model().key), 10).await.unwrap(), []);
    assert_eq!(store.model_wishes(&model().key).await.unwrap(), Some(model_wishes(1)));
    assert_eq!(store.all_model_wishes().await.unwrap(), [model_wishes(1)]);
    let stale = store.commit(Record::ModelWishes(Box::new(model_wishes(1))).into()).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))));

    let mut batch = Batch::new();
    batch
        .push(Change::ForgetTrace(gateway.clone()))
        .push(Change::ForgetModel(model().key))
        .push(Change::ForgetModelWishes(model().key))
        .push(Change::ForgetAssociation(Box::new(words.remove(0))));
    store.commit(batch).await.unwrap();
    assert_eq!(store.trace(&gateway, 10).await.unwrap(), []);
    assert_eq!(store.models(None, 10).await.unwrap(), []);
    assert_eq!(store.model_wishes(&model().key).await.unwrap(), None);
    assert_eq!(store.associations(&member, 10).await.unwrap(), words);

    let mut forget = Batch::new();
    forget.push(Change::ForgetDevice(gateway.clone()));
    store.commit(forget).await.unwrap();
    assert_eq!(store.sessions(&gateway, 10).await.unwrap(), []);
    assert_eq!(store.reports(&gateway, 10).await.unwrap(), []);
    assert_eq!(store.associations(&member, 10).await.unwrap(), []);
}

async fn old_history_is_trimmed(bench: &Bench) {
    let store = &bench.store;
    for n in 0..3 {
        let mut batch = Batch::new();
        batch
            .put(Record::Event(event(1, n)))
            .put(Record::Session(Box::new(session(1, n))))
            .put(Record::Report(Box::new(report(1, n))))
            .put(Record::Trace(Box::new(traced(1, n))))
            .put(Record::Session(Box::new(session(2, n))));
        store.commit(batch).await.unwrap();
    }
    assert!(!store.has_stale_history(&id(1), at(0)).await.unwrap());
    assert!(store.has_stale_history(&id(1), at(1)).await.unwrap());
    let trim = |n, before| {
        let mut batch = Batch::new();
        batch.push(Change::TrimHistory(id(n), before));
        batch
    };
    // Nothing is that old: nothing is written.
    store.commit(trim(1, at(0))).await.unwrap();
    store.commit(trim(1, at(2))).await.unwrap();
    assert!(!store.has_stale_history(&id(1), at(2)).await.unwrap());

    let store = bench.again().await;
    let times = |times: Vec<Timestamp>| assert_eq!(times, [at(2)]);
    times(store.events(&id(1), 9).await.unwrap().iter().map(|one| one.at).collect());
    times(store.sessions(&id(1), 9).await.unwrap().iter().map(|one| one.began_at).collect());
    times(store.reports(&id(1), 9).await.unwrap().iter().map(|one| one.at).collect());
    times(store.trace(&id(1), 9).await.unwrap().iter().map(|one| one.at).collect());
    assert_eq!(store.sessions(&id(2), 9).await.unwrap().len(), 3, "another device's stays");

    // What comes afterwards stands behind what is left, and the ring still turns.
    for n in 3..9 {
        put(&store, Record::Session(Box::new(session(1, n)))).await;
    }
    let sessions = store.sessions(&id(1), 9).await.unwrap();
    assert_eq!(sessions.iter().map(|one| one.began_at).collect::<Vec<_>>(), [8, 7, 6, 5].map(at));
    store.commit(trim(1, at(100))).await.unwrap();
    assert!(store.sessions(&id(1), 9).await.unwrap().is_empty());
    put(&store, Record::Session(Box::new(session(1, 200)))).await;
    assert_eq!(store.sessions(&id(1), 9).await.unwrap().len(), 1);
}
