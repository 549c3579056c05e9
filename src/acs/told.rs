//! What a device tells by RPCs of its own: it is durable before it is answered.

use tracing::info;

use super::driver::Driver;
use super::wanted;
use crate::cwmp::{
    AutonomousDuStateChangeComplete, CpeRequest, DuStateChangeComplete, Kicked, RequestDownload,
    TransferComplete,
};
use crate::device::{Event, EventKind, Outcome, Task, TaskId, TaskState};
use crate::plan::{self, cancel_transfer, settle_transfer, settle_units};
use crate::store::{Record, Store, StoreError, upload_of};
use crate::time::Timestamp;

/// The longest line in a device's history, in characters.
const MAX_LINE: usize = 1024;

/// The longest text of a device in such a line.
const MAX_WORDS: usize = 128;

/// Ends an Upload that the device says is done, by what arrived. `false` if the
/// task is none.
pub(super) async fn settle_upload(
    store: &dyn Store,
    task: &mut Task,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !matches!(task.action, crate::device::Action::Upload(_)) {
        return Ok(false);
    }
    let arrived = store.setting(&upload_of(task.id)).await?;
    let sha256 = arrived.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(plan::settle_upload(task, sha256.as_deref(), now))
}

impl Driver {
    /// A request of the device: what it tells is durable before it is answered.
    pub(super) async fn take_request(
        &mut self,
        request: &CpeRequest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let told = match request {
            CpeRequest::TransferComplete(complete) => {
                return self.take_transfer(complete, now).await;
            }
            CpeRequest::DuStateChangeComplete(complete) => {
                return self.take_units(complete, now).await;
            }
            // In words, and without the URLs, which may hold passwords.
            CpeRequest::AutonomousTransferComplete(complete) => {
                let way = if complete.is_download { "fetched" } else { "sent" };
                format!(
                    "{way} a file of type {:?} on its own: fault {} {}",
                    words(&complete.file_type),
                    complete.fault_code,
                    words(&complete.fault_string)
                )
            }
            CpeRequest::RequestDownload(wanted) => {
                let queued = self.give_what_is_wanted(wanted, now).await?;
                asked_for(wanted, queued)
            }
            CpeRequest::AutonomousDuStateChangeComplete(change) => units_changed(change),
            CpeRequest::Kicked(kicked) => was_kicked(kicked),
            CpeRequest::Unknown(method) => {
                format!("called {:?}, a method that nobody knows", words(method))
            }
            CpeRequest::Inform(_) | CpeRequest::GetRpcMethods => return Ok(()),
        };
        self.remember(&told, now).await
    }

    /// A line in the device's history.
    async fn remember(&self, told: &str, now: Timestamp) -> Result<(), StoreError> {
        let kind = EventKind::Told(told.chars().take(MAX_LINE).collect());
        let event = Event { device: self.work.device.id.clone(), at: now, kind };
        self.shared.store.commit(Record::Event(event).into()).await
    }

    /// The tasks that what the device tells may be about: the open ones, and
    /// one that was given up meanwhile if the CommandKey names it.
    async fn tasks_by_key(&self, command_key: &str) -> Result<Vec<Task>, StoreError> {
        // The session's own view may be old, and a task that was given up as
        // unknown is no longer among the open ones: the store knows them all.
        let mut tasks = self.shared.store.open_tasks(&self.work.device.id).await?;
        if let Some(id) = TaskId::of_command_key(command_key)
            && !tasks.iter().any(|task| task.id == id)
            && let Some(task) = self.shared.store.task(id).await?
            && task.device == self.work.device.id
        {
            tasks.push(task);
        }
        Ok(tasks)
    }

    async fn take_transfer(
        &mut self,
        complete: &TransferComplete,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tasks = self.tasks_by_key(&complete.command_key).await?;
        let fault = complete.fault_code.0;
        let Some(position) = settle_transfer(&mut tasks, complete, now) else {
            info!(device.id = %self.work.device.id, fault.code = fault, "a TransferComplete that belongs to no open task");
            let told = format!("told of a transfer that nobody waits for: fault {fault}");
            return self.remember(&told, now).await;
        };
        let mut task = tasks.swap_remove(position);
        settle_upload(&*self.shared.store, &mut task, now).await?;
        info!(device.id = %task.device, task.id = %task.id, fault.code = fault, "transfer complete");
        self.shared.store.commit(Record::Task(Box::new(task.clone())).into()).await?;
        self.replace(task);
        Ok(())
    }

    async fn take_units(
        &mut self,
        complete: &DuStateChangeComplete,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tasks = self.tasks_by_key(&complete.command_key).await?;
        let count = complete.results.len();
        let Some(position) = settle_units(&mut tasks, complete, now) else {
            info!(device.id = %self.work.device.id, "a DUStateChangeComplete that belongs to no open task");
            let told = format!("told of {count} deployment units that nobody waits for");
            return self.remember(&told, now).await;
        };
        let task = tasks.swap_remove(position);
        info!(device.id = %task.device, task.id = %task.id, task.state = task.state.word(), "deployment units changed");
        self.shared.store.commit(Record::Task(Box::new(task.clone())).into()).await?;
        self.replace(task);
        Ok(())
    }

    /// The session goes on with a task as the store has it now.
    fn replace(&mut self, task: Task) {
        self.work.tasks.retain(|known| known.id != task.id);
        if let Some(planner) = &mut self.work.planner {
            planner.forget(task.id);
        }
        // What is over is not taken up: it would be begun anew.
        if task.state.is_ended() {
            return;
        }
        match &mut self.work.planner {
            Some(planner) => planner.take_up(task, None),
            None => self.work.tasks.push(task),
        }
    }

    /// A device asks for a file: it is queued if the operator wants it so and
    /// there is one that fits. Returns its name.
    async fn give_what_is_wanted(
        &self,
        wanted: &RequestDownload,
        now: Timestamp,
    ) -> Result<Option<Box<str>>, StoreError> {
        if !self.shared.request_download {
            return Ok(None);
        }
        let store = &*self.shared.store;
        let Some(task) = wanted::download_for(store, &self.work.device, wanted, now).await? else {
            return Ok(None);
        };
        let name = match &task.action {
            crate::device::Action::Download(file) => file.name.clone(),
            _ => "".into(),
        };
        info!(device.id = %task.device, task.id = %task.id, "a file is queued that the device asked for");
        store.commit(Record::Task(Box::new(task)).into()).await?;
        Ok(Some(name))
    }

    /// Completes what the planner cannot know: whether a file that was sent has
    /// arrived, and which transfer was cancelled.
    pub(super) async fn settle_changes(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let Some(planner) = &mut self.work.planner else { return Ok(()) };
        for task in planner.changes_mut() {
            settle_upload(&*self.shared.store, task, now).await?;
        }
        for (other, by) in planner.take_cancelled() {
            let Some(task) = self.shared.store.task(other).await? else { continue };
            if task.device != self.work.device.id {
                continue;
            }
            if let Some(task) = cancel_transfer(task, by, now) {
                planner.forget(other);
                self.work.pending.put(Record::Task(Box::new(task)));
            }
        }
        Ok(())
    }
}

/// An Upload that was given up although its file is here is done after all
/// (Q37). `false` if nothing arrived.
pub(super) async fn find_arrival(
    store: &dyn Store,
    task: &mut Task,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !matches!(task.action, crate::device::Action::Upload(_))
        || store.setting(&upload_of(task.id)).await?.is_none()
    {
        return Ok(false);
    }
    task.notes.push("no TransferComplete came, but the file arrived".into());
    task.state = TaskState::Sent { at: now, phase: crate::device::Phase::ReadBack };
    settle_upload(store, task, now).await?;
    Ok(matches!(task.state, TaskState::Ended { outcome: Outcome::Applied, .. }))
}

fn asked_for(wanted: &RequestDownload, queued: Option<Box<str>>) -> String {
    let mut text = format!("asked for a file of type {:?}", words(&wanted.file_type));
    for (name, value) in wanted.arguments.iter().take(16) {
        text = format!("{text}, {}: {:?}", words(name), words(value));
    }
    match queued {
        Some(name) => format!("{text}; {name:?} is queued"),
        None => text,
    }
}

fn was_kicked(kicked: &Kicked) -> String {
    format!("was kicked with the command {:?}", words(&kicked.command))
}

fn units_changed(change: &AutonomousDuStateChangeComplete) -> String {
    let mut text = format!("changed {} deployment units on its own", change.results.len());
    for one in change.results.iter().take(16) {
        let result = &one.result;
        text = format!(
            "{text}; {} {}: {}",
            words(&one.operation),
            words(&result.uuid),
            words(&result.current_state)
        );
        if result.fault_code.0 != 0 {
            text = format!("{text}, fault {} {}", result.fault_code, words(&result.fault_string));
        }
    }
    text
}

/// A text of the device, cut.
fn words(text: &str) -> String {
    text.chars().take(MAX_WORDS).collect()
}
