//! Key rotation: under load, over kills, with old forms, with a key that is lost.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use provost::config::{Engine, StoreConfig};
use provost::device::{Credentials, Sealed, Secret};
use provost::keyring::{Keyring, KeyringError};
use provost::phone::{Access, Account, Phone, Site, SiteLogin};
use provost::store::{self, Batch, Ground, KeyPlace, Record, Store, StoreError, Vault};

use super::make::*;
use crate::lab::unpacked;

const FOLDER: &str = "PROVOST_TEST_RESEAL_FOLDER";

async fn open(data: &Path) -> (Arc<dyn Store>, Arc<Vault>) {
    let config = config(Engine::Sled);
    let vault = Vault::open_at(KeyPlace::of(&config, data)).unwrap();
    let store =
        store::open_sealed(&config, data, Ground::real(), Arc::clone(&vault)).await.unwrap();
    (store, vault)
}

/// Records of every kind that holds something sealed, one by one or whole, small
/// and in parts.
async fn fill(store: &dyn Store, vault: &Vault, count: u8) {
    let seal = |text: &str| vault.seal(&Secret::new(text));
    let mut batch = Batch::new();
    for n in 1..=count {
        batch.put(Record::Credentials(Box::new(Credentials {
            password: seal("device"),
            connection_request_password: seal("request"),
            ..credentials(n.into())
        })));
        let plain = phone(n, 1);
        let accounts = plain.accounts.iter().cloned();
        let accounts = accounts.map(|account| Account { password: seal("sip"), ..account });
        batch.put(Record::Phone(Box::new(Phone {
            token: seal("token"),
            config_key: Some(seal("key")),
            accounts: accounts.collect(),
            ..plain
        })));
        let logins = vec![SiteLogin { user: "u".into(), password: seal("login") }];
        batch.put(Record::Site(Box::new(Site {
            common_key: Some(seal("common")),
            access: Access { logins, ..Access::default() },
            ..site(&format!("site{n}"), 1)
        })));
        batch.put(Record::Labels(id(n.into()), labels(1, "t")));
        batch.put(put_task(&task(n.into(), 1)));
        batch.put(Record::Trace(Box::new(traced(n.into(), 5))));
        batch.put(put_tree(n.into(), tree(5, "of the device")));
        batch.put(Record::Changes(Box::new(changes(n.into(), 5))));
        batch.put(Record::Event(event(n.into(), 5)));
        batch.put(Record::Report(Box::new(report(n.into(), 5))));
    }
    batch.put(put_tree(999, large_tree()));
    let mut large = site("large", 1);
    large.settings = (0..4000).map(|n| (format!("A/{n}").into(), "x".repeat(30).into())).collect();
    batch.put(Record::Site(Box::new(large)));
    store.commit(batch).await.unwrap();
}

/// Everything opens, and says what it said.
async fn whole(store: &dyn Store, vault: &Vault, count: u8) {
    let said = |sealed: &Sealed| vault.unseal(sealed).unwrap().expose().to_owned();
    for n in 1..=count {
        let credentials = store.credentials(&id(n.into())).await.unwrap().unwrap();
        assert_eq!(said(&credentials.password), "device");
        assert_eq!(said(&credentials.connection_request_password), "request");
        let phone = store.phone(mac(n)).await.unwrap().unwrap();
        assert_eq!((said(&phone.token), phone.revision), ("token".to_owned(), 1));
        assert!(phone.accounts.iter().all(|account| said(&account.password) == "sip"));
        let site = store.site(&format!("site{n}")).await.unwrap().unwrap();
        assert_eq!(said(&site.access.logins[0].password), "login");
        assert_eq!(store.open_tasks(&id(n.into())).await.unwrap(), [task(n.into(), 1)]);
        assert_eq!(store.trace(&id(n.into()), 9).await.unwrap(), [traced(n.into(), 5)]);
        assert!(store.labels(&id(n.into())).await.unwrap().is_some());
        assert_eq!(store.tree(&id(n.into())).await.unwrap(), Some(tree(5, "of the device")));
        let changed = store.fleet().value_changes(&id(n.into()), 9).await.unwrap();
        assert_eq!(changed, [changes(n.into(), 5)]);
        assert_eq!(store.events(&id(n.into()), 9).await.unwrap(), [event(n.into(), 5)]);
        assert_eq!(store.reports(&id(n.into()), 9).await.unwrap(), [report(n.into(), 5)]);
    }
    assert_eq!(store.tree(&id(999)).await.unwrap(), Some(large_tree()));
    assert_eq!(store.site("large").await.unwrap().unwrap().settings.len(), 4000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let (store, vault) = open(folder.path()).await;
    // Of the last two the labels are written anew all the time.
    fill(&*store, &vault, 42).await;
    let derived = vault.derive("phone links");
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let mut revision = 1;
            while !stop.load(Ordering::Relaxed) {
                revision += 1;
                // Refused if sealing anew had touched a revision or clobbered a record.
                for n in [41, 42] {
                    let record = Record::Labels(id(n), labels(revision, "t"));
                    store.commit(record.into()).await.unwrap();
                }
            }
            revision
        }
    });
    let keyring = Keyring::new(store.clone(), vault.clone());
    let first = vault.keys()[0].id;
    let mut last = None;
    for round in 0..3 {
        let made = keyring.rotate(false).await.unwrap();
        keyring.keep_up().await.unwrap();
        let walk = keyring.walk();
        assert_eq!(walk.problem, None);
        let seals = walk.by_key.unwrap();
        assert_eq!(seals.keys().copied().collect::<Vec<_>>(), [made.id], "round {round}");
        assert!(walk.resealed >= 400, "{}", walk.resealed);
        last = Some(made.id);
    }
    stop.store(true, Ordering::Relaxed);
    let revision = load.await.unwrap();
    assert_eq!(store.labels(&id(42)).await.unwrap().unwrap().revision, revision);
    assert_eq!(vault.derive("phone links"), derived);
    for key in vault.keys() {
        let retired = keyring.retire(key.id).await;
        let stays = key.id == first || Some(key.id) == last;
        assert_eq!(retired.is_err(), stays, "{retired:?}");
    }
    whole(&*store, &vault, 42).await;
    store.close().await.unwrap();
    drop((keyring, store, vault));
    let (store, vault) = open(folder.path()).await;
    assert_eq!(vault.keys().len(), 2);
    whole(&*store, &vault, 42).await;
    assert_eq!(vault.derive("phone links"), derived);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_is_written_while_all_is_sealed_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (store, vault) = open(folder.path()).await;
    fill(&*store, &vault, 9).await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                rounds += 1;
                // Larger and smaller in turn, so that parts come and go.
                let written = if rounds % 2 == 0 { large_tree() } else { tree(rounds % 50, "x") };
                store.commit(put_tree(1000, written.clone()).into()).await.unwrap();
                assert_eq!(store.tree(&id(1000)).await.unwrap(), Some(written), "{rounds}");
            }
        }
    });
    let keyring = Keyring::new(store.clone(), vault.clone());
    for _ in 0..3 {
        let made = keyring.rotate(false).await.unwrap();
        keyring.keep_up().await.unwrap();
        let seals = keyring.walk().by_key.unwrap();
        assert_eq!(seals.keys().copied().collect::<Vec<_>>(), [made.id]);
    }
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
    whole(&*store, &vault, 9).await;
    let tree = store.tree(&id(1000)).await.unwrap();
    store.close().await.unwrap();
    drop((keyring, store));
    let (store, vault) = open(folder.path()).await;
    whole(&*store, &vault, 9).await;
    assert_eq!(store.tree(&id(1000)).await.unwrap(), tree);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_use_is_not_retired_and_a_backup_carries_all_keys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (store, vault) = open(&data).await;
    vault.rotate(false).unwrap();
    fill(&*store, &vault, 3).await;
    vault.rotate(false).unwrap();
    let keyring = Keyring::new(store.clone(), vault.clone());
    let second = vault.keys()[1].id;
    let error = keyring.retire(second).await.unwrap_err();
    assert!(matches!(&error, KeyringError::InUse { .. }), "{error}");
    let backup = folder.path().join("backup");
    store.backup(&backup).await.unwrap();
    let other = folder.path().join("other");
    store::restore(&backup, &other).unwrap();
    let (restored, opened) = open(&other).await;
    whole(&*restored, &opened, 3).await;
    restored.close().await.unwrap();
    drop((restored, opened));
    // A key that is missing is told before anything is served.
    std::fs::remove_file(other.join("secrets.key.2")).unwrap();
    let error = store::open(&config(Engine::Sled), &other).await.err().unwrap().to_string();
    assert!(error.contains(&second.to_string()) && error.contains("not here"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_keys_lie_elsewhere_holds_no_secret_and_needs_them() {
    const TOKEN: &str = "c4nary-of-the-admin-token";
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let elsewhere = Some(folder.path().join("keys"));
    let config = StoreConfig { key_file: elsewhere, ..config(Engine::Sled) };
    let place = KeyPlace::of(&config, &data);
    let vault = Vault::open_at(place.clone()).unwrap();
    let store = store::open_sealed(&config, &data, Ground::real(), vault.clone()).await.unwrap();
    std::fs::create_dir_all(data.join("tls")).unwrap();
    for name in ["admin.token", "onboarding.txt", "tls/server.key"] {
        std::fs::write(data.join(name), format!("{TOKEN} {name}")).unwrap();
    }
    fill(&*store, &vault, 3).await;
    store.backup(&backup).await.unwrap();
    store.close().await.unwrap();
    let texts = unpacked(&std::fs::read(&backup).unwrap());
    assert!(texts.len() > 5 && texts.iter().all(|text| !text.contains(TOKEN)));

    let other = folder.path().join("other");
    let error = store::restore(&backup, &other).unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, StoreError::Key(_)) && told.contains("store.key_file"), "{told}");
    assert!(!other.exists(), "nothing is left of it");
    store::restore_with(&backup, &other, &KeyPlace::of(&config, &other)).unwrap();
    for name in ["admin.token", "onboarding.txt", "tls/server.key"] {
        let text = std::fs::read_to_string(other.join(name)).unwrap();
        assert_eq!(text, format!("{TOKEN} {name}"));
    }
    assert!(!other.join("secrets.key").exists(), "the key stays where it is");
    let restored =
        store::open_sealed(&config, &other, Ground::real(), vault.clone()).await.unwrap();
    whole(&*restored, &vault, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_store_in_memory_carries_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let vault = Vault::ephemeral();
    vault.rotate(false).unwrap();
    let store = store::memory_sealed(&config(Engine::Memory), vault.clone());
    fill(&*store, &vault, 3).await;
    vault.rotate(false).unwrap();
    store.backup(&backup).await.unwrap();
    store::restore(&backup, &data).unwrap();
    let (restored, opened) = open(&data).await;
    assert_eq!(opened.keys().len(), 3);
    whole(&*restored, &opened, 3).await;
}

/// The child: rotates and seals anew until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the child of another test"]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let (store, vault) = open(Path::new(&folder)).await;
    let keyring = Keyring::new(store.clone(), vault.clone());
    let say = |line: &str| {
        std::io::stdout().lock().write_all(format!("step {line}\n").as_bytes()).unwrap();
    };
    keyring.keep_up().await.unwrap();
    for _ in 0..20 {
        say("ready");
        keyring.rotate(false).await.unwrap();
        say("rotated");
        let mut next = None;
        loop {
            let page = store.office().reseal(next.as_deref(), 7, true).await.unwrap();
            say("page");
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        keyring.keep_up().await.unwrap();
        say("walked");
        for key in vault.keys() {
            let _ = keyring.retire(key.id).await;
            say("retired");
        }
    }
}

#[test]
fn a_kill_at_any_step_of_a_rotation_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (store, vault) = open(folder.path()).await;
        fill(&*store, &vault, 9).await;
        store.close().await.unwrap();
    });
    // Somewhere in the first rotation, at each of its steps in turn.
    for steps in 1..=20 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::reseal::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut count = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if line.unwrap().starts_with("step ") {
                count += 1;
                if count == steps {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        assert!(count >= steps, "the child ended after {count} of {steps} steps");
        runtime.block_on(async {
            let (store, vault) = open(folder.path()).await;
            whole(&*store, &vault, 9).await;
            store.close().await.unwrap();
        });
    }
    runtime.block_on(async {
        let (store, vault) = open(folder.path()).await;
        let keyring = Keyring::new(store.clone(), vault.clone());
        keyring.keep_up().await.unwrap();
        for key in vault.keys() {
            let _ = keyring.retire(key.id).await;
        }
        assert!(vault.keys().len() <= 2, "{:?}", vault.keys());
        whole(&*store, &vault, 9).await;
    });
}
