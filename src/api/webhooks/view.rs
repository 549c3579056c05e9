//! Webhooks as they are shown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::Principal;
use crate::api::problem::ApiError;
use crate::api::state::State as Inner;
use crate::cwmp::mask;
use crate::ledger::Names;
use crate::news::{NewsKind, WebhookProgress, WebhookRecord};
use crate::time::Timestamp;

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct WebhookView {
    /// Names it.
    id: Box<str>,
    /// Raised with each change; for `If-Match`.
    revision: u32,
    /// What it is for.
    name: Box<str>,
    /// Where events are sent; what may be a token in it is masked.
    url: String,
    /// Which kinds; all if empty.
    #[schema(value_type = Vec<String>)]
    kinds: Vec<NewsKind>,
    /// Whose events; null for everybody's.
    tenant: Option<Box<str>>,
    /// From which sites; from all if empty.
    sites: Vec<Box<str>>,
    /// Whether anything is sent.
    enabled: bool,
    /// Why it was switched off by itself; empty if it was not.
    stopped: Box<str>,
    /// When it was made.
    #[schema(value_type = String)]
    created_at: Timestamp,
    /// Who made it.
    created_by: Box<str>,
    /// With what deliveries are signed: told once, when it was made or renewed by
    /// the server, and null otherwise.
    secret: Option<String>,
    /// How deliveries go.
    delivery: DeliveryView,
}

/// How deliveries go.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryView {
    /// The id of the last event that was dealt with; 0 if none was.
    after: String,
    /// When a delivery was taken last.
    #[schema(value_type = Option<String>)]
    last_success: Option<Timestamp>,
    /// When one failed last.
    #[schema(value_type = Option<String>)]
    last_failure: Option<Timestamp>,
    /// Why it failed.
    problem: Option<String>,
    /// Failed attempts since one was taken last.
    attempts: u32,
    /// How many dead letters there are; null in lists.
    dead_letters: Option<usize>,
}

/// A webhook in a list.
pub(super) async fn listed(
    state: &Inner,
    principal: &Principal,
    record: WebhookRecord,
) -> Result<WebhookView, ApiError> {
    let kept = state.store().office().webhook_at(&record.id).await?.unwrap_or_default();
    let ids = state.deps.hub.ids();
    let after = match kept.next.checked_sub(1) {
        Some(last) => ids.of(last, &principal.reach),
        None => "0".to_owned(),
    };
    let mut names = Names::of(&principal.reach);
    let created_by = names.told(state.store(), &record.created_by).await?;
    let WebhookProgress { last_success, last_failure, problem, attempts, .. } =
        state.deps.webhooks.standing(&record.id).unwrap_or(kept);
    Ok(WebhookView {
        id: record.id,
        revision: record.revision,
        name: record.name,
        url: mask::text(&record.url).into_owned(),
        kinds: record.kinds,
        tenant: record.reach.tenant,
        sites: record.reach.sites.into_iter().collect(),
        enabled: record.enabled,
        stopped: record.stopped,
        created_at: record.created_at,
        created_by,
        secret: None,
        delivery: DeliveryView {
            after,
            last_success,
            last_failure,
            problem: Some(problem.into()).filter(|problem: &String| !problem.is_empty()),
            attempts,
            dead_letters: None,
        },
    })
}

/// A webhook by itself; `secret` is told to whoever made or renewed it.
pub(super) async fn whole(
    state: &Inner,
    principal: &Principal,
    record: WebhookRecord,
    secret: Option<String>,
) -> Result<WebhookView, ApiError> {
    let letters = state.store().office().dead_letters(&record.id, 0, usize::MAX).await?.len();
    let mut view = listed(state, principal, record).await?;
    view.secret = secret;
    view.delivery.dead_letters = Some(letters);
    Ok(view)
}
