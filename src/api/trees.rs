//! `/devices/{id}/tree`: what is known of a device's data model, as a file.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use utoipa::IntoParams;

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::problem::{ApiError, Problem};
use super::state::Shared;
use crate::schema::RecordedTree;

/// How a tree is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TreeQuery {
    /// Whether serial numbers, addresses, names of networks and numbers of
    /// telephones are left out.
    #[serde(default)]
    anonymous: bool,
}

/// Exports a device's tree as last read, secrets left out: a file that `provost simulate --tree` replays
#[utoipa::path(get, path = "/api/v1/devices/{id}/tree", tag = "devices", operation_id = "tree",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        TreeQuery),
    responses(
        (status = 200, content_type = "application/json",
            description = "The form is described in docs/SEEING.md"),
        (status = 404, body = Problem)))]
pub(super) async fn export(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<TreeQuery>,
) -> Result<impl IntoResponse, ApiError> {
    let device = known(&state, &id).await?;
    let tree = state.store().tree(&id).await?.unwrap_or_default();
    let recorded = RecordedTree::of(&device.identity, &tree, query.anonymous);
    Ok(([(header::CONTENT_TYPE, "application/json")], recorded.to_json()))
}
