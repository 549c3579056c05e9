//! `/strangers`: unknown devices that wait, and what is decided on them.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{DeviceKey, Json, Query};
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::device::{Decision, DeviceId, Labels, Stranger, Vouched};
use crate::expr::{Rule, Subject};
use crate::time::Timestamp;

/// Devices that an answer names as examples.
const EXAMPLES: usize = 20;

/// Devices held against a rule after which others get their turn.
const BREATH: usize = 256;

/// Records that are read at once.
const CHUNK: usize = 1000;

/// An unknown device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StrangerView {
    /// The id that it will have.
    #[schema(value_type = String)]
    id: DeviceId,
    manufacturer: Box<str>,
    oui: Box<str>,
    product_class: Box<str>,
    serial_number: Box<str>,
    software_version: Box<str>,
    /// From where it came.
    #[schema(value_type = String)]
    address: std::net::IpAddr,
    /// Who vouches for what it says of itself: `nobody`, `shared` (whoever knows the
    /// onboarding credential), `certificate`.
    #[schema(value_type = String)]
    vouched: Vouched,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    /// Raised once an hour at most.
    #[schema(value_type = String)]
    last_seen: Timestamp,
    /// `waiting`, `adopted` (it is taken in when it comes next) or `denied`.
    decision: &'static str,
    /// Who decided.
    decided_by: Option<String>,
}

impl From<Stranger> for StrangerView {
    fn from(stranger: Stranger) -> Self {
        let identity = stranger.identity;
        Self {
            id: stranger.device,
            manufacturer: identity.manufacturer,
            oui: identity.oui,
            product_class: identity.product_class,
            serial_number: identity.serial_number,
            software_version: stranger.software_version,
            address: stranger.address,
            vouched: stranger.vouched,
            first_seen: stranger.first_seen,
            last_seen: stranger.last_seen,
            decision: stranger.decision.word(),
            decided_by: stranger.decision.by().map(str::to_owned),
        }
    }
}

/// Which are listed; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StrangerQuery {
    /// A part of id, serial number, manufacturer, product class, software version
    /// or address, in any case.
    q: Option<String>,
    oui: Option<String>,
    product_class: Option<String>,
    /// `waiting`, `adopted` or `denied`.
    decision: Option<String>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

impl StrangerQuery {
    fn matches(&self, stranger: &Stranger) -> bool {
        let identity = &stranger.identity;
        let same = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(text))
        };
        let found = |part: &String| {
            let (part, address) = (part.to_lowercase(), stranger.address.to_string());
            [
                stranger.device.as_str(),
                &identity.serial_number,
                &identity.manufacturer,
                &identity.product_class,
                &stranger.software_version,
                &address,
            ]
            .iter()
            .any(|text| text.to_lowercase().contains(&part))
        };
        same(&self.oui, &identity.oui)
            && same(&self.product_class, &identity.product_class)
            && self.decision.as_ref().is_none_or(|word| word == stranger.decision.word())
            && self.q.as_ref().is_none_or(found)
    }
}

/// Lists unknown devices
#[utoipa::path(get, path = "/api/v1/strangers", tag = "admission", params(StrangerQuery),
    responses((status = 200, body = Page<StrangerView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Query(query): Query<StrangerQuery>,
) -> Result<axum::Json<Page<StrangerView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let mut after: Option<DeviceId> = paging::key_after(query.after.as_deref())?;
    if query
        .decision
        .as_deref()
        .is_some_and(|word| !["waiting", "adopted", "denied"].contains(&word))
    {
        return Err(bad_value("decision", "waiting, adopted or denied"));
    }
    let chunk = (limit + 1).max(200);
    let mut items = Vec::new();
    let mut scanned = 0;
    loop {
        let page = state.store().fleet().strangers(after.as_ref(), chunk).await?;
        let last_page = page.len() < chunk;
        scanned += page.len();
        for stranger in page {
            if items.len() == limit {
                return Ok(axum::Json(Page { items, next: after.map(paging::cursor) }));
            }
            after = Some(stranger.device.clone());
            if query.matches(&stranger) {
                items.push(stranger.into());
            }
        }
        if last_page {
            return Ok(axum::Json(Page { items, next: None }));
        }
        if scanned >= MAX_SCAN {
            return Ok(axum::Json(Page { items, next: after.map(paging::cursor) }));
        }
    }
}

fn no_such_stranger(id: &DeviceId) -> ApiError {
    ApiError::NoSuch { what: "unknown device", name: id.to_string() }
}

/// Shows an unknown device
#[utoipa::path(get, path = "/api/v1/strangers/{id}", tag = "admission",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = StrangerView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<StrangerView>, ApiError> {
    let stranger = state.store().fleet().stranger(&id).await?;
    Ok(axum::Json(stranger.ok_or_else(|| no_such_stranger(&id))?.into()))
}

/// Takes an unknown device in when it comes next
#[utoipa::path(post, path = "/api/v1/strangers/{id}/adopt", tag = "admission",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = StrangerView), (status = 404, body = Problem)))]
pub(super) async fn adopt(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<StrangerView>, ApiError> {
    decide(&state, &id, Decision::Adopted((&*principal.name).into())).await
}

/// Turns an unknown device away from now on
#[utoipa::path(post, path = "/api/v1/strangers/{id}/deny", tag = "admission",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 200, body = StrangerView), (status = 404, body = Problem)))]
pub(super) async fn deny(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    DeviceKey(id): DeviceKey,
) -> Result<axum::Json<StrangerView>, ApiError> {
    decide(&state, &id, Decision::Denied((&*principal.name).into())).await
}

async fn decide(
    state: &Inner,
    id: &DeviceId,
    decision: Decision,
) -> Result<axum::Json<StrangerView>, ApiError> {
    let decided = state.deps.strangers.decide(id, decision).await?;
    Ok(axum::Json(decided.ok_or_else(|| no_such_stranger(id))?.into()))
}

/// Forgets an unknown device, and what was decided on it
#[utoipa::path(delete, path = "/api/v1/strangers/{id}", tag = "admission",
    params(("id" = String, Path, description = "The device id, with `%` written `%25`")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
) -> Result<StatusCode, ApiError> {
    match state.deps.strangers.forget(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(no_such_stranger(&id)),
    }
}

/// Which of those that wait are meant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// A rule (CEL) over what is known of them: identity, version, address, when
    /// they were seen. Their parameters are not known.
    #[serde(rename = "match")]
    matches: String,
    /// Whether to tell only whom it would be about.
    #[serde(default)]
    dry_run: bool,
}

/// What was decided on how many.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Selected {
    /// Whether this only tells whom it would be about.
    dry_run: bool,
    /// Devices that wait and that the rule is about.
    matched: usize,
    /// Devices on which it was decided; fewer if some went meanwhile.
    decided: usize,
    /// Devices of which the rule could not be told; nothing was decided on them.
    not_told: usize,
    /// Some of those that it is about.
    #[schema(value_type = Vec<String>)]
    examples: Vec<DeviceId>,
}

/// Takes in all that wait and that a rule is about, each when it comes next
#[utoipa::path(post, path = "/api/v1/strangers/adopt", tag = "admission",
    request_body = Selection, responses((status = 200, body = Selected)))]
pub(super) async fn adopt_all(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(selection): Json<Selection>,
) -> Result<axum::Json<Selected>, ApiError> {
    decide_all(&state, selection, Decision::Adopted((&*principal.name).into())).await
}

/// Turns away all that wait and that a rule is about
#[utoipa::path(post, path = "/api/v1/strangers/deny", tag = "admission",
    request_body = Selection, responses((status = 200, body = Selected)))]
pub(super) async fn deny_all(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(selection): Json<Selection>,
) -> Result<axum::Json<Selected>, ApiError> {
    decide_all(&state, selection, Decision::Denied((&*principal.name).into())).await
}

async fn decide_all(
    state: &Inner,
    selection: Selection,
    decision: Decision,
) -> Result<axum::Json<Selected>, ApiError> {
    if selection.matches.trim().is_empty() {
        return Err(bad_value("match", "a rule, as in device.oui == '00D09E'; `true` for all"));
    }
    let rule = Rule::parse(&selection.matches).map_err(|error| bad_value("match", error))?;
    let (labels, now) = (Labels::default(), state.deps.clock.now());
    let (mut meant, mut not_told) = (Vec::new(), 0);
    let mut after: Option<DeviceId> = None;
    loop {
        let page = state.store().fleet().strangers(after.as_ref(), CHUNK).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.device.clone());
        let waiting = page.into_iter().filter(|one| one.decision == Decision::Waiting);
        for (number, stranger) in waiting.enumerate() {
            if number % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
            let device = stranger.as_device();
            let subject =
                Subject { device: &device, labels: &labels, tree: None, phone: None, now };
            match rule.matches(&subject) {
                Ok(true) => meant.push(stranger.device),
                Ok(false) => {}
                Err(_) => not_told += 1,
            }
        }
    }
    let decided = match selection.dry_run {
        true => 0,
        false => state.deps.strangers.decide_all(&meant, &decision).await?,
    };
    let matched = meant.len();
    meant.truncate(EXAMPLES);
    let dry_run = selection.dry_run;
    Ok(axum::Json(Selected { dry_run, matched, decided, not_told, examples: meant }))
}
