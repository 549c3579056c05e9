//! `/tenants`: whose things are kept apart.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::extract::{IfMatch, Json, Query, plain_text};
use super::super::paging::Page;
use super::super::problem::{ApiError, Problem};
use super::super::sites::check_site_name;
use super::super::sorted::{Columns, Key, Part, page};
use super::super::state::{Shared, State as Inner};
use super::MOST;
use crate::access::{Principal, Reach, TenantRecord};
use crate::find::Filter;
use crate::phone::{Scope, Site};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record};
use crate::time::Timestamp;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct TenantView {
    /// The key, as it stands in the labels of devices and at sites.
    name: Box<str>,
    /// The name as people write it.
    title: Box<str>,
    note: Box<str>,
    /// How many sites it has.
    sites: usize,
    /// How many devices it has.
    devices: u64,
    #[schema(value_type = String)]
    created_at: Timestamp,
    revision: u32,
}

/// What a tenant is to be; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TenantChange {
    title: Option<String>,
    note: Option<String>,
}

/// What tenants can be sorted by.
const COLUMNS: Columns<TenantRecord> = &[
    ("name", |tenant| Key::from(&*tenant.name)),
    ("title", |tenant| Key::from(&*tenant.title)),
    ("created_at", |tenant| tenant.created_at.into()),
];

/// Lists tenants
#[utoipa::path(get, path = "/api/v1/tenants", tag = "access", params(Part),
    responses((status = 200, body = Page<TenantView>), (status = 400, body = Problem)))]
pub(in super::super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Page<TenantView>>, ApiError> {
    let tenants = state.store().office().tenants().await?;
    let seen = tenants.into_iter().filter(|tenant| principal.reach.sees_tenant(&tenant.name));
    let page = page(seen, |tenant| &tenant.name, COLUMNS, &part.asked())?;
    let sites = state.store().sites().await?;
    let mut items = Vec::with_capacity(page.items.len());
    for tenant in page.items {
        items.push(view(&state, tenant, &sites).await?);
    }
    Ok(axum::Json(Page { items, next: page.next }))
}

/// Shows a tenant
#[utoipa::path(get, path = "/api/v1/tenants/{name}", tag = "access",
    params(("name" = String, Path, description = "The tenant's name")),
    responses((status = 200, body = TenantView), (status = 404, body = Problem)))]
pub(in super::super) async fn show(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<TenantView>, ApiError> {
    let tenant = state.store().office().tenant(&name).await?;
    let tenant = tenant.ok_or(ApiError::NoSuch { what: "tenant", name })?;
    Ok(axum::Json(view(&state, tenant, &state.store().sites().await?).await?))
}

/// Makes a tenant, or changes one
#[utoipa::path(put, path = "/api/v1/tenants/{name}", tag = "access",
    params(
        ("name" = String, Path, description = "Letters, digits, `-`, `_` and `.`"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = TenantChange,
    responses((status = 200, body = TenantView), (status = 201, body = TenantView),
        (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(in super::super) async fn put(
    State(state): State<Shared>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(change): Json<TenantChange>,
) -> Result<(StatusCode, axum::Json<TenantView>), ApiError> {
    check_site_name("name", &name)?;
    let _one_at_a_time = state.changing_people.lock().await;
    let office = state.store().office();
    let stored = office.tenant(&name).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    if stored.is_none() && office.tenants().await?.len() >= MOST {
        return Err(ApiError::NoRoom { what: "tenants", limit: MOST });
    }
    let mut tenant = stored.unwrap_or_else(|| TenantRecord {
        name: name.into(),
        revision: 0,
        title: "".into(),
        note: "".into(),
        created_at: state.deps.clock.now(),
    });
    if_match.check(tenant.revision)?;
    if let Some(title) = change.title {
        plain_text("title", &title, 200)?;
        tenant.title = title.into();
    }
    if let Some(note) = change.note {
        plain_text("note", &note, 2000)?;
        tenant.note = note.into();
    }
    tenant.revision = tenant.revision.saturating_add(1);
    let record = Record::Office(OfficeRecord::Tenant(Box::new(tenant.clone())));
    state.store().commit(record.into()).await?;
    let sites = state.store().sites().await?;
    Ok((status, axum::Json(view(&state, tenant, &sites).await?)))
}

/// Forgets a tenant that has nothing any more
#[utoipa::path(delete, path = "/api/v1/tenants/{name}", tag = "access",
    params(("name" = String, Path, description = "The tenant's name")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in super::super) async fn forget(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    if state.store().office().tenant(&name).await?.is_none() {
        return Err(ApiError::NoSuch { what: "tenant", name });
    }
    if let Some(by) = user_of(&state, &name).await? {
        return Err(ApiError::InUse { what: "tenant", name, by });
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetOffice(OfficeKey::Tenant(name.into())));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn view(state: &Inner, tenant: TenantRecord, sites: &[Site]) -> Result<TenantView, ApiError> {
    let reach = Reach::of_tenant(&tenant.name);
    Ok(TenantView {
        sites: sites.iter().filter(|site| site.tenant == tenant.name).count(),
        devices: state.deps.finder.count(&Filter::All, &reach).await?,
        name: tenant.name,
        title: tenant.title,
        note: tenant.note,
        created_at: tenant.created_at,
        revision: tenant.revision,
    })
}

/// One thing that a tenant still has. A name that is given again later must open
/// nothing that was somebody else's.
async fn user_of(state: &Inner, name: &str) -> Result<Option<String>, ApiError> {
    let (store, office) = (state.store(), state.store().office());
    let is_its = |reach: &Reach| reach.tenant.as_deref() == Some(name);
    if let Some(site) = store.sites().await?.into_iter().find(|site| *site.tenant == *name) {
        return Ok(Some(format!("site {}", site.name)));
    }
    if store.layer(&Scope::Tenant(name.into())).await?.is_some() {
        return Ok(Some(format!("layer tenant/{name}")));
    }
    if let Some(user) = office.users().await?.into_iter().find(|user| is_its(&user.reach)) {
        return Ok(Some(format!("user {}", user.name)));
    }
    let mut tokens = office.tokens().await?.into_iter();
    if let Some(token) = tokens.find(|token| token.revoked_at.is_none() && is_its(&token.reach)) {
        return Ok(Some(format!("token {}", token.id)));
    }
    let mut webhooks = office.webhooks().await?.into_iter();
    if let Some(webhook) = webhooks.find(|webhook| is_its(&webhook.reach)) {
        return Ok(Some(format!("webhook {}", webhook.id)));
    }
    if let Some(thing) = thing_of(state, name).await? {
        return Ok(Some(thing));
    }
    if let Some(preload) = preload_of(state, name).await? {
        return Ok(Some(format!("expected device {preload}")));
    }
    let devices = state.deps.finder.count(&Filter::All, &Reach::of_tenant(name)).await?;
    Ok((devices > 0).then(|| format!("a device (of {devices})")))
}

/// A profile, a plan, a campaign or a file of a tenant.
async fn thing_of(state: &Inner, tenant: &str) -> Result<Option<String>, ApiError> {
    let (store, fleet) = (state.store(), state.store().fleet());
    if let Some(one) = fleet.profiles().await?.into_iter().find(|one| *one.tenant == *tenant) {
        return Ok(Some(format!("profile {}", one.name)));
    }
    if let Some(one) = fleet.campaigns().await?.into_iter().find(|one| *one.tenant == *tenant) {
        return Ok(Some(format!("campaign {}", one.name)));
    }
    let mut plans = fleet.plans(None, usize::MAX).await?.into_iter();
    if let Some(one) = plans.find(|one| *one.tenant == *tenant) {
        return Ok(Some(format!("plan {}", uuid::Uuid::from_u128(one.id))));
    }
    let mut after: Option<Box<str>> = None;
    loop {
        let files = store.files(after.as_deref(), 1000).await?;
        if let Some(one) = files.iter().find(|file| file.tenants().any(|own| own == tenant)) {
            return Ok(Some(format!("file {}", one.sha256)));
        }
        match files.last() {
            Some(last) => after = Some(last.sha256.clone()),
            None => return Ok(None),
        }
    }
}

/// A device that is expected for a tenant. Looks at all of them: tenants are
/// seldom forgotten.
async fn preload_of(state: &Inner, tenant: &str) -> Result<Option<String>, ApiError> {
    let mut after = None;
    loop {
        let preloads = state.store().fleet().preloads(after.as_ref(), 1000).await?;
        if let Some(one) = preloads.iter().find(|one| *one.labels.tenant == *tenant) {
            return Ok(Some(one.key.to_string()));
        }
        match preloads.last() {
            Some(last) => after = Some(last.key.clone()),
            None => return Ok(None),
        }
    }
}
