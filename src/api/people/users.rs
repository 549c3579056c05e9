//! `/users`: people who hold tokens.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::extract::{IfMatch, Json, Query, plain_text, present};
use super::super::paging::Page;
use super::super::problem::{ApiError, Problem, bad_value};
use super::super::sorted::{Columns, Key, Part, page};
use super::super::state::{Shared, State as Inner};
use super::{MOST, covered, may_name, reach_meant, tenant_of};
use crate::access::{Principal, Reach, Role, TokenRecord, UserRecord};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record};
use crate::time::Timestamp;

/// A person who holds tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct UserView {
    name: Box<str>,
    /// The name as people write it.
    full_name: Box<str>,
    /// An address for mail; may be empty.
    email: Box<str>,
    /// What the person's tokens may do at most.
    #[schema(example = "operator")]
    role: &'static str,
    /// The only tenant whose things the person sees; null for all.
    tenant: Option<Box<str>>,
    /// The only sites whose things the person sees; empty for all.
    sites: Vec<String>,
    /// Whether all tokens of the person are shut.
    disabled: bool,
    /// How many tokens the person has that were not revoked.
    tokens: usize,
    #[schema(value_type = String)]
    created_at: Timestamp,
    revision: u32,
}

impl UserView {
    fn of(user: UserRecord, tokens: &[TokenRecord]) -> Self {
        let is_own = |token: &&TokenRecord| {
            token.revoked_at.is_none() && token.user.as_ref() == Some(&user.name)
        };
        Self {
            tokens: tokens.iter().filter(is_own).count(),
            sites: super::sites(&user.reach),
            name: user.name,
            full_name: user.full_name,
            email: user.email,
            role: user.role.word(),
            tenant: user.reach.tenant,
            disabled: user.disabled,
            created_at: user.created_at,
            revision: user.revision,
        }
    }
}

/// What a user is to be; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct UserChange {
    full_name: Option<String>,
    email: Option<String>,
    /// `viewer`, `agent`, `operator` or `admin`; a new user needs one.
    #[schema(example = "agent")]
    role: Option<String>,
    /// The only tenant whose things the person sees; `null` for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    tenant: Option<Option<String>>,
    /// The only sites whose things the person sees; empty for all.
    sites: Option<Vec<String>>,
    /// Whether all tokens of the person are shut.
    disabled: Option<bool>,
}

/// What users can be sorted by.
const COLUMNS: Columns<UserRecord> = &[
    ("name", |user| Key::from(&*user.name)),
    ("full_name", |user| Key::from(&*user.full_name)),
    ("email", |user| Key::from(&*user.email)),
    ("role", |user| user.role.word().into()),
    ("tenant", |user| user.reach.tenant.as_deref().into()),
    ("disabled", |user| user.disabled.into()),
    ("created_at", |user| user.created_at.into()),
];

/// Lists users
#[utoipa::path(get, path = "/api/v1/users", tag = "access", params(Part),
    responses((status = 200, body = Page<UserView>), (status = 400, body = Problem)))]
pub(in super::super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Page<UserView>>, ApiError> {
    let office = state.store().office();
    let (users, tokens) = (office.users().await?, office.tokens().await?);
    let seen = users.into_iter().filter(|user| principal.reach.covers(&user.reach));
    let page = page(seen, |user| &user.name, COLUMNS, &part.asked())?;
    let items = page.items.into_iter().map(|user| UserView::of(user, &tokens)).collect();
    Ok(axum::Json(Page { items, next: page.next }))
}

/// Shows a user
#[utoipa::path(get, path = "/api/v1/users/{name}", tag = "access",
    params(("name" = String, Path, description = "The user's name")),
    responses((status = 200, body = UserView), (status = 404, body = Problem)))]
pub(in super::super) async fn show(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<UserView>, ApiError> {
    let office = state.store().office();
    let user = office.user(&name).await?.ok_or(ApiError::NoSuch { what: "user", name })?;
    Ok(axum::Json(UserView::of(user, &office.tokens().await?)))
}

/// Makes a user, or changes one; all tokens of the person follow at once
#[utoipa::path(put, path = "/api/v1/users/{name}", tag = "access",
    params(
        ("name" = String, Path, description = "Letters, digits, `-`, `_` and `.`; `name@tenant` for one of a tenant"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = UserChange,
    responses((status = 200, body = UserView), (status = 201, body = UserView),
        (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in super::super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(change): Json<UserChange>,
) -> Result<(StatusCode, axum::Json<UserView>), ApiError> {
    check_user_name(&name)?;
    let _one_at_a_time = state.changing_people.lock().await;
    let stored = state.store().office().user(&name).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut user = match stored {
        Some(user) if principal.reach.covers(&user.reach) => user,
        None if may_name(&principal.reach, &name) => new_user(&state, &principal, &name).await?,
        _ => return Err(ApiError::NoSuch { what: "user", name }),
    };
    if_match.check(user.revision)?;
    if user.revision > 0 {
        covered(&principal, &user)?;
    } else if change.role.is_none() {
        return Err(bad_value("role", "a new user needs one"));
    }
    for (field, text, into) in [
        ("full_name", change.full_name, &mut user.full_name),
        ("email", change.email, &mut user.email),
    ] {
        if let Some(text) = text {
            plain_text(field, &text, 200)?;
            *into = text.into();
        }
    }
    if let Some(role) = change.role {
        user.role = role.parse().map_err(|error| bad_value("role", error))?;
    }
    user.reach = reach_meant(&state, &principal, change.tenant, change.sites, &user.reach).await?;
    if tenant_of(&name).is_some_and(|tenant| user.reach.tenant.as_deref() != Some(tenant)) {
        return Err(bad_value("tenant", "a user `name@tenant` is one of that tenant"));
    }
    user.disabled = change.disabled.unwrap_or(user.disabled);
    user.revision = user.revision.saturating_add(1);
    covered(&principal, &user)?;
    let record = Record::Office(OfficeRecord::User(Box::new(user.clone())));
    state.store().commit(record.into()).await?;
    let tokens = state.store().office().tokens().await?;
    Ok((status, axum::Json(UserView::of(user, &tokens))))
}

/// Forgets a user, and revokes all tokens of the person
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "access",
    params(("name" = String, Path, description = "The user's name")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in super::super) async fn forget(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let office = state.store().office();
    let Some(user) = office.user(&name).await? else {
        return Err(ApiError::NoSuch { what: "user", name });
    };
    covered(&principal, &user)?;
    let now = state.deps.clock.now();
    let mut batch = Batch::new();
    // Revoked, so that somebody who is given the name later finds them shut.
    for mut token in office.tokens().await? {
        if token.user.as_deref() == Some(&*name) && token.revoked_at.is_none() {
            token.revoked_at = Some(now);
            token.revision = token.revision.saturating_add(1);
            batch.put(Record::Office(OfficeRecord::Token(Box::new(token))));
        }
    }
    batch.push(Change::ForgetOffice(OfficeKey::User(user.name)));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user that is not stored yet: of the tenant that the name says, and with no
/// more reach than its maker has.
async fn new_user(
    state: &Inner,
    principal: &Principal,
    name: &str,
) -> Result<UserRecord, ApiError> {
    if state.store().office().users().await?.len() >= MOST {
        return Err(ApiError::NoRoom { what: "users", limit: MOST });
    }
    let mut reach = Reach::clone(&principal.reach);
    if let Some(tenant) = tenant_of(name) {
        let tenant = Some(Some(tenant.to_owned()));
        reach = reach_meant(state, principal, tenant, None, &reach).await?;
    }
    Ok(UserRecord {
        name: name.into(),
        revision: 0,
        full_name: "".into(),
        email: "".into(),
        role: Role::Viewer,
        reach,
        disabled: false,
        created_at: state.deps.clock.now(),
    })
}

fn check_user_name(name: &str) -> Result<(), ApiError> {
    let is_sound = |part: &str| {
        (1..=64).contains(&part.len())
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let (own, tenant) = name.split_once('@').unwrap_or((name, "none"));
    if is_sound(own) && is_sound(tenant) {
        Ok(())
    } else {
        Err(bad_value(
            "name",
            "1 to 64 letters, digits, `-`, `_` and `.`, not beginning with `.`; then `@` and the tenant, if it is one of a tenant",
        ))
    }
}
