//! `/webhooks`: where events are sent.
//!
//! A webhook sees no more than whoever made it saw then. Whoever does not see all
//! that it sees is answered as if it were not there.

mod change;
mod letters;
mod view;

pub(super) use change::*;
pub(super) use letters::*;

use axum::Extension;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::view::WebhookView;
use super::extract::Query;
use super::paging::Page;
use super::problem::{ApiError, Problem};
use super::sorted::{Columns, Key, Part, page};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::ledger::Names;
use crate::news::WebhookRecord;

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WebhooksQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// What came of a ping.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pinged {
    /// Whether the receiver took it.
    taken: bool,
    /// The status with which it did.
    status: Option<u16>,
    /// Why it did not.
    problem: Option<String>,
}

/// What webhooks can be sorted by.
const COLUMNS: Columns<WebhookRecord> = &[
    ("id", |webhook| Key::from(&*webhook.id)),
    ("name", |webhook| Key::from(&*webhook.name)),
    ("tenant", |webhook| webhook.reach.tenant.as_deref().into()),
    ("enabled", |webhook| webhook.enabled.into()),
    ("created_at", |webhook| webhook.created_at.into()),
    ("created_by", |webhook| Key::from(&*webhook.created_by)),
];

/// Lists the webhooks
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", params(Part),
    operation_id = "list_webhooks",
    responses((status = 200, body = Page<WebhookView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(part): Query<Part>,
) -> Result<axum::Json<Page<WebhookView>>, ApiError> {
    let mut seen = state.store().office().webhooks().await?;
    seen.retain(|record| principal.reach.covers(&record.reach));
    // Names that are not told order nothing, nor stand in the end of a page.
    let mut names = Names::of(&principal.reach);
    for record in &mut seen {
        record.created_by = names.told(state.store(), &record.created_by).await?;
    }
    let page = page(seen, |record| &record.id, COLUMNS, &part.asked())?;
    let mut items = Vec::with_capacity(page.items.len());
    for record in page.items {
        items.push(view::listed(&state, &principal, record).await?);
    }
    Ok(axum::Json(Page { items, next: page.next }))
}

/// Shows a webhook and how its deliveries go
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks",
    operation_id = "show_webhook",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, body = WebhookView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<WebhookView>, ApiError> {
    let record = own(&state, &principal, &id).await?;
    Ok(axum::Json(view::whole(&state, &principal, record, None).await?))
}

/// Sends a ping to a webhook, once
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks",
    operation_id = "test_webhook",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, body = Pinged), (status = 404, body = Problem)))]
pub(super) async fn test(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<Pinged>, ApiError> {
    let record = own(&state, &principal, &id).await?;
    let pinged = match state.deps.webhooks.ping(&record).await {
        Ok(status) => Pinged { taken: true, status: Some(status), problem: None },
        Err(failure) => Pinged { taken: false, status: None, problem: Some(failure.problem) },
    };
    Ok(axum::Json(pinged))
}

/// A webhook that is there and sees nothing that the principal does not.
async fn own(state: &Inner, principal: &Principal, id: &str) -> Result<WebhookRecord, ApiError> {
    let record = state.store().office().webhook(id).await?;
    record.filter(|record| principal.reach.covers(&record.reach)).ok_or_else(|| no_such(id))
}

fn no_such(id: &str) -> ApiError {
    ApiError::NoSuch { what: "webhook", name: id.to_owned() }
}
