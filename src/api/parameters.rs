//! `/devices/{id}/parameters`: what is known of a device's data model.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::mask;
use super::paging::{self, Page};
use super::problem::{ApiError, Problem};
use super::state::Shared;
use crate::param::{Param, ParamPath, is_match, is_wildcard};
use crate::time::Timestamp;

/// Bytes of values after which a page ends early: one value may be large.
const PAGE_BYTES: usize = 4 << 20;

/// One parameter or object.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ParameterView {
    #[schema(value_type = String)]
    name: ParamPath,
    /// The value last read; `***` if it is a secret; null for objects and for
    /// what was only named.
    value: Option<String>,
    /// The type as the device reported it: `string`, `unsignedInt`, …
    #[serde(rename = "type")]
    kind: Option<String>,
    /// What the device said of it; null if it was never asked.
    writable: Option<bool>,
    #[schema(value_type = String)]
    read_at: Timestamp,
}

impl ParameterView {
    fn new(name: &ParamPath, param: &Param) -> Self {
        let value = param.value.as_ref();
        Self {
            name: name.clone(),
            value: value.map(|value| mask::value(name.as_str(), &value.text).into_owned()),
            kind: value.map(|value| value.kind.name().to_owned()),
            writable: param.writable,
            read_at: param.read_at,
        }
    }
}

/// Which parameters are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ParameterQuery {
    /// Only names that begin so: `Device.WiFi.`. A row may be named by alias
    /// (`[lan]`), and `*` stands for all rows.
    #[serde(default)]
    path: String,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists a device's parameters as last read
#[utoipa::path(get, path = "/api/v1/devices/{id}/parameters", tag = "devices",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ParameterQuery),
    responses((status = 200, body = Page<ParameterView>), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<ParameterQuery>,
) -> Result<axum::Json<Page<ParameterView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: Option<ParamPath> = paging::key_after(query.after.as_deref())?;
    known(&state, &id).await?;
    let tree = state.store().tree(&id).await?.unwrap_or_default();
    let mut items: Vec<ParameterView> = Vec::new();
    let mut bytes = 0;
    // A row may be named by its alias, and all rows of a table by `*`.
    let path = ParamPath::parse(&query.path)
        .map_or_else(|_| query.path.clone(), |path| tree.by_number(&path).as_str().to_owned());
    let plain = !is_wildcard(&path);
    let head = path.split('*').next().filter(|_| !plain).unwrap_or(&path);
    let entries = tree
        .under(head)
        .filter(|(name, _)| plain || is_match(&path, name.as_str()))
        .skip_while(|(name, _)| after.as_ref().is_some_and(|after| *name <= after));
    for (name, param) in entries {
        if items.len() == limit || bytes > PAGE_BYTES {
            let next = items.last().map(|last| paging::cursor(&last.name));
            return Ok(axum::Json(Page { items, next }));
        }
        bytes += param.value.as_ref().map_or(0, |value| value.text.len());
        items.push(ParameterView::new(name, param));
    }
    Ok(axum::Json(Page { items, next: None }))
}
