//! `/devices/{id}/events`: a device's history.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::mask;
use super::paging;
use super::problem::{ApiError, Problem, bad_value};
use super::state::Shared;
use super::within::INSTALLATION;
use crate::access::Principal;
use crate::device::{Event, EventCode, EventKind};
use crate::time::Timestamp;

/// What happened to a device.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum EventBody {
    /// It informed with these event codes.
    Inform { codes: Vec<String> },
    /// It was seen for the first time.
    FirstContact,
    /// Its software version changed.
    SoftwareChanged { from: Box<str>, to: Box<str> },
    /// The device told something by an RPC of its own.
    Told { text: String },
    /// Something that an operator should look at.
    Alarm { text: String },
    /// It has strayed from what is wanted of it.
    Drifted { text: Box<str> },
    /// What had strayed is as it is wanted again.
    Repaired { text: Box<str> },
    /// It was taken in, and why.
    TakenIn { text: Box<str> },
}

/// One line of history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    #[schema(value_type = String)]
    at: Timestamp,
    #[serde(flatten)]
    what: EventBody,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        let what = match event.kind {
            EventKind::Inform(codes) => {
                EventBody::Inform { codes: codes.iter().map(EventCode::to_string).collect() }
            }
            EventKind::FirstContact => EventBody::FirstContact,
            EventKind::SoftwareChanged { from, to } => EventBody::SoftwareChanged { from, to },
            EventKind::Told(text) => EventBody::Told { text: mask::url(&text).into_owned() },
            EventKind::Alarm(text) => EventBody::Alarm { text: mask::url(&text).into_owned() },
            EventKind::Drifted(text) => EventBody::Drifted { text },
            EventKind::Repaired(text) => EventBody::Repaired { text },
            EventKind::TakenIn(text) => EventBody::TakenIn { text },
        };
        Self { at: event.at, what }
    }
}

/// The events of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    /// Newest first.
    items: Vec<EventView>,
}

/// How many events are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// Only events of this kind: `inform`, `alarm` and the like.
    kind: Option<String>,
    /// Only events since (RFC 3339).
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
}

/// Lists a device's latest events, newest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/events", tag = "devices",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        EventQuery),
    responses((status = 200, body = Events), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<EventQuery>,
) -> Result<axum::Json<Events>, ApiError> {
    let limit = paging::limit(query.limit)?;
    if let Some(kind) = &query.kind
        && !EventKind::WORDS.contains(&kind.as_str())
    {
        return Err(bad_value("kind", format!("one of {}", EventKind::WORDS.join(", "))));
    }
    known(&state, &id).await?;
    // A ring is small: its bound is a setting.
    let events = state.store().events(&id, usize::MAX).await?;
    let sees_all = principal.reach.is_whole();
    let wanted = events
        .into_iter()
        .take_while(|event| query.since.is_none_or(|since| event.at >= since))
        .filter(|event| query.kind.as_deref().is_none_or(|kind| kind == event.kind.word()))
        .take(limit)
        .map(|event| if sees_all { event } else { unsigned(event) });
    Ok(axum::Json(Events { items: wanted.map(EventView::from).collect() }))
}

/// An event as tenants may see it: unknown devices are nobody's until they are taken
/// in, and whoever took one in, be it somebody or a rule, was the installation's.
fn unsigned(event: Event) -> Event {
    let kind = match event.kind {
        EventKind::TakenIn(text) if text.starts_with("adopted by ") => {
            EventKind::TakenIn(format!("adopted by {INSTALLATION}").into())
        }
        kind => kind,
    };
    Event { kind, ..event }
}
