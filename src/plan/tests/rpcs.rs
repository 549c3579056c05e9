//! Every RPC that is one operation: what is sent, and what each answer means.

use super::*;
use crate::cwmp::{
    AnyQueuedTransfer, DuStateChangeComplete, OperationResult, OptionState, ParameterAttributes,
    QueuedTransfer, Version,
};
use crate::device::{AttributeWish, DeploymentWish, TransferWindow, UploadWish};

pub(super) fn file(version: Option<&str>) -> DownloadFile {
    DownloadFile {
        sha256: "aa".repeat(32).into(),
        file_type: "1 Firmware Upgrade Image".into(),
        name: "image.bin".into(),
        size: 10,
        version: version.map(Into::into),
    }
}

fn link() -> DownloadLink {
    DownloadLink {
        url: "http://files.example.net/f".into(),
        username: "u".into(),
        password: Secret::new("p"),
    }
}

/// One session with one task: each request gets the next answer.
fn talk(
    task: Task,
    version: Version,
    answers: Vec<Result<CpeResponse, Fault>>,
) -> (Vec<AcsRequest>, Task, Planner) {
    let links = HashMap::from([(task.id, link())]);
    let before = task.clone();
    let situation = Situation { version, links, ..situation(vec![task]) };
    let mut planner = Planner::new(situation, true, NOW);
    let (mut tree, mut requests, mut answers) = (Tree::new(), Vec::new(), answers.into_iter());
    let mut last = before;
    loop {
        let step = planner.next(&mut tree, NOW);
        last = planner.take_changes().pop().unwrap_or(last);
        let Step::Rpc { request, record_first } = step else { break };
        if let Some(first) = record_first {
            assert_eq!(first.state.word(), "sent", "recorded before its bytes leave");
            last = *first;
        }
        requests.push(request);
        planner.answer(answers.next().expect("one more answer"), &mut tree, NOW);
    }
    assert!(answers.next().is_none(), "not all was asked");
    (requests, last, planner)
}

/// The task after one request and this answer.
pub(super) fn after(action: Action, answer: Result<CpeResponse, Fault>) -> Task {
    let (requests, task, _) = talk(task(7, action), Version::V1_4, vec![answer]);
    assert_eq!(requests.len(), 1);
    task
}

pub(super) fn phase(task: &Task) -> Option<&Phase> {
    match &task.state {
        TaskState::Sent { phase, .. } => Some(phase),
        _ => None,
    }
}

pub(super) fn failed(task: &Task) -> (u32, &str) {
    match &task.state {
        TaskState::Ended { outcome: Outcome::Failed(fault), .. } => (fault.code, &fault.text),
        other => panic!("not failed: {other:?}"),
    }
}

fn results(task: &Task) -> Vec<(&str, &str)> {
    task.results.iter().map(|one| (&*one.name, &*one.value)).collect()
}

pub(super) fn every_single_rpc() -> Vec<Action> {
    let windows = vec![TransferWindow {
        start: 0,
        end: 60,
        mode: "1 At Any Time".into(),
        user_message: "".into(),
        max_retries: -1,
    }];
    vec![
        Action::Download(file(None)),
        Action::Upload(UploadWish { file_type: "4 Vendor Log File 1".into(), delay_seconds: 0 }),
        Action::ScheduleDownload(file(None), windows),
        Action::ScheduleInform(60),
        Action::CancelTransfer(TaskId(3)),
        Action::GetQueuedTransfers,
        Action::GetAllQueuedTransfers,
        Action::ChangeDuState(vec![uninstall("u1")]),
        Action::SetVouchers(vec!["dm91Y2hlcg==".into()]),
        Action::GetOptions("".into()),
        Action::GetRpcMethods,
        Action::Reboot,
        Action::FactoryReset,
        Action::GetAttributes(vec![path("Device.")]),
        Action::SetAttributes(vec![AttributeWish {
            path: path("Device."),
            notification: Some(2),
            access_list: None,
        }]),
        Action::Get(vec![path("Device.X")]),
        Action::Set(vec![(path("Device.X"), Value::string("1"))]),
        Action::DeleteObject(path("Device.X.1.")),
        Action::AddObject { table: path("Device.X."), values: Vec::new() },
    ]
}

fn uninstall(uuid: &str) -> DeploymentWish {
    DeploymentWish::Uninstall { uuid: uuid.into(), version: "".into(), execution_env: "".into() }
}

#[test]
fn t9_a_fault_to_any_rpc_fails_its_task_and_is_kept_as_it_came() {
    for action in every_single_rpc() {
        for code in [9000, 9001, 9003, 9855, 4_294_967_295] {
            let refusal = Err(Fault {
                code: FaultCode(code),
                text: "the vendor's own words".into(),
                parameters: Vec::new(),
            });
            let ended = after(action.clone(), refusal);
            let (told, text) = failed(&ended);
            assert_eq!(told, code, "{action:?}");
            // Reading one name tells of the name and not of the call.
            if !matches!(action, Action::Get(_)) {
                assert_eq!(text, "the vendor's own words", "{action:?}");
            }
        }
    }
}

#[test]
fn q56_an_empty_message_in_place_of_an_answer_is_an_unknown_method() {
    // The session makes fault 9000 of it; every RPC ends by it.
    for action in every_single_rpc() {
        let ended = after(action, Err(fault(FaultCode::METHOD_NOT_SUPPORTED)));
        assert_eq!(failed(&ended).0, 9000);
    }
}

#[test]
fn an_answer_to_something_else_is_no_success() {
    for action in every_single_rpc() {
        let ended = after(action, Ok(CpeResponse::Unknown("XResponse".into())));
        assert_eq!(ended.state.word(), "failed");
    }
}

#[test]
fn t16_a_scheduled_download_waits_until_its_last_window_is_over() {
    let windows = |end| {
        vec![TransferWindow {
            start: 3600,
            end,
            mode: "3 When Idle".into(),
            user_message: "".into(),
            max_retries: 2,
        }]
    };
    let action = Action::ScheduleDownload(file(None), windows(7200));
    let (requests, task, _) =
        talk(task(7, action), Version::V1_2, vec![Ok(CpeResponse::ScheduleDownload)]);
    let [AcsRequest::ScheduleDownload(sent)] = &requests[..] else { panic!() };
    assert_eq!((sent.windows[0].start, sent.windows[0].end), (3600, 7200));
    assert_eq!(sent.windows[0].max_retries, 2);
    assert_eq!(*sent.command_key, *task.command_key());
    assert_eq!(phase(&task), Some(&Phase::Transfer));
    let hour = std::time::Duration::from_secs(3600);
    assert_eq!(patience_of(&task, hour), hour * 3);

    // What cannot be sent is not: such a task was made by no door.
    let wrong = after_nothing(Action::ScheduleDownload(file(None), windows(0)));
    assert!(failed(&wrong).1.contains("a window ends after its start"));
}

/// The task that ended without a request.
fn after_nothing(action: Action) -> Task {
    let (requests, task, _) = talk(task(7, action), Version::V1_2, Vec::new());
    assert!(requests.is_empty());
    task
}

#[test]
fn t16_an_upload_says_where_to_and_waits() {
    let action = Action::Upload(UploadWish {
        file_type: "3 Vendor Configuration File 1".into(),
        delay_seconds: 30,
    });
    let answer = |status| {
        let unknown: Box<str> = "0001-01-01T00:00:00Z".into();
        Ok(CpeResponse::Upload(TransferResponse {
            status,
            start_time: unknown.clone(),
            complete_time: unknown,
        }))
    };
    let (requests, later, _) = talk(task(7, action.clone()), Version::V1_0, vec![answer(1)]);
    let [AcsRequest::Upload(sent)] = &requests[..] else { panic!() };
    assert_eq!((&*sent.url, sent.delay_seconds), ("http://files.example.net/f", 30));
    assert_eq!(phase(&later), Some(&Phase::Transfer));
    // Done at once: whether it arrived is for the store to say.
    let mut done = after(action, answer(0));
    assert_eq!(phase(&done), Some(&Phase::ReadBack));
    let mut lost = done.clone();
    assert!(settle_upload(&mut done, Some("ab12"), NOW));
    assert_eq!((done.state.word(), results(&done)), ("applied", vec![("file", "ab12")]));
    assert!(settle_upload(&mut lost, None, NOW));
    assert_eq!(failed(&lost).1, "the device says it sent the file, but nothing arrived");
    assert!(!settle_upload(&mut lost, Some("ab12"), NOW), "told once");
}

#[test]
fn a_transfer_without_a_place_is_not_asked_for() {
    for action in every_single_rpc().into_iter().filter(Action::is_transfer) {
        let mut planner = Planner::new(situation(vec![task(7, action)]), true, NOW);
        assert_eq!(planner.next(&mut Tree::new(), NOW), Step::Satisfied);
        assert_eq!(planner.take_changes()[0].state.word(), "failed");
    }
}

#[test]
fn t16_a_transfer_is_cancelled_or_it_is_too_late() {
    let action = || Action::CancelTransfer(TaskId(3));
    let (requests, done, mut planner) =
        talk(task(7, action()), Version::V1_2, vec![Ok(CpeResponse::CancelTransfer)]);
    let [AcsRequest::CancelTransfer(sent)] = &requests[..] else { panic!() };
    assert_eq!(*sent.command_key, *TaskId(3).command_key());
    assert_eq!(done.state.word(), "applied");
    assert_eq!(planner.take_cancelled(), [(TaskId(3), TaskId(7))]);

    let mut other = task(3, Action::Download(file(None)));
    assert!(cancel_transfer(other.clone(), TaskId(7), NOW).is_none(), "it was never sent");
    other.state = TaskState::Sent { at: NOW, phase: Phase::Transfer };
    let other = cancel_transfer(other, TaskId(7), NOW).unwrap();
    assert_eq!(other.state.word(), "cancelled");
    assert!(other.notes[0].contains(&TaskId(7).to_string()));
    assert!(cancel_transfer(other, TaskId(7), NOW).is_none(), "told once");

    let late = after(action(), Err(fault(FaultCode(9021))));
    let (code, text) = failed(&late);
    assert_eq!((code, text), (9021, "too late to cancel it: no"));
}

#[test]
fn the_queue_of_transfers_is_told_by_task() {
    let queued = |key: &str, state| QueuedTransfer { command_key: key.into(), state };
    let ours = TaskId(3).command_key();
    let answer = vec![queued(&ours, 1), queued("theirs", 2), queued("", 9)];
    let ended = after(Action::GetQueuedTransfers, Ok(CpeResponse::GetQueuedTransfers(answer)));
    assert_eq!(
        results(&ended),
        [
            (&*TaskId(3).to_string(), "not started"),
            ("theirs", "in progress"),
            ("the device's own", "in a state that the standard does not have"),
        ]
    );
    let all = vec![AnyQueuedTransfer {
        command_key: "".into(),
        state: 3,
        is_download: false,
        file_type: "7 Vendor Log File 1".into(),
        file_size: 120,
        target_file_name: "log".into(),
    }];
    let ended = after(Action::GetAllQueuedTransfers, Ok(CpeResponse::GetAllQueuedTransfers(all)));
    let told = ("the device's own", "sends 7 Vendor Log File 1 as log, 120 bytes: completed");
    assert_eq!(results(&ended), [told]);
}

#[test]
fn options_are_told_in_words_and_vouchers_are_taken_on_trust() {
    let option = |name: &str, mode, end: Option<&str>| OptionState {
        option_name: name.into(),
        voucher_serial: 12,
        state: 3,
        mode,
        start_date: "2026-01-01T00:00:00Z".into(),
        expiration_date: end.map(Into::into),
        is_transferable: 1,
    };
    let answer = vec![
        option("VPN", 1, Some("2027-01-01T00:00:00Z")),
        option("SIP", 2, None),
        option("X", 0, None),
    ];
    let ended = after(Action::GetOptions("".into()), Ok(CpeResponse::GetOptions(answer)));
    let told = results(&ended);
    assert_eq!(told[0].0, "VPN");
    assert_eq!(
        told[0].1,
        "enabled, set up; voucher 12; from 2026-01-01T00:00:00Z until 2027-01-01T00:00:00Z; transferable"
    );
    assert_eq!(told[1].1, "enabled, set up; voucher 12; from 2026-01-01T00:00:00Z; transferable");
    let ended = after(Action::SetVouchers(vec!["YQ==".into()]), Ok(CpeResponse::SetVouchers));
    assert_eq!(ended.state.word(), "accepted", "there is nothing to read back");
}

#[test]
fn results_are_bounded() {
    let many = vec![QueuedTransfer { command_key: "k".repeat(5000).into(), state: 1 }; 3000];
    let ended = after(Action::GetQueuedTransfers, Ok(CpeResponse::GetQueuedTransfers(many)));
    assert_eq!(ended.results.len(), crate::device::MAX_RESULTS);
    assert_eq!(ended.results[0].name.len(), 256);
}

fn wish(name: &str, notification: u8) -> AttributeWish {
    AttributeWish { path: path(name), notification: Some(notification), access_list: None }
}

fn attribute(name: &str, notification: u32) -> ParameterAttributes {
    ParameterAttributes { name: path(name), notification, access_list: Vec::new() }
}

#[test]
fn t19_notifications_0_to_6_are_set_and_read_back() {
    for notification in 0..=6_u8 {
        let action = Action::SetAttributes(vec![wish("Device.X", notification)]);
        let (requests, task, _) = talk(
            task(7, action),
            Version::V1_4,
            vec![
                Ok(CpeResponse::SetParameterAttributes),
                Ok(CpeResponse::GetParameterAttributes(vec![attribute(
                    "Device.X",
                    notification.into(),
                )])),
            ],
        );
        let AcsRequest::SetParameterAttributes(sent) = &requests[0] else { panic!() };
        assert_eq!(sent.changes[0].notification, Some(notification.into()));
        assert_eq!(sent.changes[0].access_list, None, "left as it is");
        assert_eq!(task.state.word(), "applied");
        assert!(task.results[0].value.starts_with(&notification.to_string()));
    }
}

#[test]
fn t19_lightweight_notifications_want_version_1_4() {
    for version in [Version::V1_0, Version::V1_1, Version::V1_2, Version::V1_3] {
        let action = Action::SetAttributes(vec![wish("Device.X", 2), wish("Device.Y", 3)]);
        let (requests, task, _) = talk(task(7, action), version, Vec::new());
        assert!(requests.is_empty());
        assert!(failed(&task).1.contains(version.text()), "{}", failed(&task).1);
    }
}

#[test]
fn c1_attributes_that_read_back_otherwise_are_not_applied() {
    let action = Action::SetAttributes(vec![wish("Device.A.", 2), wish("Device.B", 1)]);
    let (_, task, _) = talk(
        task(7, action),
        Version::V1_2,
        vec![
            Ok(CpeResponse::SetParameterAttributes),
            Ok(CpeResponse::GetParameterAttributes(vec![
                attribute("Device.A.X", 2),
                attribute("Device.A.Y", 0),
                attribute("Device.B", 1),
            ])),
        ],
    );
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = &task.state else { panic!() };
    assert_eq!(fault.parameters.len(), 1);
    assert_eq!(&*fault.parameters[0].2, "Device.A.Y reads back as 0 off");
}

#[test]
fn q41_attributes_go_in_batches_that_the_device_takes() {
    let wishes: Vec<_> = (0..5).map(|n| wish(&format!("Device.P{n}"), 1)).collect();
    let found = |range: std::ops::Range<u32>| {
        let list = range.map(|n| attribute(&format!("Device.P{n}"), 1)).collect();
        Ok(CpeResponse::GetParameterAttributes(list))
    };
    let mut learned = Learned::assumed(64, 64);
    learned.attribute_batch = 4;
    let mut planner = Planner::new(
        Situation { learned, ..situation(vec![task(7, Action::SetAttributes(wishes))]) },
        true,
        NOW,
    );
    let mut tree = Tree::new();
    let answers = [
        Err(fault(FaultCode::RESOURCES_EXCEEDED)), // four are too many
        Ok(CpeResponse::SetParameterAttributes),   // 0, 1
        Ok(CpeResponse::SetParameterAttributes),   // 2, 3
        Ok(CpeResponse::SetParameterAttributes),   // 4
        Err(fault(FaultCode::INVALID_PARAMETER_NAME)), // 0, 1: bisected
        found(0..1),
        found(1..2),
        found(2..4),
        found(4..5),
    ];
    for answer in answers {
        assert!(matches!(planner.next(&mut tree, NOW), Step::Rpc { .. }));
        planner.answer(answer, &mut tree, NOW);
    }
    assert_eq!(planner.next(&mut tree, NOW), Step::Satisfied);
    let ended = planner.take_changes().pop().unwrap();
    assert_eq!(ended.state.word(), "applied", "{ended:?}");
    assert_eq!(ended.results.len(), 5);
    assert_eq!(planner.learned().attribute_batch, 2);
}

#[test]
fn t9_a_refused_notification_names_what_was_asked() {
    let action = Action::SetAttributes(vec![wish("Device.A", 2), wish("Device.B", 2)]);
    let ended = after(action, Err(fault(FaultCode(9009))));
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = &ended.state else { panic!() };
    let names: Vec<_> = fault.parameters.iter().map(|one| (&*one.0, one.1)).collect();
    assert_eq!(names, [("Device.A", 9009), ("Device.B", 9009)]);
}

#[test]
fn attributes_of_unknown_names_do_not_spoil_the_others() {
    let names = ["Device.A", "Device.Bad", "Device.C"].map(path).to_vec();
    let (_, task, _) = talk(
        task(7, Action::GetAttributes(names)),
        Version::V1_0,
        vec![
            Err(fault(FaultCode::INVALID_PARAMETER_NAME)),
            Ok(CpeResponse::GetParameterAttributes(vec![ParameterAttributes {
                access_list: vec!["Subscriber".into()],
                ..attribute("Device.A", 2)
            }])),
            Err(fault(FaultCode::INVALID_PARAMETER_NAME)),
            Err(fault(FaultCode::INVALID_PARAMETER_NAME)),
            Ok(CpeResponse::GetParameterAttributes(vec![attribute("Device.C", 0)])),
        ],
    );
    assert_eq!(task.state.word(), "applied");
    assert_eq!(results(&task), [("Device.A", "2 active; Subscriber"), ("Device.C", "0 off")]);
    assert_eq!(task.notes.len(), 1);
}

fn install(url: &str) -> DeploymentWish {
    DeploymentWish::Install {
        url: url.into(),
        uuid: "".into(),
        username: "u".into(),
        password: "p".into(),
        execution_env: "".into(),
    }
}

fn update(uuid: &str) -> DeploymentWish {
    DeploymentWish::Update {
        uuid: uuid.into(),
        version: "".into(),
        url: "".into(),
        username: "".into(),
        password: "".into(),
    }
}

fn result(state: &str, code: u32) -> OperationResult {
    OperationResult {
        current_state: state.into(),
        resolved: true,
        fault_code: FaultCode(code),
        fault_string: if code == 0 { "".into() } else { "no such environment".into() },
        ..OperationResult::default()
    }
}

#[test]
fn t17_operations_of_three_kinds_with_mixed_results() {
    let wishes = vec![install("http://u.example.net/secret"), update("u2"), uninstall("u3")];
    let (requests, waiting, _) = talk(
        task(7, Action::ChangeDuState(wishes)),
        Version::V1_2,
        vec![Ok(CpeResponse::ChangeDuState)],
    );
    let [AcsRequest::ChangeDuState(sent)] = &requests[..] else { panic!() };
    assert_eq!(sent.operations.len(), 3);
    assert_eq!(*sent.command_key, *waiting.command_key());
    assert_eq!(phase(&waiting), Some(&Phase::DeploymentUnits));

    let complete = DuStateChangeComplete {
        results: vec![result("Installed", 0), result("Failed", 9023), result("Uninstalled", 0)],
        command_key: waiting.command_key().into(),
    };
    let mut tasks = vec![waiting.clone()];
    assert_eq!(settle_units(&mut tasks, &complete, NOW), Some(0));
    let TaskState::Ended { outcome: Outcome::Failed(fault), .. } = &tasks[0].state else {
        panic!()
    };
    assert_eq!((fault.code, &*fault.text), (9023, "1 of 3 operations failed"));
    assert_eq!(
        results(&tasks[0]),
        [
            ("1 install", "Installed"),
            ("2 update u2", "Failed: 9023 no such environment"),
            ("3 uninstall u3", "Uninstalled"),
        ]
    );
    assert!(!format!("{:?}", tasks[0].results).contains("secret"));
    assert_eq!(settle_units(&mut tasks, &complete, NOW), None, "told twice");

    // All of them well; and one of which nothing is told.
    let mut tasks = vec![waiting.clone()];
    let all = DuStateChangeComplete {
        results: vec![result("Installed", 0), result("Installed", 0), result("Uninstalled", 0)],
        command_key: "".into(),
    };
    assert_eq!(settle_units(&mut tasks, &all, NOW), Some(0));
    assert_eq!(tasks[0].state.word(), "applied");
    let mut tasks = vec![waiting];
    let fewer = DuStateChangeComplete { results: vec![result("Installed", 0)], ..all };
    settle_units(&mut tasks, &fewer, NOW);
    assert_eq!(failed(&tasks[0]).1, "2 of 3 operations failed");
}

#[test]
fn t17_results_without_a_key_are_of_the_oldest_that_waits() {
    let sent = |number| {
        let mut task = task(number, Action::ChangeDuState(vec![uninstall("u")]));
        task.state = TaskState::Sent { at: NOW, phase: Phase::DeploymentUnits };
        task
    };
    let complete = |key: &str| DuStateChangeComplete {
        results: vec![result("Uninstalled", 0)],
        command_key: key.into(),
    };
    for key in ["", "somebody's own"] {
        let mut tasks = vec![task(1, Action::Reboot), sent(2), sent(3)];
        assert_eq!(settle_units(&mut tasks, &complete(key), NOW), Some(1), "{key:?}");
    }
    let mut tasks = vec![sent(2), sent(3)];
    let foreign = complete(&TaskId(99).command_key());
    assert_eq!(settle_units(&mut tasks, &foreign, NOW), None, "it is of another task of ours");
    let day = std::time::Duration::from_secs(24 * 3600);
    assert_eq!(patience_of(&tasks[0], day / 24), day);
}

#[test]
fn operations_are_from_one_to_sixteen() {
    for count in [0, MAX_OPERATIONS + 1] {
        let ended = after_nothing(Action::ChangeDuState(vec![uninstall("u"); count]));
        assert_eq!(failed(&ended).1, "from 1 to 16 operations");
    }
}
