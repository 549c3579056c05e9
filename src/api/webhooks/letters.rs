//! Dead letters: events that a webhook did not take for as long as it was tried.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{WebhooksQuery, own};
use crate::access::Principal;
use crate::api::extract::Query;
use crate::api::paging::{self, Page};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::{Shared, State as Inner};
use crate::news::{DeadLetter, NewsView, WebhookRecord};
use crate::store::{Batch, Change, OfficeKey};
use crate::time::Timestamp;

/// Dead letters that one request sends again, or forgets in one commit.
const TOGETHER: usize = 100;

/// An event that a webhook did not take.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct LetterView {
    /// How often it was tried; 0 if it grew too old while another one was.
    attempts: u32,
    /// Why the last attempt failed.
    problem: Box<str>,
    /// When it was given up.
    #[schema(value_type = String)]
    at: Timestamp,
    /// What it says.
    event: NewsView,
}

/// What came of sending dead letters again.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Redelivered {
    /// How many the receiver took.
    delivered: usize,
    /// How many dead letters there still are.
    left: usize,
    /// Why it took no more.
    problem: Option<String>,
}

/// Lists the dead letters of a webhook, oldest first
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/dead-letters", tag = "webhooks",
    operation_id = "list_dead_letters",
    params(("id" = String, Path, description = "The webhook"), WebhooksQuery),
    responses((status = 200, body = Page<LetterView>), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(in crate::api) async fn letters(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    Query(query): Query<WebhooksQuery>,
) -> Result<axum::Json<Page<LetterView>>, ApiError> {
    let record = own(&state, &principal, &id).await?;
    let limit = paging::limit(query.limit)?;
    let ids = state.deps.hub.ids();
    let from = match query.after.as_deref() {
        None => 0,
        Some(id) => ids
            .behind(id, &principal.reach)
            .ok_or_else(|| bad_value("after", "give back what `next` said"))?,
    };
    let mut letters = state.store().office().dead_letters(&record.id, from, limit + 1).await?;
    let is_cut = letters.len() > limit;
    letters.truncate(limit);
    let next = letters.last().filter(|_| is_cut).map(|last| ids.of(last.number, &principal.reach));
    let view = |letter: DeadLetter| LetterView {
        attempts: letter.attempts,
        problem: letter.problem,
        at: letter.at,
        event: NewsView::new(ids.of(letter.number, &principal.reach), letter.news),
    };
    Ok(axum::Json(Page { items: letters.into_iter().map(view).collect(), next }))
}

/// Sends dead letters again, oldest first, until the receiver does not take one
///
/// At most a hundred a request; `left` tells whether there are more.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/dead-letters/redeliver", tag = "webhooks",
    operation_id = "redeliver_dead_letters",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, body = Redelivered), (status = 404, body = Problem)))]
pub(in crate::api) async fn redeliver_all(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<Redelivered>, ApiError> {
    let record = own(&state, &principal, &id).await?;
    let letters = state.store().office().dead_letters(&record.id, 0, TOGETHER).await?;
    Ok(axum::Json(redeliver(&state, &record, letters).await?))
}

/// Sends one dead letter again
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/dead-letters/{event}/redeliver",
    tag = "webhooks", operation_id = "redeliver_dead_letter",
    params(("id" = String, Path, description = "The webhook"),
        ("event" = String, Path, description = "The id of the event")),
    responses((status = 200, body = Redelivered), (status = 404, body = Problem)))]
pub(in crate::api) async fn redeliver_one(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path((id, event)): Path<(String, String)>,
) -> Result<axum::Json<Redelivered>, ApiError> {
    let record = own(&state, &principal, &id).await?;
    let letter = known(&state, &principal, &record, &event).await?;
    Ok(axum::Json(redeliver(&state, &record, vec![letter]).await?))
}

/// Forgets all dead letters of a webhook
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}/dead-letters", tag = "webhooks",
    operation_id = "discard_dead_letters",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::api) async fn discard_all(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let record = own(&state, &principal, &id).await?;
    forget_all(&state, &record.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets one dead letter
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}/dead-letters/{event}", tag = "webhooks",
    operation_id = "discard_dead_letter",
    params(("id" = String, Path, description = "The webhook"),
        ("event" = String, Path, description = "The id of the event")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::api) async fn discard_one(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path((id, event)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let record = own(&state, &principal, &id).await?;
    let letter = known(&state, &principal, &record, &event).await?;
    forget(&state, &[letter]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets all dead letters, some in each commit.
pub(super) async fn forget_all(state: &Inner, webhook: &str) -> Result<(), ApiError> {
    loop {
        let letters = state.store().office().dead_letters(webhook, 0, TOGETHER).await?;
        if letters.is_empty() {
            return Ok(());
        }
        forget(state, &letters).await?;
    }
}

async fn forget(state: &Inner, letters: &[DeadLetter]) -> Result<(), ApiError> {
    let mut batch = Batch::new();
    for letter in letters {
        let key = OfficeKey::DeadLetter(letter.webhook.clone(), letter.number);
        batch.push(Change::ForgetOffice(key));
    }
    Ok(state.store().commit(batch).await?)
}

/// The dead letter that an event became.
async fn known(
    state: &Inner,
    principal: &Principal,
    record: &WebhookRecord,
    event: &str,
) -> Result<DeadLetter, ApiError> {
    let absent = || ApiError::NoSuch { what: "dead letter", name: event.to_owned() };
    let ids = state.deps.hub.ids();
    let number = ids.behind(event, &principal.reach).and_then(|behind| behind.checked_sub(1));
    let number = number.ok_or_else(absent)?;
    let found = state.store().office().dead_letters(&record.id, number, 1).await?;
    found.into_iter().find(|letter| letter.number == number).ok_or_else(absent)
}

async fn redeliver(
    state: &Inner,
    record: &WebhookRecord,
    letters: Vec<DeadLetter>,
) -> Result<Redelivered, ApiError> {
    let (mut delivered, mut problem) = (0, None);
    for letter in letters {
        match state.deps.webhooks.redeliver(record, &letter).await? {
            Ok(_) => delivered += 1,
            Err(failure) => {
                problem = Some(failure.problem);
                break;
            }
        }
    }
    let left = state.store().office().dead_letters(&record.id, 0, usize::MAX).await?.len();
    Ok(Redelivered { delivered, left, problem })
}
