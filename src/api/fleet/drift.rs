//! `/drift` and `/devices/{id}/apply`: devices that are not as they are wanted,
//! and bringing one there now.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::devices::known;
use super::super::extract::{DeviceKey, Json, Query};
use super::super::mask;
use super::super::paging::{self, MAX_SCAN, Page};
use super::super::problem::{ApiError, Problem, bad_value};
use super::super::state::Shared;
use super::super::tasks::{self, TaskView, WaitQuery};
use super::super::within::{Eyes, Veil};
use super::view::SourceView;
use crate::access::Principal;
use crate::device::{Compliance, DeviceId, Drift, FirmwareStanding};
use crate::time::Timestamp;

/// Records that are read at a time.
const CHUNK: usize = 200;

/// What stands between a device and what is wanted of it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ComplianceView {
    #[schema(value_type = String)]
    device: DeviceId,
    /// When this was last found out.
    #[schema(value_type = String)]
    at: Timestamp,
    /// `repairing` when it is brought there at its next session, `waiting` until
    /// `retry_at`, `held` when it is left as it is.
    state: &'static str,
    /// What differs.
    drifts: Vec<DriftView>,
    /// Attempts in a row that did not bring it there.
    attempts: u32,
    /// When it is tried again; null if that waits for somebody.
    #[schema(value_type = Option<String>)]
    retry_at: Option<Timestamp>,
    /// Why it is not tried, or how the last attempt ended.
    why: String,
    /// The last attempt.
    task: Option<String>,
    /// How far it is with the firmware that it is to run.
    firmware: Option<FirmwareDriftView>,
}

/// One thing that differs.
#[derive(Debug, Serialize, ToSchema)]
struct DriftView {
    path: String,
    /// What is wanted; secrets are masked.
    wanted: String,
    /// What the device has; null if it has none or never told.
    found: Option<String>,
    /// Since when it is known.
    #[schema(value_type = String)]
    since: Timestamp,
    /// Whether the device had what is wanted, and strayed from it.
    strayed: bool,
    /// Why it is left as it is; empty if it is to be repaired.
    held: String,
    #[serde(flatten)]
    source: SourceView,
}

/// How far a device is with the firmware that it is to run.
#[derive(Debug, Serialize, ToSchema)]
struct FirmwareDriftView {
    version: Box<str>,
    /// Downloads that were asked for.
    attempts: u32,
    #[schema(value_type = Option<String>)]
    retry_at: Option<Timestamp>,
    task: Option<String>,
}

impl ComplianceView {
    /// What stands between a device and what is wanted of it; who wants it, if that
    /// is seen.
    pub(super) fn new(compliance: Compliance, veil: &Veil) -> Self {
        let state = state_of(&compliance);
        Self {
            device: compliance.device,
            at: compliance.at,
            state,
            drifts: compliance.drifts.iter().map(|drift| DriftView::new(drift, veil)).collect(),
            attempts: compliance.attempts,
            retry_at: compliance.retry_at,
            why: mask::url(&compliance.why).into_owned(),
            task: compliance.task.map(|task| task.to_string()),
            firmware: compliance.firmware.map(FirmwareDriftView::from),
        }
    }
}

impl DriftView {
    fn new(drift: &Drift, veil: &Veil) -> Self {
        Self {
            path: drift.path.to_string(),
            wanted: mask::value_of(&drift.path, &drift.wanted),
            found: drift.found.as_deref().map(|found| mask::value_of(&drift.path, found)),
            since: drift.since,
            strayed: drift.strayed,
            held: mask::url(&drift.held).into_owned(),
            source: SourceView::veiled(&drift.source, veil),
        }
    }
}

impl From<FirmwareStanding> for FirmwareDriftView {
    fn from(firmware: FirmwareStanding) -> Self {
        Self {
            version: firmware.version,
            attempts: firmware.attempts,
            retry_at: firmware.retry_at,
            task: firmware.task.map(|task| task.to_string()),
        }
    }
}

fn state_of(compliance: &Compliance) -> &'static str {
    let is_held = |drift: &Drift| !drift.held.is_empty();
    if compliance.attempts == 0 && compliance.drifts.iter().any(|drift| !is_held(drift)) {
        "repairing"
    } else if compliance.retry_at.is_some() {
        "waiting"
    } else {
        "held"
    }
}

/// Which devices are listed; all conditions must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DriftQuery {
    /// Only what this profile wants.
    profile: Option<String>,
    /// Only this parameter, or all below this object.
    path: Option<String>,
    /// Only `repairing`, `waiting` or `held`.
    state: Option<String>,
    /// Only devices that had what is wanted, and strayed from it.
    strayed: Option<bool>,
    /// Only what differs since this time or longer (RFC 3339).
    #[param(value_type = Option<String>)]
    before: Option<Timestamp>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

impl DriftQuery {
    /// Leaves in a record what was asked for; whether anything is left.
    fn takes(&self, compliance: &mut Compliance, veil: &Veil) -> bool {
        if self.state.as_deref().is_some_and(|state| state != state_of(compliance)) {
            return false;
        }
        let had_any = !compliance.drifts.is_empty();
        compliance.drifts.retain(|drift| {
            let at = |path: &str| {
                *drift.path == *path || (path.ends_with('.') && drift.path.starts_with(path))
            };
            let is_by = |name: &String| *drift.source.name == **name && veil.shows(name);
            self.profile.as_ref().is_none_or(is_by)
                && self.path.as_deref().is_none_or(at)
                && self.strayed.is_none_or(|strayed| drift.strayed == strayed)
                && self.before.is_none_or(|before| drift.since <= before)
        });
        let asks_of_drift = self.profile.is_some()
            || self.path.is_some()
            || self.strayed.is_some()
            || self.before.is_some();
        !compliance.drifts.is_empty() || !(had_any || asks_of_drift)
    }
}

/// Lists devices that are not as they are wanted
#[utoipa::path(get, path = "/api/v1/drift", tag = "fleet", params(DriftQuery),
    responses((status = 200, body = Page<ComplianceView>)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<DriftQuery>,
) -> Result<axum::Json<Page<ComplianceView>>, ApiError> {
    const STATES: [&str; 3] = ["repairing", "waiting", "held"];
    if query.state.as_deref().is_some_and(|word| !STATES.contains(&word)) {
        return Err(bad_value("state", format!("one of {}", STATES.join(", "))));
    }
    let limit = paging::limit(query.limit)?;
    let eyes = Eyes::of(&state, &principal);
    let veil = eyes.veil().await?;
    let mut after: Option<DeviceId> = eyes.after(query.after.as_deref())?;
    let (mut items, mut scanned, mut shown) = (Vec::new(), 0, None);
    loop {
        let records = state.store().fleet().compliances(after.as_ref(), CHUNK).await?;
        let is_last = records.len() < CHUNK;
        scanned += records.len();
        for mut record in records {
            after = Some(record.device.clone());
            if !query.takes(&mut record, &veil) || !eyes.of_device(&record.device).await? {
                continue;
            }
            if items.len() == limit {
                return Ok(axum::Json(Page { items, next: shown.map(paging::cursor) }));
            }
            shown.clone_from(&after);
            items.push(ComplianceView::new(record, &veil));
        }
        if is_last || scanned >= MAX_SCAN {
            let is_shown = shown == after;
            let next = after.filter(|_| !is_last).map(|key| eyes.cursor(key, is_shown));
            return Ok(axum::Json(Page { items, next }));
        }
    }
}

/// How a device is brought to what is wanted of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct RepairBody {
    /// Whether it is woken; `true` if not given.
    wake: Option<bool>,
}

/// Brings a device to what is wanted of it now, whatever was tried before
///
/// What drifted and is only told is repaired as well. The answer is a task, as
/// when anything is asked of a device: 200 if it is over within `wait`, 202 if it
/// is still open.
#[utoipa::path(post, path = "/api/v1/devices/{id}/apply", tag = "fleet",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"), WaitQuery),
    request_body = RepairBody,
    responses((status = 200, body = TaskView), (status = 202, body = TaskView),
        (status = 404, body = Problem)))]
pub(in crate::api) async fn apply(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<WaitQuery>,
    Json(body): Json<RepairBody>,
) -> Result<Response, ApiError> {
    known(&state, &id).await?;
    let patience = query.patience(&state);
    let notices = state.store().watch();
    let now = state.deps.clock.now();
    let task = state.deps.fleet.ask_repair(&id, &principal.name, now).await?;
    tracing::info!(device.id = %id, task.id = %task.id, "a device is to be brought to what is wanted");
    let wake = body.wake.unwrap_or(true);
    let how = (wake, patience);
    Ok(tasks::answer(tasks::await_outcome(&state, &principal, task, notices, how).await?))
}
