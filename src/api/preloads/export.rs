//! Expected devices into a file, as an import takes them.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::table;
use crate::access::{Principal, Right};
use crate::api::extract::Query;
use crate::api::labels::LabelsView;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::Shared;
use crate::api::within::may_show;
use crate::device::{Preload, PreloadKey};

/// Devices of one export at most.
const MAX_PRELOADS: usize = 100_000;

/// How they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PreloadExportQuery {
    /// `csv` or `json`; `json` if not given.
    format: Option<String>,
    /// `show` writes the subscribers' secrets in clear; else `***` stands for them.
    secrets: Option<String>,
    /// Only those that a device has taken up, or that none has.
    taken: Option<bool>,
}

/// Writes expected devices into a file, as an import takes them
#[utoipa::path(get, path = "/api/v1/preloads/export", tag = "admission",
    params(PreloadExportQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))),
        (status = 413, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<PreloadExportQuery>,
) -> Result<Response, ApiError> {
    let secrets = match query.secrets.as_deref() {
        None | Some("hide") => false,
        Some("show") => may_show(&principal, Right::DevicesAdmit).map(|()| true)?,
        Some(_) => return Err(bad_value("secrets", "hide or show")),
    };
    let mut preloads: Vec<Preload> = Vec::new();
    let mut after: Option<PreloadKey> = None;
    loop {
        let page = state.store().fleet().preloads(after.as_ref(), 1000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        let wanted = |preload: &Preload| {
            principal.sees(&preload.labels.tenant, &preload.labels.site)
                && query.taken.is_none_or(|taken| taken == preload.taken_by.is_some())
        };
        preloads.extend(page.into_iter().filter(wanted));
        if preloads.len() > MAX_PRELOADS {
            return Err(ApiError::TooMany { what: "expected devices", limit: MAX_PRELOADS });
        }
    }
    let (kind, body) = match query.format.as_deref() {
        None | Some("json") => ("application/json", write_json(preloads, secrets)),
        Some("csv") => ("text/csv; charset=utf-8", table::write(&preloads, secrets)?),
        Some(_) => return Err(bad_value("format", "csv or json")),
    };
    if secrets {
        tracing::warn!("expected devices were exported with their subscribers' secrets");
    }
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// A JSON array with a device a line, so that faults of an import are found.
fn write_json(preloads: Vec<Preload>, secrets: bool) -> Vec<u8> {
    let lines: Vec<String> = preloads
        .into_iter()
        .map(|preload| {
            let labels = match secrets {
                true => LabelsView::open(preload.labels),
                false => LabelsView::masked(preload.labels),
            };
            let mut item = json!(labels);
            if let Value::Object(members) = &mut item {
                members.insert(preload.key.kind().to_owned(), preload.key.text().into());
            }
            item.to_string()
        })
        .collect();
    format!("[\n{}\n]\n", lines.join(",\n")).into_bytes()
}
