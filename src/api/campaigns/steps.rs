//! What operators do with a campaign that was made.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::seen_by;
use super::view::CampaignView;
use crate::access::Principal;
use crate::api::extract::{Query, plain_text};
use crate::api::problem::{ApiError, Problem};
use crate::api::state::Shared;

/// Why it is done.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Stands in the campaign's history; may be left out.
    #[serde(default)]
    why: String,
}

impl Reason {
    fn checked(self) -> Result<String, ApiError> {
        plain_text("why", &self.why, 500)?;
        Ok(self.why)
    }
}

type Answer = Result<axum::Json<CampaignView>, ApiError>;

/// Starts a campaign; a large one then waits to be approved
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/start", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign")),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn start(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Answer {
    let record = state.deps.campaigns.start(&name, &principal.name).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Approves a campaign that waits for it; it then runs
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/approve", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), Reason),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn approve(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(reason): Query<Reason>,
) -> Answer {
    let why = reason.checked()?;
    let record = state.deps.campaigns.approve(&name, &principal.name, &why).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Holds a campaign: what was not sent is withdrawn, what was sent goes on
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/pause", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), Reason),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn pause(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(reason): Query<Reason>,
) -> Answer {
    let why = reason.checked()?;
    let record = state.deps.campaigns.pause(&name, &principal.name, &why).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Lets a campaign go on that was paused or has halted
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/resume", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), Reason),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn resume(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(reason): Query<Reason>,
) -> Answer {
    let why = reason.checked()?;
    let record = state.deps.campaigns.resume(&name, &principal.name, &why).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Ends a campaign before its time; what it changed stays changed
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/stop", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), Reason),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn stop(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(reason): Query<Reason>,
) -> Answer {
    let why = reason.checked()?;
    let record = state.deps.campaigns.stop(&name, &principal.name, &why).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Brings the devices that a campaign changed back to what they were
#[utoipa::path(post, path = "/api/v1/campaigns/{name}/rollback", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), Reason),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(crate) async fn roll_back(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(reason): Query<Reason>,
) -> Answer {
    let why = reason.checked()?;
    let record = state.deps.campaigns.roll_back(&name, &principal.name, &why).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
}

/// Forgets a campaign that is over or was never started
#[utoipa::path(delete, path = "/api/v1/campaigns/{name}", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    state.deps.campaigns.remove(&name, &principal.name).await?;
    Ok(StatusCode::NO_CONTENT)
}
