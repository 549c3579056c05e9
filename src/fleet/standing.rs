//! Where one device stands, from what is known and without asking it.

use std::time::Duration;

use super::{Fleet, Known};
use crate::device::{Action, DeviceId, Task, TaskId, TaskState};
use crate::plan::{Assessment, assess};
use crate::profile::{ProfileSet, Resolved};
use crate::store::{Record, StoreError};
use crate::time::Timestamp;

/// How long a repair that was asked for waits for the device.
const REPAIR_DEADLINE: Duration = Duration::from_secs(7 * 86_400);

/// What is wanted of a device, and what is left to be done for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What is wanted.
    pub resolved: Resolved,
    /// How far it is from that, as far as it is known.
    pub assessment: Assessment,
}

/// What a set wants of a device, and how far that one is from it.
pub fn standing(set: &ProfileSet, known: &Known, now: Timestamp) -> Standing {
    let resolved = set.resolve(&known.subject(now));
    let assessment = if resolved.desired.is_empty() {
        Assessment::default()
    } else {
        assess(&resolved.desired, &known.tree, &known.learned, &known.written)
    };
    Standing { resolved, assessment }
}

impl Fleet {
    /// Where a device stands with the profiles in force; `None` if nobody knows
    /// it. Nothing is asked of it.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn standing(
        &self,
        id: &DeviceId,
        now: Timestamp,
    ) -> Result<Option<Standing>, StoreError> {
        let set = self.profiles.current().await?;
        Ok(self.known(id).await?.map(|known| standing(&set, &known, now)))
    }

    /// Asks that a device be brought to what profiles want of it when it next
    /// comes, whatever was tried before, and drift that is only told repaired as
    /// well. The answer is the task whose outcome tells how it went; if one waits
    /// already, it is that one.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be recorded.
    pub async fn ask_repair(
        &self,
        id: &DeviceId,
        by: &str,
        now: Timestamp,
    ) -> Result<Task, StoreError> {
        let waiting = self.store.open_tasks(id).await?.into_iter().find(asks_repair);
        if let Some(task) = waiting {
            return Ok(task);
        }
        let task = Task {
            id: TaskId(uuid::Uuid::now_v7().as_u128()),
            device: id.clone(),
            revision: 1,
            action: Action::Converge(Box::default()),
            created_at: now,
            created_by: by.into(),
            expires_at: now.after(REPAIR_DEADLINE),
            state: TaskState::Queued,
            notes: Vec::new(),
            results: Vec::new(),
        };
        self.store.commit(Record::Task(Box::new(task.clone())).into()).await?;
        Ok(task)
    }
}

/// Whether a task waits that asks for all that profiles want.
pub fn asks_repair(task: &Task) -> bool {
    task.state == TaskState::Queued
        && matches!(&task.action, Action::Converge(desired) if desired.is_empty())
}
