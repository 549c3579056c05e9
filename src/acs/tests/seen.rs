//! What is kept of sessions, on a clock that is moved by hand.

use std::time::Duration;

use super::*;
use crate::device::RpcOutcome;

#[tokio::test]
async fn the_last_sessions_are_kept_with_every_rpc() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let first = lab.store.sessions(&lab.id, 10).await.unwrap();
    assert_eq!(first.len(), 1, "first contact reads the tree");
    assert!(first[0].rpcs.iter().all(|rpc| rpc.outcome == RpcOutcome::Answered && !rpc.by_device));
    assert_eq!(&*first[0].end, "nothing was left to ask");

    lab.clock.advance(Duration::from_secs(60));
    let secret = path("Device.WiFi.AccessPoint.1.Security.KeyPassphrase");
    lab.ask(1, Action::Set(vec![(secret, Value::string("c4n4ry-of-wifi"))])).await;
    lab.ask(2, Action::Set(vec![(path("Device.DeviceInfo.SerialNumber"), Value::string("x"))]))
        .await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let asked = lab.session().await;
    let sessions = lab.store.sessions(&lab.id, 10).await.unwrap();
    assert_eq!(sessions.len(), 2);
    let session = &sessions[0];
    assert_eq!(session.began_at, lab.clock.now());
    assert_eq!(session.events, [EventCode::ConnectionRequest]);
    let methods: Vec<&str> = session.rpcs.iter().map(|rpc| &*rpc.method).collect();
    assert_eq!(methods, asked, "in order");
    let of = |task| session.rpcs.iter().filter(move |rpc| rpc.task == Some(TaskId(task)));
    assert!(of(1).all(|rpc| rpc.outcome == RpcOutcome::Answered) && of(1).count() > 0);
    assert!(of(2).any(|rpc| matches!(rpc.outcome, RpcOutcome::Fault(9003, _))), "{session:?}");
    assert!(!format!("{sessions:?}").contains("c4n4ry"), "names, and never values");
}

#[tokio::test]
async fn a_periodic_session_leaves_nothing_and_a_recorded_one_costs_no_further_write() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let before = lab.store.sessions(&lab.id, 10).await.unwrap().len();
    lab.clock.advance(Duration::from_secs(300));
    lab.cpe.raise(EventCode::Periodic, "");
    assert!(lab.session().await.is_empty());
    assert_eq!(lab.store.sessions(&lab.id, 10).await.unwrap().len(), before);

    // The Inform, the task before it leaves, and the end: the record of the
    // session goes with the last.
    lab.ask(1, Action::Get(vec![path("Device.DeviceInfo.UpTime")])).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let mut notices = lab.store.watch();
    let _ = lab.session().await;
    let mut told = Vec::new();
    while let Ok(notice) = notices.try_recv() {
        told.push(notice);
    }
    assert_eq!(lab.store.sessions(&lab.id, 10).await.unwrap().len(), before + 1);
    assert!(told.len() <= 4, "{told:?}");
}

#[tokio::test]
async fn a_session_that_breaks_off_is_kept_with_its_reason_and_its_times() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab.ask(1, Action::Reboot).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let began_at = lab.clock.now();
    let (mut driver, _) = lab.session_until(1).await;
    lab.clock.advance(Duration::from_secs(61));
    driver.abandon("the device fell silent", lab.clock.now()).await;
    driver.abandon("the server stopped", lab.clock.now()).await;
    let sessions = lab.store.sessions(&lab.id, 10).await.unwrap();
    let session = &sessions[0];
    assert_eq!((session.began_at, session.took), (began_at, 61_000));
    assert_eq!(&*session.end, "the device fell silent");
    let [rpc] = &*session.rpcs else { panic!("{session:?}") };
    assert_eq!((&*rpc.method, rpc.took, rpc.task), ("Reboot", 61_000, Some(TaskId(1))));
    assert_eq!(rpc.outcome, RpcOutcome::Unanswered);
    assert_eq!(sessions.len(), 2, "kept once");
}

#[tokio::test]
async fn what_a_device_tells_is_kept_as_well() {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    let image = firmware_image("9.9", 1000).unwrap();
    download(&lab, 5, "9.9", &image).await;
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    let _ = lab.live(&image).await;
    let sessions = lab.store.sessions(&lab.id, 10).await.unwrap();
    let told: Vec<&str> = sessions
        .iter()
        .flat_map(|session| &session.rpcs)
        .filter(|rpc| rpc.by_device)
        .map(|rpc| &*rpc.method)
        .collect();
    assert_eq!(told, ["TransferComplete"]);
}
