//! Expected devices into a file, as an import takes them.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::table;
use crate::access::{Principal, Right};
use crate::api::extract::Query;
use crate::api::labels::LabelsView;
use crate::api::lasting::Lasting;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::{Shared, State as Inner};
use crate::api::stream::{Cut, FileFormat, Objects, Pieces, streamed};
use crate::api::within::may_show;
use crate::device::{Preload, PreloadKey};
use crate::store::StoreError;

/// Devices that are read at once.
const AT_ONCE: usize = 1000;

/// How they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PreloadExportQuery {
    /// `csv`, `json` or `ndjson`, which no import takes; `json` if not given.
    #[serde(default)]
    #[param(inline)]
    format: FileFormat,
    /// `show` writes the subscribers' secrets in clear; else `***` stands for them.
    secrets: Option<String>,
    /// Only those that a device has taken up, or that none has.
    taken: Option<bool>,
}

/// Writes expected devices into a file, as an import takes them, however many
///
/// An answer that breaks off was not whole.
#[utoipa::path(get, path = "/api/v1/preloads/export", tag = "admission",
    params(PreloadExportQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"),
        (String = "application/x-ndjson"))),
        (status = 400, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Query(query): Query<PreloadExportQuery>,
) -> Result<Response, ApiError> {
    let secrets = match query.secrets.as_deref() {
        None | Some("hide") => false,
        Some("show") => may_show(&principal, Right::DevicesAdmit).map(|()| true)?,
        Some(_) => return Err(bad_value("secrets", "hide or show")),
    };
    if secrets {
        tracing::warn!("expected devices are exported with their subscribers' secrets");
    }
    let format = query.format;
    let right = if secrets { Right::DevicesAdmit } else { Right::DevicesRead };
    let lasting = Lasting::of(&state, principal, &headers, right)?;
    let body = streamed(async move |mut pieces| {
        let chunks = Chunks { state: &state, lasting, taken: query.taken, after: None };
        let end = match format {
            FileFormat::Csv => write_table(chunks, secrets, &mut pieces).await,
            FileFormat::Json | FileFormat::Ndjson => {
                write_objects(chunks, Objects::of(&mut pieces, format), secrets).await
            }
        };
        pieces.end(end).await;
    });
    Ok(format.answer("preloads", body))
}

/// Devices are read twice: which columns they need is told first.
async fn write_table(
    mut chunks: Chunks<'_>,
    secrets: bool,
    pieces: &mut Pieces,
) -> Result<(), Cut> {
    let mut fields: BTreeSet<Box<str>> = BTreeSet::new();
    while let Some(chunk) = chunks.next().await? {
        fields.extend(chunk.into_iter().flat_map(|preload| preload.labels.subscriber.into_keys()));
    }
    let columns = table::columns_for(&fields);
    pieces.write(&table::heading(&columns)).await?;
    chunks.after = None;
    while let Some(chunk) = chunks.next().await? {
        for preload in chunk {
            if !preload.labels.subscriber.keys().all(|name| fields.contains(name)) {
                return Err(changed().into());
            }
            pieces.write(&table::line(&columns, &preload, secrets)).await?;
        }
    }
    Ok(())
}

async fn write_objects(
    mut chunks: Chunks<'_>,
    mut objects: Objects<'_>,
    secrets: bool,
) -> Result<(), Cut> {
    while let Some(chunk) = chunks.next().await? {
        for preload in chunk {
            objects.item(&as_json(preload, secrets)).await?;
        }
    }
    objects.end().await?;
    Ok(())
}

/// A device got what has no column after the heading was written.
fn changed() -> StoreError {
    StoreError::Io(std::io::Error::other("a device was changed while it was exported"))
}

/// The devices that are meant and seen, some at a time, as long as the token that
/// asked opens as much.
struct Chunks<'e> {
    state: &'e Inner,
    lasting: Lasting,
    taken: Option<bool>,
    after: Option<PreloadKey>,
}

impl Chunks<'_> {
    async fn next(&mut self) -> Result<Option<Vec<Preload>>, ApiError> {
        self.lasting.goes_on().await?;
        let fleet = self.state.store().fleet();
        let mut chunk = fleet.preloads(self.after.as_ref(), AT_ONCE).await?;
        let Some(last) = chunk.last() else { return Ok(None) };
        self.after = Some(last.key.clone());
        chunk.retain(|preload| {
            self.lasting.principal().sees(&preload.labels.tenant, &preload.labels.site)
                && self.taken.is_none_or(|taken| taken == preload.taken_by.is_some())
        });
        // Reading is done in this task: others have their turn.
        tokio::task::yield_now().await;
        Ok(Some(chunk))
    }
}

fn as_json(preload: Preload, secrets: bool) -> Value {
    let labels = match secrets {
        true => LabelsView::open(preload.labels),
        false => LabelsView::masked(preload.labels),
    };
    let mut item = json!(labels);
    if let Value::Object(members) = &mut item {
        members.insert(preload.key.kind().to_owned(), preload.key.text().into());
    }
    item
}
