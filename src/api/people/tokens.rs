//! `/tokens`: what opens the northbound.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::extract::{IfMatch, Json, Query, plain_text, present};
use super::super::paging::Page;
use super::super::problem::{ApiError, Problem, bad_value};
use super::super::sorted::{Asked, Columns, Key, page};
use super::super::state::{Shared, State as Inner};
use super::super::tokens::{TokenError, make_id, make_text};
use super::{MOST, beyond, covered, reach_meant};
use crate::access::{Principal, Reach, Right, TokenRecord, TokenUse, UserRecord};
use crate::ledger::Names;
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record};
use crate::time::Timestamp;

/// The longest that a token can be said to last from now, in seconds: ten years.
const LONGEST: u32 = 10 * 366 * 86_400;

/// A token. Its text is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct TokenView {
    /// Names it: stands in its text, in logs and in the audit.
    id: Box<str>,
    /// What it is for.
    name: Box<str>,
    /// Whose it is; null for a machine's.
    user: Option<Box<str>>,
    /// What it may do at most.
    #[schema(example = "operator")]
    role: &'static str,
    /// What of that it may do; null for everything.
    rights: Option<Vec<&'static str>>,
    /// The only tenant whose things it sees; null for all.
    tenant: Option<Box<str>>,
    /// The only sites whose things it sees; empty for all.
    sites: Vec<String>,
    /// `active`, `expired`, `revoked`; `shut` if its user is gone or disabled.
    #[schema(example = "active")]
    state: &'static str,
    #[schema(value_type = String)]
    created_at: Timestamp,
    /// Who made it.
    created_by: Box<str>,
    /// When it ends; never if null.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>)]
    revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute; null if never.
    #[schema(value_type = Option<String>)]
    last_used_at: Option<Timestamp>,
    /// From where.
    last_used_from: Option<String>,
    revision: u32,
}

/// A token that was just made, with its text.
#[derive(Debug, Serialize, ToSchema)]
pub(in super::super) struct NewToken {
    /// The text. It is shown this once and not kept: who loses it has it replaced.
    token: String,
    #[serde(flatten)]
    view: TokenView,
}

/// What a new token is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TokenDraft {
    /// What it is for, in at most 100 characters.
    name: String,
    /// `viewer`, `agent`, `operator` or `admin`.
    #[schema(example = "viewer")]
    role: String,
    /// Whose it is; a machine's without one.
    user: Option<String>,
    /// What of the role's rights it may do; everything without.
    #[schema(example = json!(["devices:read"]))]
    rights: Option<Vec<String>>,
    /// The only tenant whose things it sees; without one that of whoever makes it.
    tenant: Option<String>,
    /// The only sites whose things it sees; without any those of whoever makes it.
    sites: Option<Vec<String>>,
    /// When it ends; as whoever makes it without one.
    #[schema(value_type = Option<String>)]
    expires_at: Option<Timestamp>,
    /// In how many seconds it ends, at most ten years; instead of `expires_at`.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in: Option<u32>,
}

/// What is to be changed; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TokenChange {
    name: Option<String>,
    /// `viewer`, `agent`, `operator` or `admin`.
    role: Option<String>,
    /// All its rights from now on; `null` for all that the role has.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    rights: Option<Option<Vec<String>>>,
    /// The only tenant whose things it sees; `null` for all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    tenant: Option<Option<String>>,
    /// The only sites whose things it sees; empty for all.
    sites: Option<Vec<String>>,
    /// When it ends; `null` for never.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<Option<Timestamp>>,
}

/// Which tokens are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct TokenFilter {
    /// Only those of this user
    user: Option<String>,
    /// Only `active`, `expired`, `revoked` or `shut` ones
    state: Option<String>,
    /// Items at most, from 1 to 1000
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// What `next` of the page before said
    after: Option<String>,
    /// By what they are sorted, with `-` before it for the greatest first
    sort: Option<String>,
}

/// What tokens can be sorted by.
const COLUMNS: Columns<(TokenRecord, Option<TokenUse>)> = &[
    ("id", |(token, _)| Key::from(&*token.id)),
    ("name", |(token, _)| Key::from(&*token.name)),
    ("user", |(token, _)| token.user.as_deref().into()),
    ("role", |(token, _)| token.role.word().into()),
    ("tenant", |(token, _)| token.reach.tenant.as_deref().into()),
    ("created_at", |(token, _)| token.created_at.into()),
    ("created_by", |(token, _)| Key::from(&*token.created_by)),
    ("expires_at", |(token, _)| token.expires_at.into()),
    ("revoked_at", |(token, _)| token.revoked_at.into()),
    ("last_used_at", |(_, used)| used.map(|used| used.at).into()),
];

impl TokenView {
    fn of(
        token: TokenRecord,
        user: Option<&UserRecord>,
        used: Option<TokenUse>,
        now: Timestamp,
    ) -> Self {
        Self {
            state: standing(&token, user, now),
            sites: super::sites(&token.reach),
            rights: token.rights.map(|rights| rights.into_iter().map(Right::word).collect()),
            id: token.id,
            name: token.name,
            user: token.user,
            role: token.role.word(),
            tenant: token.reach.tenant,
            created_at: token.created_at,
            created_by: token.created_by,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: used.map(|used| used.at),
            last_used_from: used.and_then(|used| used.address).map(|from| from.to_string()),
            revision: token.revision,
        }
    }
}

/// How a token stands, in a word.
fn standing(token: &TokenRecord, user: Option<&UserRecord>, now: Timestamp) -> &'static str {
    if token.revoked_at.is_some() {
        "revoked"
    } else if token.expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else if Principal::of(token, user, now).is_none() {
        "shut"
    } else {
        "active"
    }
}

async fn view(
    state: &Inner,
    principal: &Principal,
    mut token: TokenRecord,
) -> Result<TokenView, ApiError> {
    let office = state.store().office();
    let mut names = Names::of(&principal.reach);
    token.created_by = names.told(state.store(), &token.created_by).await?;
    let used = office.token_use(&token.id).await?;
    let user = match &token.user {
        Some(name) => office.user(name).await?,
        None => None,
    };
    Ok(TokenView::of(token, user.as_ref(), used, state.deps.clock.now()))
}

/// An answer that holds a token's text is kept by nobody on the way.
fn shown_once(status: StatusCode, answer: NewToken) -> Response {
    let mut response = (status, axum::Json(answer)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Lists tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "access", params(TokenFilter),
    responses((status = 200, body = Page<TokenView>), (status = 400, body = Problem)))]
pub(in super::super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(filter): Query<TokenFilter>,
) -> Result<axum::Json<Page<TokenView>>, ApiError> {
    let known = ["active", "expired", "revoked", "shut"];
    if let Some(wanted) = filter.state.as_deref().filter(|state| !known.contains(state)) {
        let problem = format!("{wanted} is none of {}", known.join(", "));
        return Err(bad_value("state", problem));
    }
    let office = state.store().office();
    let (tokens, users) = (office.tokens().await?, office.users().await?);
    let now = state.deps.clock.now();
    let user_of =
        |token: &TokenRecord| users.iter().find(|user| Some(&user.name) == token.user.as_ref());
    let mut meant = Vec::new();
    let mut names = Names::of(&principal.reach);
    for mut token in tokens {
        let user = user_of(&token);
        let is_meant = principal.reach.covers(&token.reach)
            && filter.user.as_deref().is_none_or(|name| token.user.as_deref() == Some(name))
            && filter.state.as_deref().is_none_or(|wanted| standing(&token, user, now) == wanted);
        if is_meant {
            token.created_by = names.told(state.store(), &token.created_by).await?;
            let used = office.token_use(&token.id).await?;
            meant.push((token, used));
        }
    }
    let (after, sort) = (filter.after.as_deref(), filter.sort.as_deref());
    let asked = Asked { limit: filter.limit, after, sort };
    let page = page(meant, |(token, _)| &token.id, COLUMNS, &asked)?;
    let view = |(token, used)| {
        let user = user_of(&token);
        TokenView::of(token, user, used, now)
    };
    Ok(axum::Json(Page { items: page.items.into_iter().map(view).collect(), next: page.next }))
}

/// Makes a token; its text is in this answer only
#[utoipa::path(post, path = "/api/v1/tokens", tag = "access", request_body = TokenDraft,
    responses((status = 201, body = NewToken), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(in super::super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(draft): Json<TokenDraft>,
) -> Result<Response, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let office = state.store().office();
    if office.tokens().await?.len() >= MOST {
        return Err(ApiError::NoRoom { what: "tokens", limit: MOST });
    }
    let now = state.deps.clock.now();
    let expires_at = match (draft.expires_at, draft.expires_in) {
        (Some(_), Some(_)) => return Err(bad_value("expires_in", "not beside expires_at")),
        (None, Some(seconds)) if (1..=LONGEST).contains(&seconds) => {
            Some(now.after(std::time::Duration::from_secs(seconds.into())))
        }
        (None, Some(_)) => return Err(bad_value("expires_in", format!("from 1 to {LONGEST}"))),
        (Some(at), None) => Some(at),
        (None, None) => principal.expires_at,
    };
    let user = match &draft.user {
        Some(name) => Some(user_of(&state, &principal, name).await?),
        None => None,
    };
    let own = user.as_ref().and_then(|user| principal.reach.and(&user.reach));
    let own = own.unwrap_or_else(|| Reach::clone(&principal.reach));
    let id = made(make_id())?;
    let (text, hash) = made(make_text(&id))?;
    let token = TokenRecord {
        id: id.into(),
        revision: 1,
        name: checked_name(draft.name)?,
        user: user.map(|user| user.name),
        hash,
        role: draft.role.parse().map_err(|error| bad_value("role", error))?,
        rights: draft.rights.map(read_rights).transpose()?,
        reach: reach_meant(&state, &principal, draft.tenant.map(Some), draft.sites, &own).await?,
        created_at: now,
        created_by: principal.name.as_ref().into(),
        expires_at: checked_expiry(&principal, expires_at, now)?,
        revoked_at: None,
    };
    covered(&principal, &token)?;
    store(&state, token.clone()).await?;
    let answer = NewToken { token: text, view: view(&state, &principal, token).await? };
    Ok(shown_once(StatusCode::CREATED, answer))
}

/// Shows a token, but not its text
#[utoipa::path(get, path = "/api/v1/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 200, body = TokenView), (status = 404, body = Problem)))]
pub(in super::super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<TokenView>, ApiError> {
    let token = known(&state, &id).await?;
    Ok(axum::Json(view(&state, &principal, token).await?))
}

/// Changes what a token may do, from the next request on
#[utoipa::path(patch, path = "/api/v1/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "The token's id"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = TokenChange,
    responses((status = 200, body = TokenView), (status = 400, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in super::super) async fn change(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(change): Json<TokenChange>,
) -> Result<axum::Json<TokenView>, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let mut token = known(&state, &id).await?;
    if_match.check(token.revision)?;
    covered(&principal, &token)?;
    if let Some(name) = change.name {
        token.name = checked_name(name)?;
    }
    if let Some(role) = change.role {
        token.role = role.parse().map_err(|error| bad_value("role", error))?;
    }
    if let Some(rights) = change.rights {
        token.rights = rights.map(read_rights).transpose()?;
    }
    token.reach =
        reach_meant(&state, &principal, change.tenant, change.sites, &token.reach).await?;
    if let Some(expires_at) = change.expires_at {
        token.expires_at = checked_expiry(&principal, expires_at, state.deps.clock.now())?;
    }
    covered(&principal, &token)?;
    token.revision = token.revision.saturating_add(1);
    store(&state, token.clone()).await?;
    Ok(axum::Json(view(&state, &principal, token).await?))
}

/// Shuts a token for good, from the next request on; it stays in the list
#[utoipa::path(post, path = "/api/v1/tokens/{id}/revoke", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 200, body = TokenView), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(in super::super) async fn revoke(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<TokenView>, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let mut token = known(&state, &id).await?;
    covered(&principal, &token)?;
    if token.revoked_at.is_none() {
        token.revoked_at = Some(state.deps.clock.now());
        token.revision = token.revision.saturating_add(1);
        store(&state, token.clone()).await?;
    }
    Ok(axum::Json(view(&state, &principal, token).await?))
}

/// Gives a token another text; the one before opens nothing from then on
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "access",
    params(("id" = String, Path, description = "The token's id"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    responses((status = 200, body = NewToken), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in super::super) async fn rotate(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let mut token = known(&state, &id).await?;
    if_match.check(token.revision)?;
    // Who rotates a token holds its text.
    covered(&principal, &token)?;
    principal.outlives(token.expires_at).map_err(beyond)?;
    if token.revoked_at.is_some() {
        return Err(ApiError::TokenRevoked(id));
    }
    let (text, hash) = made(make_text(&token.id))?;
    token.hash = hash;
    token.revision = token.revision.saturating_add(1);
    store(&state, token.clone()).await?;
    let answer = NewToken { token: text, view: view(&state, &principal, token).await? };
    Ok(shown_once(StatusCode::OK, answer))
}

/// Forgets a token, which shuts it
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "access",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in super::super) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let _one_at_a_time = state.changing_people.lock().await;
    let token = known(&state, &id).await?;
    covered(&principal, &token)?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetOffice(OfficeKey::Token(token.id)));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn known(state: &Inner, id: &str) -> Result<TokenRecord, ApiError> {
    let token = state.store().office().token(id).await?;
    token.ok_or_else(|| ApiError::NoSuch { what: "token", name: id.to_owned() })
}

/// The user for whom a token is made: one whom its maker sees.
async fn user_of(state: &Inner, principal: &Principal, name: &str) -> Result<UserRecord, ApiError> {
    let user = state.store().office().user(name).await?;
    user.filter(|user| principal.reach.covers(&user.reach))
        .ok_or_else(|| bad_value("user", "there is no such user; PUT it first"))
}

async fn store(state: &Inner, token: TokenRecord) -> Result<(), ApiError> {
    let record = Record::Office(OfficeRecord::Token(Box::new(token)));
    Ok(state.store().commit(record.into()).await?)
}

fn checked_name(name: String) -> Result<Box<str>, ApiError> {
    plain_text("name", &name, 100)?;
    if name.trim().is_empty() {
        return Err(bad_value("name", "say what the token is for"));
    }
    Ok(name.into())
}

fn checked_expiry(
    principal: &Principal,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, ApiError> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(bad_value("expires_at", "a time to come"));
    }
    principal.outlives(expires_at).map_err(beyond)?;
    Ok(expires_at)
}

fn read_rights(words: Vec<String>) -> Result<Vec<Right>, ApiError> {
    let mut rights = words
        .iter()
        .map(|word| word.parse::<Right>().map_err(|error| bad_value("rights", error)))
        .collect::<Result<Vec<_>, _>>()?;
    rights.sort_unstable();
    rights.dedup();
    Ok(rights)
}

fn made<T>(made: Result<T, TokenError>) -> Result<T, ApiError> {
    made.map_err(|error| ApiError::NoRandom(error.to_string()))
}
