//! `GET /tasks` and `/tasks/export`: what was asked of devices, as a list.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::devices::rule;
use super::extract::{Named, Split};
use super::fields::{Fields, Sparse};
use super::lasting::Lasting;
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use super::stream::{Export, Format, Gone};
use super::tasks::TaskView;
use super::within::Eyes;
use crate::access::{Principal, Reach, Right};
use crate::device::{DeviceId, Task, TaskId};
use crate::find::{Filter, FindError};
use crate::ledger::Names;
use crate::time::Timestamp;

/// What `state` can be.
const STATES: [&str; 9] =
    ["open", "queued", "sent", "applied", "accepted", "failed", "unknown", "expired", "cancelled"];

/// Tasks that are read at once.
const AT_ONCE: usize = 500;

/// Which tasks are meant; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct TaskWhich {
    /// Only this device's.
    device: Option<String>,
    /// Only those in this state; `open` for all that are not over.
    state: Option<String>,
    /// Only those with this action: `set`, `reboot`, …
    action: Option<String>,
    /// Only those that were made at or after this time (RFC 3339).
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Only those that were made before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Only those that this user or token made.
    by: Option<String>,
    /// Only those of devices for which this rule (CEL) is true, as when listing
    /// devices.
    filter: Option<String>,
}

/// How much is answered, and of what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct TaskListing {
    /// Only these fields of each task, with commas between.
    fields: Option<String>,
    /// From 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

impl Named for TaskListing {
    const NAMES: &'static [&'static str] = &["fields", "limit", "after"];
}

/// Finds tasks, page by page; what is known of their devices is asked once.
struct Seeker {
    which: TaskWhich,
    device: Option<DeviceId>,
    filter: Filter,
    reach: Reach,
    /// Whether devices are meant and seen.
    devices: HashMap<DeviceId, bool>,
    names: Names,
}

impl Seeker {
    fn new(which: TaskWhich, reach: &Reach) -> Result<Self, ApiError> {
        if which.state.as_deref().is_some_and(|word| !STATES.contains(&word)) {
            return Err(bad_value("state", format!("one of {}", STATES.join(", "))));
        }
        let device = which.device.as_deref().map(DeviceId::parse).transpose();
        let filter = match &which.filter {
            Some(text) => Filter::Rule(std::sync::Arc::new(rule(text)?)),
            None => Filter::All,
        };
        Ok(Self {
            device: device.map_err(|error| bad_value("device", error))?,
            which,
            filter,
            reach: reach.clone(),
            names: Names::of(reach),
            devices: HashMap::new(),
        })
    }

    /// Whether a task is meant, its device and its maker left aside.
    fn is_meant(&self, task: &Task) -> bool {
        let same = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| *wanted == *text)
        };
        let is_open = self.which.state.as_deref() == Some("open") && !task.state.is_ended();
        (is_open || same(&self.which.state, task.state.word()))
            && same(&self.which.action, task.action.word())
            && self.which.since.is_none_or(|since| task.created_at >= since)
            && self.which.until.is_none_or(|until| task.created_at < until)
    }

    /// A task that is meant and seen, as it may be told.
    async fn take(&mut self, state: &Inner, mut task: Task) -> Result<Option<Task>, ApiError> {
        if !self.is_meant(&task) || !self.is_seen(state, &task.device).await? {
            return Ok(None);
        }
        task.created_by = self.names.told(state.store(), &task.created_by).await?;
        let is_by = |by: &String| **by == *task.created_by;
        Ok(self.which.by.as_ref().is_none_or(is_by).then_some(task))
    }

    /// Whether its device is seen and meant.
    async fn is_seen(&mut self, state: &Inner, device: &DeviceId) -> Result<bool, FindError> {
        if self.reach.is_whole() && matches!(self.filter, Filter::All) {
            return Ok(true);
        }
        if let Some(known) = self.devices.get(device) {
            return Ok(*known);
        }
        let fits = state.deps.finder.fits(device, &self.filter, &self.reach).await?;
        if self.devices.len() >= MAX_SCAN {
            self.devices.clear();
        }
        self.devices.insert(device.clone(), fits);
        Ok(fits)
    }
}

/// A task as lists show it: without its results, which may be many.
fn listed(task: Task) -> TaskView {
    TaskView::from(task).without_results()
}

/// Lists tasks in the order of their making
#[utoipa::path(get, path = "/api/v1/tasks", tag = "tasks", operation_id = "list_tasks",
    params(TaskWhich, TaskListing),
    responses((status = 200, body = Page<Sparse<TaskView>>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Split(listing, which): Split<TaskListing, TaskWhich>,
) -> Result<axum::Json<Page<Sparse<TaskView>>>, ApiError> {
    let limit = paging::limit(listing.limit)?;
    let fields = Fields::read::<TaskView>(listing.fields.as_deref(), false)?;
    let mut seeker = Seeker::new(which, &principal.reach)?;
    let eyes = Eyes::of(&state, &principal);
    let mut after: Option<TaskId> = eyes.after(listing.after.as_deref())?;
    let (mut items, mut shown) = (Vec::new(), None);
    let mut scanned = 0;
    loop {
        let batch = state.store().tasks(seeker.device.as_ref(), after, AT_ONCE).await?;
        let is_last = batch.len() < AT_ONCE;
        scanned += batch.len();
        for task in batch {
            after = Some(task.id);
            let Some(task) = seeker.take(&state, task).await? else { continue };
            if items.len() == limit {
                return Ok(axum::Json(Page { items, next: shown.map(paging::cursor) }));
            }
            shown = after;
            items.push(Sparse::of(listed(task), fields.as_ref(), None));
        }
        if is_last || scanned >= MAX_SCAN {
            let next = after.filter(|_| !is_last);
            let next = next.map(|key| eyes.cursor(key, shown == after));
            return Ok(axum::Json(Page { items, next }));
        }
    }
}

/// How tasks are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct TaskExport {
    /// `csv` or `ndjson`; `csv` if not given.
    #[param(inline)]
    format: Format,
    /// The columns, as when listing; all members if not given.
    fields: Option<String>,
}

impl Named for TaskExport {
    const NAMES: &'static [&'static str] = &["format", "fields"];
}

/// Writes tasks into a file, however many
#[utoipa::path(get, path = "/api/v1/tasks/export", tag = "tasks", operation_id = "export_tasks",
    params(TaskWhich, TaskExport),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 400, body = Problem)))]
pub(super) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Split(how, which): Split<TaskExport, TaskWhich>,
) -> Result<Response, ApiError> {
    let fields = Fields::read::<TaskView>(how.fields.as_deref(), false)?;
    let fields = fields.unwrap_or_else(Fields::every::<TaskView>);
    let seeker = Seeker::new(which, &principal.reach)?;
    let lasting = Lasting::of(&state, principal, &headers, Right::TasksRead)?;
    let (export, response) = Export::begin("tasks", how.format, fields);
    tokio::spawn(write(state, seeker, lasting, export));
    Ok(response)
}

/// Writes page after page, as quickly as they are read and as long as the token that
/// asked opens as much.
async fn write(state: Shared, mut seeker: Seeker, mut lasting: Lasting, mut export: Export) {
    match write_all(&state, &mut seeker, &mut lasting, &mut export).await {
        Ok(Ok(())) => export.end().await,
        Ok(Err(Gone)) => {}
        Err(error) => export.break_off(error).await,
    }
}

async fn write_all(
    state: &Inner,
    seeker: &mut Seeker,
    lasting: &mut Lasting,
    export: &mut Export,
) -> Result<Result<(), Gone>, ApiError> {
    let mut after = None;
    loop {
        let batch = state.store().tasks(seeker.device.as_ref(), after, AT_ONCE).await?;
        let is_last = batch.len() < AT_ONCE;
        lasting.goes_on().await?;
        for task in batch {
            after = Some(task.id);
            if let Some(task) = seeker.take(state, task).await?
                && export.item(&listed(task), None).await.is_err()
            {
                return Ok(Err(Gone));
            }
        }
        if is_last {
            return Ok(Ok(()));
        }
    }
}
