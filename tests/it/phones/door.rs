//! Phones at the door.

use std::sync::Arc;
use std::time::Duration;

use provost::config::PhonesConfig;
use provost::device::Secret;
use provost::phone::{Mac, Phone, Site};
use provost::provision::fanvil::{self, Profile, Text};
use provost::simulate::{Decode, FanvilPhone, PhoneFile, PhoneFileKind, PhoneVerdict};
use provost::store::Change;
use provost::time::Clock as _;

use super::rig::{Rig, curl, raw};

const MAC: &str = "0c383e07e16c";
const COMMON: &str = "F0V00X600000.cfg";

fn mac() -> Mac {
    MAC.parse().unwrap()
}

fn decode() -> Decode {
    Arc::new(|bytes, key| {
        let text = fanvil::open(Profile::default(), key, bytes);
        let text = text.map_err(|error| error.to_string().into_boxed_str())?;
        let settings =
            text.settings().map(|(module, key, value)| (module.into(), key.into(), value.into()));
        Ok(PhoneFile { version: text.version.clone(), settings: settings.collect() })
    })
}

/// Fetches both files; the verdict on each.
async fn provision(rig: &Rig, phone: &mut FanvilPhone) -> [PhoneVerdict; 2] {
    let base = rig.url(&rig.folder(mac(), "own"));
    let mut outcomes = phone.provision(&base, None, None, Duration::from_secs(30)).await;
    let (device, own) = outcomes.pop().unwrap();
    let (common, shared) = outcomes.pop().unwrap();
    assert_eq!((common, device), (PhoneFileKind::Common, PhoneFileKind::Device));
    [shared.unwrap(), own.unwrap()]
}

fn applied(version: &str) -> PhoneVerdict {
    PhoneVerdict::Applied { version: version.into() }
}

fn unchanged(version: &str) -> PhoneVerdict {
    PhoneVerdict::Unchanged { version: version.into() }
}

/// A door with the phone and its site, both without keys.
async fn with_phone() -> (Rig, String) {
    let rig = Rig::open().await;
    rig.put_site(Rig::site(1)).await;
    rig.put_phone(rig.phone(MAC, 1)).await;
    let folder = rig.folder(mac(), "own");
    (rig, folder)
}

async fn get(rig: &Rig, path: &str) -> String {
    curl(&["-w", "|%{http_code}", &rig.url(path)]).await
}

/// A file's text and its version.
async fn file(rig: &Rig, name: &str) -> (String, String) {
    let got = get(rig, &format!("{}{name}", rig.folder(mac(), "own"))).await;
    let body = got.strip_suffix("|200").unwrap_or_else(|| panic!("{got}")).to_owned();
    let version = Text::read(body.as_bytes()).unwrap().version.to_string();
    (body, version)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_applies_what_is_new_and_nothing_twice() {
    let rig = Rig::open().await;
    let (common_key, device_key) = ("c0".repeat(32), "DE".repeat(32));
    let seal = |key: &str| Some(rig.vault.seal(&Secret::new(key)));
    rig.put_site(Site { common_key: seal(&common_key), ..Rig::site(1) }).await;
    let record = Phone { config_key: seal(&device_key), ..rig.phone(MAC, 1) };
    rig.put_phone(record.clone()).await;
    let keys = (Some(Secret::new(common_key)), Some(Secret::new(device_key)));
    let mut phone = FanvilPhone::new(mac(), COMMON, keys.0, keys.1, decode());
    let (first, second) = ("2.0000000001", "2.0000000002");
    assert_eq!(provision(&rig, &mut phone).await, [applied(first), applied(first)]);
    assert_eq!(provision(&rig, &mut phone).await, [unchanged(first), unchanged(first)]);

    // An account changes: its file rises by one, the common file does not.
    let mut changed = Phone { revision: 2, ..record };
    changed.accounts[0].display_name = "Berta".into();
    rig.put_phone(changed.clone()).await;
    assert_eq!(provision(&rig, &mut phone).await, [unchanged(first), applied(second)]);
    assert_eq!(provision(&rig, &mut phone).await, [unchanged(first), unchanged(second)]);

    // A change that is not in the file changes nothing.
    rig.put_phone(Phone { revision: 3, ..changed }).await;
    assert_eq!(provision(&rig, &mut phone).await, [unchanged(first), unchanged(second)]);

    // The site changes: the other way round.
    let mut site = rig.store.site("hq").await.unwrap().unwrap();
    site.revision += 1;
    site.settings.insert("AUTOUPDATE/Flash Interval".into(), "12".into());
    rig.put_site(site).await;
    assert_eq!(provision(&rig, &mut phone).await, [applied(second), unchanged(second)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_of_one_model_share_the_counter_of_their_common_file() {
    let (rig, _) = with_phone().await;
    let other = Phone { model: "X7".into(), ..rig.phone("0c383e07e16d", 1) };
    let (other_mac, folder) = (other.mac, rig.folder(other.mac, "own"));
    rig.put_phone(other).await;
    // Both spellings are one file.
    assert_eq!(file(&rig, COMMON).await.1, "2.0000000001");
    assert_eq!(file(&rig, "F0V0X6000000.cfg").await.1, "2.0000000001");
    let key = format!("fanvil/common/hq/{COMMON}");
    assert_eq!(rig.store.file_version(&key).await.unwrap().unwrap().counter, 1);
    let body = get(&rig, &format!("{folder}F0V00X700000.cfg")).await;
    assert!(body.ends_with("|200"), "{body}");
    let body = get(&rig, &format!("{folder}{other_mac}.cfg")).await;
    assert!(body.ends_with("|200"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_the_same_version() {
    let (rig, _) = with_phone().await;
    let rig = Arc::new(rig);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move { file(&rig, &format!("{MAC}.cfg")).await.1 })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "2.0000000001");
    }
}

/// P1, P2, P4, P10: whatever is wrong, the answer is the same to the byte.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let (rig, folder) = with_phone().await;
    let token = folder.split('/').nth(2).unwrap();
    let other = if token.ends_with('A') { 'B' } else { 'A' };
    let stranger = rig.folder("0c383e07e16d".parse().unwrap(), "own");
    let renewed = rig.folder(mac(), "old");
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    assert!(uniform.starts_with("HTTP/1.1 404"), "{uniform}");
    let agent = "User-Agent: Fanvil X6 2.4.0 0c383e07e16d";
    for (path, headers) in [
        (format!("/p/{MAC}/{MAC}.cfg"), vec![]),
        (format!("/p/{}/{MAC}.cfg", &token[1..]), vec![]),
        (format!("/p/{}{other}/{MAC}.cfg", &token[..token.len() - 1]), vec![]),
        (format!("/p/{token}"), vec![]),
        (format!("{stranger}0c383e07e16d.cfg"), vec![]),
        (format!("{renewed}{MAC}.cfg"), vec![]),
        (format!("{folder}{MAC}.cfg"), vec![agent]),
        (format!("{folder}0c383e07e16d.cfg"), vec![]),
        (format!("{folder}000000000000.cfg"), vec![]),
        (format!("{folder}F00000000000.cfg"), vec![]),
        (format!("{folder}{MAC}.cfg%00"), vec![]),
        (format!("{folder}{MAC}%252ecfg"), vec![]),
        (format!("{folder}{MAC}%2"), vec![]),
        (format!("{folder}../{MAC}.cfg"), vec![]),
        (format!("{folder}..%2f..%2fetc%2fpasswd"), vec![]),
        (format!("{folder}index.html"), vec![]),
        (folder.clone(), vec![]),
    ] {
        assert_eq!(raw(rig.address, "GET", &path, &headers).await, uniform, "{path}");
    }
    // And right is right, in whatever case the name comes.
    for name in
        [format!("{MAC}.cfg"), format!("{}.CFG", MAC.to_uppercase()), format!("{MAC}%2ecfg")]
    {
        let got = raw(rig.address, "GET", &format!("{folder}{name}"), &[]).await;
        assert!(got.starts_with("HTTP/1.1 200"), "{got}");
    }
}

/// P1: who has no token costs the store nothing, so that no time tells whether
/// a phone exists.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_phone_is_gone_at_once() {
    let (rig, folder) = with_phone().await;
    let path = format!("{folder}{MAC}.cfg");
    assert!(get(&rig, &path).await.ends_with("|200"));
    let mut batch = provost::store::Batch::new();
    batch.push(Change::ForgetPhone(mac()));
    rig.store.commit(batch).await.unwrap();
    assert!(get(&rig, &path).await.ends_with("|404"));
}

/// P6 and P9: over plain HTTP, without a key and without the operator's word,
/// no file holds a secret.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_only_where_they_may() {
    let (rig, folder) = with_phone().await;
    let device = format!("{MAC}.cfg");
    let (common_text, _) = file(&rig, COMMON).await;
    let (device_text, version) = file(&rig, &device).await;
    for text in [&common_text, &device_text] {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(device_text.contains(":1001\r\n") && common_text.contains("Flash Mode"));
    assert_eq!(version, "2.0000000001");

    // Over TLS they may go, and that file is another.
    let (address, _) = rig.open_tls();
    for (name, canaries) in [(&*device, ["sip", "menu"].as_slice()), (COMMON, &["admin"])] {
        let text = curl(&["-k", &format!("https://{address}{folder}{name}")]).await;
        for canary in canaries {
            assert!(text.contains(&format!("canary-{canary}\r\n")), "{text}");
        }
    }

    // The operator may say so for the site.
    rig.put_site(Site { plain_secrets: true, ..Rig::site(2) }).await;
    assert!(file(&rig, &device).await.0.contains("canary-sip"));
    assert!(file(&rig, COMMON).await.0.contains("canary-admin"));
    rig.put_site(Rig::site(3)).await;
    let (text, version) = file(&rig, &device).await;
    assert!(!text.contains("canary"), "{text}");
    assert_eq!(version, "2.0000000003", "each was another file than the one before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_held_to_its_rate() {
    let rig = Rig::with(PhonesConfig { requests_per_minute: 3, ..PhonesConfig::default() }).await;
    rig.put_phone(rig.phone(MAC, 1)).await;
    let path = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    for expected in ["|200", "|200", "|200", "|429"] {
        assert!(get(&rig, &path).await.ends_with(expected), "{expected}");
    }
    rig.clock.advance(Duration::from_secs(20));
    assert!(get(&rig, &path).await.ends_with("|200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_phone_fetched_is_recorded_when_it_is_new() {
    let (rig, folder) = with_phone().await;
    let url = rig.url(&format!("{folder}{MAC}.cfg"));
    let agent = format!("Fanvil X6 2.4.0 {MAC}");
    let start = rig.clock.now();
    curl(&["-I", "-A", &agent, &url]).await;
    assert_eq!(rig.store.seen(mac()).await.unwrap(), None, "HEAD takes nothing");
    let (mut recorded, mut last) = (Vec::new(), None);
    for (seconds, agent) in [(0, &agent), (30, &agent), (31, &agent), (0, &agent.replace("4", "5"))]
    {
        rig.clock.advance(Duration::from_secs(seconds));
        curl(&["-A", agent, &url]).await;
        let seen = rig
            .eventually(async |store| {
                let seen = store.seen(mac()).await.unwrap()?;
                let new = recorded.len() == 1 || Some(&seen) != last.as_ref();
                new.then_some(seen)
            })
            .await;
        last = Some(seen.clone());
        assert_eq!((&*seen.file, &*seen.version), ("0c383e07e16c.cfg", "2.0000000001"));
        assert!(seen.address.is_loopback());
        recorded.push((seen.at.since(start).as_secs(), seen.firmware.to_string()));
    }
    let expected = [(0, "2.4.0"), (0, "2.4.0"), (61, "2.4.0"), (61, "2.5.0")];
    assert_eq!(recorded, expected.map(|(at, firmware)| (at, firmware.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_has_what_a_phone_needs() {
    let (rig, folder) = with_phone().await;
    let url = rig.url(&format!("{folder}{MAC}.cfg"));
    let head = curl(&["-I", &url]).await.to_lowercase();
    let body = curl(&[&url]).await;
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(head.contains("content-type: text/plain\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(curl(&["-r", "0-19", &url]).await, "<<VOIP CONFIG FILE>>");
    assert_eq!(body.find("\r\n"), Some(62));
}

/// A file that cannot be made is refused politely, and the others are served.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_key_is_no_reason_to_send_a_plain_file() {
    let (rig, folder) = with_phone().await;
    let short = Some(rig.vault.seal(&Secret::new("c0ffee")));
    rig.put_phone(Phone { config_key: short, ..rig.phone(MAC, 2) }).await;
    let got = get(&rig, &format!("{folder}{MAC}.cfg")).await;
    assert_eq!(got, "try again later\n|503");
    assert!(get(&rig, &format!("{folder}{COMMON}")).await.ends_with("|200"));
}

/// What is at hand is served though the store cannot take the record of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_keeps_no_phone_from_a_file_that_is_at_hand() {
    let (rig, folder) = with_phone().await;
    let path = format!("{folder}{MAC}.cfg");
    assert!(get(&rig, &path).await.ends_with("|200"));
    rig.store.close().await.unwrap();
    rig.clock.advance(Duration::from_secs(61));
    assert!(get(&rig, &path).await.ends_with("|200"));
    assert_eq!(get(&rig, &format!("{folder}{COMMON}")).await, "try again later\n|503");
}

/// Whoever fetches while the phone is being changed: a version has one content,
/// and the last content has the highest version.
#[tokio::test(flavor = "multi_thread")]
async fn versions_and_contents_stay_together_while_everything_changes() {
    let (rig, _) = with_phone().await;
    let rig = Arc::new(rig);
    let own = format!("{MAC}.cfg");
    let fetchers: Vec<_> = (0..4)
        .map(|_| {
            let (rig, own) = (Arc::clone(&rig), own.clone());
            tokio::spawn(async move {
                let mut got = Vec::new();
                for _ in 0..20 {
                    got.push(file(&rig, &own).await);
                }
                got
            })
        })
        .collect();
    for revision in 2..60 {
        let mut phone = rig.phone(MAC, revision);
        phone.accounts[0].display_name = format!("name {}", revision % 3).into();
        rig.put_phone(phone).await;
        tokio::task::yield_now().await;
    }
    let mut seen = std::collections::BTreeMap::new();
    for fetcher in fetchers {
        for (body, version) in fetcher.await.unwrap() {
            assert_eq!(*seen.entry(version).or_insert_with(|| body.clone()), body);
        }
    }
    let (body, version) = file(&rig, &own).await;
    assert!(body.contains("name 2\r\n"), "the last revision was 59: {body}");
    assert!(seen.keys().all(|earlier| *earlier <= version), "{version} after {:?}", seen.keys());
}
