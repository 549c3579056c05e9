//! `/layers`: settings for everybody, for a tenant's sites, or for a model
//! everywhere.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{IfMatch, Json};
use super::problem::{ApiError, Problem, bad_value};
use super::settings::{Meant, taken};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::phone::{Layer, Scope, Settings};
use crate::store::{Batch, Change, Record};

/// A layer of settings.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LayerView {
    /// Whose settings: `global`, `tenant/NAME` or `model/VENDOR/MODEL`.
    #[schema(value_type = String, example = "model/fanvil/X4")]
    scope: String,
    /// The settings; secrets are masked.
    settings: BTreeMap<String, String>,
    revision: u32,
}

impl From<Layer> for LayerView {
    fn from(layer: Layer) -> Self {
        Self {
            scope: layer.scope.to_string(),
            settings: meant(&layer.scope).all_shown(&layer.settings),
            revision: layer.revision,
        }
    }
}

/// What a layer is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerChange {
    /// All settings from now on; a masked value (`***`) keeps what is stored.
    settings: BTreeMap<String, String>,
}

/// The layers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Layers {
    items: Vec<LayerView>,
}

/// For whom the settings of a scope are.
fn meant(scope: &Scope) -> Meant {
    match scope {
        Scope::Model(vendor, _) => Meant::Vendor(*vendor),
        Scope::Global | Scope::Tenant(_) => Meant::Shared,
    }
}

/// Lists layers
#[utoipa::path(get, path = "/api/v1/layers", tag = "phones",
    responses((status = 200, body = Layers)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
) -> Result<axum::Json<Layers>, ApiError> {
    let mut layers = state.store().layers().await?;
    layers.retain(|layer| match &layer.scope {
        Scope::Tenant(name) => principal.sees(name, ""),
        Scope::Global | Scope::Model(..) => principal.reach.is_whole(),
    });
    Ok(axum::Json(Layers { items: layers.into_iter().map(LayerView::from).collect() }))
}

/// Shows the settings for everybody
#[utoipa::path(get, path = "/api/v1/layers/global", tag = "phones",
    responses((status = 200, body = LayerView), (status = 404, body = Problem)))]
pub(super) async fn show_global(
    State(state): State<Shared>,
) -> Result<axum::Json<LayerView>, ApiError> {
    show(&state, Scope::Global).await
}

/// Shows the settings of a tenant
#[utoipa::path(get, path = "/api/v1/layers/tenant/{name}", tag = "phones",
    params(("name" = String, Path, description = "The tenant")),
    responses((status = 200, body = LayerView), (status = 404, body = Problem)))]
pub(super) async fn show_tenant(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<LayerView>, ApiError> {
    show(&state, tenant(&name)?).await
}

/// Shows the settings of a model
#[utoipa::path(get, path = "/api/v1/layers/model/{vendor}/{model}", tag = "phones",
    params(("vendor" = String, Path, description = "The vendor"),
        ("model" = String, Path, description = "The model")),
    responses((status = 200, body = LayerView), (status = 404, body = Problem)))]
pub(super) async fn show_model(
    State(state): State<Shared>,
    Path((vendor, name)): Path<(String, String)>,
) -> Result<axum::Json<LayerView>, ApiError> {
    show(&state, model(&vendor, &name)?).await
}

/// Sets the settings for everybody
#[utoipa::path(put, path = "/api/v1/layers/global", tag = "phones",
    params(("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = LayerChange,
    responses((status = 200, body = LayerView), (status = 201, body = LayerView),
        (status = 409, body = Problem)))]
pub(super) async fn put_global(
    State(state): State<Shared>,
    if_match: IfMatch,
    Json(change): Json<LayerChange>,
) -> Result<(StatusCode, axum::Json<LayerView>), ApiError> {
    put(&state, Scope::Global, &if_match, change).await
}

/// Sets the settings of a tenant
#[utoipa::path(put, path = "/api/v1/layers/tenant/{name}", tag = "phones",
    params(("name" = String, Path, description = "The tenant"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = LayerChange,
    responses((status = 200, body = LayerView), (status = 201, body = LayerView),
        (status = 409, body = Problem)))]
pub(super) async fn put_tenant(
    State(state): State<Shared>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(change): Json<LayerChange>,
) -> Result<(StatusCode, axum::Json<LayerView>), ApiError> {
    put(&state, tenant(&name)?, &if_match, change).await
}

/// Sets the settings of a model
#[utoipa::path(put, path = "/api/v1/layers/model/{vendor}/{model}", tag = "phones",
    params(("vendor" = String, Path, description = "The vendor"),
        ("model" = String, Path, description = "The model"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = LayerChange,
    responses((status = 200, body = LayerView), (status = 201, body = LayerView),
        (status = 409, body = Problem)))]
pub(super) async fn put_model(
    State(state): State<Shared>,
    Path((vendor, name)): Path<(String, String)>,
    if_match: IfMatch,
    Json(change): Json<LayerChange>,
) -> Result<(StatusCode, axum::Json<LayerView>), ApiError> {
    put(&state, model(&vendor, &name)?, &if_match, change).await
}

/// Forgets the settings for everybody
#[utoipa::path(delete, path = "/api/v1/layers/global", tag = "phones",
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_global(State(state): State<Shared>) -> Result<StatusCode, ApiError> {
    forget(&state, Scope::Global).await
}

/// Forgets the settings of a tenant
#[utoipa::path(delete, path = "/api/v1/layers/tenant/{name}", tag = "phones",
    params(("name" = String, Path, description = "The tenant")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_tenant(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    forget(&state, tenant(&name)?).await
}

/// Forgets the settings of a model
#[utoipa::path(delete, path = "/api/v1/layers/model/{vendor}/{model}", tag = "phones",
    params(("vendor" = String, Path, description = "The vendor"),
        ("model" = String, Path, description = "The model")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_model(
    State(state): State<Shared>,
    Path((vendor, name)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    forget(&state, model(&vendor, &name)?).await
}

fn tenant(name: &str) -> Result<Scope, ApiError> {
    format!("tenant/{name}").parse().map_err(|error| bad_value("scope", error))
}

fn model(vendor: &str, model: &str) -> Result<Scope, ApiError> {
    format!("model/{vendor}/{model}").parse().map_err(|error| bad_value("scope", error))
}

fn no_such(scope: &Scope) -> ApiError {
    ApiError::NoSuch { what: "layer", name: scope.to_string() }
}

async fn show(state: &Inner, scope: Scope) -> Result<axum::Json<LayerView>, ApiError> {
    let layer = state.store().layer(&scope).await?;
    layer.map(|layer| axum::Json(layer.into())).ok_or_else(|| no_such(&scope))
}

async fn put(
    state: &Inner,
    scope: Scope,
    if_match: &IfMatch,
    change: LayerChange,
) -> Result<(StatusCode, axum::Json<LayerView>), ApiError> {
    let stored = state.store().layer(&scope).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let before = stored.unwrap_or(Layer { scope, revision: 0, settings: Settings::new() });
    if_match.check(before.revision)?;
    let layer = Layer {
        settings: taken(meant(&before.scope), change.settings, &before.settings)?,
        revision: before.revision.saturating_add(1),
        scope: before.scope,
    };
    state.store().commit(Record::Layer(Box::new(layer.clone())).into()).await?;
    Ok((status, axum::Json(layer.into())))
}

async fn forget(state: &Inner, scope: Scope) -> Result<StatusCode, ApiError> {
    if state.store().layer(&scope).await?.is_none() {
        return Err(no_such(&scope));
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetLayer(scope));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}
