//! Giving up silent sessions and overdue tasks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::endpoint::Acs;
use super::told::find_arrival;
use crate::device::{DeviceId, Outcome, Phase, Task, TaskId, TaskState};
use crate::plan::patience_of;
use crate::store::{Record, StoreError};
use crate::time::Timestamp;

/// How often silent sessions are looked for.
const SESSIONS_EVERY: Duration = Duration::from_secs(5);

/// How often overdue tasks are looked for, in rounds of the above.
const TASKS_EVERY: u32 = 12;

/// Tasks looked at in one go.
const PAGE: usize = 500;

/// Why a session of a silent device ends.
pub(super) const SILENT: &str = "the device fell silent";

/// Why sessions end when the server does.
pub(super) const STOPPED: &str = "the server stopped";

/// Sweeps until `stop`, then ends the sessions that are live.
pub(super) async fn run(acs: &Acs, stop: CancellationToken) {
    let mut rounds = tokio::time::interval(SESSIONS_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round: u32 = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = rounds.tick() => {}
        }
        let now = acs.clock.now();
        for live in acs.sessions.take_silent(now) {
            info!(device.id = %live.device, "the session fell silent");
            live.driver.lock().await.abandon(SILENT, now).await;
        }
        if round.is_multiple_of(TASKS_EVERY)
            && let Err(error) = overdue(acs, now).await
        {
            warn!(%error, "overdue tasks were not looked for");
        }
        round = round.wrapping_add(1);
    }
    acs.stopping.store(true, Ordering::Release);
    let now = acs.clock.now();
    for live in acs.sessions.take_all() {
        live.driver.lock().await.abandon(STOPPED, now).await;
    }
}

/// Ends the tasks whose time is over, of devices that do not come either.
async fn overdue(acs: &Acs, now: Timestamp) -> Result<(), StoreError> {
    let store = &acs.shared.store;
    let mut last: Option<(DeviceId, TaskId)> = None;
    loop {
        let after = last.as_ref().map(|(device, id)| (device, *id));
        let page = store.waiting_tasks(after, PAGE).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = Some((end.device.clone(), end.id));
        for mut task in page {
            // A live session judges its own.
            if acs.sessions.by_device(&task.device).is_some() {
                continue;
            }
            let Some(outcome) = verdict(&task, acs.shared.patience, now) else { continue };
            let given_up = matches!(outcome, Outcome::Unknown(_));
            info!(device.id = %task.device, task.id = %task.id, task.action = task.action.word(), "overdue");
            task.state = TaskState::Ended { at: now, outcome };
            task.revision += 1;
            if given_up {
                find_arrival(&**store, &mut task, now).await?;
            }
            match store.commit(Record::Task(Box::new(task)).into()).await {
                Ok(()) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// How an overdue task ends; `None` if it is not overdue.
fn verdict(task: &Task, patience: Duration, now: Timestamp) -> Option<Outcome> {
    match &task.state {
        TaskState::Queued => (task.expires_at <= now).then_some(Outcome::Expired),
        TaskState::Sent { at, phase } if now.since(*at) > patience_of(task, patience) => {
            let why = match phase {
                Phase::Response => "it was sent, and the session ended before the device answered",
                Phase::Transfer => "the device never told how the transfer ended",
                Phase::Boot => "the device never said that it restarted",
                Phase::MakeRow { .. } => {
                    "a row was asked for, and the session ended before the device answered"
                }
                Phase::Row { .. } => "the row was made, but the device never came for its values",
                Phase::ReadBack => "the device never came for what it did to be read back",
                Phase::DeploymentUnits => {
                    "the device never told what became of the deployment units"
                }
                Phase::Diagnostics => "the device never told that the diagnostic is complete",
                Phase::ScheduledInform => "the device never came at the time that was scheduled",
            };
            Some(Outcome::Unknown(why.into()))
        }
        TaskState::Sent { .. } | TaskState::Ended { .. } => None,
    }
}
