//! What an Inform, a TransferComplete or a DUStateChangeComplete proves about
//! tasks that were sent before.

use std::time::Duration;

use super::context::failure;
use super::job::begin_anew;
use crate::cwmp::{DuStateChangeComplete, Inform, OperationResult, TransferComplete};
use crate::device::{
    Action, DeploymentWish, EventCode, FaultRecord, MAX_RESULTS, Outcome, Phase, Task, TaskId,
    TaskResult, TaskState,
};
use crate::time::Timestamp;

/// How long a device may take for ChangeDUState (TR-069 §A.4.1.10).
const DEPLOYMENT_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// How much earlier than asked a scheduled Inform may come: clocks differ.
const EARLY: Duration = Duration::from_secs(5);

/// What a device's Inform says that bears on waiting tasks.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The Inform itself.
    pub inform: &'a Inform,
    /// The software version that the device runs now.
    pub software_version: &'a str,
    /// How long a transfer or a reboot may take.
    pub patience: Duration,
}

/// Judges the tasks that were sent in earlier sessions by what the Inform
/// proves. Changed tasks have their revision raised; the positions of the
/// changed ones are returned.
///
/// - A reboot is applied when the device booted; a factory reset when it says
///   `0 BOOTSTRAP`.
/// - A Download whose TransferComplete is announced waits for it; one that was
///   never completed but whose version runs now is applied (Q37).
/// - A diagnostic that is announced as complete is to be read; one that was
///   not complete when the device restarted is lost.
/// - A scheduled Inform is applied when it comes with its CommandKey.
/// - A state that rows were made for begins anew when the device was reset.
/// - What was sent once and never answered is unknown, and never repeated.
pub fn settle(tasks: &mut [Task], evidence: Evidence<'_>, now: Timestamp) -> Vec<usize> {
    let mut changed = Vec::new();
    for (position, task) in tasks.iter_mut().enumerate() {
        if let Some(state) = judge(task, evidence, now) {
            task.state = state;
            task.revision += 1;
            changed.push(position);
        }
    }
    changed
}

fn judge(task: &mut Task, evidence: Evidence<'_>, now: Timestamp) -> Option<TaskState> {
    let TaskState::Sent { at, phase } = &task.state else { return None };
    let at = *at;
    let ended = |outcome| Some(TaskState::Ended { at: now, outcome });
    let late = now.since(at) > patience_of(task, evidence.patience);
    match (&task.action, phase) {
        (Action::Reboot, Phase::Response | Phase::Boot) if booted(task, evidence) => {
            ended(Outcome::Applied)
        }
        (Action::FactoryReset, Phase::Response | Phase::Boot)
            if evidence.inform.has(&EventCode::Bootstrap) =>
        {
            ended(Outcome::Applied)
        }
        (Action::Reboot | Action::FactoryReset, Phase::Boot) if late => {
            ended(Outcome::Unknown("the device never said that it restarted".into()))
        }
        (action, Phase::Response | Phase::Transfer)
            if action.is_transfer() && announces(evidence.inform, &TRANSFERS) =>
        {
            matches!(phase, Phase::Response)
                .then_some(TaskState::Sent { at, phase: Phase::Transfer })
        }
        (
            Action::Download(file) | Action::ScheduleDownload(file, _),
            Phase::Response | Phase::Transfer,
        ) if file.version.as_deref() == Some(evidence.software_version)
            && evidence.inform.has(&EventCode::Boot) =>
        {
            let note = "no TransferComplete came, but the device booted with the new version";
            task.notes.push(note.into());
            ended(Outcome::Applied)
        }
        (action, Phase::Transfer) if action.is_transfer() && late => {
            ended(Outcome::Unknown("the device never told how the transfer ended".into()))
        }
        (Action::Diagnose(_), Phase::Diagnostics)
            if evidence.inform.has(&EventCode::DiagnosticsComplete) =>
        {
            Some(TaskState::Sent { at, phase: Phase::ReadBack })
        }
        (Action::Diagnose(_), Phase::Diagnostics) if evidence.inform.has(&EventCode::Boot) => {
            ended(Outcome::Failed(failure(
                "the device restarted before the diagnostic was complete".to_owned(),
            )))
        }
        (Action::Diagnose(_), Phase::Diagnostics) if late => {
            ended(Outcome::Unknown("the device never told that the diagnostic is complete".into()))
        }
        // Rows without their keys do not outlive a reset.
        (Action::Converge(_), _) if evidence.inform.has(&EventCode::Bootstrap) => {
            Some(begin_anew(task))
        }
        (Action::ScheduleInform(delay), Phase::Response | Phase::ScheduledInform)
            if comes_as_scheduled(task.id, *delay, at, evidence.inform, now) =>
        {
            ended(Outcome::Applied)
        }
        (Action::ScheduleInform(_), Phase::ScheduledInform) if late => {
            ended(Outcome::Unknown("the device never came at the time that was scheduled".into()))
        }
        (Action::ChangeDuState(_), Phase::Response | Phase::DeploymentUnits)
            if announces(evidence.inform, &UNITS) =>
        {
            matches!(phase, Phase::Response)
                .then_some(TaskState::Sent { at, phase: Phase::DeploymentUnits })
        }
        (Action::ChangeDuState(_), Phase::DeploymentUnits) if late => ended(Outcome::Unknown(
            "the device never told what became of the deployment units".into(),
        )),
        (_, Phase::Response) => ended(Outcome::Unknown(
            "it was sent, and the session ended before the device answered".into(),
        )),
        _ => None,
    }
}

/// How long a sent task may wait for what it waits for, given how long a
/// transfer or a reboot may take.
pub fn patience_of(task: &Task, patience: Duration) -> Duration {
    let TaskState::Sent { phase, .. } = &task.state else { return patience };
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    match (&task.action, phase) {
        (Action::ScheduleInform(delay), Phase::ScheduledInform) => patience + seconds(*delay),
        (Action::Upload(wish), Phase::Transfer) => patience + seconds(wish.delay_seconds),
        (Action::ScheduleDownload(_, windows), Phase::Transfer) => {
            patience + seconds(windows.iter().map(|window| window.end).max().unwrap_or(0))
        }
        (Action::ChangeDuState(_), Phase::DeploymentUnits) => patience.max(DEPLOYMENT_PATIENCE),
        _ => patience,
    }
}

/// Whether the Inform proves that the device restarted since the task was sent.
fn booted(task: &Task, evidence: Evidence<'_>) -> bool {
    let key = task.command_key();
    evidence.inform.has(&EventCode::Boot)
        || evidence.inform.events.iter().any(|event| {
            matches!(&event.code, EventCode::Method(method) if &**method == "Reboot")
                && *event.command_key == *key
        })
}

/// What announces a TransferComplete.
const TRANSFERS: (EventCode, [&str; 3]) =
    (EventCode::TransferComplete, ["Download", "ScheduleDownload", "Upload"]);

/// What announces a DUStateChangeComplete.
const UNITS: (EventCode, [&str; 1]) = (EventCode::DuStateChangeComplete, ["ChangeDUState"]);

/// Whether the Inform has the event, or one of a method that comes with it.
fn announces<const N: usize>(inform: &Inform, what: &(EventCode, [&str; N])) -> bool {
    let (code, methods) = what;
    inform.events.iter().any(|event| match &event.code {
        EventCode::Method(method) => methods.contains(&&**method),
        other => other == code,
    })
}

/// Whether the Inform is the one that a ScheduleInform asked for: by its
/// CommandKey, or, of a device that tells none, by its time.
fn comes_as_scheduled(
    task: TaskId,
    delay: u32,
    asked_at: Timestamp,
    inform: &Inform,
    now: Timestamp,
) -> bool {
    let mut keys = inform
        .events
        .iter()
        .filter(|event| matches!(&event.code, EventCode::Method(m) if &**m == "ScheduleInform"))
        .peekable();
    if keys.peek().is_some() {
        return keys.any(|event| TaskId::of_command_key(&event.command_key) == Some(task));
    }
    let waited = now.since(asked_at) + EARLY;
    inform.has(&EventCode::Scheduled) && waited >= Duration::from_secs(delay.into())
}

/// Finds the task that a TransferComplete is about and notes how the transfer
/// ended: by the CommandKey, else the oldest open transfer, for devices that
/// send back none, or another (Q38). Returns its position; `None` if it is
/// about none of them, or if there is nothing new in it: told twice, or of a
/// transfer that was never asked for (security: C4).
///
/// A transfer that went well still has to be looked after: the task then waits
/// in [`Phase::ReadBack`].
pub fn settle_transfer(
    tasks: &mut [Task],
    complete: &TransferComplete,
    now: Timestamp,
) -> Option<usize> {
    let position = match TaskId::of_command_key(&complete.command_key) {
        Some(id) => tasks.iter().position(|task| {
            task.id == id
                && task.action.is_transfer()
                && (waits_for_transfer(task) || is_unknown(task))
        }),
        None => tasks.iter().position(waits_for_transfer),
    }?;
    let task = tasks.get_mut(position)?;
    task.state = if complete.fault_code.0 == 0 {
        TaskState::Sent { at: now, phase: Phase::ReadBack }
    } else {
        let fault = FaultRecord {
            code: complete.fault_code.0,
            text: complete.fault_string.chars().take(256).collect(),
            parameters: Vec::new(),
        };
        TaskState::Ended { at: now, outcome: Outcome::Failed(fault) }
    };
    task.revision += 1;
    Some(position)
}

/// Ends an Upload that the device says is done, by what the store knows of it:
/// the SHA-256 of what arrived. `false` if the task waits for something else.
/// The revision stays: it is raised by whoever changed the task before.
pub fn settle_upload(task: &mut Task, arrived: Option<&str>, now: Timestamp) -> bool {
    let waits = matches!(task.state, TaskState::Sent { phase: Phase::ReadBack, .. });
    if !waits || !matches!(task.action, Action::Upload(_)) {
        return false;
    }
    let outcome = match arrived {
        Some(sha256) => {
            task.results.push(TaskResult::new("file", sha256));
            Outcome::Applied
        }
        None => {
            let why = "the device says it sent the file, but nothing arrived";
            Outcome::Failed(failure(why.to_owned()))
        }
    };
    task.state = TaskState::Ended { at: now, outcome };
    true
}

/// Finds the task that a DUStateChangeComplete is about and ends it: by the
/// CommandKey, else the oldest ChangeDUState that waits. Each operation has a
/// result, in their order; one that failed, or of which nothing is told, fails
/// the task. Returns its position, or `None` as [`settle_transfer`] does.
pub fn settle_units(
    tasks: &mut [Task],
    complete: &DuStateChangeComplete,
    now: Timestamp,
) -> Option<usize> {
    let position = match TaskId::of_command_key(&complete.command_key) {
        Some(id) => tasks
            .iter()
            .position(|task| task.id == id && (waits_for_units(task) || is_unknown(task))),
        None => tasks.iter().position(waits_for_units),
    }?;
    let task = tasks.get_mut(position)?;
    let Action::ChangeDuState(wishes) = &task.action else { return None };
    let count = wishes.len().max(complete.results.len()).min(MAX_RESULTS);
    let mut failed = Vec::new();
    for number in 0..count {
        let name = match wishes.get(number) {
            Some(wish) => format!("{} {}", number + 1, in_words(wish)),
            None => (number + 1).to_string(),
        };
        let (value, fault) = match complete.results.get(number) {
            Some(result) => told(result),
            None => {
                ("nothing was told of it".to_owned(), Some((0, "nothing was told of it".into())))
            }
        };
        if let Some((code, text)) = fault {
            failed.push((name.as_str().into(), code, text));
        }
        task.results.push(TaskResult::new(&name, &value));
    }
    let outcome = match failed.first() {
        None => Outcome::Applied,
        Some((_, code, _)) => Outcome::Failed(FaultRecord {
            code: *code,
            text: format!("{} of {count} operations failed", failed.len()).into(),
            parameters: failed,
        }),
    };
    task.state = TaskState::Ended { at: now, outcome };
    task.revision += 1;
    Some(position)
}

/// An operation without its URL, which may hold a password.
fn in_words(wish: &DeploymentWish) -> String {
    let (word, uuid) = match wish {
        DeploymentWish::Install { uuid, .. } => ("install", uuid),
        DeploymentWish::Update { uuid, .. } => ("update", uuid),
        DeploymentWish::Uninstall { uuid, .. } => ("uninstall", uuid),
    };
    format!("{word} {uuid}").trim_end().to_owned()
}

/// What the device tells of one operation, and its fault if it failed.
fn told(result: &OperationResult) -> (String, Option<(u32, Box<str>)>) {
    let mut text = result.current_state.to_string();
    let code = result.fault_code.0;
    if code != 0 || &*result.current_state == "Failed" {
        let words: Box<str> = result.fault_string.chars().take(256).collect();
        return (format!("{text}: {code} {words}"), Some((code, words)));
    }
    if !result.version.is_empty() {
        text = format!("{text}; version {}", result.version);
    }
    if !result.deployment_unit.is_empty() {
        text = format!("{text}; {}", result.deployment_unit);
    }
    if !result.resolved && &*result.current_state == "Installed" {
        text.push_str("; something that it needs is missing");
    }
    (text, None)
}

pub(super) const fn waits_for_transfer(task: &Task) -> bool {
    task.action.is_transfer()
        && matches!(task.state, TaskState::Sent { phase: Phase::Response | Phase::Transfer, .. })
}

const fn waits_for_units(task: &Task) -> bool {
    matches!(task.action, Action::ChangeDuState(_))
        && matches!(
            task.state,
            TaskState::Sent { phase: Phase::Response | Phase::DeploymentUnits, .. }
        )
}

/// What was given up may still be told.
const fn is_unknown(task: &Task) -> bool {
    matches!(&task.state, TaskState::Ended { outcome: Outcome::Unknown(_), .. })
}
