//! What a device tells by RPCs of its own: it is durable before it is answered.

use tracing::info;

use super::driver::Driver;
use crate::cwmp::{CpeRequest, TransferComplete};
use crate::device::{Event, EventKind, TaskId};
use crate::plan::settle_transfer;
use crate::store::{Record, StoreError};
use crate::time::Timestamp;

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
            // In words, and without the URLs, which may hold passwords.
            CpeRequest::AutonomousTransferComplete(complete) => {
                let way = if complete.is_download { "fetched" } else { "sent" };
                format!(
                    "{way} a file of type {:?} on its own: fault {} {}",
                    complete.file_type, complete.fault_code, complete.fault_string
                )
            }
            CpeRequest::RequestDownload(wanted) => {
                format!("asked for a file of type {:?}", wanted.file_type)
            }
            CpeRequest::DuStateChangeComplete(change) => {
                format!("changed {} deployment units as asked", change.results.len())
            }
            CpeRequest::AutonomousDuStateChangeComplete(change) => {
                format!("changed {} deployment units on its own", change.results.len())
            }
            CpeRequest::Inform(_)
            | CpeRequest::GetRpcMethods
            | CpeRequest::Kicked(_)
            | CpeRequest::Unknown(_) => {
                return Ok(());
            }
        };
        let kind = EventKind::Told(told.chars().take(1024).collect());
        let event = Event { device: self.work.device.id.clone(), at: now, kind };
        self.shared.store.commit(Record::Event(event).into()).await
    }

    async fn take_transfer(
        &mut self,
        complete: &TransferComplete,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The session's own view may be old, and a task that was given up as
        // unknown is no longer among the open ones: the store knows them all.
        let mut tasks = self.shared.store.open_tasks(&self.work.device.id).await?;
        if let Ok(id) = complete.command_key.trim().parse::<TaskId>()
            && !tasks.iter().any(|task| task.id == id)
            && let Some(task) = self.shared.store.task(id).await?
            && task.device == self.work.device.id
        {
            tasks.push(task);
        }
        let fault = complete.fault_code.0;
        let Some(position) = settle_transfer(&mut tasks, complete, now) else {
            info!(device.id = %self.work.device.id, fault.code = fault, "a TransferComplete that belongs to no open task");
            return Ok(());
        };
        let task = tasks.swap_remove(position);
        info!(device.id = %task.device, task.id = %task.id, fault.code = fault, "transfer complete");
        self.shared.store.commit(Record::Task(Box::new(task.clone())).into()).await?;
        self.work.tasks.retain(|known| known.id != task.id);
        match &mut self.work.planner {
            Some(planner) => {
                planner.forget(task.id);
                planner.take_up(task, None);
            }
            None => self.work.tasks.push(task),
        }
        Ok(())
    }
}
