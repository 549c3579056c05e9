//! The doors for what devices report outside of sessions, from outside: curl as
//! the device for bulk data, datagrams for lightweight notifications.

mod lightweight;
mod server;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use provost::collect::{Bulk, BulkDeps};
use provost::config::{AuthMode, BulkConfig, CwmpConfig, LimitsConfig, StoreConfig};
use provost::device::{Credentials, DeviceId, EventKind, Report, ReportSource, Secret, Stage};
use provost::gate::{Gate, OnboardingAccount};
use provost::http::{Body, Door, Handler, Peer};
use provost::store::{Record, Store, Vault};
use provost::time::{Clock as _, ManualClock};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::api::rig::{NOW, device};
use crate::bulk::{COLUMNS, HIERARCHY, PAIRS, ROWS};
use crate::phones::rig::curl;

pub(crate) struct Rig {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
    address: SocketAddr,
    _stop: DropGuard,
}

struct Behind(Bulk);

impl Handler for Behind {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        assert!(self.0.takes(request.uri().path()));
        self.0.answer(&peer, request).await
    }
}

/// Devices 1 and 2 with passwords of their own.
pub(crate) async fn two_devices(store: &dyn Store, vault: &Vault) {
    for serial in ["1", "2"] {
        let device = device(serial);
        store
            .commit(
                Record::Credentials(Box::new(Credentials {
                    device: device.id.clone(),
                    username: device.id.as_str().into(),
                    password: vault.seal(&Secret::new(format!("canary-{serial}"))),
                    connection_request_username: "u".into(),
                    connection_request_password: vault.seal(&Secret::new("p")),
                    stage: Stage::Confirmed,
                    made_at: NOW,
                    offers: 1,
                }))
                .into(),
            )
            .await
            .unwrap();
        store.commit(Record::Device(Box::new(device)).into()).await.unwrap();
    }
}

impl Rig {
    async fn open(auth: AuthMode, config: BulkConfig) -> Self {
        let store: Arc<dyn Store> = provost::store::memory(&StoreConfig::default());
        let vault = Vault::ephemeral();
        two_devices(&*store, &vault).await;
        let clock = Arc::new(ManualClock::at(NOW));
        let onboarding =
            OnboardingAccount { username: "provost".into(), password: Secret::new("shared") };
        let cwmp = CwmpConfig { auth, ..CwmpConfig::default() };
        let gate = Gate::new(&cwmp, Some(onboarding), Arc::clone(&store), vault);
        let bulk = Bulk::new(BulkDeps {
            store: Arc::clone(&store),
            gate: Arc::new(gate),
            clock: clock.clone(),
            config,
            limits: LimitsConfig::default(),
        });
        let door =
            Door::bind("bulk", (Ipv4Addr::LOCALHOST, 0).into(), &LimitsConfig::default(), None)
                .unwrap();
        let address = door.local_addr();
        let stop = CancellationToken::new();
        tokio::spawn(door.serve(Arc::new(Behind(bulk)), stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        Self { store, clock, folder, address, _stop: stop.drop_guard() }
    }

    /// The status of a report by curl as device 1, with further arguments.
    async fn report(&self, query: &str, body: &[u8], more: &[&str]) -> String {
        let file = self.folder.path().join("body");
        std::fs::write(&file, body).unwrap();
        let url = format!("http://{}/bulkdata{query}", self.address);
        let data = format!("@{}", file.display());
        let mut arguments = vec!["--data-binary", &*data, "-o", "/dev/null", "-w", "%{http_code}"];
        arguments.extend_from_slice(more);
        arguments.push(&url);
        curl(&arguments).await
    }

    async fn reports(&self, serial: &str) -> Vec<Report> {
        self.store.reports(&id(serial), 100).await.unwrap()
    }
}

fn id(serial: &str) -> DeviceId {
    device(serial).id
}

fn query(serial: &str) -> String {
    format!("?oui=00D09E&pc=HG-100&sn={serial}")
}

fn login(serial: &str) -> String {
    format!("{}:canary-{serial}", id(serial))
}

const BYTES: &str = "Device.MoCA.Interface.1.Stats.BytesSent";

fn zipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn t22_curl_reports_in_four_formats_plain_and_zipped() {
    for (media, format, body, latest) in [
        ("application/json; charset=UTF-8", "NameValuePair", PAIRS, "23456"),
        ("application/json; charset=UTF-8", "\"ObjectHierarchy\"", HIERARCHY, "12345"),
        ("text/csv; charset=UTF-8; header=present", "ParameterPerRow", ROWS, "23456"),
        ("text/csv; charset=UTF-8; header=present", "ParameterPerColumn", COLUMNS, "23456"),
    ] {
        let rig = Rig::open(AuthMode::Shared, BulkConfig::default()).await;
        let (media, format) =
            (format!("Content-Type: {media}"), format!("BBF-Report-Format: {format}"));
        let headers = ["-H", &*media, "-H", &*format, "--digest", "-u", &login("1")];
        let plain = rig.report(&query("1"), body.as_bytes(), &headers).await;
        assert_eq!(plain, "200", "{format}");
        let reports = rig.reports("1").await;
        let first = &reports[0];
        assert_eq!(first.source, ReportSource::BulkData);
        assert_eq!(first.at, NOW);
        assert!(first.collected_at.is_some());
        let value = first.values.iter().find(|(name, _)| **name == *BYTES).unwrap();
        assert_eq!(&*value.1, latest, "the latest is listed first: {format}");
        let more = [&headers[..], &["-X", "PUT", "-H", "Content-Encoding: gzip"]].concat();
        assert_eq!(rig.report(&query("1"), &zipped(body), &more).await, "200", "{format}");
        let again = rig.reports("1").await;
        assert_eq!(again.len(), 2 * reports.len());
        assert_eq!(again[0].values, first.values);
        assert!(rig.reports("2").await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_report_is_who_may_speak_for_the_device() {
    let rig = Rig::open(AuthMode::Shared, BulkConfig::default()).await;
    let one = login("1");
    for (query, arguments, status) in [
        (query("1"), &[][..], "401"),
        (query("1"), &["--digest", "-u", "00D09E-HG%2D100-1:wrong"], "401"),
        // Basic is not taken in clear unless the operator says so.
        (query("1"), &["--basic", "-u", &one], "401"),
        (query("1"), &["--digest", "-u", &one], "200"),
        // Without a query it is the device whose credentials it shows.
        (String::new(), &["--digest", "-u", &one], "200"),
        ("?oui=00D09E".to_owned(), &["--digest", "-u", &one], "400"),
        (query("1"), &["--digest", "-u", "provost:shared"], "403"),
        (query("3"), &["--digest", "-u", "provost:shared"], "404"),
        (query("2"), &["--digest", "-u", &one], "403"),
        (query("1"), &["-X", "DELETE"], "405"),
        (query("1"), &["-X", "GET"], "405"),
    ] {
        let got = rig.report(&query, PAIRS.as_bytes(), arguments).await;
        assert_eq!(got, status, "{query} {arguments:?}");
    }
    assert!(rig.reports("2").await.is_empty());
    let alarms = |events: Vec<provost::device::Event>| {
        events
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Alarm(text) => Some(text.to_string()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let told = alarms(rig.store.events(&id("2"), 10).await.unwrap());
    assert!(told.len() == 1 && told[0].contains("another device"), "{told:?}");
    // However often it is tried, the history of the other is not flooded.
    for _ in 0..20 {
        rig.report(&query("2"), PAIRS.as_bytes(), &["--digest", "-u", &one]).await;
    }
    assert!(alarms(rig.store.events(&id("2"), 100).await.unwrap()).len() <= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_lab_takes_reports_of_devices_that_it_knows() {
    let rig = Rig::open(AuthMode::Open, BulkConfig::default()).await;
    assert_eq!(rig.report(&query("1"), PAIRS.as_bytes(), &[]).await, "200");
    assert_eq!(rig.report(&query("3"), PAIRS.as_bytes(), &[]).await, "404");
    assert_eq!(rig.report("", PAIRS.as_bytes(), &[]).await, "400");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_never_be_taken_is_told_apart_from_what_comes_too_early() {
    let config = BulkConfig { max_body: 100_000, requests_per_minute: 20, ..BulkConfig::default() };
    let rig = Rig::open(AuthMode::Open, config).await;
    let bomb = zipped(&" ".repeat(50_000_000));
    assert!(bomb.len() < 100_000);
    for (body, more, status) in [
        (&b"hello"[..], &["-H", "Content-Type: text/plain"][..], "415"),
        (PAIRS.as_bytes(), &["-H", "Content-Encoding: br"], "415"),
        (b"{\"Report\":", &["-H", "Content-Type: application/json"], "400"),
        (PAIRS.as_bytes(), &["-H", "Content-Encoding: gzip"], "400"),
        (&[b' '; 100_001], &[], "413"),
        (&bomb, &["-H", "Content-Encoding: gzip"], "413"),
    ] {
        assert_eq!(rig.report(&query("1"), body, more).await, status, "{more:?}");
    }
    assert!(rig.reports("1").await.is_empty());
    let mut statuses = Vec::new();
    while statuses.last().is_none_or(|status| status == "200") && statuses.len() < 30 {
        statuses.push(rig.report(&query("1"), PAIRS.as_bytes(), &[]).await);
    }
    assert_eq!(statuses.pop().unwrap(), "429", "{statuses:?}");
    // Another device is not held up, and this one only for a while.
    assert_eq!(rig.report(&query("2"), PAIRS.as_bytes(), &[]).await, "200");
    rig.clock.advance(Duration::from_secs(3));
    assert_eq!(rig.report(&query("1"), PAIRS.as_bytes(), &[]).await, "200");
    rig.store.close().await.unwrap();
    assert_eq!(
        rig.report(&query("2"), PAIRS.as_bytes(), &["-D", "-"]).await.matches("503").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_bounded_and_holds_no_secret() {
    let rig = Rig::open(AuthMode::Open, BulkConfig::default()).await;
    let mut pairs: Vec<String> =
        (0..4_000).map(|at| format!("\"Device.X.{at}\":\"{}\"", "v".repeat(50))).collect();
    pairs.insert(0, "\"Device.Users.User.1.Password\":\"canary\"".to_owned());
    let body = format!("{{\"Report\":[{{{}}}]}}", pairs.join(","));
    assert_eq!(rig.report(&query("1"), body.as_bytes(), &[]).await, "200");
    let [report] = &rig.reports("1").await[..] else { panic!() };
    assert!(!format!("{report:?}").contains("canary"));
    assert_eq!(report.values.len() + report.left_out as usize, 4_001);
    assert!(report.values.len() > 500 && report.left_out > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_pushes_its_report_before_it_is_asked_hears_the_challenge() {
    let rig = Rig::open(AuthMode::Shared, BulkConfig::default()).await;
    let body = format!("{{\"Report\":[{{\"a\":\"{}\"}}]}}", "x".repeat(500_000));
    let got = rig.report(&query("1"), body.as_bytes(), &["-H", "Expect:", "-D", "-"]).await;
    assert!(got.starts_with("HTTP/1.1 401") && got.contains("Digest"), "{got}");
    let anyauth = ["-H", "Expect:", "--anyauth", "-u", &login("1")];
    assert_eq!(rig.report(&query("1"), body.as_bytes(), &anyauth).await, "200");
    assert_eq!(rig.clock.now(), NOW);
}
