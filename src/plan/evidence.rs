//! What an Inform or a TransferComplete proves about tasks that were sent in
//! an earlier session.

use std::time::Duration;

use super::context::failure;
use crate::cwmp::{Inform, TransferComplete};
use crate::device::{Action, EventCode, FaultRecord, Outcome, Phase, Task, TaskState};
use crate::time::Timestamp;

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
    let late = now.since(at) > evidence.patience;
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
        (Action::Download(_) | Action::Provision(_), Phase::Response | Phase::Transfer)
            if announces_transfer(evidence.inform) =>
        {
            matches!(phase, Phase::Response)
                .then_some(TaskState::Sent { at, phase: Phase::Transfer })
        }
        (Action::Download(file), Phase::Response | Phase::Transfer)
            if file.version.as_deref() == Some(evidence.software_version)
                && evidence.inform.has(&EventCode::Boot) =>
        {
            let note = "no TransferComplete came, but the device booted with the new version";
            task.notes.push(note.into());
            ended(Outcome::Applied)
        }
        (Action::Download(_) | Action::Provision(_), Phase::Transfer) if late => {
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
        (_, Phase::Response) => ended(Outcome::Unknown(
            "it was sent, and the session ended before the device answered".into(),
        )),
        _ => None,
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

fn announces_transfer(inform: &Inform) -> bool {
    inform.events.iter().any(|event| match &event.code {
        EventCode::TransferComplete => true,
        EventCode::Method(method) => matches!(&**method, "Download" | "ScheduleDownload"),
        _ => false,
    })
}

/// Finds the task that a TransferComplete is about and notes how the transfer
/// ended: by the CommandKey, else the oldest open transfer (Q38). Returns its
/// position; `None` if it is about none of them.
///
/// A transfer that went well still has to be read back: the task then waits in
/// [`Phase::ReadBack`].
pub fn settle_transfer(
    tasks: &mut [Task],
    complete: &TransferComplete,
    now: Timestamp,
) -> Option<usize> {
    let by_key = tasks.iter().position(|task| {
        task.action.is_transfer() && task.command_key() == complete.command_key.trim()
    });
    let position = by_key.or_else(|| tasks.iter().position(waits_for_transfer))?;
    let task = tasks.get_mut(position)?;
    let over = matches!(&task.state, TaskState::Ended { outcome, .. } if !matches!(outcome, Outcome::Unknown(_)));
    if over {
        // Told twice, or told after it was read back: nothing new (C4).
        return None;
    }
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

const fn waits_for_transfer(task: &Task) -> bool {
    task.action.is_transfer()
        && matches!(task.state, TaskState::Sent { phase: Phase::Response | Phase::Transfer, .. })
}
