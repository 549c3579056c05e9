//! Every RPC with a simulated device: asked, answered, and ended by what the
//! device tells later.

use super::*;
use crate::cwmp::{
    AutonomousDuStateChangeComplete, AutonomousResult, AutonomousTransferComplete, CpeRequest,
    FaultCode, Kicked, RequestDownload,
};
use crate::device::{AttributeWish, DeploymentWish, TransferWindow, UploadWish};
use crate::simulate::{Fetch, FetchFailure};

/// A device that is known and has nothing to tell.
async fn met() -> Lab {
    let mut lab = Lab::with(false);
    let _ = lab.session().await;
    lab
}

/// One session that the device opens because it was asked to.
async fn woken(lab: &mut Lab) -> Vec<String> {
    lab.cpe.raise(EventCode::ConnectionRequest, "");
    lab.session().await
}

async fn ended(lab: &Lab, number: u128) -> Task {
    let task = lab.store.task(TaskId(number)).await.unwrap().unwrap();
    assert!(task.state.is_ended(), "{:?}", task.state);
    task
}

fn results(task: &Task) -> Vec<(&str, &str)> {
    task.results.iter().map(|one| (&*one.name, &*one.value)).collect()
}

/// The history's lines of what the device told.
async fn told(lab: &Lab) -> Vec<String> {
    let events = lab.store.events(&lab.id, 50).await.unwrap();
    let lines = events.into_iter().filter_map(|event| match event.kind {
        EventKind::Told(line) => Some(line.into_string()),
        _ => None,
    });
    lines.collect()
}

/// The file that the device is to fetch or to send now.
fn fetch(lab: &mut Lab) -> Fetch {
    match lab.cpe.next(lab.clock.now()) {
        Next::Fetch(fetch) => fetch,
        other => panic!("no file: {other:?}"),
    }
}

#[tokio::test]
async fn t3_a_chain_of_rpcs_runs_in_one_session() {
    let mut lab = met().await;
    let actions = [
        Action::GetRpcMethods,
        Action::GetAttributes(vec![path("Device.ManagementServer.")]),
        Action::GetQueuedTransfers,
        Action::GetAllQueuedTransfers,
        Action::SetVouchers(vec!["VlBO".into()]),
        Action::GetOptions("".into()),
        Action::ScheduleInform(60),
        Action::Get(vec![path("Device.DeviceInfo.SoftwareVersion")]),
    ];
    for (number, action) in (1..).zip(actions) {
        lab.ask(number, action).await;
    }
    let asked = woken(&mut lab).await;
    assert_eq!(
        asked,
        [
            "GetRPCMethods",
            "GetParameterAttributes",
            "GetQueuedTransfers",
            "GetAllQueuedTransfers",
            "SetVouchers",
            "GetOptions",
            "ScheduleInform",
            "GetParameterValues",
        ]
    );
    for number in [1, 2, 3, 4, 6, 8] {
        assert_eq!(lab.word(number).await, "applied", "{number}");
    }
    let options = ended(&lab, 6).await;
    assert_eq!(options.results.len(), 2);
    assert!(options.results[1].value.starts_with("enabled, set up; voucher 1; from 2027"));
    assert_eq!(lab.word(5).await, "accepted");
    assert!(ended(&lab, 1).await.notes.iter().any(|note| &**note == "ChangeDUState"));
}

#[tokio::test]
async fn t2_a_scheduled_inform_comes_at_its_time() {
    let mut lab = met().await;
    lab.ask(1, Action::ScheduleInform(120)).await;
    assert_eq!(woken(&mut lab).await, ["ScheduleInform"]);
    assert_eq!(lab.word(1).await, "sent");
    assert!(lab.live(b"").await.is_empty());
    lab.clock.advance(Duration::from_secs(119));
    assert!(matches!(lab.cpe.next(lab.clock.now()), Next::Wait(_)));
    lab.clock.advance(Duration::from_secs(1));
    let _ = lab.live(b"").await;
    assert_eq!(lab.word(1).await, "applied");
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_events[0], EventCode::Scheduled);
}

#[tokio::test]
async fn t19_an_active_notification_is_told_when_the_value_changes() {
    let mut lab = met().await;
    let name = "Device.Time.NTPServer1";
    let name = if lab.cpe.model().value(name).is_some() {
        name
    } else {
        "Device.ManagementServer.PeriodicInformInterval"
    };
    let wish = |path: ParamPath, notification| AttributeWish {
        path,
        notification: Some(notification),
        access_list: None,
    };
    lab.ask(1, Action::SetAttributes(vec![wish(path(name), 2)])).await;
    lab.ask(2, Action::SetAttributes(vec![wish(path("Device.DeviceInfo.UpTime"), 2)])).await;
    lab.ask(3, Action::SetAttributes(vec![wish(path(name), 5)])).await;
    let asked = woken(&mut lab).await;
    assert_eq!(
        asked,
        ["SetParameterAttributes", "GetParameterAttributes", "SetParameterAttributes"]
    );
    assert_eq!(results(&ended(&lab, 1).await), [(name, "2 active")]);
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = ended(&lab, 2).await.state
    else {
        panic!()
    };
    assert_eq!((fault.code, fault.parameters[0].1), (9009, 9009), "the device's own fault");
    assert_eq!(lab.word(3).await, "failed", "the device speaks 1.2");

    assert!(lab.cpe.change(name, "77"));
    let _ = lab.live(b"").await;
    let tree = lab.store.tree(&lab.id).await.unwrap().unwrap();
    assert_eq!(tree.text(name), Some("77"), "the Inform brought it");
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_events[..], [EventCode::ValueChange]);
}

fn uninstall(uuid: &str) -> DeploymentWish {
    DeploymentWish::Uninstall { uuid: uuid.into(), version: "".into(), execution_env: "".into() }
}

fn install(uuid: &str, environment: &str) -> DeploymentWish {
    DeploymentWish::Install {
        url: "http://units.example.net/a".into(),
        uuid: uuid.into(),
        username: "".into(),
        password: "".into(),
        execution_env: environment.into(),
    }
}

#[tokio::test]
async fn t17_software_modules_are_installed_and_what_failed_is_told() {
    const UUID: &str = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    let mut lab = met().await;
    lab.ask(1, Action::ChangeDuState(vec![install(UUID, "")])).await;
    let mixed = vec![
        DeploymentWish::Update {
            uuid: UUID.into(),
            version: "".into(),
            url: "".into(),
            username: "".into(),
            password: "".into(),
        },
        install("", "Device.SoftwareModules.ExecEnv.9."),
        uninstall(UUID),
    ];
    lab.ask(2, Action::ChangeDuState(mixed)).await;
    assert_eq!(woken(&mut lab).await, ["ChangeDUState", "ChangeDUState"]);
    assert_eq!((lab.word(1).await, lab.word(2).await), ("sent", "sent"));
    let _ = lab.live(b"").await;
    let first = ended(&lab, 1).await;
    assert_eq!(first.state.word(), "applied");
    assert!(first.results[0].value.starts_with("Installed; version 1.0; "), "{first:?}");
    let second = ended(&lab, 2).await;
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = &second.state else { panic!() };
    assert_eq!((fault.code, &*fault.text), (9023, "1 of 3 operations failed"));
    assert_eq!(second.results.len(), 3);
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_events[0], EventCode::DuStateChangeComplete);
    assert!(lab.live(b"").await.is_empty(), "told once");
}

#[tokio::test]
async fn t16_a_scheduled_download_waits_for_its_window() {
    let mut lab = met().await;
    let image = firmware_image("9.9", 1000).unwrap();
    download(&lab, 90, "9.9", &image).await;
    let Action::Download(file) = lab.store.task(TaskId(90)).await.unwrap().unwrap().action else {
        panic!()
    };
    let _ = cancelled(&lab, 90).await;
    let window = |start, end| TransferWindow {
        start,
        end,
        mode: "1 At Any Time".into(),
        user_message: "".into(),
        max_retries: 0,
    };
    lab.ask(5, Action::ScheduleDownload(file, vec![window(3600, 7200)])).await;
    assert_eq!(woken(&mut lab).await, ["ScheduleDownload"]);
    assert!(lab.live(&image).await.is_empty(), "not before its window");
    // An hour and more of patience is over, the window is not.
    lab.clock.advance(Duration::from_secs(3599));
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    assert_eq!(lab.word(5).await, "sent");
    lab.clock.advance(Duration::from_secs(1));
    let _ = lab.live(&image).await;
    assert_eq!(lab.word(5).await, "applied");
    assert_eq!(lab.cpe.software_version(), "9.9");
}

/// Takes a task back before it was sent.
async fn cancelled(lab: &Lab, number: u128) -> Task {
    let mut task = lab.store.task(TaskId(number)).await.unwrap().unwrap();
    task.revision += 1;
    task.state = TaskState::Ended { at: lab.clock.now(), outcome: Outcome::Cancelled };
    lab.store.commit(Record::Task(Box::new(task.clone())).into()).await.unwrap();
    task
}

#[tokio::test]
async fn t16_a_transfer_in_the_queue_is_listed_and_cancelled_and_a_running_one_is_not() {
    let mut lab = met().await;
    let upload = |delay_seconds| {
        Action::Upload(UploadWish { file_type: "4 Vendor Log File 1".into(), delay_seconds })
    };
    lab.ask(1, upload(600)).await;
    let _ = woken(&mut lab).await;
    lab.ask(2, Action::GetAllQueuedTransfers).await;
    lab.ask(3, Action::CancelTransfer(TaskId(1))).await;
    lab.ask(4, Action::GetQueuedTransfers).await;
    let asked = woken(&mut lab).await;
    assert_eq!(asked, ["GetAllQueuedTransfers", "CancelTransfer", "GetQueuedTransfers"]);
    let name = TaskId(1).to_string();
    assert_eq!(
        results(&ended(&lab, 2).await),
        [(&*name, "sends 4 Vendor Log File 1: not started")]
    );
    assert_eq!(lab.word(3).await, "applied");
    assert_eq!(lab.word(1).await, "cancelled");
    assert!(ended(&lab, 4).await.results.is_empty());

    lab.ask(5, upload(0)).await;
    let _ = woken(&mut lab).await;
    let _ = fetch(&mut lab);
    lab.ask(6, Action::CancelTransfer(TaskId(5))).await;
    let _ = woken(&mut lab).await;
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = ended(&lab, 6).await.state
    else {
        panic!()
    };
    assert_eq!(fault.code, 9021);
    assert!(fault.text.starts_with("too late to cancel it"), "{}", fault.text);
    assert_eq!(lab.word(5).await, "sent", "it goes on");
}

async fn upload(lab: &mut Lab, number: u128) -> Fetch {
    let wish = UploadWish { file_type: "3 Vendor Configuration File 1".into(), delay_seconds: 0 };
    lab.ask(number, Action::Upload(wish)).await;
    assert_eq!(woken(lab).await, ["Upload"]);
    fetch(lab)
}

/// What the file door does when the file is there.
async fn arrives(lab: &Lab, number: u128, sha256: &str) {
    let setting =
        Record::Setting(crate::store::upload_of(TaskId(number)).into(), sha256.as_bytes().to_vec());
    lab.store.commit(setting.into()).await.unwrap();
}

#[tokio::test]
async fn t16_an_upload_is_applied_if_its_file_is_here() {
    let mut lab = met().await;
    let sent = upload(&mut lab, 1).await;
    assert!(sent.url.starts_with("http://files.example.net/"), "{}", sent.url);
    assert!(String::from_utf8_lossy(&sent.content).contains("LAB1"));
    arrives(&lab, 1, "ab12").await;
    lab.cpe.transfer_done(Ok(b""), lab.clock.now());
    let _ = lab.live(b"").await;
    let done = ended(&lab, 1).await;
    assert_eq!((done.state.word(), results(&done)), ("applied", vec![("file", "ab12")]));

    // The device says so, and nothing is here.
    let _ = upload(&mut lab, 2).await;
    lab.cpe.transfer_done(Ok(b""), lab.clock.now());
    let _ = lab.live(b"").await;
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = ended(&lab, 2).await.state
    else {
        panic!()
    };
    assert_eq!(&*fault.text, "the device says it sent the file, but nothing arrived");

    // It could not send it, and says so.
    let _ = upload(&mut lab, 3).await;
    lab.cpe.transfer_done(Err(FetchFailure::Broken), lab.clock.now());
    let _ = lab.live(b"").await;
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = ended(&lab, 3).await.state
    else {
        panic!()
    };
    assert_eq!(fault.code, 9011);
}

#[tokio::test]
async fn q37_an_upload_that_nobody_reports_is_found_by_its_file() {
    let mut lab = met().await;
    let _ = upload(&mut lab, 1).await;
    arrives(&lab, 1, "ab12").await;
    lab.clock.advance(Duration::from_secs(3601));
    lab.cpe.raise(EventCode::Periodic, "");
    let _ = lab.session().await;
    let done = ended(&lab, 1).await;
    assert_eq!((done.state.word(), results(&done)), ("applied", vec![("file", "ab12")]));
    assert_eq!(&*done.notes[0], "no TransferComplete came, but the file arrived");
}

#[tokio::test]
async fn q39_each_report_of_its_own_gets_its_own_answer() {
    let mut lab = met().await;
    lab.cpe.tell(CpeRequest::AutonomousTransferComplete(Box::new(AutonomousTransferComplete {
        transfer_url: "http://u:secret@example.net/".into(),
        is_download: true,
        file_type: "1 Firmware Upgrade Image".into(),
        fault_code: FaultCode(9855),
        fault_string: "own words".into(),
        ..AutonomousTransferComplete::default()
    })));
    let one = AutonomousResult { operation: "Update".into(), ..AutonomousResult::default() };
    lab.cpe.tell(CpeRequest::AutonomousDuStateChangeComplete(AutonomousDuStateChangeComplete {
        results: vec![one],
    }));
    lab.cpe.kick(Kicked {
        command: "please".into(),
        next: "http://evil.example.net/".into(),
        ..Kicked::default()
    });
    // A wrong response would end the session as failed, and it would be told
    // again for ever.
    let _ = lab.session().await;
    assert!(matches!(lab.cpe.next(lab.clock.now()), Next::Wait(_)), "all are delivered");
    let lines = told(&lab).await;
    for part in [
        "fetched a file of type \"1 Firmware Upgrade Image\" on its own: fault 9855 own words",
        "changed 1 deployment units on its own; Update",
        "was kicked with the command \"please\"",
    ] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:?}");
    }
    assert!(!lines.concat().contains("secret"));
}

#[tokio::test]
async fn q53_a_method_that_nobody_knows_gets_fault_8000_and_the_session_goes_on() {
    let mut lab = met().await;
    lab.ask(1, Action::GetRpcMethods).await;
    lab.cpe.tell(CpeRequest::Unknown("X_EXAMPLE_Hello".into()));
    let asked = lab.session().await;
    assert_eq!(asked, ["GetRPCMethods"], "its task is done all the same");
    assert!(told(&lab).await.iter().any(|line| line.contains("X_EXAMPLE_Hello")));
}

#[tokio::test]
async fn a_file_is_given_on_request_only_if_the_operator_wants_it_so() {
    let image = firmware_image("9.9", 1000).unwrap();
    for on in [false, true] {
        let mut lab = met().await;
        download(&lab, 90, "9.9", &image).await;
        let _ = cancelled(&lab, 90).await;
        let shared = Arc::get_mut(&mut lab.shared).unwrap();
        shared.request_download = on;
        lab.cpe.request_download(RequestDownload {
            file_type: "1 Firmware Upgrade Image".into(),
            arguments: vec![("Version".into(), "9.9".into())],
        });
        let asked = lab.session().await;
        assert_eq!(asked.len(), usize::from(on), "{asked:?}");
        let line = told(&lab).await.concat();
        assert!(line.contains("asked for a file of type \"1 Firmware Upgrade Image\""), "{line}");
        let _ = lab.live(&image).await;
        assert_eq!(lab.cpe.software_version() == "9.9", on);
        // It runs now, and is not given again; nor is what nobody has.
        for version in ["9.9", "10.0"] {
            lab.cpe.request_download(RequestDownload {
                file_type: "1 Firmware Upgrade Image".into(),
                arguments: vec![("Version".into(), version.into())],
            });
            assert!(!lab.session().await.contains(&"Download".to_owned()));
        }
    }
}

#[tokio::test]
async fn c4_a_transfer_complete_before_its_download_is_credited_to_nobody() {
    let mut lab = met().await;
    let image = firmware_image("9.9", 1000).unwrap();
    download(&lab, 5, "9.9", &image).await;
    lab.cpe.tell(CpeRequest::TransferComplete(crate::cwmp::TransferComplete {
        command_key: TaskId(5).command_key().into(),
        ..crate::cwmp::TransferComplete::default()
    }));
    let asked = lab.session().await;
    assert_eq!(asked, ["Download"], "it is asked for as if nothing had been told");
    assert_eq!(lab.word(5).await, "sent");
    assert!(told(&lab).await.iter().any(|line| line.contains("nobody waits for")));
}

#[tokio::test]
async fn t24_a_heartbeat_ends_at_once_unless_there_is_work() {
    let mut lab = Lab::with(false);
    lab.cpe.raise(EventCode::Heartbeat, "");
    assert!(lab.session().await.is_empty(), "reading the tree can wait");
    lab.ask(1, Action::GetRpcMethods).await;
    lab.cpe.raise(EventCode::Heartbeat, "");
    assert_eq!(lab.session().await, ["GetRPCMethods"]);
    lab.cpe.raise(EventCode::Wakeup, "");
    assert!(lab.session().await.contains(&"GetParameterNames".to_owned()));
    let device = lab.store.device(&lab.id).await.unwrap().unwrap();
    assert_eq!(device.last_events[..], [EventCode::Wakeup]);
}
