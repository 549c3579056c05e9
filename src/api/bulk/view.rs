//! What is told of changes over many devices.

use axum::Extension;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ask::Asked;
use crate::access::Principal;
use crate::api::extract::Query;
use crate::api::paging::{self, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::state::{Shared, State as Inner};
use crate::store::{BulkRecord, OfficeRecord, Record};
use crate::time::Timestamp;

/// A change over many devices, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct BulkView {
    #[schema(value_type = String)]
    id: String,
    created_by: Box<str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is given up.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// `task`, `labels`, `wake` or `forget`.
    action: &'static str,
    /// The action of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// `running`, `done`, `cancelled`, `expired`, or `stopped` because of its asker.
    state: &'static str,
    /// How many devices there were when it was asked.
    total: u64,
    /// Devices for which it was done.
    done: u64,
    /// Devices for which it could not be done.
    failed: u64,
    /// Devices that its asker sees no longer, for which nothing was done.
    left_out: u64,
    /// Why it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<Box<str>>,
    /// The first of those for which it could not be done.
    problems: Vec<BulkProblem>,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

/// A device for which it could not be done.
#[derive(Debug, Serialize, ToSchema)]
struct BulkProblem {
    device: String,
    problem: Box<str>,
}

impl From<BulkRecord> for BulkView {
    fn from(bulk: BulkRecord) -> Self {
        let asked = Asked::of(&bulk);
        let problems = bulk.problems.into_iter();
        Self {
            id: uuid::Uuid::from_u128(bulk.id).to_string(),
            created_by: bulk.created_by,
            created_at: bulk.created_at,
            expires_at: bulk.expires_at,
            action: asked.as_ref().map_or("task", Asked::word),
            task: asked.as_ref().and_then(Asked::task_word),
            state: match bulk.ended_at {
                None => "running",
                Some(_) if bulk.cancelled => "cancelled",
                Some(_) if !bulk.stopped.is_empty() => "stopped",
                Some(at) if at >= bulk.expires_at => "expired",
                Some(_) => "done",
            },
            total: bulk.total,
            done: bulk.done,
            failed: bulk.failed,
            left_out: bulk.left_out,
            stopped: Some(bulk.stopped).filter(|why| !why.is_empty()),
            problems: problems
                .map(|(device, problem)| BulkProblem { device: device.to_string(), problem })
                .collect(),
            ended_at: bulk.ended_at,
        }
    }
}

/// Which changes are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct BulkQuery {
    /// From 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists changes over many devices, oldest first; the last hundred that are over are kept
#[utoipa::path(get, path = "/api/v1/bulk", tag = "bulk", operation_id = "list_bulk",
    params(BulkQuery), responses((status = 200, body = Page<BulkView>)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<BulkQuery>,
) -> Result<axum::Json<Page<BulkView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: Option<uuid::Uuid> = paging::key_after(query.after.as_deref())?;
    let mut after = after.map(|id| id.as_u128());
    let mut items: Vec<BulkView> = Vec::new();
    loop {
        let bulks = state.store().office().bulks(after, limit).await?;
        if bulks.is_empty() {
            return Ok(axum::Json(Page { items, next: None }));
        }
        for bulk in bulks {
            if items.len() == limit {
                let next = after.map(|id| paging::cursor(uuid::Uuid::from_u128(id)));
                return Ok(axum::Json(Page { items, next }));
            }
            after = Some(bulk.id);
            if principal.reach.covers(&bulk.reach) {
                items.push(bulk.into());
            }
        }
    }
}

/// Tells how far a change over many devices is
#[utoipa::path(get, path = "/api/v1/bulk/{id}", tag = "bulk", operation_id = "show_bulk",
    params(("id" = String, Path, description = "The change")),
    responses((status = 200, body = BulkView), (status = 404, body = Problem)))]
pub(in crate::api) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<BulkView>, ApiError> {
    Ok(axum::Json(own(&state, &principal, &id).await?.into()))
}

/// Lets a change go no further; what was done stays done
#[utoipa::path(post, path = "/api/v1/bulk/{id}/cancel", tag = "bulk",
    operation_id = "cancel_bulk",
    params(("id" = String, Path, description = "The change")),
    responses((status = 200, body = BulkView), (status = 404, body = Problem)))]
pub(in crate::api) async fn cancel(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<axum::Json<BulkView>, ApiError> {
    let _alone = state.bulks.writing().await;
    let mut bulk = own(&state, &principal, &id).await?;
    if bulk.ended_at.is_none() {
        bulk.cancelled = true;
        bulk.ended_at = Some(state.deps.clock.now());
        let record = OfficeRecord::Bulk(Box::new(bulk.clone()));
        state.store().commit(Record::Office(record).into()).await?;
    }
    Ok(axum::Json(bulk.into()))
}

/// A change that the principal may know of: one over no more than it sees.
async fn own(state: &Inner, principal: &Principal, id: &str) -> Result<BulkRecord, ApiError> {
    let absent = || ApiError::NoSuch { what: "bulk change", name: id.to_owned() };
    let key = id.parse::<uuid::Uuid>().map_err(|_| absent())?;
    let bulk = state.store().office().bulk(key.as_u128()).await?;
    bulk.filter(|bulk| principal.reach.covers(&bulk.reach)).ok_or_else(absent)
}
