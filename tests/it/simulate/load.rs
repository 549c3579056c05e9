//! The load generator against the scripted ACS.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use provost::cwmp::AcsRequest;
use provost::device::EventCode;
use provost::simulate::ClientAuth;
use provost::simulate::load::{self, LoadError, LoadKind, LoadPlan, LoadReport, Progress};
use tokio_util::sync::CancellationToken;

use super::script::{self, Running, State};
use super::{account, set};

fn plan(acs: &Running, kind: LoadKind) -> LoadPlan {
    LoadPlan {
        acs: acs.url.clone(),
        kind,
        devices: 50,
        first: 7,
        concurrency: 8,
        rate: None,
        duration: None,
        sessions: None,
        auth: ClientAuth::Digest,
        login: Some(account("onboard", "secret")),
        credentials: BTreeMap::new(),
        parameters: 120,
        personality: &provost::simulate::personality::REFERENCE,
        keep_alive: false,
        tls: None,
        timeout: Duration::from_secs(20),
        pid: Some(std::process::id()),
    }
}

fn acs(requests: impl IntoIterator<Item = AcsRequest>) -> Running {
    let accounts = vec![account("onboard", "secret"), account("own", "other")];
    let requests = requests.into_iter().collect();
    script::start(State { accounts, requests, ..State::default() }, false, None)
}

async fn run(plan: LoadPlan) -> LoadReport {
    load::run(plan, Arc::new(Progress::default()), CancellationToken::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_has_its_periodic_session() {
    for keep_alive in [false, true] {
        let acs = acs([]);
        let report = run(LoadPlan { keep_alive, ..plan(&acs, LoadKind::Periodic) }).await;
        assert_eq!((report.sessions, report.failed), (50, 0), "{:?}", report.errors);
        assert!(report.latency.p50 > 0.0 && report.latency.p99 <= report.latency.max);
        assert!(report.server.unwrap().resident_after > 0);
        let state = acs.script.state.lock().unwrap();
        let mut serials: Vec<String> =
            state.informs.iter().map(|inform| inform.device.serial_number.to_string()).collect();
        serials.sort();
        assert!(serials.iter().eq((7..57).map(load::serial).collect::<Vec<_>>().iter()));
        assert!(state.informs.iter().all(|inform| inform.has(&EventCode::Periodic)));
        assert_eq!(state.challenged, 50, "each session meets a challenge");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fixed_rate_is_kept() {
    let acs = acs([]);
    let plan = LoadPlan {
        rate: Some(200.0),
        duration: Some(Duration::from_millis(500)),
        sessions: Some(1000),
        ..plan(&acs, LoadKind::Periodic)
    };
    let report = run(plan).await;
    assert_eq!((report.sessions, report.failed), (100, 0), "{:?}", report.errors);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_contact_answers_what_is_asked_and_keeps_what_is_given() {
    let acs = acs([set(&[
        ("Device.ManagementServer.Username", "own"),
        ("Device.ManagementServer.Password", "other"),
    ])]);
    let report = run(plan(&acs, LoadKind::FirstContact)).await;
    assert_eq!((report.sessions, report.failed), (50, 0), "{:?}", report.errors);
    let given: Vec<&str> = report.given.values().map(|given| &*given.login.0).collect();
    assert_eq!(given, ["own"]);
    acs.script.state.lock().unwrap().users.clear();

    // The device that was given credentials shows them from then on.
    let first = *report.given.keys().next().unwrap();
    let plan =
        LoadPlan { first, devices: 1, credentials: report.given, ..plan(&acs, LoadKind::Periodic) };
    assert_eq!(run(plan).await.sessions, 1);
    let state = acs.script.state.lock().unwrap();
    assert!(state.users.iter().all(|user| **user == *"own"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_remember_their_tasks() {
    let acs = acs([set(&[
        ("Device.ManagementServer.Username", "own"),
        ("Device.ManagementServer.Password", "other"),
    ])]);
    let plan = LoadPlan { devices: 1, sessions: Some(3), ..plan(&acs, LoadKind::Tasks) };
    let report = run(plan).await;
    assert_eq!((report.sessions, report.failed), (3, 0), "{:?}", report.errors);
    let state = acs.script.state.lock().unwrap();
    let users: Vec<&str> = state.users.iter().map(|user| &**user).collect();
    assert_eq!(users, ["onboard", "onboard", "onboard", "own", "own", "own", "own"]);
    assert_eq!(state.informs[2].events[0].code, EventCode::Periodic);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_counted_by_kind() {
    let asked = acs([AcsRequest::GetRpcMethods]);
    let report = run(LoadPlan { devices: 3, ..plan(&asked, LoadKind::Periodic) }).await;
    assert_eq!(report.sessions, 2);
    assert_eq!(report.errors, BTreeMap::from([("the ACS asked for something", 1)]));

    let broken = acs([]);
    broken.script.state.lock().unwrap().fail_with = Some(StatusCode::SERVICE_UNAVAILABLE);
    for kind in [LoadKind::Periodic, LoadKind::FirstContact] {
        let report = run(LoadPlan { devices: 3, ..plan(&broken, kind) }).await;
        assert_eq!((report.sessions, report.failed), (0, 3));
        assert!(report.errors.keys().next().unwrap().starts_with("503"));
    }

    let strict = acs([]);
    let login = Some(account("onboard", "wrong"));
    let report = run(LoadPlan { devices: 3, login, ..plan(&strict, LoadKind::Periodic) }).await;
    assert_eq!(report.errors, BTreeMap::from([("401 unauthorized", 3)]));

    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plan = LoadPlan {
        acs: format!("http://{gone}/"),
        devices: 3,
        ..plan(&strict, LoadKind::Periodic)
    };
    assert_eq!(run(plan).await.errors, BTreeMap::from([("connect", 3)]));
}

#[tokio::test]
async fn plans_without_sense_are_refused() {
    let acs = acs([]);
    let good = plan(&acs, LoadKind::Periodic);
    for bad in [
        LoadPlan { devices: 0, ..good.clone() },
        LoadPlan { rate: Some(0.0), ..good.clone() },
        LoadPlan { rate: Some(f64::NAN), ..good.clone() },
        LoadPlan { first: u64::MAX, ..good.clone() },
        LoadPlan { acs: "ftp://x/".into(), ..good.clone() },
        LoadPlan { acs: "https://127.0.0.1/".into(), ..good.clone() },
        LoadPlan { pid: Some(u32::MAX), ..good.clone() },
    ] {
        let error: LoadError =
            load::run(bad, Arc::new(Progress::default()), CancellationToken::new())
                .await
                .unwrap_err();
        assert!(!error.to_string().is_empty());
    }
}
