//! `/profiles`: what is wanted of devices, by rules over the fleet.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::super::extract::{IfMatch, Json, Query};
use super::super::paging::{self, Page};
use super::super::problem::{ApiError, Problem, bad_value};
use super::super::sites::check_site_name;
use super::super::sorted::{Columns, Key, Part, page};
use super::super::state::{Shared, State as Inner};
use super::super::within::Eyes;
use super::changes::{self, Faults, MAX_PROFILES};
use super::secrets;
use crate::access::Principal;
use crate::profile::ProfileRecord;
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// One version of a profile.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ProfileView {
    name: Box<str>,
    /// From 1, raised by one with each change; for `If-Match`.
    version: u32,
    /// Whether it is in force.
    enabled: bool,
    /// When this version was made.
    #[schema(value_type = String)]
    at: Timestamp,
    /// By whom.
    by: Box<str>,
    /// Why.
    why: Box<str>,
    /// The tenant whose it is, and of whose devices alone it wants anything; empty
    /// for the installation's.
    tenant: Box<str>,
    /// What it says; secrets are masked.
    #[schema(value_type = Object)]
    profile: Value,
}

impl From<ProfileRecord> for ProfileView {
    fn from(record: ProfileRecord) -> Self {
        Self {
            profile: told(&record.text),
            name: record.name,
            version: record.version,
            enabled: record.enabled,
            at: record.at,
            by: record.by,
            why: record.why,
            tenant: record.tenant,
        }
    }
}

/// What a profile's text says, as it may be shown.
pub(super) fn told(text: &str) -> Value {
    let mut profile: Value = serde_json::from_str(text).unwrap_or_default();
    // Both stand beside it.
    if let Some(members) = profile.as_object_mut() {
        members.remove("name");
        members.remove("enabled");
    }
    secrets::shown(&profile)
}

/// What a profile is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ProfileBody {
    /// What it is to say, in place of what it said; a masked value (`***`) keeps
    /// what is stored.
    #[schema(value_type = Object)]
    profile: Value,
    /// Whether it is to be in force; as it is if not given, and for a new one
    /// `true`.
    enabled: Option<bool>,
    /// Whether it may name parameters that no data model knows, and values that
    /// they would not take.
    unchecked: Option<bool>,
    /// Of a new one: the tenant whose it is, and of whose devices alone it wants
    /// anything; the token's own if not given, and empty for the installation.
    tenant: Option<String>,
    /// Why.
    why: Option<String>,
}

/// Why something is done.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct Reason {
    why: Option<String>,
}

/// Which version is to be in force again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Rollback {
    /// The version whose content becomes that of a new one.
    version: u32,
    /// Why.
    why: Option<String>,
}

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PageQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What profiles can be sorted by.
const COLUMNS: Columns<ProfileRecord> = &[
    ("name", |profile| Key::from(&*profile.name)),
    ("version", |profile| u64::from(profile.version).into()),
    ("enabled", |profile| profile.enabled.into()),
    ("at", |profile| profile.at.into()),
    ("by", |profile| Key::from(&*profile.by)),
    ("tenant", |profile| Key::from(&*profile.tenant)),
];

/// Lists the profiles
#[utoipa::path(get, path = "/api/v1/profiles", tag = "fleet", params(Part),
    responses((status = 200, body = Page<ProfileView>)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Page<ProfileView>>, ApiError> {
    let mut seen = state.store().fleet().profiles().await?;
    let eyes = Eyes::of(&state, &principal);
    seen.retain(|record| eyes.tenants(&record.tenant));
    let mut names = eyes.names();
    for record in &mut seen {
        record.by = names.told(state.store(), &record.by).await?;
    }
    let page = page(seen, |record| &record.name, COLUMNS, &part.asked())?;
    let items = page.items.into_iter().map(ProfileView::from).collect();
    Ok(axum::Json(Page { items, next: page.next }))
}

/// Shows a profile
#[utoipa::path(get, path = "/api/v1/profiles/{name}", tag = "fleet",
    params(("name" = String, Path, description = "The profile")),
    responses((status = 200, body = ProfileView), (status = 404, body = Problem)))]
pub(in crate::api) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    Ok(axum::Json(signed(&state, &principal, known(&state, &principal, &name).await?).await?))
}

/// Makes or changes a profile
///
/// It is in force at once: devices are brought to it when they next come. To see
/// before what it would do, make a plan.
#[utoipa::path(put, path = "/api/v1/profiles/{name}", tag = "fleet",
    params(("name" = String, Path, description = "The profile"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the version")),
    request_body = ProfileBody,
    responses((status = 200, body = ProfileView), (status = 201, body = ProfileView),
        (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(in crate::api) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(body): Json<ProfileBody>,
) -> Result<(StatusCode, axum::Json<ProfileView>), ApiError> {
    let name = changes::name(&name)?;
    let why = changes::why(body.why)?;
    let _changing = state.changing_profiles.lock().await;
    let stored = state.store().fleet().profile(name).await?;
    let eyes = Eyes::of(&state, &principal);
    if stored.as_ref().is_some_and(|stored| !eyes.tenants(&stored.tenant)) {
        return Err(ApiError::Taken { what: "profile", name: name.to_owned() });
    }
    if_match.check(stored.as_ref().map_or(0, |stored| stored.version))?;
    let mut faults = Faults::default();
    let wanted = body.enabled.or_else(|| changes::enabled(&body.profile));
    let unchecked = body.unchecked.unwrap_or(false);
    let text = changes::text(name, body.profile, stored.as_ref(), unchecked, &mut faults);
    faults.none()?;
    let text = text.unwrap_or_default();
    let Some(stored) = stored else {
        if state.store().fleet().profiles().await?.len() >= MAX_PROFILES {
            return Err(ApiError::TooMany { what: "profiles", limit: MAX_PROFILES });
        }
        let tenant = match body.tenant.as_deref() {
            Some(named) if eyes.see_all() => named,
            named => eyes.tenant_of_new(named)?,
        };
        if !tenant.is_empty() {
            check_site_name("tenant", tenant)?;
        }
        let new = ProfileRecord {
            name: name.into(),
            tenant: tenant.into(),
            version: 0,
            text,
            enabled: wanted.unwrap_or(true),
            at: state.deps.clock.now(),
            by: Box::default(),
            why: Box::default(),
        };
        let made = next(&state, &principal, new, why).await?;
        return Ok((StatusCode::CREATED, axum::Json(made.into())));
    };
    if body.tenant.is_some_and(|named| *named != *stored.tenant) {
        return Err(bad_value("tenant", "a profile stays with whom it was made for"));
    }
    let enabled = wanted.unwrap_or(stored.enabled);
    if stored.text == text && stored.enabled == enabled {
        return Ok((StatusCode::OK, axum::Json(signed(&state, &principal, stored).await?)));
    }
    let changed = next(&state, &principal, ProfileRecord { text, enabled, ..stored }, why).await?;
    Ok((StatusCode::OK, axum::Json(changed.into())))
}

/// Forgets a profile with all its versions
///
/// What devices have stays as it is; nobody wants it any more.
#[utoipa::path(delete, path = "/api/v1/profiles/{name}", tag = "fleet",
    params(("name" = String, Path, description = "The profile"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the version")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::api) async fn forget(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    let _changing = state.changing_profiles.lock().await;
    let stored = known(&state, &principal, &name).await?;
    if_match.check(stored.version)?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetProfile(stored.name, stored.version));
    state.store().commit(batch).await?;
    tracing::info!(profile = %name, by = %principal.name, "profile removed");
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the versions of a profile, oldest first
#[utoipa::path(get, path = "/api/v1/profiles/{name}/versions", tag = "fleet",
    params(("name" = String, Path, description = "The profile"), PageQuery),
    responses((status = 200, body = Page<ProfileView>), (status = 404, body = Problem)))]
pub(in crate::api) async fn versions(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<Page<ProfileView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: u32 = paging::key_after(query.after.as_deref())?.unwrap_or(0);
    known(&state, &principal, &name).await?;
    let mut versions = state.store().fleet().profile_versions(&name, after, limit + 1).await?;
    let is_cut = versions.len() > limit;
    versions.truncate(limit);
    let next = versions.last().filter(|_| is_cut).map(|record| paging::cursor(record.version));
    let mut names = Eyes::of(&state, &principal).names();
    for record in &mut versions {
        record.by = names.told(state.store(), &record.by).await?;
    }
    let items = versions.into_iter().map(ProfileView::from).collect();
    Ok(axum::Json(Page { items, next }))
}

/// Shows one version of a profile
#[utoipa::path(get, path = "/api/v1/profiles/{name}/versions/{version}", tag = "fleet",
    params(("name" = String, Path, description = "The profile"),
        ("version" = u32, Path, description = "The version")),
    responses((status = 200, body = ProfileView), (status = 404, body = Problem)))]
pub(in crate::api) async fn version(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path((name, version)): Path<(String, String)>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    let number = version.parse().unwrap_or(0);
    let version = known_version(&state, &principal, &name, number).await?;
    Ok(axum::Json(signed(&state, &principal, version).await?))
}

/// Goes back to what an older version says, as a new version
#[utoipa::path(post, path = "/api/v1/profiles/{name}/rollback", tag = "fleet",
    params(("name" = String, Path, description = "The profile"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the version")),
    request_body = Rollback,
    responses((status = 200, body = ProfileView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in crate::api) async fn rollback(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(body): Json<Rollback>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    let why = changes::why(body.why)?;
    let _changing = state.changing_profiles.lock().await;
    let stored = known(&state, &principal, &name).await?;
    if_match.check(stored.version)?;
    let old = known_version(&state, &principal, &name, body.version).await?;
    if old.text == stored.text {
        return Ok(axum::Json(signed(&state, &principal, stored).await?));
    }
    let why = if why.is_empty() { format!("back to version {}", old.version) } else { why };
    let back = ProfileRecord { text: old.text, ..stored };
    Ok(axum::Json(next(&state, &principal, back, why).await?.into()))
}

/// Puts a profile in force
#[utoipa::path(post, path = "/api/v1/profiles/{name}/enable", tag = "fleet",
    params(("name" = String, Path, description = "The profile")), request_body = Reason,
    responses((status = 200, body = ProfileView), (status = 404, body = Problem)))]
pub(in crate::api) async fn enable(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Json(body): Json<Reason>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    switch(&state, &principal, &name, true, body.why).await
}

/// Takes a profile out of force; it wants nothing then
#[utoipa::path(post, path = "/api/v1/profiles/{name}/disable", tag = "fleet",
    params(("name" = String, Path, description = "The profile")), request_body = Reason,
    responses((status = 200, body = ProfileView), (status = 404, body = Problem)))]
pub(in crate::api) async fn disable(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Json(body): Json<Reason>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    switch(&state, &principal, &name, false, body.why).await
}

async fn switch(
    state: &Inner,
    principal: &Principal,
    name: &str,
    enabled: bool,
    why: Option<String>,
) -> Result<axum::Json<ProfileView>, ApiError> {
    let why = changes::why(why)?;
    let _changing = state.changing_profiles.lock().await;
    let stored = known(state, principal, name).await?;
    if stored.enabled == enabled {
        return Ok(axum::Json(signed(state, principal, stored).await?));
    }
    let switched = ProfileRecord { enabled, ..stored };
    Ok(axum::Json(next(state, principal, switched, why).await?.into()))
}

/// Makes the next version durable.
async fn next(
    state: &Inner,
    principal: &Principal,
    changed: ProfileRecord,
    why: String,
) -> Result<ProfileRecord, ApiError> {
    let record = ProfileRecord {
        version: changed.version.saturating_add(1),
        at: state.deps.clock.now(),
        by: (&*principal.name).into(),
        why: why.into(),
        ..changed
    };
    state.store().commit(Record::Profile(Box::new(record.clone())).into()).await?;
    tracing::info!(profile = %record.name, profile.version = record.version,
        profile.enabled = record.enabled, by = %principal.name, "profile changed");
    Ok(record)
}

/// A version of a profile as somebody may see it.
async fn signed(
    state: &Inner,
    principal: &Principal,
    mut record: ProfileRecord,
) -> Result<ProfileView, ApiError> {
    record.by = Eyes::of(state, principal).names().told(state.store(), &record.by).await?;
    Ok(record.into())
}

async fn known(
    state: &Inner,
    principal: &Principal,
    name: &str,
) -> Result<ProfileRecord, ApiError> {
    let no_such = || ApiError::NoSuch { what: "profile", name: name.to_owned() };
    // A name that cannot be one has no place in the store.
    if changes::name(name).is_err() {
        return Err(no_such());
    }
    let stored = state.store().fleet().profile(name).await?;
    let eyes = Eyes::of(state, principal);
    stored.filter(|stored| eyes.tenants(&stored.tenant)).ok_or_else(no_such)
}

async fn known_version(
    state: &Inner,
    principal: &Principal,
    name: &str,
    version: u32,
) -> Result<ProfileRecord, ApiError> {
    known(state, principal, name).await?;
    let found = state.store().fleet().profile_version(name, version).await?;
    found.ok_or_else(|| ApiError::NoSuch {
        what: "profile",
        name: format!("{name} with the version {version}"),
    })
}
