//! What a phone's file of 32 KB costs: made anew, and served again.
//!
//! Budgets: 200 µs from records to encrypted bytes, 60 µs when nothing has
//! changed since (token, rate limit, look-up and headers included).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench ends with a panic when something is missing"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use provost::config::{LimitsConfig, PhonesConfig, StoreConfig};
use provost::device::{Sealed, Secret};
use provost::fetch::{Fetch, FetchDeps};
use provost::files::{Links, Shelf};
use provost::http::Peer;
use provost::phone::{Account, Phone, Transport, Vendor};
use provost::provision::audiocodes::KeyDigest;
use provost::provision::fanvil::Profile;
use provost::provision::{
    Ciphers, Directives, Folders, Inputs, Kind, Line, PhoneLinks, SiteLinks, Subject, Templates,
    Wanted, advance, family, fingerprint,
};
use provost::store::{Record, Vault};
use provost::supply::{Bases, Supply, SupplyDeps};
use provost::time::SystemClock;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A phone with six accounts and 936 settings: about 32 KB.
fn phone(sealed: impl Fn(&str) -> Sealed) -> Phone {
    let account = |line: u8| Account {
        line,
        user: format!("10{line:02}").into(),
        auth_user: "".into(),
        password: sealed("a password"),
        display_name: "Anna".into(),
        server: "pbx.example.net".into(),
        port: 5060,
        transport: Transport::Udp,
        outbound_proxy: "".into(),
        voicemail: "*98".into(),
        label: "".into(),
    };
    let keys = (1..=312).flat_map(|key| {
        [("Type", "1"), ("Value", "1002@1/bc"), ("Title", "Berta")]
            .map(|(name, value)| (format!("DSSKEY/Fkey{key} {name}").into(), value.into()))
    });
    let mac = "0c383e07e16c".parse().unwrap();
    Phone {
        revision: 1,
        config_key: Some(sealed(KEY)),
        accounts: (1..=6).map(account).collect(),
        settings: keys.collect::<BTreeMap<_, _>>(),
        ..Phone::new(mac, Vendor::Fanvil, "X6", "hq", sealed("own"))
    }
}

fn uncached(c: &mut Criterion) {
    let phone = phone(|_| Sealed(Vec::new()));
    let (key, password) = (Secret::new(KEY), Secret::new("a password"));
    let fanvil = family(Vendor::Fanvil);
    let (directives, folders) = (Directives::default(), Folders::default());
    let templates = Templates::default();
    let ciphers = Ciphers { fanvil: Profile::default(), audiocodes: KeyDigest::default() };
    let wanted = Wanted { kind: Kind::Own, name: format!("{}.cfg", phone.mac).into() };
    let make = |phone: &Phone| {
        let lines: Vec<Line<'_>> = phone
            .accounts
            .iter()
            .map(|account| Line { account, password: Some(&password) })
            .collect();
        let inputs = Inputs {
            subject: Subject {
                mac: Some(phone.mac),
                model: &phone.model,
                names: &[],
                template: "",
                directives: &directives,
            },
            site: "hq",
            settings: &phone.settings,
            own: &phone.settings,
            lines: &lines,
            keys: &[],
            contacts: &[],
            folders: &folders,
            firmware: None,
            acs: None,
            secrets: true,
            templates: &templates,
        };
        let draft = fanvil.render(&wanted, &inputs).unwrap();
        let version = advance("fanvil/mac/x", None, fingerprint(&[7; 32], &draft.body));
        let version = fanvil.version(&draft, version.counter).unwrap();
        let plain = fanvil.finish(&draft, &version).unwrap();
        fanvil.encrypt(&ciphers, &key, plain).unwrap()
    };
    let size = make(&phone).len();
    assert!((32_000..34_000).contains(&size), "{size}");
    c.bench_function("fanvil/uncached: render, gate, encrypt 32 KB", |b| {
        b.iter(|| make(black_box(&phone)));
    });
}

fn cached(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let data = tempfile::tempdir().unwrap();
    let vault = Vault::ephemeral();
    let phone = phone(|text| vault.seal(&Secret::new(text)));
    let phone_links = PhoneLinks::new([1; 32]);
    let folder = phone_links.path(phone.mac, &Secret::new("own"));
    let path = format!("{folder}{}.cfg", phone.mac);
    let fetch = runtime.block_on(async {
        let store = provost::store::memory(&StoreConfig::default());
        store.commit(Record::Phone(Box::new(phone)).into()).await.unwrap();
        let shelf = Shelf::open(data.path(), 0).unwrap();
        let supply = Supply::new(SupplyDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            shelf: Arc::clone(&shelf),
            phone_links,
            site_links: SiteLinks::new([3; 32]),
            clock: Arc::new(SystemClock),
            phones: PhonesConfig { requests_per_minute: u32::MAX, ..PhonesConfig::default() },
            templates: Arc::new(Templates::default()),
            bases: Bases { http: "http://127.0.0.1:7567".to_owned(), ..Bases::default() },
            acs: Arc::new(|_| None),
        });
        Fetch::new(FetchDeps {
            source: Arc::new(supply.unwrap()),
            store,
            vault,
            shelf,
            links: Links::new([2; 32]),
            clock: Arc::new(SystemClock),
            max_upload: 1 << 20,
            limits: LimitsConfig::default(),
        })
    });
    let address = ([127, 0, 0, 1], 40_000).into();
    let peer = Peer {
        connection: 1,
        address,
        local: address,
        tls: false,
        certificate: None,
        client: None,
    };
    let request = hyper::Request::get(path)
        .header("user-agent", "Fanvil X6 2.4.0 0c383e07e16c")
        .body(())
        .unwrap();
    let (request, ()) = request.into_parts();
    let first = runtime.block_on(fetch.answer(&peer, &request));
    assert_eq!(first.status(), 200);
    c.bench_function("fanvil/cached: the same file again", |b| {
        b.iter(|| runtime.block_on(fetch.answer(&peer, black_box(&request))));
    });
}

criterion_group!(benches, uncached, cached);
criterion_main!(benches);
