//! What ends an operation later: an Inform, a report of the device, or time.

use super::rpcs::{after, every_single_rpc, failed, file, phase};
use super::*;
use crate::cwmp::{Inform, InformEvent};
use crate::device::{DeviceIdentity, EventCode};

/// Events of an Inform, the seconds since the task was sent, and where it
/// stands then.
type Case<'a> = (&'a [(EventCode, &'a str)], u64, &'a str);

/// An Inform with these events.
fn inform(events: &[(EventCode, &str)]) -> Inform {
    Inform {
        device: DeviceIdentity {
            manufacturer: "M".into(),
            oui: "00D09E".into(),
            product_class: "P".into(),
            serial_number: "1".into(),
        },
        events: events
            .iter()
            .map(|(code, key)| InformEvent { code: code.clone(), command_key: (*key).into() })
            .collect(),
        current_time: "".into(),
        retry_count: 0,
        parameters: Vec::new(),
    }
}

/// The task after an Inform with these events, so many seconds after it was
/// sent.
fn settled(mut task: Task, events: &[(EventCode, &str)], seconds: u64) -> Task {
    let inform = inform(events);
    let hour = std::time::Duration::from_secs(3600);
    let evidence = Evidence { inform: &inform, software_version: "2.0", patience: hour };
    let now = NOW.after(std::time::Duration::from_secs(seconds));
    settle(std::slice::from_mut(&mut task), evidence, now);
    task
}

#[test]
fn a_scheduled_inform_comes_with_its_key() {
    let mut waiting = after(Action::ScheduleInform(600), Ok(CpeResponse::ScheduleInform));
    assert_eq!(phase(&waiting), Some(&Phase::ScheduledInform));
    let method = || EventCode::Method("ScheduleInform".into());
    let own = waiting.command_key();
    let other = TaskId(99).command_key();
    let cases: [Case<'_>; 7] = [
        (&[(EventCode::Scheduled, ""), (method(), &other), (method(), &own)], 600, "applied"),
        (&[(EventCode::Scheduled, ""), (method(), &other)], 600, "sent"),
        (&[(EventCode::Periodic, "")], 600, "sent"),
        // A device that tells no key: by its time.
        (&[(EventCode::Scheduled, "")], 598, "applied"),
        (&[(EventCode::Scheduled, "")], 60, "sent"),
        (&[(EventCode::Periodic, "")], 600 + 3600, "sent"),
        (&[(EventCode::Periodic, "")], 600 + 3601, "unknown"),
    ];
    for (events, seconds, expected) in cases {
        let task = settled(waiting.clone(), events, seconds);
        assert_eq!(task.state.word(), expected, "{events:?} after {seconds}");
    }
    // The answer was lost, and the Inform proves it all the same.
    waiting.state = TaskState::Sent { at: NOW, phase: Phase::Response };
    let task = settled(waiting, &[(EventCode::Scheduled, ""), (method(), &own)], 600);
    assert_eq!(task.state.word(), "applied");
}

#[test]
fn what_announces_a_report_keeps_its_task_waiting() {
    let lost = |action| {
        let mut task = task(7, action);
        task.state = TaskState::Sent { at: NOW, phase: Phase::Response };
        task
    };
    let method = |name: &str| EventCode::Method(name.into());
    for action in every_single_rpc() {
        let events: [(EventCode, &str); 2] = match &action {
            Action::Download(_) => [(EventCode::TransferComplete, ""), (method("Download"), "")],
            Action::ScheduleDownload(..) => {
                [(EventCode::Boot, ""), (method("ScheduleDownload"), "")]
            }
            Action::Upload(_) => [(EventCode::Boot, ""), (method("Upload"), "")],
            Action::ChangeDuState(_) => {
                [(EventCode::Boot, ""), (EventCode::DuStateChangeComplete, "")]
            }
            _ => continue,
        };
        let waits = settled(lost(action.clone()), &events, 60);
        assert!(matches!(phase(&waits), Some(Phase::Transfer | Phase::DeploymentUnits)));
        let unknown = settled(lost(action), &[(EventCode::Periodic, "")], 60);
        assert_eq!(unknown.state.word(), "unknown");
    }
}

#[test]
fn q37_a_transfer_complete_that_never_comes() {
    let sent = |version| {
        let mut task = task(7, Action::Download(file(version)));
        task.state = TaskState::Sent { at: NOW, phase: Phase::Transfer };
        task
    };
    let boot: &[(EventCode, &str)] = &[(EventCode::Boot, "")];
    let periodic: &[(EventCode, &str)] = &[(EventCode::Periodic, "")];
    let cases = [
        (Some("2.0"), boot, 60, "applied"),
        (Some("2.0"), periodic, 60, "sent"),
        (Some("3.0"), boot, 60, "sent"),
        (Some("3.0"), boot, 3601, "unknown"),
        (None, boot, 60, "sent"),
        (None, periodic, 3601, "unknown"),
    ];
    for (version, events, seconds, expected) in cases {
        let task = settled(sent(version), events, seconds);
        assert_eq!(task.state.word(), expected, "{version:?} {events:?} {seconds}");
    }
}

fn complete(key: &str, code: u32) -> TransferComplete {
    TransferComplete {
        command_key: key.into(),
        fault_code: FaultCode(code),
        fault_string: "the vendor's own words".into(),
        ..TransferComplete::default()
    }
}

fn transfer(number: u128, state: TaskState) -> Task {
    Task { state, ..task(number, Action::Download(file(None))) }
}

const WAITING: TaskState = TaskState::Sent { at: NOW, phase: Phase::Transfer };

#[test]
fn q38_an_unknown_key_is_the_oldest_transfer_that_waits() {
    for key in ["", " ", "(null)", "11111111-2222", "x"] {
        let mut tasks =
            [transfer(1, TaskState::Queued), transfer(2, WAITING), transfer(3, WAITING)];
        assert_eq!(settle_transfer(&mut tasks, &complete(key, 0), NOW), Some(1), "{key:?}");
    }
    let mut tasks = [transfer(2, WAITING), transfer(3, WAITING)];
    let key = format!("\n {} ", TaskId(3).command_key());
    assert_eq!(settle_transfer(&mut tasks, &complete(&key, 0), NOW), Some(1), "by its key");
}

#[test]
fn c4_a_transfer_that_nobody_waits_for_is_credited_to_nobody() {
    let key = TaskId(2).command_key();
    let ended = |outcome| TaskState::Ended { at: NOW, outcome };
    for state in [
        TaskState::Queued,
        ended(Outcome::Applied),
        ended(Outcome::Accepted),
        ended(Outcome::Cancelled),
        TaskState::Sent { at: NOW, phase: Phase::ReadBack },
    ] {
        for code in [0, 9010] {
            let mut tasks = [transfer(1, WAITING), transfer(2, state.clone())];
            let before = tasks.clone();
            assert_eq!(settle_transfer(&mut tasks, &complete(&key, code), NOW), None, "{state:?}");
            assert_eq!(tasks, before);
        }
    }
    // It was given up, and is told after all.
    let mut tasks = [transfer(2, ended(Outcome::Unknown("late".into())))];
    assert_eq!(settle_transfer(&mut tasks, &complete(&key, 0), NOW), Some(0));
    // Of a task of ours that is long forgotten.
    let mut tasks = [transfer(1, WAITING)];
    let foreign = complete(&TaskId(77).command_key(), 0);
    assert_eq!(settle_transfer(&mut tasks, &foreign, NOW), None);
}

#[test]
fn c5_faults_of_vendors_are_kept_as_they_came() {
    for code in [9010, 9020, 9855, 1, 999_999_999] {
        let mut tasks = [transfer(2, WAITING)];
        settle_transfer(&mut tasks, &complete(&TaskId(2).command_key(), code), NOW);
        assert_eq!(failed(&tasks[0]), (code, "the vendor's own words"));
    }
}

proptest! {
    /// Whatever a device tells, and however often: a task ends once.
    #[test]
    fn c4_no_order_of_reports_credits_a_task_twice(
        reports in proptest::collection::vec((0_u128..5, 0_u32..2, any::<bool>()), 0..12),
    ) {
        let mut tasks: Vec<Task> = (1..4).map(|number| transfer(number, WAITING)).collect();
        tasks.push(transfer(4, TaskState::Queued));
        let mut credited = HashMap::<u128, u32>::new();
        for (number, code, keyless) in reports {
            let key = if keyless { String::new() } else { TaskId(number).command_key() };
            if let Some(position) = settle_transfer(&mut tasks, &complete(&key, code), NOW) {
                *credited.entry(tasks[position].id.0).or_default() += 1;
            }
        }
        prop_assert!(credited.values().all(|count| *count == 1));
        prop_assert!(!credited.contains_key(&4), "it was never sent");
    }
}
