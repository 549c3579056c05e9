//! Making, changing and removing webhooks.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::ToSchema;

use super::own;
use super::view::{self, WebhookView};
use crate::access::{Principal, Reach};
use crate::api::extract::{IfMatch, Json, plain_text};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::{Shared, State as Inner};
use crate::device::{Sealed, Secret};
use crate::news::{NewsKind, WebhookRecord};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record};

/// The shortest and the longest secret, in characters.
const SECRET: std::ops::RangeInclusive<usize> = 16..=256;

/// The most sites of one webhook.
const MAX_SITES: usize = 1000;

/// A webhook that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewWebhook {
    /// Where events are sent: `https://` or `http://`, in the public Internet or in
    /// a network that `webhooks.allow` names.
    url: String,
    /// What it is for.
    #[serde(default)]
    name: String,
    /// Which kinds; all if empty.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    kinds: Vec<NewsKind>,
    /// Whose events; as far as the maker sees if not given.
    tenant: Option<String>,
    /// From which sites; as far as the maker sees if not given.
    #[serde(default)]
    sites: Vec<String>,
    /// With what deliveries are signed, from 16 to 256 characters; one is made, and
    /// told once, if not given.
    secret: Option<String>,
    /// Whether anything is sent; `true` if not given.
    enabled: Option<bool>,
}

/// A change of a webhook. What it does not name stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WebhookChange {
    /// Where events are sent.
    url: Option<String>,
    /// What it is for.
    name: Option<String>,
    /// Which kinds; all if empty.
    #[schema(value_type = Option<Vec<String>>)]
    kinds: Option<Vec<NewsKind>>,
    /// With what deliveries are signed from now on.
    secret: Option<String>,
    /// Whether a new secret is made, and told once.
    #[serde(default)]
    renew_secret: bool,
    /// Whether anything is sent. What happened meanwhile is sent, too, as far as it
    /// is kept.
    enabled: Option<bool>,
}

/// Makes a webhook; it is sent what happens from now on
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks",
    operation_id = "create_webhook", request_body = NewWebhook,
    responses((status = 201, body = WebhookView), (status = 400, body = Problem)))]
pub(in crate::api) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(body): Json<NewWebhook>,
) -> Result<(StatusCode, HeaderMap, axum::Json<WebhookView>), ApiError> {
    check_url(&state, &body.url)?;
    plain_text("name", &body.name, 200)?;
    let reach = reach(&principal, body.tenant, body.sites)?;
    let _making = state.making_webhooks.lock().await;
    let office = state.store().office();
    let known = office.webhooks().await?;
    let config = state.deps.webhooks.config();
    let of_tenant =
        known.iter().filter(|one| reach.tenant.is_some() && one.reach.tenant == reach.tenant);
    for (there, most) in [(known.len(), config.most), (of_tenant.count(), config.most_per_tenant)] {
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        if there >= limit {
            return Err(ApiError::TooMany { what: "webhooks", limit });
        }
    }
    let (secret, told) = secret(&state, body.secret)?;
    let (_, end) = office.news_range().await?;
    let record = WebhookRecord {
        id: uuid::Uuid::now_v7().to_string().into(),
        revision: 1,
        name: body.name.into(),
        url: body.url.into(),
        secret,
        kinds: body.kinds,
        reach,
        enabled: body.enabled.unwrap_or(true),
        stopped: "".into(),
        created_at: state.deps.clock.now(),
        created_by: principal.name.as_ref().into(),
    };
    let mut batch = Batch::new();
    batch.put(Record::Office(OfficeRecord::WebhookAt(record.id.clone(), end.into())));
    batch.put(Record::Office(OfficeRecord::Webhook(Box::new(record.clone()))));
    state.store().commit(batch).await?;
    let headers = kept(told.as_ref());
    let view = view::whole(&state, &principal, record, told).await?;
    Ok((StatusCode::CREATED, headers, axum::Json(view)))
}

/// Changes a webhook
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    operation_id = "change_webhook",
    params(("id" = String, Path, description = "The webhook"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = WebhookChange,
    responses((status = 200, body = WebhookView), (status = 400, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::api) async fn change(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    if_match: IfMatch,
    Json(body): Json<WebhookChange>,
) -> Result<(HeaderMap, axum::Json<WebhookView>), ApiError> {
    let mut record = own(&state, &principal, &id).await?;
    if_match.check(record.revision)?;
    if let Some(url) = body.url {
        check_url(&state, &url)?;
        record.url = url.into();
    }
    if let Some(name) = body.name {
        plain_text("name", &name, 200)?;
        record.name = name.into();
    }
    if let Some(kinds) = body.kinds {
        record.kinds = kinds;
    }
    if let Some(enabled) = body.enabled {
        record.enabled = enabled;
        record.stopped = "".into();
    }
    let mut told = None;
    if body.secret.is_some() || body.renew_secret {
        (record.secret, told) = secret(&state, body.secret)?;
    }
    record.revision = record.revision.saturating_add(1);
    let change = Record::Office(OfficeRecord::Webhook(Box::new(record.clone())));
    state.store().commit(change.into()).await?;
    let headers = kept(told.as_ref());
    Ok((headers, axum::Json(view::whole(&state, &principal, record, told).await?)))
}

/// An answer that tells a secret is kept by nobody.
fn kept(secret: Option<&String>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if secret.is_some() {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers
}

/// Removes a webhook with its dead letters
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    operation_id = "remove_webhook",
    params(("id" = String, Path, description = "The webhook"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(in crate::api) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    let record = own(&state, &principal, &id).await?;
    if_match.check(record.revision)?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetOffice(OfficeKey::Webhook(record.id.clone())));
    state.store().commit(batch).await?;
    super::letters::forget_all(&state, &record.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_url(state: &Inner, url: &str) -> Result<(), ApiError> {
    state.deps.webhooks.check_url(url).map_err(|problem| bad_value("url", problem))
}

/// Whose events are sent: never others than the maker sees.
fn reach(
    principal: &Principal,
    tenant: Option<String>,
    sites: Vec<String>,
) -> Result<Reach, ApiError> {
    for (field, text) in tenant
        .iter()
        .map(|tenant| ("tenant", tenant))
        .chain(sites.iter().map(|site| ("sites", site)))
    {
        plain_text(field, text, 128)?;
        if text.is_empty() {
            return Err(bad_value(field, "a name is not empty"));
        }
    }
    if sites.len() > MAX_SITES {
        return Err(bad_value("sites", format!("at most {MAX_SITES}")));
    }
    let own = &principal.reach;
    let asked = Reach {
        tenant: tenant.map(Into::into).or_else(|| own.tenant.clone()),
        sites: if sites.is_empty() {
            own.sites.clone()
        } else {
            sites.into_iter().map(Into::into).collect()
        },
    };
    if own.covers(&asked) {
        Ok(asked)
    } else {
        Err(bad_value("tenant", "a webhook is sent no more than its maker sees"))
    }
}

/// A secret, sealed; and in clear if it was made here and is to be told.
fn secret(state: &Inner, given: Option<String>) -> Result<(Sealed, Option<String>), ApiError> {
    let (secret, told) = match given {
        Some(secret) => {
            let is_sound = SECRET.contains(&secret.chars().count())
                && secret.chars().all(|letter| letter.is_ascii_graphic());
            if !is_sound {
                return Err(bad_value(
                    "secret",
                    "from 16 to 256 letters, digits and signs of ASCII, without blanks",
                ));
            }
            (secret, None)
        }
        None => {
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|error| ApiError::NoRandom(error.to_string()))?;
            let made = format!("pvhook_{}", URL_SAFE_NO_PAD.encode(random));
            (made.clone(), Some(made))
        }
    };
    Ok((state.deps.vault.seal(&Secret::new(secret.as_str())), told))
}
