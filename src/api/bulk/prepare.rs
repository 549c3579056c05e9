//! What is done for one device.

use std::time::Duration;

use super::ask::{Asked, BulkAction};
use super::asker::Asker;
use crate::access::right_of;
use crate::api::labels::first_wrong;
use crate::api::problem::ApiError;
use crate::api::state::State as Inner;
use crate::api::tasks::MAX_OPEN;
use crate::api::within::Eyes;
use crate::device::{Action, DeviceId, Task, TaskId, TaskState};
use crate::store::{BulkRecord, Change, Record};

/// What is to be done for one device.
pub(super) struct Prepared {
    /// The changes.
    pub(super) changes: Vec<Change>,
    /// Of a task: what it asks.
    pub(super) action: Option<Action>,
    /// Whether the device is woken then.
    pub(super) wake: bool,
    /// Whether the one who asked sees it no longer: nothing is done.
    pub(super) left_out: bool,
}

impl Prepared {
    /// Nothing but this.
    fn only(changes: Vec<Change>) -> Self {
        Self { changes, action: None, wake: false, left_out: false }
    }
}

/// Reads what was asked for one device, which is looked at anew: it must be there
/// and within reach still.
pub(super) async fn prepare(
    state: &Inner,
    bulk: &BulkRecord,
    asker: &Asker,
    asked: &Asked,
    id: &DeviceId,
) -> Result<Prepared, ApiError> {
    let absent = || ApiError::NoSuch { what: "device", name: id.to_string() };
    let device = state.store().device(id).await?.ok_or_else(absent)?;
    let labels = state.store().labels(id).await?.unwrap_or_default();
    if !bulk.reach.sees(&labels.tenant, &labels.site) {
        return Err(absent());
    }
    let eyes = Eyes::over(state, &asker.reach);
    if !eyes.labels(&labels) {
        return Ok(Prepared { left_out: true, ..Prepared::only(Vec::new()) });
    }
    match asked.action()? {
        BulkAction::Wake => Ok(Prepared { wake: true, ..Prepared::only(Vec::new()) }),
        BulkAction::Forget => Ok(Prepared::only(vec![Change::ForgetDevice(id.clone())])),
        BulkAction::Labels(body) => {
            let mut changed = labels.clone();
            body.change().apply(&mut changed).map_err(first_wrong)?;
            eyes.keep(&labels, &changed)?;
            changed.revision = changed.revision.saturating_add(1);
            Ok(Prepared::only(vec![Change::Put(Record::Labels(id.clone(), changed))]))
        }
        BulkAction::Task(new) => {
            if state.store().open_tasks(id).await?.len() >= MAX_OPEN {
                return Err(ApiError::QueueFull(MAX_OPEN));
            }
            let deadline = new.deadline()?;
            let action = new.action(state, &asker.reach, &device).await?;
            let right = right_of(&action);
            if !asker.rights.has(right) {
                return Err(ApiError::NoRight(right));
            }
            let now = state.deps.clock.now();
            let task = Task {
                id: TaskId(uuid::Uuid::now_v7().as_u128()),
                device: id.clone(),
                revision: 1,
                action: action.clone(),
                created_at: now,
                created_by: bulk.created_by.clone(),
                expires_at: now.after(Duration::from_secs(deadline.into())),
                state: TaskState::Queued,
                notes: Vec::new(),
                results: Vec::new(),
            };
            let change = Change::Put(Record::Task(Box::new(task)));
            Ok(Prepared { action: Some(action), wake: asked.wake, ..Prepared::only(vec![change]) })
        }
    }
}
