//! `/tasks` and `/devices/{id}/tasks`: what is asked of devices, and what
//! became of it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::diagnostics::ResultView;
use super::extract::{DeviceKey, Json, Query, TaskKey};
use super::mask;
use super::new_task::{NamedValue, NewTask};
use super::problem::{ApiError, Problem};
use super::rpcs::{NamedAttributes, UnitOperation, Window, shown_vouchers};
use super::state::{Shared, State as Inner};
use super::wait;
use super::wake::{self, WakeView};
use super::within::Eyes;
use crate::access::{Principal, right_of};
use crate::device::{
    Action, DeviceId, DownloadFile, FaultRecord, Outcome, Phase, Task, TaskId, TaskState,
};
use crate::param::Value;
use crate::store::{Notice, Record, StoreError};
use crate::time::Timestamp;

/// Open tasks of one device at most.
pub(super) const MAX_OPEN: usize = 256;

/// How long an answer waits to tell what came of waking the device.
const WAKE_PATIENCE: Duration = Duration::from_secs(5);

/// How often a change is tried again when the device's session was quicker.
const CHANGE_ATTEMPTS: u32 = 5;

/// A task and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TaskView {
    #[schema(value_type = String)]
    id: String,
    #[schema(value_type = String)]
    device: DeviceId,
    #[serde(flatten)]
    action: ActionView,
    /// `queued`, `sent`, `applied`, `accepted`, `failed`, `unknown`, `expired`
    /// or `cancelled`.
    state: &'static str,
    /// Whether it is over.
    ended: bool,
    /// Of a sent task: what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'static str>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    created_by: Box<str>,
    #[schema(value_type = String)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// The device's fault, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<FaultView>,
    /// Why the outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Box<str>>,
    /// What there is to tell, oldest first. Values that were read stand in the
    /// device's parameters.
    notes: Vec<String>,
    /// What came of it by name: attributes, options, transfers in the queue,
    /// software modules, results of a diagnostic; not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    results: Vec<ResultView>,
    revision: u32,
    /// What came of waking the device; only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    wake: Option<WakeView>,
}

/// What was asked.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ActionView {
    action: &'static str,
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    /// Values to be written; secrets are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<NamedValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<TaskFileView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostic: Option<&'static str>,
    /// What the diagnostic was given.
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<BTreeMap<String, String>>,
    /// What the device is to notify about.
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Vec<NamedAttributes>>,
    /// The type of a file that the device is to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_type: Option<String>,
    /// Seconds that the device is to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<u32>,
    /// When the device may fetch the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    windows: Option<Vec<Window>>,
    /// The task whose transfer is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// Operations on software modules; passwords are masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<UnitOperation>>,
    /// As many as there are, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    vouchers: Option<Vec<String>>,
    /// The option that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
    /// Where a redirect leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The HTTP status of a redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// The file of a download.
#[derive(Debug, Serialize, ToSchema)]
struct TaskFileView {
    sha256: Box<str>,
    name: Box<str>,
    #[serde(rename = "type")]
    kind: Box<str>,
    size: u64,
    version: Option<Box<str>>,
}

/// A fault that a device gave (TR-069 §A.5).
#[derive(Debug, Serialize, ToSchema)]
struct FaultView {
    code: u32,
    text: String,
    /// The parameters that were refused, each with its own fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterFaultView>,
}

/// Why one parameter was refused.
#[derive(Debug, Serialize, ToSchema)]
struct ParameterFaultView {
    name: Box<str>,
    code: u32,
    text: String,
}

impl TaskView {
    /// The same without what may be much: a list of tasks is no list of results.
    pub(super) fn without_results(self) -> Self {
        Self { results: Vec::new(), ..self }
    }

    /// Its key.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The word for where it stands.
    pub(super) const fn state(&self) -> &'static str {
        self.state
    }

    /// Whether it is over.
    pub(super) const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether it was done.
    pub(super) fn is_applied(&self) -> bool {
        self.state == "applied"
    }
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        let (word, ended) = (task.state.word(), task.state.is_ended());
        let diagnostic = match &task.action {
            Action::Diagnose(diagnostic) => Some(diagnostic.kind),
            _ => None,
        };
        let mut view = Self {
            id: task.id.to_string(),
            device: task.device,
            action: ActionView::from(task.action),
            state: word,
            ended,
            waits_for: None,
            created_at: task.created_at,
            created_by: task.created_by,
            expires_at: task.expires_at,
            sent_at: None,
            ended_at: None,
            fault: None,
            reason: None,
            notes: task.notes.iter().map(|line| mask::note(line).into_owned()).collect(),
            results: ResultView::of(task.results, diagnostic),
            revision: task.revision,
            wake: None,
        };
        match task.state {
            TaskState::Queued => {}
            TaskState::Sent { at, phase } => {
                view.sent_at = Some(at);
                view.waits_for = Some(match phase {
                    Phase::Response => "response",
                    Phase::Transfer => "transfer",
                    Phase::Boot => "boot",
                    Phase::Row { .. } => "row",
                    Phase::MakeRow { .. } => "make_row",
                    Phase::ReadBack => "read_back",
                    Phase::DeploymentUnits => "deployment_units",
                    Phase::Diagnostics => "diagnostics",
                    Phase::ScheduledInform => "scheduled_inform",
                });
            }
            TaskState::Ended { at, outcome } => {
                view.ended_at = Some(at);
                match outcome {
                    Outcome::Failed(fault) => view.fault = Some(fault.into()),
                    Outcome::Unknown(reason) => view.reason = Some(reason),
                    Outcome::Applied
                    | Outcome::Accepted
                    | Outcome::Expired
                    | Outcome::Cancelled => {}
                }
            }
        }
        view
    }
}

impl From<Action> for ActionView {
    fn from(action: Action) -> Self {
        let empty = Self { action: action.word(), ..Self::default() };
        match action {
            Action::Get(names) => {
                Self { names: Some(names.iter().map(ToString::to_string).collect()), ..empty }
            }
            Action::Set(values) => {
                let shown =
                    values.iter().map(|(name, value)| shown(name.as_str(), name.as_str(), value));
                Self { values: Some(shown.collect()), ..empty }
            }
            Action::Refresh(path) => Self { path: path.map(|path| path.to_string()), ..empty },
            Action::AddObject { table, values } => {
                let shown = values
                    .iter()
                    .map(|(name, value)| shown(name, &format!("{table}1.{name}"), value));
                Self { values: Some(shown.collect()), path: Some(table.to_string()), ..empty }
            }
            // What a state is made of is shown by the plan that it belongs to.
            Action::Converge(_) => empty,
            Action::DeleteObject(path) => Self { path: Some(path.to_string()), ..empty },
            Action::Download(file) => Self { file: Some(file.into()), ..empty },
            Action::Provision(file) => Self { path: Some(file.name.into()), ..empty },
            Action::SetAttributes(wishes) => {
                Self { attributes: Some(wishes.into_iter().map(Into::into).collect()), ..empty }
            }
            Action::GetAttributes(names) => {
                Self { names: Some(names.iter().map(ToString::to_string).collect()), ..empty }
            }
            Action::Upload(wish) => {
                let delay = Some(wish.delay_seconds);
                Self { file_type: Some(wish.file_type.into()), delay, ..empty }
            }
            Action::ScheduleInform(delay) => Self { delay: Some(delay), ..empty },
            Action::ScheduleDownload(file, windows) => {
                let windows = Some(windows.into_iter().map(Into::into).collect());
                Self { file: Some(file.into()), windows, ..empty }
            }
            Action::CancelTransfer(other) => Self { task: Some(other.to_string()), ..empty },
            Action::ChangeDuState(wishes) => {
                Self { operations: Some(wishes.into_iter().map(Into::into).collect()), ..empty }
            }
            Action::SetVouchers(vouchers) => {
                Self { vouchers: Some(shown_vouchers(&vouchers)), ..empty }
            }
            Action::GetOptions(name) => {
                Self { option: (!name.is_empty()).then(|| name.into()), ..empty }
            }
            Action::Reboot
            | Action::FactoryReset
            | Action::GetRpcMethods
            | Action::GetQueuedTransfers
            | Action::GetAllQueuedTransfers => empty,
            Action::Diagnose(diagnostic) => {
                let inputs = diagnostic.inputs.into_iter();
                let inputs = inputs.map(|(name, text)| (name.into(), text.into()));
                Self {
                    diagnostic: Some(diagnostic.kind.word()),
                    inputs: Some(inputs.collect()),
                    ..empty
                }
            }
            Action::Redirect(to) => {
                Self { url: Some(to.url.into()), status: Some(to.status), ..empty }
            }
        }
    }
}

/// A value as it may be shown; `full` is the name that tells whether it is a
/// secret.
fn shown(name: &str, full: &str, value: &Value) -> NamedValue {
    NamedValue {
        name: name.to_owned(),
        value: mask::value(full, &value.text).into_owned(),
        kind: Some(value.kind.name().to_owned()),
    }
}

impl From<DownloadFile> for TaskFileView {
    fn from(file: DownloadFile) -> Self {
        Self {
            sha256: file.sha256,
            name: file.name,
            kind: file.file_type,
            size: file.size,
            version: file.version,
        }
    }
}

impl From<FaultRecord> for FaultView {
    fn from(fault: FaultRecord) -> Self {
        let parameters = fault.parameters.into_iter();
        Self {
            code: fault.code,
            text: mask::url(&fault.text).into_owned(),
            parameters: parameters
                .map(|(name, code, text)| ParameterFaultView {
                    name,
                    code,
                    text: mask::url(&text).into_owned(),
                })
                .collect(),
        }
    }
}

/// How long the answer may wait for the outcome.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WaitQuery {
    /// Seconds to wait for the task to end; more than `northbound.max_wait` is
    /// cut to it.
    wait: Option<u32>,
}

impl WaitQuery {
    pub(super) fn patience(&self, state: &Inner) -> Duration {
        let longest = state.deps.config.northbound.max_wait;
        Duration::from_secs(self.wait.unwrap_or(0).min(longest).into())
    }
}

/// Asks something of a device, and wakes it
///
/// Without `wait` the answer is 202 at once. With `wait` it is 200 as soon as
/// the task is over, or 202 when the time is up and the task still open.
#[utoipa::path(post, path = "/api/v1/devices/{id}/tasks", tag = "tasks",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"), WaitQuery),
    request_body = NewTask,
    responses((status = 200, body = TaskView), (status = 202, body = TaskView),
        (status = 404, body = Problem)))]
pub(super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<WaitQuery>,
    Json(new): Json<NewTask>,
) -> Result<Response, ApiError> {
    let patience = query.patience(&state);
    let deadline = new.deadline()?;
    let device = known(&state, &id).await?;
    let action = new.action(&state, &principal.reach, &device).await?;
    let view = queue(&state, &principal, id, action, deadline, patience).await?;
    Ok(answer(view))
}

/// Makes a task durable, wakes the device, and waits for the outcome if
/// `patience` is not zero. `deadline` is in seconds from now.
///
/// # Errors
/// [`ApiError::NoRight`] when the principal may not ask this of devices;
/// [`ApiError::QueueFull`] when the device has too many open tasks.
pub(super) async fn queue(
    state: &Inner,
    principal: &Principal,
    id: DeviceId,
    action: Action,
    deadline: u32,
    patience: Duration,
) -> Result<TaskView, ApiError> {
    let right = right_of(&action);
    if !principal.may(right) {
        return Err(ApiError::NoRight(right));
    }
    if state.store().open_tasks(&id).await?.len() >= MAX_OPEN {
        return Err(ApiError::QueueFull(MAX_OPEN));
    }
    let now = state.deps.clock.now();
    let task = Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        device: id.clone(),
        revision: 1,
        action,
        created_at: now,
        created_by: (&*principal.name).into(),
        expires_at: now.after(Duration::from_secs(deadline.into())),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    };
    let notices = state.store().watch();
    state.store().commit(Record::Task(Box::new(task.clone())).into()).await?;
    tracing::info!(device.id = %id, task.id = %task.id, task.action = task.action.word(), "task queued");

    await_outcome(state, principal, task, notices, (true, patience)).await
}

/// A task as somebody may see it.
pub(super) async fn seen_by(
    state: &Inner,
    principal: &Principal,
    mut task: Task,
) -> Result<TaskView, ApiError> {
    let mut names = Eyes::of(state, principal).names();
    task.created_by = names.told(state.store(), &task.created_by).await?;
    Ok(task.into())
}

/// Wakes the device of a task, unless it is to come by itself, and waits for the
/// outcome if `patience` is not zero. `notices` were subscribed to before the task
/// was made.
pub(super) async fn await_outcome(
    state: &Inner,
    principal: &Principal,
    task: Task,
    notices: broadcast::Receiver<Notice>,
    (wake, patience): (bool, Duration),
) -> Result<TaskView, ApiError> {
    let waker = std::sync::Arc::clone(&state.deps.waker);
    let (id, woken) = (task.device.clone(), task.device.clone());
    // Goes on by itself when the operator hangs up.
    let waking = wake.then(|| tokio::spawn(async move { waker.report(&woken).await }));
    if patience.is_zero() {
        return seen_by(state, principal, task).await;
    }
    let wake_deadline = Instant::now() + WAKE_PATIENCE.min(patience);
    let task = wait::until_ended(state.store(), notices, task.id, patience).await?;
    let mut view = seen_by(state, principal, task).await?;
    if let Some(waking) = waking {
        view.wake = Some(wake::outcome_of(state, &id, waking, wake_deadline).await);
    }
    Ok(view)
}

/// 200 for a task that is over, 202 with its place for one that is not.
pub(super) fn answer(view: TaskView) -> Response {
    let status = if view.ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    let location = format!("/api/v1/tasks/{}", view.id);
    (status, [(header::LOCATION, location)], axum::Json(view)).into_response()
}

/// Shows a task; with `wait` as soon as it is over
#[utoipa::path(get, path = "/api/v1/tasks/{id}", tag = "tasks",
    params(("id" = String, Path, description = "The task"), WaitQuery),
    responses((status = 200, body = TaskView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    TaskKey(id): TaskKey,
    Query(query): Query<WaitQuery>,
) -> Result<axum::Json<TaskView>, ApiError> {
    let patience = query.patience(&state);
    let notices = state.store().watch();
    let task = wait::until_ended(state.store(), notices, id, patience).await?;
    Ok(axum::Json(seen_by(&state, &principal, task).await?))
}

/// Withdraws a task that was not sent yet
#[utoipa::path(post, path = "/api/v1/tasks/{id}/cancel", tag = "tasks",
    params(("id" = String, Path, description = "The task")),
    responses((status = 200, body = TaskView), (status = 409, body = Problem)))]
pub(super) async fn cancel(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    TaskKey(id): TaskKey,
) -> Result<axum::Json<TaskView>, ApiError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let task = state.store().task(id).await?;
        let mut task =
            task.ok_or_else(|| ApiError::NoSuch { what: "task", name: id.to_string() })?;
        match &task.state {
            TaskState::Queued => {}
            TaskState::Sent { .. } => return Err(ApiError::TaskSent(id.to_string())),
            state @ TaskState::Ended { .. } => {
                return Err(ApiError::TaskOver { id: id.to_string(), state: state.word() });
            }
        }
        task.revision = task.revision.saturating_add(1);
        task.state = TaskState::Ended { at: state.deps.clock.now(), outcome: Outcome::Cancelled };
        match state.store().commit(Record::Task(Box::new(task.clone())).into()).await {
            Ok(()) => return Ok(axum::Json(seen_by(&state, &principal, task).await?)),
            // The device's session touched it between the look and the change.
            Err(StoreError::Conflict(_)) if attempt < CHANGE_ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
}
