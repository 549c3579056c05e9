//! A store from before values of devices were sealed: all of it stays readable, and
//! a walk seals it, also over kills.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use provost::access::TenantRecord;
use provost::config::Engine;
use provost::device::{
    Cause, ChangeSet, Compliance, Event, EventKind, Report, ValueChange, WrittenValues,
};
use provost::keyring::Keyring;
use provost::param::{Tree, Value, ValueType};
use provost::rollout::{Before, Member, MemberState};
use provost::store::{self, Ground, KeyPlace, Store, Vault};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::make::*;

const FOLDER: &str = "PROVOST_TEST_UNSEALED_FOLDER";
/// In every value that lies open.
const CANARY: &str = "c4nary-of-before";
/// The largest value under one key.
const PART: usize = 60_000;

/// What stood in the store of an older program.
struct Old {
    trees: [Tree; 2],
    changes: [ChangeSet; 2],
    report: Report,
    event: Event,
    compliance: Compliance,
    written: WrittenValues,
    member: Member,
    tenant: TenantRecord,
}

fn url() -> String {
    format!("http://user:{CANARY}@acs.example/")
}

fn change(at_millis: i64, after: String) -> ChangeSet {
    let change = ValueChange {
        path: "Device.ManagementServer.URL".into(),
        before: Some(url().into()),
        after: Some(after.into()),
        cause: Cause::Device,
    };
    ChangeSet { device: id(1), at: at(at_millis), changes: vec![change] }
}

fn before() -> Old {
    let mut small = Tree::new();
    small.learn_value(&path("Device.ManagementServer.URL"), Value::string(url()), at(9));
    let large = large_tree();
    let member = Member {
        campaign: "office".into(),
        device: id(1),
        wave: 0,
        asks: 1,
        attempts: 0,
        tried: true,
        before: Before::Values(vec![("Device.A".into(), Some(Value::string(url())))]),
        state: MemberState::Waiting,
    };
    let compliance = Compliance {
        device: id(1),
        at: at(3),
        drifts: Vec::new(),
        attempts: 1,
        retry_at: None,
        why: url().into(),
        task: None,
        software_version: "1".into(),
        firmware: None,
    };
    let tenant = TenantRecord {
        name: "north".into(),
        revision: 1,
        title: "North".into(),
        note: url().into(),
        created_at: at(1),
    };
    let mut written = WrittenValues::new(id(1));
    written.absent.insert(url().into());
    // The largest entry that a history takes, to the byte.
    let mut full = change(2, String::new());
    let rest = PART - 8 - postcard::to_stdvec(&full).unwrap().len() - 2;
    full.changes[0].after = Some(noise(0, rest).into());
    Old {
        trees: [small, large],
        changes: [change(1, url()), full],
        report: Report { values: vec![("Device.A".into(), url().into())], ..report(1, 4) },
        event: Event { device: id(1), at: at(1), kind: EventKind::Told(url().into()) },
        compliance,
        written,
        member,
        tenant,
    }
}

/// A record as it lay in the store: a head that tells of no seal, then postcard.
fn record<T: Serialize>(revision: u32, value: &T) -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0];
    bytes.extend(revision.to_le_bytes());
    bytes.extend(postcard::to_stdvec(value).unwrap());
    bytes
}

/// A tree as it lay in the store, its paths written out.
fn tree_record(tree: &Tree) -> Vec<u8> {
    let mut raw = postcard::to_stdvec(&tree.len()).unwrap();
    let mut last = 0;
    for (path, param) in tree.iter() {
        let value: Option<(&ValueType, &str)> =
            param.value.as_ref().map(|value| (&value.kind, &*value.text));
        let now = param.read_at.as_millis();
        let row = (0u32, path.as_str(), param.writable, value, now - last);
        raw = postcard::to_extend(&row, raw).unwrap();
        last = now;
    }
    let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(u32::try_from(raw.len()).unwrap().to_le_bytes());
    bytes.extend(zstd::bulk::compress(&raw, 1).unwrap());
    bytes
}

/// The records by their keys, what is large in parts.
fn records() -> Vec<(Vec<u8>, Vec<u8>)> {
    let old = before();
    let of = |kind: char, n: u32| format!("{kind}/{}", id(n)).into_bytes();
    let entry = |kind: char, n: u64| [&of(kind, 1)[..], b"/", &n.to_be_bytes()].concat();
    let mut records = vec![
        (of('p', 1), tree_record(&old.trees[0])),
        (entry('H', 0), record(0, &old.changes[0])),
        (entry('H', 1), record(0, &old.changes[1])),
        (entry('b', 0), record(0, &old.report)),
        (entry('e', 0), record(0, &old.event)),
        (of('C', 1), record(0, &old.compliance)),
        (of('S', 1), record(0, &old.written)),
        (format!("M/office/{}", id(1)).into_bytes(), record(0, &old.member)),
        (b"Z/north".to_vec(), record(1, &old.tenant)),
    ];
    assert_eq!(records[2].1.len(), PART);
    let large = tree_record(&old.trees[1]);
    let key = of('p', 2);
    let mut parts = large.chunks(PART);
    let mut first = parts.next().unwrap().to_vec();
    for (n, part) in (1u16..).zip(parts) {
        records.push(([b"o/", &key[..], b"/", &n.to_be_bytes()].concat(), part.to_vec()));
        first[2..4].copy_from_slice(&n.to_le_bytes());
    }
    assert!(first[2] > 1, "the large tree lies in more than two parts");
    records.push((key, first));
    records.sort();
    records
}

/// A backup as an older program wrote it.
fn write_backup(file: &Path) {
    fn block(out: &mut Vec<u8>, kind: u8, raw: &[u8]) {
        let packed = zstd::bulk::compress(raw, 1).unwrap();
        out.push(kind);
        out.extend(u32::try_from(raw.len()).unwrap().to_le_bytes());
        out.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        out.extend(packed);
    }
    let mut raw = Vec::new();
    for (key, value) in records() {
        raw.push(1);
        raw.extend(u16::try_from(key.len()).unwrap().to_le_bytes());
        raw.extend(key);
        raw.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        raw.extend(value);
    }
    let mut out = b"ProvBak1".to_vec();
    block(&mut out, 0, &0u64.to_le_bytes());
    block(&mut out, 1, &raw);
    let digest = Sha256::digest(&out);
    out.extend(digest);
    std::fs::write(file, out).unwrap();
}

/// Whether the records of a store hold the canary: looked for in a backup, whose
/// blocks and trees are compressed.
async fn is_open(store: &dyn Store, folder: &Path) -> bool {
    let file = folder.join("looked-into");
    store.backup(&file).await.unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    crate::lab::unpacked(&bytes).iter().any(|text| text.contains(CANARY))
}

async fn open(data: &Path) -> (Arc<dyn Store>, Arc<Vault>) {
    let config = config(Engine::Sled);
    let vault = Vault::open_at(KeyPlace::of(&config, data)).unwrap();
    let store =
        store::open_sealed(&config, data, Ground::real(), Arc::clone(&vault)).await.unwrap();
    (store, vault)
}

/// Everything reads as it was.
async fn whole(store: &dyn Store) {
    let old = before();
    let [small, large] = old.trees;
    assert_eq!(store.tree(&id(1)).await.unwrap(), Some(small));
    assert_eq!(store.tree(&id(2)).await.unwrap(), Some(large));
    let [first, second] = old.changes;
    assert_eq!(store.fleet().value_changes(&id(1), 9).await.unwrap(), [second, first]);
    assert_eq!(store.reports(&id(1), 9).await.unwrap(), [old.report]);
    assert_eq!(store.events(&id(1), 9).await.unwrap(), [old.event]);
    assert_eq!(store.fleet().compliance(&id(1)).await.unwrap(), Some(old.compliance));
    assert_eq!(store.fleet().written(&id(1)).await.unwrap(), Some(old.written));
    assert_eq!(store.fleet().member("office", &id(1)).await.unwrap(), Some(old.member));
    assert_eq!(store.office().tenant("north").await.unwrap(), Some(old.tenant));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_older_programs_wrote_open_is_read_and_then_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("old"), folder.path().join("data"));
    write_backup(&file);
    store::restore(&file, &data).unwrap();
    let (store, vault) = open(&data).await;
    whole(&*store).await;
    let found = store.office().reseal(None, 1000, false).await.unwrap();
    assert_eq!((found.open, found.resealed, found.lost), (10, 0, 0));
    assert!(is_open(&*store, folder.path()).await, "the search finds what lies open");

    // With the first key, without a rotation: a newer program is enough.
    let keyring = Keyring::new(store.clone(), vault.clone());
    keyring.keep_up().await.unwrap();
    assert_eq!(keyring.walk().resealed, 10, "{:?}", keyring.walk());
    assert!(!is_open(&*store, folder.path()).await);
    whole(&*store).await;
    let found = store.office().reseal(None, 1000, false).await.unwrap();
    assert_eq!((found.open, found.by_key[&vault.keys()[0].id]), (0, 10));
    keyring.keep_up().await.unwrap();
    assert_eq!(keyring.walk().looked, 20, "done, and not begun again");

    let made = keyring.rotate(false).await.unwrap();
    keyring.keep_up().await.unwrap();
    let seals = keyring.walk().by_key.unwrap();
    assert_eq!(seals.into_iter().collect::<Vec<_>>(), [(made.id, 10)]);
    store.close().await.unwrap();
    drop((keyring, store, vault));
    let (store, _) = open(&data).await;
    whole(&*store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_alone_leaves_nothing_open() {
    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("old"), folder.path().join("data"));
    write_backup(&file);
    store::restore(&file, &data).unwrap();
    let (store, vault) = open(&data).await;
    let keyring = Keyring::new(store.clone(), vault.clone());
    let made = keyring.rotate(false).await.unwrap();
    keyring.keep_up().await.unwrap();
    assert!(!is_open(&*store, folder.path()).await);
    let seals = keyring.walk().by_key.unwrap();
    assert_eq!(seals.into_iter().collect::<Vec<_>>(), [(made.id, 10)]);
    whole(&*store).await;
    let first = vault.keys()[0].id;
    assert!(keyring.retire(first).await.is_err(), "addresses are derived from it");
}

/// The child: seals, a record at a time, until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of another test"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (store, _) = open(Path::new(&folder)).await;
    let mut next = None;
    loop {
        std::io::stdout().lock().write_all(b"step\n").unwrap();
        next = store.office().reseal(next.as_deref(), 1, true).await.unwrap().next;
        if next.is_none() {
            break;
        }
    }
}

#[test]
fn a_kill_while_it_is_sealed_leaves_every_record_readable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old");
    write_backup(&file);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for steps in 1..=10 {
        let data = folder.path().join(format!("data{steps}"));
        store::restore(&file, &data).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::unsealed::child", "--ignored", "--nocapture"])
            .env(FOLDER, &data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut count = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if line.unwrap().ends_with("step") {
                count += 1;
                if count == steps {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(count >= steps, "the child ended after {count} of {steps} steps");
        runtime.block_on(async {
            let (store, vault) = open(&data).await;
            whole(&*store).await;
            let keyring = Keyring::new(store.clone(), vault);
            keyring.keep_up().await.unwrap();
            assert!(!is_open(&*store, folder.path()).await);
            whole(&*store).await;
            store.close().await.unwrap();
        });
    }
}
