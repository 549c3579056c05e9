//! `/devices/{id}/wake`, and what is told of waking a device elsewhere.

use std::time::Duration;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::mask;
use super::problem::{ApiError, Problem};
use super::state::{Shared, State as Inner};
use crate::device::DeviceId;
use crate::wake::{Attempt, WakeError, WakeReport, Woken};

/// How long a device that datagrams were sent to may take to inform
/// (TR-069 §3.2.2).
const SESSION_WITHIN: Duration = Duration::from_secs(30);

/// How long a last look at a device may take.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// What came of waking the device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WakeView {
    /// `woken`, `sent` by UDP and not heard yet, `pending` when it was not
    /// waited for, or why it could not be woken.
    result: &'static str,
    /// The same in a sentence, unless it is `woken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The ways that were tried, in order. None if the device was asked within
    /// the last 30 seconds and its session is still to come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tried: Vec<TriedView>,
}

/// One way that was tried.
#[derive(Debug, Serialize, ToSchema)]
struct TriedView {
    /// `http`, `udp` or `xmpp`.
    way: &'static str,
    /// `woken`, `sent`, or why not.
    result: &'static str,
    /// The same in a sentence.
    detail: String,
}

impl WakeView {
    const fn bare(result: &'static str) -> Self {
        Self { result, detail: None, tried: Vec::new() }
    }
}

impl From<WakeReport> for WakeView {
    fn from(report: WakeReport) -> Self {
        let (result, words) = told(&report.outcome);
        Self {
            result,
            detail: (result != "woken").then_some(words),
            tried: report.tried.iter().map(TriedView::from).collect(),
        }
    }
}

impl From<&Attempt> for TriedView {
    fn from(attempt: &Attempt) -> Self {
        let (result, detail) = told(&attempt.outcome);
        Self { way: attempt.way.word(), result, detail }
    }
}

/// The word for programs and the sentence.
fn told(outcome: &Result<Woken, WakeError>) -> (&'static str, String) {
    match outcome {
        Ok(woken) => (woken.word(), woken.to_string()),
        Err(error) => (error.word(), mask::url(&error.to_string()).into_owned()),
    }
}

/// What came of waking a device in the background, as far as it is known at
/// `deadline`.
pub(super) async fn outcome_of(
    state: &Inner,
    id: &DeviceId,
    waking: JoinHandle<WakeReport>,
    deadline: Instant,
) -> WakeView {
    match tokio::time::timeout_at(deadline, waking).await {
        Ok(Ok(mut report)) => {
            // A last look only: whoever waits has waited for the task.
            state.deps.waker.confirm(id, &mut report, LAST_LOOK).await;
            report.into()
        }
        Ok(Err(_)) => WakeView::bare("failed"),
        Err(_) => WakeView::bare("pending"),
    }
}

/// How long the answer may wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WakeQuery {
    /// Seconds to wait for the Inform of a device that was sent datagrams;
    /// 30 if unset.
    wait: Option<u32>,
}

/// Wakes a device
///
/// Answers as soon as it is known what came of it: at once where the device
/// itself answers, after its Inform, or after `wait`, where only datagrams lead
/// to it. 200 whatever came of it; `result` tells.
#[utoipa::path(post, path = "/api/v1/devices/{id}/wake", tag = "devices",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`"), WakeQuery),
    responses((status = 200, body = WakeView), (status = 404, body = Problem)))]
pub(super) async fn wake(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<WakeQuery>,
) -> Result<axum::Json<WakeView>, ApiError> {
    let patience = query.wait.map_or(SESSION_WITHIN, |seconds| Duration::from_secs(seconds.into()));
    known(&state, &id).await?;
    let mut report = state.deps.waker.report(&id).await;
    state.deps.waker.confirm(&id, &mut report, patience.min(SESSION_WITHIN)).await;
    tracing::info!(device.id = %id, wake.outcome = told(&report.outcome).0, "wake asked for");
    Ok(axum::Json(report.into()))
}
