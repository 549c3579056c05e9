//! `/datamodel`: what the data models say, and what devices of a model told of
//! parameters of their own.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::extract::Query;
use super::paging;
use super::problem::{ApiError, Problem, bad_value};
use super::state::Shared;
use crate::device::ModelKey;
use crate::param::ParamPath;
use crate::schema;

/// The longest search, in bytes.
const MAX_SEARCH: usize = 256;

/// What is looked up: `path`, or `search`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DatamodelQuery {
    /// An object or parameter; row numbers do not matter.
    path: Option<String>,
    /// Words that all stand in the path.
    search: Option<String>,
    /// Only this model, as in `Device:2.19`.
    model: Option<String>,
    /// Of `search`: from 1 to 1000; 100 if not given.
    limit: Option<usize>,
}

/// What is known.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DatamodelView {
    /// Of `path`: the facts of the object with its parameters, or of the
    /// parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    described: Option<Value>,
    /// Of `search`: what was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    items: Option<Vec<schema::Found>>,
    /// Whether more would be found with a higher limit.
    more: bool,
}

/// Shows what the data models say of a path, or where words stand in them
#[utoipa::path(get, path = "/api/v1/datamodel", tag = "datamodel", params(DatamodelQuery),
    responses((status = 200, body = DatamodelView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(_): State<Shared>,
    Query(query): Query<DatamodelQuery>,
) -> Result<axum::Json<DatamodelView>, ApiError> {
    let model = query.model.as_deref();
    match (query.path, query.search) {
        (Some(path), None) => {
            let parsed = ParamPath::parse(&path).map_err(|error| bad_value("path", error))?;
            let described = schema::describe(&parsed, model).map_err(|misfit| {
                let nearest = misfit.nearest().map(|name| format!(" (the nearest is {name})"));
                let name = format!("{parsed}{}", nearest.unwrap_or_default());
                ApiError::NoSuch { what: "object or parameter", name }
            })?;
            let described = serde_json::to_value(described).ok();
            Ok(axum::Json(DatamodelView { described, items: None, more: false }))
        }
        (None, Some(words)) => {
            if words.trim().is_empty() || words.len() > MAX_SEARCH {
                return Err(bad_value("search", "words of at most 256 bytes"));
            }
            let limit = paging::limit(query.limit)?;
            let mut items = schema::search(&[words], model, limit.saturating_add(1));
            let more = items.len() > limit;
            items.truncate(limit);
            Ok(axum::Json(DatamodelView { described: None, items: Some(items), more }))
        }
        _ => Err(bad_value("path", "either `path` or `search`")),
    }
}

/// Which model of device.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LearnedQuery {
    /// The OUI.
    oui: String,
    /// The product class; empty if it has none.
    #[serde(default)]
    product_class: String,
    /// The software version.
    #[serde(default)]
    software_version: String,
}

/// What devices of a model told of parameters of their own.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LearnedView {
    /// By path.
    parameters: Vec<LearnedParameterView>,
}

/// One parameter that no data model names.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LearnedParameterView {
    /// Its path, rows as `{i}`.
    path: Box<str>,
    /// Its type as the devices send it; empty if it was never read.
    #[serde(rename = "type")]
    kind: Box<str>,
    /// Whether devices call it writable, if they told.
    writable: Option<bool>,
}

/// Lists what devices of a model told of parameters of their own
#[utoipa::path(get, path = "/api/v1/datamodel/learned", tag = "datamodel", params(LearnedQuery),
    responses((status = 200, body = LearnedView)))]
pub(super) async fn learned(
    State(state): State<Shared>,
    Query(query): Query<LearnedQuery>,
) -> Result<axum::Json<LearnedView>, ApiError> {
    let key = ModelKey::new(&query.oui, &query.product_class, &query.software_version)
        .map_err(|error| bad_value("oui", error))?;
    let learned = state.store().fleet().learned_parameters(&key).await?;
    let parameters = learned.map(|learned| learned.parameters).unwrap_or_default();
    let view = |one: schema::LearnedParameter| LearnedParameterView {
        path: one.path,
        kind: one.kind,
        writable: one.writable,
    };
    Ok(axum::Json(LearnedView { parameters: parameters.into_iter().map(view).collect() }))
}
