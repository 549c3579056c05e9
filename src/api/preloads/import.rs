//! Expected devices from a file: all of them or none.

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::{table, too_late};
use crate::access::Principal;
use crate::api::extract::Query;
use crate::api::labels::LabelsBody;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::sheet::{self, BREATH, Faults};
use crate::api::state::{Shared, State as Inner};
use crate::api::within::Eyes;
use crate::device::{Labels, LabelsChange, Preload, PreloadKey};
use crate::store::{Batch, Record};

/// Devices of one file at most: they are made durable together.
const MAX_ROWS: usize = 20_000;

/// Devices of which the report tells what becomes of them.
const MAX_TOLD: usize = 1000;

/// What a file is.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PreloadImportQuery {
    /// `csv` or `json`.
    format: String,
    /// Whether to tell only what would be done.
    dry_run: Option<bool>,
}

/// What became, or would become, of the devices of a file.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::api) struct PreloadImportReport {
    /// Whether this only tells what would be done.
    dry_run: bool,
    new: usize,
    changed: usize,
    unchanged: usize,
    /// The first thousand that are new or changed.
    items: Vec<ImportedPreload>,
}

/// One device of a file.
#[derive(Debug, Serialize, ToSchema)]
struct ImportedPreload {
    kind: &'static str,
    key: String,
    /// The line of the file, from 1.
    line: u64,
    /// `new` or `changed`.
    what: &'static str,
}

/// One row or member of a file.
struct Row {
    line: u64,
    key: PreloadKey,
    change: LabelsChange,
}

/// Takes expected devices from a file: all of them, or none if anything is wrong
#[utoipa::path(post, path = "/api/v1/preloads/import", tag = "admission",
    params(PreloadImportQuery),
    request_body(content = String, content_type = "text/csv",
        description = "CSV with a heading, or a JSON array"),
    responses((status = 200, body = PreloadImportReport), (status = 400, body = Problem)))]
pub(in crate::api) async fn import(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<PreloadImportQuery>,
    request: Request,
) -> Result<axum::Json<PreloadImportReport>, ApiError> {
    let file = sheet::file(&state, request).await?;
    let mut faults = Faults::default();
    let rows = match query.format.as_str() {
        "csv" => read_csv(&file, &mut faults),
        "json" => read_json(&file, &mut faults)?,
        _ => return Err(bad_value("format", "csv or json")),
    };
    let dry_run = query.dry_run.unwrap_or_default();
    let (report, batch) = prepare(&state, principal, rows, faults).await?;
    if !dry_run && !batch.is_empty() {
        state.store().commit(batch).await?;
        tracing::info!(
            new = report.new,
            changed = report.changed,
            "expected devices were imported"
        );
    }
    Ok(axum::Json(PreloadImportReport { dry_run, ..report }))
}

fn read_csv(file: &[u8], faults: &mut Faults) -> Vec<Row> {
    let (columns, rows) = sheet::rows(file, MAX_ROWS, "devices", faults, table::columns);
    rows.into_iter()
        .filter_map(|(line, cells)| {
            let (key, change) = table::row(&columns, &cells, line, faults)?;
            Some(Row { line, key, change })
        })
        .collect()
}

fn read_json(file: &[u8], faults: &mut Faults) -> Result<Vec<Row>, ApiError> {
    let items = sheet::items(file, MAX_ROWS, "devices", faults)?;
    let mut rows = Vec::with_capacity(items.len());
    for (line, mut item) in items {
        let Some(key) = key_of(&mut item, line, faults) else { continue };
        match serde_json::from_value::<LabelsBody>(Value::Object(item)) {
            Ok(body) => rows.push(Row { line, key, change: body.change() }),
            Err(error) => faults.add(line, None, error.to_string()),
        }
    }
    Ok(rows)
}

/// The key of a member; it is taken out.
fn key_of(item: &mut Map<String, Value>, line: u64, faults: &mut Faults) -> Option<PreloadKey> {
    let kinds = PreloadKey::KINDS.into_iter();
    let mut keys = kinds.filter_map(|kind| item.remove(kind).map(|value| (kind, value)));
    let (Some((kind, value)), None) = (keys.next(), keys.next()) else {
        faults.add(line, None, "a member has one of device, serial, mac, login");
        return None;
    };
    let text = value.as_str().unwrap_or_default();
    PreloadKey::new(kind, text)
        .map_err(|error| faults.add(line, Some(kind.to_owned()), error.to_string()))
        .ok()
}

/// What is to be committed, and what to tell of it.
async fn prepare(
    state: &Inner,
    principal: Principal,
    rows: Vec<Row>,
    mut faults: Faults,
) -> Result<(PreloadImportReport, Batch), ApiError> {
    let mut report = PreloadImportReport::default();
    let mut batch = Batch::new();
    let mut seen: HashMap<PreloadKey, u64> = HashMap::new();
    let now = state.deps.clock.now();
    let eyes = Eyes::of(state, &principal);
    for (number, Row { line, key, change }) in rows.into_iter().enumerate() {
        if number % BREATH == BREATH - 1 {
            tokio::task::yield_now().await;
        }
        if let Some(first) = seen.insert(key.clone(), line) {
            let column = Some(key.kind().to_owned());
            faults.add(line, column, format!("{} stands on line {first} too", key.text()));
            continue;
        }
        let stored = state.store().fleet().preload(&key).await?;
        if stored.as_ref().is_some_and(|stored| !eyes.labels(&stored.labels)) {
            let column = Some(key.kind().to_owned());
            faults.add(line, column, format!("{} cannot be taken", key.text()));
            continue;
        }
        let own = || Labels { tenant: eyes.tenant_after("").into(), ..Labels::default() };
        let mut labels = stored.as_ref().map_or_else(own, |stored| stored.labels.clone());
        let before = labels.clone();
        if let Err(wrong) = change.apply(&mut labels) {
            for fault in wrong {
                faults.add(line, Some(fault.field), fault.problem);
            }
            continue;
        }
        if let Some((field, problem)) = eyes.astray(&before, &labels) {
            faults.add(line, Some(field.to_owned()), problem);
            continue;
        }
        if stored.as_ref().is_some_and(|stored| stored.labels.says_the_same(&labels)) {
            report.unchanged += 1;
            continue;
        }
        if let Some(problem) = too_late(state, &eyes, &key, stored.as_ref()).await? {
            faults.add(line, Some(key.kind().to_owned()), problem.to_string());
            continue;
        }
        report.tell(&key, line, stored.is_some());
        let revision = labels.revision.saturating_add(1);
        let labels = Labels { revision, ..labels };
        let by = (&*principal.name).into();
        batch.put(Record::Preload(Box::new(Preload { key, at: now, by, labels, taken_by: None })));
    }
    faults.none()?;
    Ok((report, batch))
}

impl PreloadImportReport {
    fn tell(&mut self, key: &PreloadKey, line: u64, is_known: bool) {
        let (count, what) = match is_known {
            true => (&mut self.changed, "changed"),
            false => (&mut self.new, "new"),
        };
        *count += 1;
        if self.items.len() < MAX_TOLD {
            let (kind, key) = (key.kind(), key.text().to_owned());
            self.items.push(ImportedPreload { kind, key, line, what });
        }
    }
}
