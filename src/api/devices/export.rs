//! `GET /devices/export`: all devices that are meant, as a stream.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{DeviceWhich, order};
use super::{DeviceView, Problem};
use crate::access::{Principal, Right};
use crate::api::extract::{Named, Split};
use crate::api::fields::Fields;
use crate::api::lasting::Lasting;
use crate::api::problem::{ApiError, bad_value};
use crate::api::state::Shared;
use crate::api::stream::{Export, Format, Gone};
use crate::find::{Filter, Order, Query};

/// Devices that are read at once; fewer where their parameters are read as well.
const AT_ONCE: usize = 200;
const AT_ONCE_WITH_TREE: usize = 20;

/// How devices are written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DeviceExport {
    /// `csv` or `ndjson`; `csv` if not given.
    #[param(inline)]
    format: Format,
    /// The columns, as when listing; all members if not given.
    fields: Option<String>,
    /// The order, as when listing; by id if not given.
    sort: Option<String>,
}

impl Named for DeviceExport {
    const NAMES: &'static [&'static str] = &["format", "fields", "sort"];
}

/// Writes devices into a file, however many
///
/// A table (CSV) has a heading always; a cell that a spreadsheet would take for a
/// formula begins with `'`. An answer that breaks off was not whole.
#[utoipa::path(get, path = "/api/v1/devices/export", tag = "devices",
    operation_id = "export_devices",
    params(DeviceWhich, DeviceExport),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson"))),
        (status = 400, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Split(how, which): Split<DeviceExport, DeviceWhich>,
) -> Result<Response, ApiError> {
    let fields = Fields::read::<DeviceView>(how.fields.as_deref(), true)?;
    let fields = fields.unwrap_or_else(Fields::every::<DeviceView>);
    let filter = which.filter()?;
    let order = order(how.sort.as_deref())?;
    filter.check().map_err(|error| bad_value("filter", error))?;
    let lasting = Lasting::of(&state, principal, &headers, Right::DevicesRead)?;
    let (export, response) = Export::begin("devices", how.format, fields);
    tokio::spawn(write(state, filter, order, lasting, export));
    Ok(response)
}

/// Writes page after page, as quickly as they are read and as long as the token that
/// asked opens as much.
async fn write(
    state: Shared,
    filter: Filter,
    order: Option<Order>,
    mut lasting: Lasting,
    mut export: Export,
) {
    let parameters = export.parameters();
    let limit = if parameters.is_nothing() { AT_ONCE } else { AT_ONCE_WITH_TREE };
    let reach = (*lasting.principal().reach).clone();
    let query = Query { filter, reach, order, after: None, limit, parameters };
    let mut matches = state.deps.finder.stream(query);
    loop {
        let found = match matches.next().await {
            Ok(Some(found)) => found,
            Ok(None) => return export.end().await,
            Err(error) => return export.break_off(error.into()).await,
        };
        if let Err(error) = lasting.goes_on().await {
            return export.break_off(error).await;
        }
        for found in found {
            let view = DeviceView::new(found.device, found.labels);
            if let Err(Gone) = export.item(&view, found.tree.as_ref()).await {
                return;
            }
        }
    }
}
