//! `/keys`: with which keys secrets are sealed at rest. The keys themselves are
//! never told.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::Json;
use super::problem::{ApiError, Problem};
use super::state::{Shared, State as Inner};
use crate::keyring::KeyringError;
use crate::store::KeyId;

/// A key.
#[derive(Debug, Serialize, ToSchema)]
struct SealingKey {
    /// By what it is known; made of the key, and tells nothing of it.
    id: String,
    /// Its number, from 1, in the order of their making.
    number: u32,
    /// Whether secrets are sealed with it from now on.
    current: bool,
    /// Whether links, addresses and accounts are derived from it.
    derives: bool,
    /// How many seals of it the last walk over the store found; absent if there
    /// was none since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    seals: Option<u64>,
}

/// The walk that seals anew what older keys sealed.
#[derive(Debug, Serialize, ToSchema)]
struct WalkView {
    /// Whether it is under way.
    running: bool,
    /// Records that it has looked at.
    looked: u64,
    /// Records that it has sealed anew.
    resealed: u64,
    /// Why it does not go on, or what it had to leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// The keys, and how far the walk is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeysView {
    /// In the order of their making.
    items: Vec<SealingKey>,
    walk: WalkView,
}

fn view(state: &Inner) -> KeysView {
    let walk = state.deps.keys.walk();
    let items = state.deps.keys.keys().into_iter().map(|key| SealingKey {
        seals: walk.by_key.as_ref().map(|seals| seals.get(&key.id).copied().unwrap_or(0)),
        id: key.id.to_string(),
        number: key.number,
        current: key.current,
        derives: key.derives,
    });
    KeysView {
        items: items.collect(),
        walk: WalkView {
            running: walk.running,
            looked: walk.looked,
            resealed: walk.resealed,
            problem: walk.problem,
        },
    }
}

/// Lists the keys that seal secrets at rest
#[utoipa::path(get, path = "/api/v1/keys", tag = "server",
    responses((status = 200, body = KeysView)))]
pub(super) async fn list(State(state): State<Shared>) -> axum::Json<KeysView> {
    axum::Json(view(&state))
}

/// How a new key is made.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// Whether links, addresses and accounts are derived from it as well, from the
    /// next start on: what was given out before is then no longer good.
    #[serde(default)]
    derived: bool,
}

/// Makes a new key and seals all secrets anew with it
#[utoipa::path(post, path = "/api/v1/keys/rotate", tag = "server",
    request_body = RotateBody,
    responses((status = 201, body = KeysView), (status = 400, body = Problem)))]
pub(super) async fn rotate(
    State(state): State<Shared>,
    Json(body): Json<RotateBody>,
) -> Result<(StatusCode, axum::Json<KeysView>), ApiError> {
    state.deps.keys.rotate(body.derived).await?;
    Ok((StatusCode::CREATED, axum::Json(view(&state))))
}

/// Removes a key with which nothing is sealed any more
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "server",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn retire(
    State(state): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let absent = || ApiError::NoSuch { what: "key", name: id.clone() };
    let known: KeyId = id.parse().map_err(|_| absent())?;
    match state.deps.keys.retire(known).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(KeyringError::NoSuch(_)) => Err(absent()),
        Err(KeyringError::InUse { id, why }) => {
            let (name, by) = (id.to_string(), format!("the installation ({why})"));
            Err(ApiError::InUse { what: "key", name, by })
        }
        Err(KeyringError::Store(error)) => Err(error.into()),
    }
}
