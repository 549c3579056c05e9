//! `/devices/{id}/sessions`: what was asked and told in the last sessions.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::paging;
use super::problem::{ApiError, Problem};
use super::state::Shared;
use crate::cwmp::mask;
use crate::device::{EventCode, RpcOutcome, RpcRecord, SessionRecord};
use crate::time::Timestamp;

/// How an RPC ended.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RpcEnd {
    /// It was answered.
    Answered,
    /// It was answered by a fault.
    Fault,
    /// The session ended before the answer.
    Unanswered,
}

/// One RPC of a session.
#[derive(Debug, Serialize, ToSchema)]
struct RpcView {
    /// As it stands on the wire: `GetParameterValues`.
    method: Box<str>,
    /// `device` or `server`.
    by: &'static str,
    /// Milliseconds after the Inform.
    after_ms: u32,
    /// Milliseconds until the device's next message.
    took_ms: u32,
    outcome: RpcEnd,
    /// The fault, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault_text: Option<String>,
    /// The task that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
}

impl From<RpcRecord> for RpcView {
    fn from(rpc: RpcRecord) -> Self {
        let (outcome, fault) = match rpc.outcome {
            RpcOutcome::Answered => (RpcEnd::Answered, None),
            RpcOutcome::Unanswered => (RpcEnd::Unanswered, None),
            RpcOutcome::Fault(code, text) => {
                (RpcEnd::Fault, Some((code, mask::text(&text).into_owned())))
            }
        };
        let (fault_code, fault_text) = fault.unzip();
        Self {
            method: rpc.method,
            by: if rpc.by_device { "device" } else { "server" },
            after_ms: rpc.after,
            took_ms: rpc.took,
            outcome,
            fault_code,
            fault_text,
            task: rpc.task.map(|task| task.to_string()),
        }
    }
}

/// One session in which something was asked or told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionView {
    #[schema(value_type = String)]
    began_at: Timestamp,
    /// Milliseconds until it was over.
    took_ms: u32,
    /// From where it came.
    address: Option<String>,
    /// The event codes of the Inform.
    events: Vec<String>,
    /// The RPCs besides the Inform, in order.
    rpcs: Vec<RpcView>,
    /// RPCs beyond those that are kept.
    left_out: u32,
    /// How it ended, in words.
    end: Box<str>,
}

impl From<SessionRecord> for SessionView {
    fn from(session: SessionRecord) -> Self {
        Self {
            began_at: session.began_at,
            took_ms: session.took,
            address: session.address.map(|address| address.to_string()),
            events: session.events.iter().map(EventCode::to_string).collect(),
            rpcs: session.rpcs.into_iter().map(RpcView::from).collect(),
            left_out: session.left_out,
            end: session.end,
        }
    }
}

/// The last sessions of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sessions {
    /// Newest first.
    items: Vec<SessionView>,
}

/// How many sessions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SessionQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
}

/// Lists a device's last sessions with every RPC, newest first; sessions with an Inform alone are not kept
#[utoipa::path(get, path = "/api/v1/devices/{id}/sessions", tag = "devices",
    operation_id = "sessions",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        SessionQuery),
    responses((status = 200, body = Sessions), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<SessionQuery>,
) -> Result<axum::Json<Sessions>, ApiError> {
    let limit = paging::limit(query.limit)?;
    known(&state, &id).await?;
    let sessions = state.store().sessions(&id, limit).await?;
    Ok(axum::Json(Sessions { items: sessions.into_iter().map(SessionView::from).collect() }))
}
