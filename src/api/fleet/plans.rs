//! `/plans`: what a change of profiles would do, before anything is sent.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::extract::{Json, Query, present};
use super::super::paging::{self, MAX_SCAN, Page};
use super::super::problem::{ApiError, Problem, bad_value};
use super::super::state::{Shared, State as Inner};
use super::super::tasks::WaitQuery;
use super::super::within::{Eyes, Veil};
use super::changes::{self, Faults, MAX_PROFILES};
use super::making::{MAX_MAKING, Maker, Making};
use super::profiles::told;
use super::view::{DevicePlanView, SummaryView, sign};
use crate::access::Principal;
use crate::device::DeviceId;
use crate::expr::Rule;
use crate::fleet::{Proposal, base_of, proposed};
use crate::ledger::still_acting;
use crate::profile::{PlanRecord, ProfileChange, ProfileRecord};
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// Devices that are kept with a plan.
const KEPT: usize = 20;

/// Changes that are kept of each of them.
const KEPT_CHANGES: usize = 50;

/// Changes of a device that an answer lists.
const LISTED_CHANGES: usize = 500;

/// Plans that are kept; the oldest go.
const MAX_PLANS: usize = 100;

/// Devices that are woken in a second, unless asked otherwise, and at most.
const RATES: (u32, u32) = (10, 100);

/// A change of one profile.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ChangeBody {
    /// The profile.
    name: String,
    /// What it is to say; null to remove it; as it is if not given. A masked
    /// value (`***`) keeps what is stored.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    profile: Option<Option<Value>>,
    /// Whether it is to be in force; as it is if not given, and for a new one
    /// `true`.
    enabled: Option<bool>,
}

/// What is planned.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct PlanBody {
    /// The changes of profiles. Without any, the plan tells what those in force
    /// will do.
    #[serde(default)]
    changes: Vec<ChangeBody>,
    /// Only for these devices: a rule, as profiles have one.
    #[serde(default, rename = "match")]
    rule: String,
    /// Whether profiles may name parameters that no data model knows, and values
    /// that they would not take.
    unchecked: Option<bool>,
    /// Why.
    why: Option<String>,
}

/// A change of one profile, as it is shown.
#[derive(Debug, Serialize, ToSchema)]
struct ChangeShown {
    name: Box<str>,
    /// What it is to say, secrets masked; null if it is to be removed.
    #[schema(value_type = Option<Object>)]
    profile: Option<Value>,
    enabled: bool,
}

/// How far a plan is that is being made.
#[derive(Debug, Serialize, ToSchema)]
struct ProgressView {
    /// Devices that were looked at.
    devices: u64,
    /// How many there are.
    of: u64,
}

/// A plan.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct PlanView {
    id: String,
    /// `making`, `ready`, `applied`, or `outdated` when profiles were changed
    /// since it was made.
    state: &'static str,
    #[schema(value_type = String)]
    at: Timestamp,
    by: Box<str>,
    why: Box<str>,
    /// Only for these devices; empty for all.
    #[serde(rename = "match")]
    rule: Box<str>,
    changes: Vec<ChangeShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<SummaryView>,
    /// The first devices that are concerned, as they were when the plan was
    /// made; not in lists. `GET /plans/{id}/devices` lists all, as they are now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<DevicePlanView>,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_by: Option<Box<str>>,
}

/// What a plan would do, as it is stored.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Foreseen {
    summary: SummaryView,
    devices: Vec<DevicePlanView>,
}

impl PlanView {
    fn new(record: PlanRecord, state: &'static str) -> Self {
        let changes = record.changes.iter().map(|change| ChangeShown {
            name: change.name.clone(),
            profile: change.text.as_deref().map(told),
            enabled: change.enabled,
        });
        let (applied_at, applied_by) = record.applied.unzip();
        Self {
            id: shown(record.id),
            state,
            at: record.at,
            by: record.by,
            why: record.why,
            rule: record.rule,
            changes: changes.collect(),
            progress: None,
            summary: None,
            devices: Vec::new(),
            applied_at,
            applied_by,
        }
    }

    fn of_making(making: &Making) -> Self {
        let progress = ProgressView { devices: making.progress.seen(), of: making.devices };
        Self { progress: Some(progress), ..Self::new(making.draft.clone(), "making") }
    }

    /// A plan in the store, and all profiles as they are now.
    fn of_record(record: PlanRecord, profiles: &[ProfileRecord]) -> Self {
        let base = base_of(&about(profiles, &record.tenant));
        let state = match &record.applied {
            Some(_) => "applied",
            None if record.base == base => "ready",
            None => "outdated",
        };
        let foreseen: Foreseen = serde_json::from_str(&record.summary).unwrap_or_default();
        let (summary, devices) = (Some(foreseen.summary), foreseen.devices);
        Self { summary, devices, ..Self::new(record, state) }
    }
}

/// Tells what a change of profiles would do
///
/// From what is known of all devices; nothing is sent and nothing is changed.
/// The answer is 201 when the plan is ready within `wait` seconds, otherwise 202:
/// it is still being made then, and GET tells how far it is. A plan that was
/// being made when the server ended has to be asked for again.
#[utoipa::path(post, path = "/api/v1/plans", tag = "fleet", params(WaitQuery),
    request_body = PlanBody,
    responses((status = 201, body = PlanView), (status = 202, body = PlanView),
        (status = 400, body = Problem), (status = 429, body = Problem)))]
pub(in crate::api) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<WaitQuery>,
    Json(body): Json<PlanBody>,
) -> Result<Response, ApiError> {
    let why = changes::why(body.why)?;
    let eyes = Eyes::of(&state, &principal);
    let tenant = eyes.tenant_of_new(None)?;
    let rule = Rule::parse(&body.rule).map_err(|error| bad_value("match", error))?;
    let before = in_sight(&state, tenant).await?;
    let unchecked = body.unchecked.unwrap_or(false);
    let named = body.changes.iter().map(|change| &*change.name);
    none_taken(&state, &eyes, named).await?;
    let changes = checked(body.changes, unchecked, &before)?;
    let draft = PlanRecord {
        id: uuid::Uuid::now_v7().as_u128(),
        at: state.deps.clock.now(),
        by: (&*principal.name).into(),
        why: why.into(),
        base: base_of(&before),
        changes,
        rule: rule.text().into(),
        summary: Box::default(),
        applied: None,
        tenant: tenant.into(),
    };
    let proposal = proposal_of(&draft, &before, rule)?;
    let devices = if eyes.see_all() { state.store().health().devices } else { 0 };
    let veil = eyes.veil().await?;
    let maker = state.makings.begin(draft, devices).ok_or(ApiError::PlansFull(MAX_MAKING))?;
    let making = Arc::clone(&maker.making);
    tokio::spawn(still_acting(make(Arc::clone(&state), maker, proposal, veil)));
    let outcome = making.outcome(query.patience(&state)).await;
    let (status, view) = match outcome {
        Some(Ok(())) => {
            (StatusCode::CREATED, stored_view(&state, &principal, making.draft.id).await?)
        }
        Some(Err(why)) => return Err(ApiError::PlanFailed(why)),
        None => (StatusCode::ACCEPTED, PlanView::of_making(&making)),
    };
    let location = format!("/api/v1/plans/{}", view.id);
    Ok((status, [(axum::http::header::LOCATION, location)], axum::Json(view)).into_response())
}

/// The changes of a request, checked; everything that is wrong is told at once.
fn checked(
    changes: Vec<ChangeBody>,
    unchecked: bool,
    before: &[ProfileRecord],
) -> Result<Vec<ProfileChange>, ApiError> {
    let mut faults = Faults::default();
    let mut checked: Vec<ProfileChange> = Vec::new();
    if changes.len() > MAX_PROFILES {
        return Err(ApiError::TooMany { what: "profiles", limit: MAX_PROFILES });
    }
    for change in changes {
        let name = changes::name(&change.name)?;
        if checked.iter().any(|before| *before.name == *name) {
            faults.add(name, "a profile is changed once in a plan");
        }
        let stored = before.iter().find(|record| *record.name == *name);
        let own = change.profile.as_ref().and_then(Option::as_ref).and_then(changes::enabled);
        let text = match (change.profile, stored) {
            (Some(Some(profile)), _) => {
                changes::text(name, profile, stored, unchecked, &mut faults)
            }
            (None, Some(stored)) => Some(stored.text.clone()),
            (Some(None), Some(_)) => None,
            (Some(None) | None, None) => {
                faults.add(name, "there is no such profile");
                None
            }
        };
        let enabled = change.enabled.or(own);
        let enabled = enabled.unwrap_or_else(|| stored.is_none_or(|stored| stored.enabled));
        checked.push(ProfileChange { name: name.into(), text, enabled });
    }
    faults.none()?;
    Ok(checked)
}

/// A plan's change, compiled.
fn proposal_of(
    plan: &PlanRecord,
    before: &[ProfileRecord],
    rule: Rule,
) -> Result<Arc<Proposal>, ApiError> {
    let after = proposed(before, plan, &plan.by, plan.at);
    if after.len() > MAX_PROFILES {
        return Err(ApiError::TooMany { what: "profiles", limit: MAX_PROFILES });
    }
    let proposal = Proposal::new(before, &after, rule);
    proposal.map(|proposal| Arc::new(proposal.for_tenant(&plan.tenant))).map_err(|errors| {
        let mut faults = Faults::default();
        for error in errors {
            faults.add(error.profile, error.problem);
        }
        // There is at least one.
        faults.none().err().unwrap_or(ApiError::PlanOutdated(shown(plan.id)))
    })
}

/// Makes a plan, beside all requests.
async fn make(state: Shared, maker: Maker, proposal: Arc<Proposal>, veil: Veil) {
    let making = Arc::clone(&maker.making);
    let outcome = match state.planner.survey(proposal, KEPT, &making.progress).await {
        Ok(Some((summary, devices))) => {
            let foreseen = Foreseen {
                summary: SummaryView::veiled(&summary, &veil),
                devices: devices
                    .iter()
                    .map(|plan| DevicePlanView::new(plan, KEPT_CHANGES, &veil))
                    .collect(),
            };
            let summary = serde_json::to_string(&foreseen).unwrap_or_default();
            keep(&state, PlanRecord { summary: summary.into(), ..making.draft.clone() }).await
        }
        Ok(None) => Err("it was given up".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = &outcome {
        tracing::warn!(plan = %shown(making.draft.id), %error, "a plan was not made");
    }
    maker.end(outcome);
}

/// Keeps a plan, and forgets the oldest beyond those that are kept.
async fn keep(state: &Inner, record: PlanRecord) -> Result<(), String> {
    let kept = async {
        let known = state.store().fleet().plans(None, usize::MAX).await?;
        let mut batch = Batch::new();
        // Nobody's plans drive out those of others.
        let known: Vec<_> = known.iter().filter(|old| old.tenant == record.tenant).collect();
        let beyond = (known.len() + 1).saturating_sub(MAX_PLANS);
        for old in known.iter().take(beyond) {
            batch.push(Change::ForgetPlan(old.id));
        }
        batch.put(Record::Plan(Box::new(record)));
        state.store().commit(batch).await
    };
    kept.await.map_err(|error| error.to_string())
}

/// Which plans are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PlansQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists plans in the order of their making
#[utoipa::path(get, path = "/api/v1/plans", tag = "fleet", params(PlansQuery),
    responses((status = 200, body = Page<PlanView>)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<PlansQuery>,
) -> Result<axum::Json<Page<PlanView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: Option<u128> = paging::key_after(query.after.as_deref())?;
    let eyes = Eyes::of(&state, &principal);
    let mut records = state.store().fleet().plans(after, usize::MAX).await?;
    records.retain(|record| eyes.tenants(&record.tenant));
    let is_cut = records.len() > limit;
    records.truncate(limit);
    let next = records.last().filter(|_| is_cut).map(|record| paging::cursor(record.id));
    let mut names = eyes.names();
    for record in &mut records {
        sign(state.store(), &mut names, record).await?;
    }
    let profiles = state.store().fleet().profiles().await?;
    let mut items: Vec<PlanView> = records
        .into_iter()
        .map(|record| PlanView { devices: Vec::new(), ..PlanView::of_record(record, &profiles) })
        .collect();
    if next.is_none() && items.len() < limit {
        let making = state.makings.all();
        let seen = making.iter().filter(|making| eyes.tenants(&making.draft.tenant));
        items.extend(seen.map(|making| PlanView::of_making(making)));
    }
    Ok(axum::Json(Page { items, next }))
}

/// Shows a plan; with `wait` as soon as it is ready
#[utoipa::path(get, path = "/api/v1/plans/{id}", tag = "fleet",
    params(("id" = String, Path, description = "The plan"), WaitQuery),
    responses((status = 200, body = PlanView), (status = 404, body = Problem)))]
pub(in crate::api) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    Query(query): Query<WaitQuery>,
) -> Result<axum::Json<PlanView>, ApiError> {
    let id = parsed(&id)?;
    if let Some(making) = state.makings.get(id) {
        if !Eyes::of(&state, &principal).tenants(&making.draft.tenant) {
            return Err(no_such(id));
        }
        match making.outcome(query.patience(&state)).await {
            None => return Ok(axum::Json(PlanView::of_making(&making))),
            Some(Err(why)) => return Err(ApiError::PlanFailed(why)),
            Some(Ok(())) => {}
        }
    }
    stored(&state, &principal, id).await?;
    Ok(axum::Json(stored_view(&state, &principal, id).await?))
}

/// Forgets a plan; one that is being made is given up
///
/// What was applied stays applied.
#[utoipa::path(delete, path = "/api/v1/plans/{id}", tag = "fleet",
    params(("id" = String, Path, description = "The plan")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::api) async fn forget(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = parsed(&id)?;
    let eyes = Eyes::of(&state, &principal);
    let making = state.makings.get(id);
    if making.is_some_and(|making| !eyes.tenants(&making.draft.tenant)) {
        return Err(no_such(id));
    }
    if state.makings.give_up(id) {
        return Ok(StatusCode::NO_CONTENT);
    }
    stored(&state, &principal, id).await?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetPlan(id));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the devices that a plan is about, as they are now
///
/// Those that have everything already among them.
#[utoipa::path(get, path = "/api/v1/plans/{id}/devices", tag = "fleet",
    params(("id" = String, Path, description = "The plan"), PlansQuery),
    responses((status = 200, body = Page<DevicePlanView>), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in crate::api) async fn devices(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    Query(query): Query<PlansQuery>,
) -> Result<axum::Json<Page<DevicePlanView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let eyes = Eyes::of(&state, &principal);
    let after: Option<DeviceId> = eyes.after(query.after.as_deref())?;
    let record = stored(&state, &principal, parsed(&id)?).await?;
    let before = in_sight(&state, &record.tenant).await?;
    let rule = Rule::parse(&record.rule).map_err(|error| bad_value("match", error))?;
    // What was applied, or was meant for other profiles, is told by those in
    // force.
    let proposal = if record.applied.is_some() {
        proposal_of(&PlanRecord { changes: Vec::new(), ..record }, &before, rule)?
    } else if record.base == base_of(&before) {
        proposal_of(&record, &before, rule)?
    } else {
        return Err(ApiError::PlanOutdated(id));
    };
    let page = state.planner.page(proposal, after, limit, MAX_SCAN).await?;
    let veil = eyes.veil().await?;
    let items = page.plans.iter().map(|plan| DevicePlanView::new(plan, LISTED_CHANGES, &veil));
    let next = page.next.map(|key| eyes.cursor(key, false));
    Ok(axum::Json(Page { items: items.collect(), next }))
}

/// How a plan is applied.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct ApplyBody {
    /// Whether the devices that change are woken; otherwise each is brought there
    /// when it comes by itself.
    wake: bool,
    /// Devices that are woken in a second, from 1 to 100; 10 if not given.
    rate: Option<u32>,
}

/// Applies a plan: the profiles are changed, all or none
///
/// Once, and only if no profile was changed since it was made. Devices are brought
/// to what is wanted when they next come, or when they are woken.
#[utoipa::path(post, path = "/api/v1/plans/{id}/apply", tag = "fleet",
    params(("id" = String, Path, description = "The plan")), request_body = ApplyBody,
    responses((status = 200, body = PlanView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in crate::api) async fn apply(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    Json(body): Json<ApplyBody>,
) -> Result<axum::Json<PlanView>, ApiError> {
    let (default, most) = RATES;
    let rate = body.rate.unwrap_or(default);
    let rate = NonZeroU32::new(rate).filter(|rate| rate.get() <= most);
    let rate = rate.ok_or_else(|| bad_value("rate", format!("from 1 to {most}")))?;
    let id = parsed(&id)?;
    let _changing = state.changing_profiles.lock().await;
    let eyes = Eyes::of(&state, &principal);
    if let Some(making) = state.makings.get(id) {
        let seen = eyes.tenants(&making.draft.tenant);
        return Err(if seen { ApiError::PlanUnready(shown(id)) } else { no_such(id) });
    }
    let mut plan = stored(&state, &principal, id).await?;
    if let Some((at, _)) = plan.applied {
        return Err(ApiError::PlanApplied { id: shown(id), at });
    }
    let before = in_sight(&state, &plan.tenant).await?;
    let named = plan.changes.iter().map(|change| &*change.name);
    none_taken(&state, &eyes, named).await?;
    if base_of(&before) != plan.base {
        return Err(ApiError::PlanOutdated(shown(id)));
    }
    let rule = Rule::parse(&plan.rule).map_err(|error| bad_value("match", error))?;
    let proposal = proposal_of(&plan, &before, rule)?;
    let now = state.deps.clock.now();
    let after = proposed(&before, &plan, &principal.name, now);
    let mut batch = Batch::new();
    for gone in before.iter().filter(|old| !after.iter().any(|new| new.name == old.name)) {
        batch.push(Change::ForgetProfile(gone.name.clone(), gone.version));
    }
    for changed in after.iter().filter(|new| !before.contains(new)) {
        batch.put(Record::Profile(Box::new(changed.clone())));
    }
    plan.applied = Some((now, (&*principal.name).into()));
    batch.put(Record::Plan(Box::new(plan.clone())));
    state.store().commit(batch).await?;
    tracing::info!(plan = %shown(id), by = %principal.name, wake = body.wake, "plan applied");
    if body.wake {
        tokio::spawn(wake(Arc::clone(&state), id, proposal, rate));
    }
    Ok(axum::Json(PlanView::of_record(plan, &after)))
}

/// Wakes the devices that a plan changes, beside all requests.
async fn wake(state: Shared, id: u128, proposal: Arc<Proposal>, rate: NonZeroU32) {
    let waker = Arc::clone(&state.deps.waker);
    match state.planner.wake(proposal, waker, rate).await {
        Ok(woken) => tracing::info!(plan = %shown(id), woken, "devices were woken for a plan"),
        Err(error) => tracing::warn!(plan = %shown(id), %error, "not all devices were woken"),
    }
}

/// The profiles that a tenant's plan is about: its own and the installation's. All
/// of them, if it is the installation's.
fn about(profiles: &[ProfileRecord], tenant: &str) -> Vec<ProfileRecord> {
    let is_meant =
        |one: &&ProfileRecord| tenant.is_empty() || one.tenant.is_empty() || *one.tenant == *tenant;
    profiles.iter().filter(is_meant).cloned().collect()
}

async fn in_sight(state: &Inner, tenant: &str) -> Result<Vec<ProfileRecord>, ApiError> {
    Ok(about(&state.store().fleet().profiles().await?, tenant))
}

/// Refuses changes of profiles that are somebody else's.
async fn none_taken(
    state: &Inner,
    eyes: &Eyes<'_>,
    names: impl Iterator<Item = &str>,
) -> Result<(), ApiError> {
    for name in names {
        let stored = state.store().fleet().profile(name).await?;
        if stored.is_some_and(|stored| !eyes.tenants(&stored.tenant)) {
            return Err(ApiError::Taken { what: "profile", name: name.to_owned() });
        }
    }
    Ok(())
}

async fn stored(state: &Inner, principal: &Principal, id: u128) -> Result<PlanRecord, ApiError> {
    let plan = state.store().fleet().plan(id).await?;
    let eyes = Eyes::of(state, principal);
    plan.filter(|plan| eyes.tenants(&plan.tenant)).ok_or_else(|| no_such(id))
}

fn no_such(id: u128) -> ApiError {
    ApiError::NoSuch { what: "plan", name: shown(id) }
}

async fn stored_view(state: &Inner, principal: &Principal, id: u128) -> Result<PlanView, ApiError> {
    let mut record = state.store().fleet().plan(id).await?.ok_or_else(|| no_such(id))?;
    sign(state.store(), &mut Eyes::of(state, principal).names(), &mut record).await?;
    Ok(PlanView::of_record(record, &state.store().fleet().profiles().await?))
}

fn shown(id: u128) -> String {
    uuid::Uuid::from_u128(id).to_string()
}

fn parsed(id: &str) -> Result<u128, ApiError> {
    let id: Result<uuid::Uuid, _> = id.parse();
    id.map(|id| id.as_u128()).map_err(|_| bad_value("plan", "a plan's id is a UUID"))
}
