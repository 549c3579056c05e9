//! `POST /devices/<id>/tasks`: asking something of a device, waking it, or both.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use super::super::problem::ApiError;
use super::super::state::{Shared, State as Inner};
use super::super::tasks::MAX_OPEN;
use super::body::Text;
use super::ids;
use super::orders;
use super::query::moment;
use super::reply::{self, Refusal};
use super::shape;
use super::work_document::{FOREVER, task_document, unique_note};
use crate::access::{Principal, Right, right_of};
use crate::device::{DeviceId, Outcome, Phase, Task, TaskId, TaskState};
use crate::store::{Batch, Notice, Record, StoreError};
use crate::time::Timestamp;
use crate::wake::WakeError;

/// How long a device that was woken may take to begin a session.
const ONLINE_WITHIN: Duration = Duration::from_secs(4);

/// How long a session may take.
const DONE_WITHIN: Duration = Duration::from_secs(120);

/// The longest key by which a task replaces an older one.
const MAX_UNIQUE_KEY: usize = 128;

/// What the answer waits for.
struct Waiting {
    /// Whether the device is to be woken.
    connection_request: bool,
    /// How long its session may take to begin.
    online_within: Duration,
}

/// What came of a task while it was waited for.
enum Fate {
    Done,
    Faulted,
    Unprocessed,
    NotWoken(String),
}

/// `POST /devices/<id>/tasks`.
pub(super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    uri: Uri,
    Text(body): Text,
) -> Result<Response, Refusal> {
    let waiting = Waiting::read(&shape::parameters(&uri)?, state.deps.config.northbound.max_wait);
    let raw_id = ids::segment(uri.path(), 1);
    if body.trim().is_empty() {
        if !waiting.connection_request {
            return Err(Refusal::bad("Error: a task is expected, as in {\"name\": \"reboot\"}"));
        }
        let device = ids::device(&state, &principal, raw_id).await?;
        return Ok(match state.deps.waker.wake(&device.id).await {
            Ok(_) => reply::empty(),
            Err(error) => {
                let phrase = phrase(&error);
                let answer = reply::text(StatusCode::GATEWAY_TIMEOUT, phrase.clone());
                reply::with_reason(answer, &phrase)
            }
        });
    }
    let members = object(&body)?;
    let device = ids::device(&state, &principal, raw_id).await?;
    let action = orders::action(&state, &principal.reach, &device, &members).await?;
    check_right(&principal, right_of(&action))?;
    let now = state.deps.clock.now();
    let unique = unique_key(&members)?;
    let task = Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        device: device.id.clone(),
        revision: 1,
        action,
        created_at: now,
        created_by: (&*principal.name).into(),
        expires_at: expiry(&members, now)?,
        state: TaskState::Queued,
        notes: unique.iter().cloned().collect(),
        results: Vec::new(),
    };
    let notices = state.store().watch();
    commit(&state, &task, unique.as_deref()).await?;
    let document = task_document(&task);
    let accepted = reply::json(StatusCode::ACCEPTED, &document);
    if !waiting.connection_request {
        return Ok(accepted);
    }
    Ok(match deliver(&state, &task, device.sessions, notices, waiting.online_within).await? {
        Fate::Done => reply::json(StatusCode::OK, &document),
        Fate::Faulted => reply::with_reason(accepted, "Task faulted"),
        Fate::Unprocessed => reply::with_reason(accepted, "Task queued but not processed"),
        Fate::NotWoken(phrase) => reply::with_reason(accepted, &phrase),
    })
}

/// Refuses what the principal may not ask of devices.
pub(super) fn check_right(principal: &Principal, right: Right) -> Result<(), Refusal> {
    if principal.may(right) { Ok(()) } else { Err(ApiError::NoRight(right).into()) }
}

impl Waiting {
    /// Reads the query: the name alone counts, whatever its value.
    fn read(parameters: &[(String, String)], max_wait: u32) -> Self {
        let of = |name| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let millis = of("timeout").and_then(|value| value.trim().parse().ok());
        let longest = Duration::from_secs(max_wait.into());
        Self {
            connection_request: of("connection_request").is_some(),
            online_within: millis.map_or(ONLINE_WITHIN, Duration::from_millis).min(longest),
        }
    }
}

/// A body that is a JSON object.
///
/// # Errors
/// [`Refusal::Bad`] when it is none.
pub(super) fn object(body: &str) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_str(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::bad("Error: an object is expected")),
        Err(error) => Err(Refusal::bad(format!("SyntaxError: {error}"))),
    }
}

/// When a task is given up: a time, or seconds from now.
fn expiry(members: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let time = |name: &str| -> Result<Option<Timestamp>, Refusal> {
        let wrong = || Refusal::bad(format!("Error: Invalid '{name}' property"));
        match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => moment(text).map(Some).ok_or_else(wrong),
            Some(Value::Number(number)) if name == "expiry" => {
                let seconds =
                    number.as_f64().filter(|seconds| *seconds >= 0.0).ok_or_else(wrong)?;
                let wait = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
                Ok(Some(now.after(wait)))
            }
            Some(Value::Number(number)) => {
                number.as_i64().map(Timestamp::from_millis).map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    };
    if time("timestamp")?.is_some_and(|at| at > now) {
        return Err(Refusal::bad(
            "Error: tasks do not wait for a time: they go out when the device next comes",
        ));
    }
    let last = now.after(Duration::from_secs(FOREVER.into()));
    match time("expiry")? {
        Some(at) if at <= now => Err(Refusal::bad("Error: 'expiry' is over already")),
        expiry => Ok(expiry.map_or(last, |at| at.min(last))),
    }
}

/// The note of the key by which a task replaces an older one.
fn unique_key(members: &Map<String, Value>) -> Result<Option<Box<str>>, Refusal> {
    match members.get("uniqueKey") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(key))
            if key.chars().count() <= MAX_UNIQUE_KEY && !key.chars().any(char::is_control) =>
        {
            Ok(Some(unique_note(key)))
        }
        Some(_) => Err(Refusal::bad("Error: Invalid 'uniqueKey' property")),
    }
}

/// Makes a task durable, and withdraws the one that it replaces.
async fn commit(state: &Inner, task: &Task, unique: Option<&str>) -> Result<(), Refusal> {
    let mut open = state.store().open_tasks(&task.device).await?;
    open.retain(|task| task.state == TaskState::Queued);
    let waiting = open.len();
    open.retain(|task| {
        unique.is_some_and(|unique| task.notes.iter().any(|note| **note == *unique))
    });
    if waiting - open.len() >= MAX_OPEN {
        return Err(ApiError::QueueFull(MAX_OPEN).into());
    }
    let mut batch = Batch::new();
    for mut old in open {
        old.revision = old.revision.saturating_add(1);
        old.state = TaskState::Ended { at: task.created_at, outcome: Outcome::Cancelled };
        batch.put(Record::Task(Box::new(old)));
    }
    batch.put(Record::Task(Box::new(task.clone())));
    state.store().commit(batch).await?;
    tracing::info!(device.id = %task.device, task.id = %task.id, task.action = task.action.word(), "task queued");
    Ok(())
}

/// Wakes the device and waits until its session has dealt with the task.
/// `notices` were subscribed to before the task was made.
async fn deliver(
    state: &Inner,
    task: &Task,
    sessions: u64,
    mut notices: broadcast::Receiver<Notice>,
    online_within: Duration,
) -> Result<Fate, StoreError> {
    if let Err(error) = state.deps.waker.wake(&task.device).await {
        return Ok(Fate::NotWoken(phrase(&error)));
    }
    let asked_at = Instant::now();
    let mut deadline = asked_at + online_within;
    let mut has_begun = false;
    loop {
        match state.store().task(task.id).await?.map(|task| task.state) {
            Some(TaskState::Ended { outcome: Outcome::Applied | Outcome::Accepted, .. }) => {
                return Ok(Fate::Done);
            }
            Some(TaskState::Ended {
                outcome: Outcome::Failed(_) | Outcome::Unknown(_), ..
            }) => {
                return Ok(Fate::Faulted);
            }
            None | Some(TaskState::Ended { .. }) => return Ok(Fate::Unprocessed),
            // What comes later is not waited for, as with the original.
            Some(TaskState::Sent { phase, .. }) if is_later(&phase) => return Ok(Fate::Done),
            Some(TaskState::Sent { .. } | TaskState::Queued) => {}
        }
        if !has_begun {
            let device = state.store().device(&task.device).await?;
            has_begun = device.is_some_and(|device| device.sessions != sessions);
            if has_begun {
                deadline = Instant::now() + DONE_WITHIN;
            }
        }
        let news = news_of(&mut notices, task.id, &task.device);
        if tokio::time::timeout_at(deadline, news).await.is_err() {
            return Ok(Fate::Unprocessed);
        }
    }
}

/// Whether a phase is over only after the session.
const fn is_later(phase: &Phase) -> bool {
    matches!(
        phase,
        Phase::Transfer
            | Phase::Boot
            | Phase::DeploymentUnits
            | Phase::Diagnostics
            | Phase::ScheduledInform
    )
}

/// Returns when the task or its device may have changed.
async fn news_of(notices: &mut broadcast::Receiver<Notice>, task: TaskId, device: &DeviceId) {
    loop {
        match notices.recv().await {
            Ok(Notice::Task { id, .. }) if id == task => return,
            Ok(Notice::Device(id)) if id == *device => return,
            Ok(_) => {}
            // Something was missed: look again.
            Err(RecvError::Lagged(_)) => return,
            // The store is shut down; the next look tells so, or time runs out.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}

/// Why a device was not woken, in the words that clients look for.
fn phrase(error: &WakeError) -> String {
    match error {
        WakeError::Offline(_) | WakeError::Busy => "Device is offline".to_owned(),
        WakeError::NoUrl | WakeError::BadUrl(_) => "Invalid connection request URL".to_owned(),
        WakeError::Refused(_) => {
            "Connection request error: Incorrect connection request credentials".to_owned()
        }
        WakeError::BadAnswer(status) => {
            format!("Connection request error: Unexpected response code from device: {status}")
        }
        other => {
            let words = super::super::mask::url(&other.to_string()).into_owned();
            format!("Connection request error: {words}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_flag_is_there_whatever_it_says() {
        let read = |query: &str| {
            let uri = format!("/devices/x/tasks{query}").parse().unwrap();
            let waiting = Waiting::read(&shape::parameters(&uri).unwrap(), 300);
            (waiting.connection_request, waiting.online_within.as_millis())
        };
        for (query, told) in [
            ("", (false, 4000)),
            ("?connection_request", (true, 4000)),
            ("?connection_request=", (true, 4000)),
            ("?timeout=3000&connection_request=1", (true, 3000)),
            ("?connection_request&timeout=soon", (true, 4000)),
            ("?connection_request&timeout=99999999", (true, 300_000)),
        ] {
            assert_eq!(read(query), told, "{query}");
        }
    }

    #[test]
    fn an_expiry_is_a_time_or_seconds() {
        let now = Timestamp::from_millis(1_795_205_100_000);
        let read =
            |members: Value| expiry(members.as_object().unwrap(), now).map(|at| at.as_millis());
        let year = i64::from(FOREVER) * 1000;
        for (members, after) in [
            (json!({}), year),
            (json!({"expiry": null}), year),
            (json!({"expiry": 3600}), 3_600_000),
            (json!({"expiry": "2026-11-20T21:05:00.000Z", "timestamp": "2026-11-20"}), 3_600_000),
            (json!({"expiry": 1e12}), year),
        ] {
            assert_eq!(read(members.clone()).unwrap(), now.as_millis() + after, "{members}");
        }
        for wrong in [
            json!({"expiry": "2020-01-01"}),
            json!({"expiry": "soon"}),
            json!({"expiry": -1}),
            json!({"expiry": 1e300}),
            json!({"expiry": []}),
            json!({"timestamp": "2027-01-01"}),
            json!({"timestamp": true}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
