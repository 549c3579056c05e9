//! `/tasks` and `/faults`: what devices were asked for, and what they refused.
//!
//! A fault is a task of ours that failed. It is there until somebody deletes it,
//! which is noted at the task itself; what was done is no longer listed, as clients
//! of this dialect expect.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;

use super::super::state::{Shared, State as Inner};
use super::ids;
use super::node::Node;
use super::query::{Collection, Condition, fits};
use super::reply::{self, Refusal};
use super::shape::Asked;
use super::work_document::{fault_document, is_faulty, is_listed, task_document, with_note};
use crate::access::{Principal, right_of};
use crate::device::{DeviceId, Outcome, Task, TaskId, TaskState};
use crate::store::{Batch, Record, StoreError};

/// Tasks that are looked at in one step.
const CHUNK: usize = 500;

/// Tasks that one request looks at.
const MAX_LOOKED_AT: usize = 200_000;

/// Tasks that one answer may choose from.
const MAX_FOUND: usize = 20_000;

/// How far back tasks of all devices are looked for, in milliseconds: 30 days.
const BACK: u128 = 30 * 86_400_000;

/// How often a change is tried again when the device's session was quicker.
const ATTEMPTS: u32 = 5;

/// What is said of a task whose fault nobody wants to see any more.
pub(super) const DISMISSED: &str = "its fault was deleted";

/// `GET /tasks`.
pub(super) async fn tasks(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Work)?;
    if let Some(id) = asked.condition.must_be("_id") {
        let task = match ids::task(&state, &principal, id).await {
            Ok(task) => Some(task).filter(is_listed),
            Err(Refusal::NoTask) => None,
            Err(refusal) => return Err(refusal),
        };
        return answer(&asked, task.iter().map(task_document));
    }
    let device = asked.condition.must_be("device");
    let tasks = gather(&state, &principal, device, is_listed).await?;
    answer(&asked, tasks.iter().map(task_document))
}

/// `GET /faults`.
pub(super) async fn faults(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&uri, Collection::Work)?;
    let of_id = |condition: &Condition| {
        let (device, _) = condition.must_be("_id")?.rsplit_once(':')?;
        Some(device.to_owned())
    };
    let device = asked.condition.must_be("device").map(str::to_owned);
    let device = device.or_else(|| of_id(&asked.condition));
    let tasks = gather(&state, &principal, device.as_deref(), is_faulty).await?;
    answer(&asked, tasks.iter().filter_map(fault_document))
}

/// Those of documents at hand that are asked for.
///
/// # Errors
/// [`Refusal::Bad`] when they are more than one answer holds.
pub(super) fn answer(
    asked: &Asked,
    documents: impl Iterator<Item = Node>,
) -> Result<Response, Refusal> {
    let mut found: Vec<(Vec<Node>, Node)> = documents
        .filter(|document| fits(&asked.condition, document))
        .map(|document| (asked.keys_of(&document), document))
        .collect();
    if !asked.order.is_empty() {
        found.sort_by(|(one, _), (other, _)| asked.compare(one, other));
    }
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let window = found.into_iter().skip(asked.skip).take(asked.limit);
    let shown: Vec<Node> = window.map(|(_, document)| asked.shaped(document)).collect();
    Ok(reply::list(total, &shown))
}

/// The tasks of a device or of all whose tasks are the principal's to see, oldest
/// first.
async fn gather(
    state: &Inner,
    principal: &Principal,
    device: Option<&str>,
    wanted: fn(&Task) -> bool,
) -> Result<Vec<Task>, Refusal> {
    let device = match device.map(DeviceId::parse) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => return Ok(Vec::new()),
    };
    let mut after = device.is_none().then(long_ago);
    let mut seen: HashMap<DeviceId, bool> = HashMap::new();
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let chunk = state.store().tasks(device.as_ref(), after, CHUNK).await?;
        let is_last = chunk.len() < CHUNK;
        looked_at += chunk.len();
        after = chunk.last().map(|task| task.id).or(after);
        for task in chunk.into_iter().filter(wanted) {
            let is_seen = match seen.get(&task.device) {
                Some(is_seen) => *is_seen,
                None => {
                    let is_seen = state.deps.finder.sees(&task.device, &principal.reach).await?;
                    seen.insert(task.device.clone(), is_seen);
                    is_seen
                }
            };
            if is_seen {
                found.push(task);
            }
        }
        if found.len() > MAX_FOUND || (looked_at >= MAX_LOOKED_AT && !is_last) {
            return Err(Refusal::bad(
                "Error: too many tasks; ask for those of one device by {\"device\": \"<id>\"}",
            ));
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// The id of a task of a month ago.
fn long_ago() -> TaskId {
    let now = uuid::Uuid::now_v7().as_u128() >> 80;
    TaskId(now.saturating_sub(BACK) << 80)
}

/// `DELETE /tasks/<id>`: withdraws it, or lets its fault go.
pub(super) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let task = ids::task(&state, &principal, ids::segment(uri.path(), 1)).await?;
    let id = task.id;
    change(&state, task.id, |task| match &task.state {
        TaskState::Queued => {
            let at = state.deps.clock.now();
            task.state = TaskState::Ended { at, outcome: Outcome::Cancelled };
            Ok(())
        }
        TaskState::Sent { .. } => Err(Refusal::InSession),
        TaskState::Ended { .. } if is_faulty(task) => {
            with_note(task, DISMISSED);
            Ok(())
        }
        TaskState::Ended { .. } => Err(Refusal::NoTask),
    })
    .await?;
    tracing::info!(task.id = %id, by = %principal.name, "task deleted");
    Ok(reply::empty())
}

/// `DELETE /faults/<device>:<channel>`; also of what is not there.
pub(super) async fn remove_fault(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let raw = ids::segment(uri.path(), 1);
    let once = ids::decoded(raw).unwrap_or_default();
    let twice = ids::decoded(&once).unwrap_or_default();
    let Some((_, channel)) = twice.rsplit_once(':') else { return Ok(reply::empty()) };
    let Some(id) = channel.strip_prefix("task_") else { return Ok(reply::empty()) };
    let task = match ids::task(&state, &principal, id).await {
        Ok(task) if is_faulty(&task) => task,
        Ok(_) | Err(Refusal::NoTask) => return Ok(reply::empty()),
        Err(refusal) => return Err(refusal),
    };
    change(&state, task.id, |task| {
        with_note(task, DISMISSED);
        Ok(())
    })
    .await?;
    Ok(reply::empty())
}

/// `POST /tasks/<id>/retry`: asks for the same once more, as a task of its own. One
/// that waits already is left as it is.
pub(super) async fn retry(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let old = ids::task(&state, &principal, ids::segment(uri.path(), 1)).await?;
    match &old.state {
        TaskState::Queued => return Ok(reply::empty()),
        TaskState::Sent { .. } => return Err(Refusal::InSession),
        TaskState::Ended { .. } if is_faulty(&old) => {}
        TaskState::Ended { .. } => return Err(Refusal::NoTask),
    }
    super::new_work::check_right(&principal, right_of(&old.action))?;
    let patience = old.expires_at.since(old.created_at);
    let now = state.deps.clock.now();
    let new = Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        revision: 1,
        created_at: now,
        created_by: (&*principal.name).into(),
        expires_at: now.after(patience),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
        ..old.clone()
    };
    let note = format!("task {} does it again", ids::short_id(new.id));
    let mut dismissed = old;
    dismissed.revision = dismissed.revision.saturating_add(1);
    with_note(&mut dismissed, DISMISSED);
    let mut batch = Batch::new();
    batch.put(Record::Task(Box::new(dismissed)));
    batch.put(Record::Task(Box::new(new)));
    state.store().commit(batch).await?;
    Ok(reply::with_note(reply::empty(), &note))
}

/// Changes a task, as often as its device's session is quicker.
async fn change(
    state: &Inner,
    id: TaskId,
    change: impl Fn(&mut Task) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut task = state.store().task(id).await?.ok_or(Refusal::NoTask)?;
        change(&mut task)?;
        task.revision = task.revision.saturating_add(1);
        match state.store().commit(Record::Task(Box::new(task)).into()).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict(_)) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}
