//! `/devices/{id}/trace`: the messages of a device, recorded for a while.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::devices::known;
use super::extract::{DeviceKey, Json};
use super::problem::{ApiError, Problem, bad_value};
use super::state::Shared;
use crate::device::{DeviceId, TraceDirection, TraceEntry};
use crate::time::Timestamp;
use crate::trace::TraceError;

/// For how long a device is traced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TraceWish {
    /// From 1 to 1440.
    minutes: u32,
}

/// Whether a device is traced, and what there is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TraceView {
    /// Whether messages are recorded now.
    on: bool,
    /// Until when; null if it is off.
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Messages that are kept.
    messages: usize,
}

/// One line of the story of a session.
#[derive(Debug, Serialize, ToSchema)]
struct StoryLine {
    #[schema(value_type = String)]
    at: Timestamp,
    /// `device` or `server`.
    from: &'static str,
    /// The message in words, without values.
    text: Box<str>,
    /// Milliseconds since the message before.
    after_ms: u64,
}

/// The story of one session.
#[derive(Debug, Serialize, ToSchema)]
struct SessionStory {
    #[schema(value_type = String)]
    began_at: Timestamp,
    lines: Vec<StoryLine>,
}

/// The stories of the sessions that were traced.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stories {
    /// Oldest first.
    items: Vec<SessionStory>,
}

/// A message as it crossed the wire, without its secrets.
#[derive(Debug, Serialize, ToSchema)]
struct MessageView {
    #[schema(value_type = String)]
    at: Timestamp,
    /// When the Inform of its session came.
    #[schema(value_type = String)]
    session: Timestamp,
    /// `device` or `server`.
    from: &'static str,
    /// The message in words, without values.
    text: Box<str>,
    /// The message indented, its secrets replaced by `***`; empty for an empty
    /// message and for what is no XML.
    body: Box<str>,
    /// Bytes of the body as it crossed the wire.
    size: u32,
    /// Whether `body` is all of it.
    whole: bool,
}

/// The messages that were traced.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    /// Oldest first.
    items: Vec<MessageView>,
}

const fn sender(direction: TraceDirection) -> &'static str {
    match direction {
        TraceDirection::FromDevice => "device",
        TraceDirection::ToDevice => "server",
    }
}

/// The entries of a known device, oldest first.
async fn entries(state: &Shared, id: &DeviceId) -> Result<Vec<TraceEntry>, ApiError> {
    known(state, id).await?;
    let mut entries = state.store().trace(id, usize::MAX).await?;
    entries.reverse();
    Ok(entries)
}

async fn view(state: &Shared, id: &DeviceId) -> Result<TraceView, ApiError> {
    let until = state.deps.traces.until(id, state.deps.clock.now());
    let messages = state.store().trace(id, usize::MAX).await?.len();
    Ok(TraceView { on: until.is_some(), until, messages })
}

/// Tells whether a device is traced
#[utoipa::path(get, path = "/api/v1/devices/{id}/trace", tag = "devices", operation_id = "trace",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = TraceView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<TraceView>, ApiError> {
    known(&state, &id).await?;
    Ok(axum::Json(view(&state, &id).await?))
}

/// Records a device's messages from now on, for so many minutes
#[utoipa::path(post, path = "/api/v1/devices/{id}/trace", tag = "devices",
    operation_id = "start_trace",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    request_body = TraceWish,
    responses(
        (status = 200, body = TraceView), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn start(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Json(wish): Json<TraceWish>,
) -> Result<axum::Json<TraceView>, ApiError> {
    // One that is expected, and was not here yet, can be traced from its first
    // contact on.
    if state.store().credentials(&id).await?.is_none() {
        known(&state, &id).await?;
    }
    let now = state.deps.clock.now();
    match state.deps.traces.start(&id, wish.minutes, now).await {
        Ok(_) => Ok(axum::Json(view(&state, &id).await?)),
        Err(error @ TraceError::Minutes) => Err(bad_value("minutes", error)),
        Err(TraceError::Store(error)) => Err(error.into()),
        Err(error @ TraceError::TooMany) => Err(ApiError::TracesFull(error)),
    }
}

/// Ends a trace and forgets what it recorded
#[utoipa::path(delete, path = "/api/v1/devices/{id}/trace", tag = "devices",
    operation_id = "stop_trace",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn stop(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<StatusCode, ApiError> {
    if state.store().credentials(&id).await?.is_none() {
        known(&state, &id).await?;
    }
    state.deps.traces.stop(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the sessions that were traced, as sentences, oldest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/trace/story", tag = "devices",
    operation_id = "trace_story",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = Stories), (status = 404, body = Problem)))]
pub(super) async fn story(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<Stories>, ApiError> {
    let mut items: Vec<SessionStory> = Vec::new();
    for entry in entries(&state, &id).await? {
        let mut line = StoryLine {
            at: entry.at,
            from: sender(entry.direction),
            text: entry.sentence,
            after_ms: 0,
        };
        match items.last_mut().filter(|last| last.began_at == entry.session) {
            Some(session) => {
                let before = session.lines.last().map_or(line.at, |before| before.at);
                let after = line.at.since(before).as_millis();
                line.after_ms = u64::try_from(after).unwrap_or(u64::MAX);
                session.lines.push(line);
            }
            None => items.push(SessionStory { began_at: entry.session, lines: vec![line] }),
        }
    }
    Ok(axum::Json(Stories { items }))
}

/// Shows the messages that were traced, without their secrets, oldest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/trace/messages", tag = "devices",
    operation_id = "trace_messages",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = Messages), (status = 404, body = Problem)))]
pub(super) async fn messages(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<Messages>, ApiError> {
    let entries = entries(&state, &id).await?;
    let items = entries.into_iter().map(|entry| MessageView {
        at: entry.at,
        session: entry.session,
        from: sender(entry.direction),
        text: entry.sentence,
        body: entry.body,
        size: entry.size,
        whole: entry.is_whole,
    });
    Ok(axum::Json(Messages { items: items.collect() }))
}
