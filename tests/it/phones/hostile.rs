//! What people with no business here ask phones' doors, by the numbers of the
//! list of hostile inputs (P).

use std::sync::Arc;

use provost::config::{PhonesConfig, StoreConfig};
use provost::files::{Ask, NotFound, Source as _};
use provost::phone::{Access, Allow, DoorKind, Mac, Phone, Site, Vendor};
use provost::store::Store;

use super::counting::Counting;
use super::rig::{Rig, curl, raw};

const MAC: &str = "0c383e07e16c";

fn mac() -> Mac {
    MAC.parse().unwrap()
}

fn no_limits() -> PhonesConfig {
    PhonesConfig { requests_per_minute: 0, addresses_in_vain: 0, ..PhonesConfig::default() }
}

fn ask(path: &str) -> Ask<'_> {
    let source = "192.0.2.7".parse().unwrap();
    Ask { door: DoorKind::Http, source, path, agent: "", certificate: None, login: None }
}

/// An open site with one phone for each reason to be refused; the phone that is
/// served comes last.
async fn refusals(rig: &Rig) -> Vec<String> {
    let open = Access { tokenless: true, lock: false, ..Access::default() };
    let allow = Allow::list("10.10.50.*").unwrap();
    for (name, access) in [
        ("hq", open.clone()),
        ("elsewhere", Access { allow, ..open.clone() }),
        ("closed", Access { tokenless: false, ..open.clone() }),
        ("locking", Access { lock: true, ..open }),
    ] {
        rig.put_site(Site { name: name.into(), access, ..Rig::site(1) }).await;
    }
    let phone = |mac: &str, site: &str| Phone { site: site.into(), ..rig.phone(mac, 1) };
    rig.put_phone(Phone { enabled: false, ..phone("0c383e000001", "hq") }).await;
    rig.put_phone(phone("0c383e000002", "elsewhere")).await;
    rig.put_phone(phone("0c383e000003", "closed")).await;
    rig.put_phone(phone("0c383e000004", "locking")).await;
    rig.put_phone(phone("0c383e000005", "nowhere")).await;
    rig.put_phone(phone(MAC, "hq")).await;
    let locked = provost::phone::FetchLog {
        lock: Some(provost::phone::Lock {
            at: provost::time::Clock::now(&*rig.clock),
            address: "192.0.2.99".parse().unwrap(),
            unlocks: 0,
        }),
        ..provost::phone::FetchLog::new("0c383e000004".parse().unwrap())
    };
    rig.put(provost::store::Record::FetchLog(Box::new(locked))).await;
    (1..=9).map(|last| format!("/0c383e00000{last}.cfg")).collect()
}

/// P1: to the byte the same, and the same work.
#[tokio::test(flavor = "multi_thread")]
async fn p01_whoever_walks_addresses_learns_nothing() {
    let store = Counting::new(provost::store::memory(&StoreConfig::default()));
    let rig = Rig::over(Arc::clone(&store) as Arc<dyn Store>, no_limits());
    let paths = refusals(&rig).await;
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    let mut reads = Vec::new();
    for path in &paths {
        // A refusal of a known phone is recorded behind the first answer.
        assert!(rig.supply.open(&ask(path)).await.is_err());
        assert_eq!(raw(rig.address, "GET", path, &[]).await, uniform, "{path}");
    }
    settled(&rig).await;
    for path in &paths {
        store.take();
        assert!(matches!(rig.supply.open(&ask(path)).await, Err(NotFound::Nowhere)), "{path}");
        reads.push(store.take());
    }
    assert!(reads.iter().all(|count| *count == [1, 1, 1, 0, 0]), "{reads:?}");
    assert!(rig.supply.open(&ask(&format!("/{MAC}.cfg"))).await.is_ok());

    // Ten thousand of them.
    for number in 0..10_000_u32 {
        let path = format!("/0c383e{:06x}.cfg", 0x10_0000 + number);
        assert!(matches!(rig.supply.open(&ask(&path)).await, Err(NotFound::Nowhere)));
    }
    // With wrong tokens nothing at all is read.
    store.take();
    for path in [format!("/p/{MAC}/{MAC}.cfg"), format!("/s/hq/{MAC}.cfg"), "/p/AAAA/x".to_owned()]
    {
        assert!(rig.supply.open(&ask(&path)).await.is_err());
    }
    assert_eq!(store.take(), [0; 5]);
}

/// Waits for the records of refusals.
async fn settled(rig: &Rig) {
    for last in 1..=5 {
        let mac: Mac = format!("0c383e00000{last}").parse().unwrap();
        rig.eventually(async |store| {
            let log = store.fetch_log(mac).await.unwrap()?;
            (!log.fetches.is_empty()).then_some(())
        })
        .await;
    }
}

/// P1: and is held off, for all phones of the block, known or not.
#[tokio::test(flavor = "multi_thread")]
async fn p01_a_walk_is_held_off() {
    let phones = PhonesConfig { requests_per_minute: 0, ..PhonesConfig::default() };
    let rig = Rig::with(phones).await;
    refusals(&rig).await;
    let own = format!("/{MAC}.cfg");
    assert!(rig.supply.open(&ask(&own)).await.is_ok());
    let mut answers = Vec::new();
    for number in 0..200_u32 {
        let path = format!("/0c383e{number:06x}.cfg");
        answers.push(rig.supply.open(&ask(&path)).await.err());
    }
    let nowhere = answers.iter().take_while(|why| **why == Some(NotFound::Nowhere)).count();
    assert_eq!(nowhere, 100);
    assert!(answers[100..].iter().all(|why| *why == Some(NotFound::TooMany)));
    assert_eq!(rig.supply.open(&ask(&own)).await.err(), Some(NotFound::TooMany));
    // Another network and another block are none of it, nor is a token.
    let other = Ask { source: "198.51.100.1".parse().unwrap(), ..ask(&own) };
    assert!(rig.supply.open(&other).await.is_ok());
    assert_eq!(rig.supply.open(&ask("/000fd3010203.cfg")).await.err(), Some(NotFound::Nowhere));
    let token = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    assert!(rig.supply.open(&ask(&token)).await.is_ok());
}

/// P2: a known address with another's User-Agent or certificate.
#[tokio::test(flavor = "multi_thread")]
async fn p02_a_known_address_with_the_wrong_evidence_leads_nowhere() {
    let rig = Rig::with(no_limits()).await;
    refusals(&rig).await;
    let own = format!("/{MAC}.cfg");
    let token = format!("{}{MAC}.cfg", rig.folder(mac(), "own"));
    let other = "0c383e07e16d".parse().ok();
    for path in [&own, &token] {
        assert!(rig.supply.open(&ask(path)).await.is_ok());
        assert!(rig.supply.open(&Ask { certificate: Some(mac()), ..ask(path) }).await.is_ok());
        for wrong in [
            Ask { certificate: other, ..ask(path) },
            Ask { agent: "Fanvil X6 2.4.0 0c383e07e16d", ..ask(path) },
            Ask { agent: "Grandstream GXP2135 DevId 000b828aa872", ..ask(path) },
        ] {
            let got = rig.supply.open(&wrong).await.err();
            assert_eq!(got, Some(NotFound::Nowhere), "{wrong:?}");
        }
    }
}

/// P4: every spelling of an address is one phone; nothing leaves its folder.
#[tokio::test(flavor = "multi_thread")]
async fn p04_spellings_of_an_address_and_of_paths() {
    let rig = Rig::with(no_limits()).await;
    refusals(&rig).await;
    let folder = rig.folder(mac(), "own");
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    for name in ["0c383e07e16c.cfg", "0C383E07E16C.cfg", "0c383E07e16C.CFG"] {
        for folder in ["/", &*folder] {
            let got = raw(rig.address, "GET", &format!("{folder}{name}"), &[]).await;
            assert!(got.starts_with("HTTP/1.1 200"), "{folder}{name}: {got}");
        }
    }
    for name in [
        "0c383e07e16c.cfg%00",
        "0c383e07e16c.cfg%00.txt",
        "%2e%2e/0c383e07e16c.cfg",
        "..%2f0c383e07e16c.cfg",
        "../0c383e07e16c.cfg",
        "..%5c0c383e07e16c.cfg",
        "%252e%252e%252f0c383e07e16c.cfg",
        "0c383e07e16c.cfg%0d%0aX:%20y",
        "0c383e07e16c.cfg.bak",
        "0c383e07e16c",
        "00c383e07e16c.cfg",
        "%ff0c383e07e16c.cfg",
        "0c383e07e16c.cfg%",
        "../../../../etc/passwd",
        "",
    ] {
        for folder in ["/", &*folder, &*rig.site_folder("hq")] {
            let path = format!("{folder}{name}");
            assert_eq!(raw(rig.address, "GET", &path, &[]).await, uniform, "{path}");
        }
    }
}

/// P6: over plain doors no secrets, unless the site says so or the file is
/// encrypted.
#[tokio::test(flavor = "multi_thread")]
async fn p06_plain_doors_get_no_secrets() {
    let rig = Rig::with(no_limits()).await;
    refusals(&rig).await;
    let (address, _) = rig.open_tls();
    for path in [format!("/{MAC}.cfg"), format!("{}{MAC}.cfg", rig.folder(mac(), "own"))] {
        let plain = curl(&[&rig.url(&path)]).await;
        assert!(plain.contains(":1001\r\n") && !plain.contains("canary"), "{plain}");
        let secure = curl(&["-k", &format!("https://{address}{path}")]).await;
        assert!(secure.contains("canary-sip") && secure.contains("canary-menu"), "{secure}");
        for door in [DoorKind::Tftp, DoorKind::Ftp] {
            let found = rig.supply.open(&Ask { door, ..ask(&path) }).await.unwrap();
            let provost::files::Content::Bytes(bytes) = found.content else { panic!("{path}") };
            assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
        }
    }
    // A common file for nobody in particular has none even over TLS.
    let common = curl(&["-k", &format!("https://{address}/F0V00X600000.cfg")]).await;
    assert!(common.contains("Flash Mode") && !common.contains("canary"), "{common}");
}

/// P9: the zeroes file is Digium's alone, and holds no secret even over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn p09_the_zeroes_file_is_one_vendors_and_holds_no_secrets() {
    let rig = Rig::with(no_limits()).await;
    refusals(&rig).await;
    let zeroes = "000000000000.cfg";
    let digium: Mac = "000fd3010203".parse().unwrap();
    rig.put_phone(Phone {
        vendor: Vendor::Digium,
        settings: [].into(),
        ..rig.phone("000fd3010203", 1)
    })
    .await;
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    let fanvil = format!("{}{zeroes}", rig.folder(mac(), "own"));
    let agent = format!("User-Agent: Fanvil X6 2.4.0 {MAC}");
    for (path, headers) in [
        (format!("/{zeroes}"), vec![]),
        (format!("/{zeroes}"), vec![&*agent]),
        (format!("/phoneprov/{zeroes}"), vec![]),
        (fanvil, vec![]),
    ] {
        assert_eq!(raw(rig.address, "GET", &path, &headers).await, uniform, "{path}");
    }
    let (address, _) = rig.open_tls();
    let own = curl(&[
        "-k",
        "-w",
        "|%{http_code}",
        &format!("https://{address}{}{zeroes}", rig.folder(digium, "own")),
    ])
    .await;

    assert!(own.ends_with("|200"), "{own}");
    assert!(!own.contains("canary") && !own.contains("1001"), "{own}");
    for headers in [["User-Agent: Digium D65 2_9_27"], ["User-Agent: Digium D65 000fd3010203"]] {
        let got = raw(rig.address, "GET", &format!("/{zeroes}"), &headers).await;
        assert!(got.starts_with("HTTP/1.1 200") && got.contains("<config"), "{got}");
        assert!(!got.contains("canary") && !got.contains("1001"), "{got}");
    }
}

/// P10: the User-Agent of one phone, the path of another.
#[tokio::test(flavor = "multi_thread")]
async fn p10_a_user_agent_that_names_another_phone_leads_nowhere() {
    let rig = Rig::with(no_limits()).await;
    refusals(&rig).await;
    let uniform = raw(rig.address, "GET", "/", &[]).await;
    for agent in [
        "Fanvil X6 2.4.0 0c383e07e16d",
        "Fanvil X6 2.4.0 0C:38:3E:07:E1:6D",
        "Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37",
    ] {
        let agent = format!("User-Agent: {agent}");
        for folder in ["/".to_owned(), rig.folder(mac(), "own"), rig.site_folder("hq")] {
            let path = format!("{folder}{MAC}.cfg");
            assert_eq!(raw(rig.address, "GET", &path, &[&agent]).await, uniform, "{path}");
        }
    }
}
