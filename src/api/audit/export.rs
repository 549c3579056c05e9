//! The audit as a file, oldest entry first, with all that is needed to check it
//! elsewhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::read::CHUNK;
use super::view::{EntryFilter, EntryView, Wanted};
use crate::access::{AuditEntry, Principal, Right};
use crate::api::extract::Query;
use crate::api::lasting::Lasting;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::sheet::guarded;
use crate::api::state::Shared;
use crate::api::streamed::{Pieces, streamed};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// Which entries, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExportQuery {
    /// `ndjson` or `csv`; `ndjson` if not given.
    format: Option<String>,
    /// Who, by name.
    actor: Option<String>,
    /// The id of the token.
    token: Option<String>,
    /// A word, `task.create`, or what stands before its dot, `task`.
    action: Option<String>,
    /// The kind of what it was done to.
    kind: Option<String>,
    /// The key of what it was done to.
    key: Option<String>,
    /// Whose it is.
    tenant: Option<String>,
    /// The request.
    request: Option<String>,
    /// Nothing older (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Nothing newer (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl ExportQuery {
    fn filter(self) -> EntryFilter {
        let Self { actor, token, action, kind, key, tenant, request, since, until, .. } = self;
        EntryFilter { actor, token, action, kind, key, tenant, request, since, until }
    }
}

/// An entry in a file.
#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    entry: EntryView,
    /// The hash of the entry before it; absent if that was trimmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// What the hash is over besides: what the entry says, as it was stored, in
    /// base64.
    body: String,
}

/// The columns of a table.
const COLUMNS: [&str; 17] = [
    "number", "at", "actor", "token", "address", "request", "action", "kind", "key", "tenant",
    "site", "sentence", "before", "after", "previous", "hash", "body",
];

#[derive(Clone, Copy)]
enum Format {
    Ndjson,
    Csv,
}

/// Writes the audit into a file, oldest entry first
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    params(ExportQuery),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let (format, kind) = match query.format.as_deref() {
        None | Some("ndjson") => (Format::Ndjson, "application/x-ndjson"),
        Some("csv") => (Format::Csv, "text/csv; charset=utf-8"),
        Some(_) => return Err(bad_value("format", "ndjson or csv")),
    };
    let filter = query.filter();
    // Whether it can be read is told before the first byte leaves.
    Wanted::new(&filter, &principal)?;
    let store = Arc::clone(&state.deps.store);
    let mut lasting = Lasting::of(&state, principal, &headers, Right::AuditRead)?;
    let body = streamed(async move |pieces| {
        if let Err(error) = write(&*store, &filter, &mut lasting, format, &pieces).await {
            pieces.fail(error).await;
        }
    });
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

async fn write(
    store: &dyn Store,
    filter: &EntryFilter,
    lasting: &mut Lasting,
    format: Format,
    pieces: &Pieces,
) -> Result<(), ApiError> {
    let principal = lasting.principal().clone();
    let wanted = Wanted::new(filter, &principal)?;
    let office = store.office();
    // What is made meanwhile is not told: an export made while others work ends.
    let (first, end) = office.audit_range().await?;
    if let Format::Csv = format
        && pieces.send(table([COLUMNS.map(str::to_owned)])?).await.is_err()
    {
        return Ok(());
    }
    let mut previous = (first == 0).then_some([0; 32]);
    let mut from = first;
    while from < end {
        let count = usize::try_from(end - from).unwrap_or(CHUNK).min(CHUNK);
        let chunk = office.audit(from, count).await?;
        let Some(last) = chunk.last() else { break };
        lasting.goes_on().await?;
        from = last.number.saturating_add(1);
        let mut lines = Vec::new();
        for entry in chunk {
            let before = previous.replace(entry.hash);
            if wanted.takes(&entry.draft) {
                lines.push(Line::of(entry, before));
            }
        }
        let text = match format {
            Format::Ndjson => ndjson(&lines),
            Format::Csv => table(lines.into_iter().map(Line::cells))?,
        };
        if !text.is_empty() && pieces.send(text).await.is_err() {
            return Ok(());
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

impl Line {
    fn of(entry: AuditEntry, previous: Option<[u8; 32]>) -> Self {
        let body = STANDARD.encode(&entry.body);
        Self { entry: entry.into(), previous: previous.map(hex::encode), body }
    }

    fn cells(self) -> [String; 17] {
        let Self { entry, previous, body } = self;
        let json = |side: Option<serde_json::Map<String, serde_json::Value>>| {
            side.map(|side| serde_json::Value::Object(side).to_string()).unwrap_or_default()
        };
        [
            entry.number.to_string(),
            entry.at.to_string(),
            entry.actor.into(),
            entry.token.into(),
            entry.address.unwrap_or_default(),
            entry.request.unwrap_or_default(),
            entry.action.into(),
            entry.kind.into(),
            entry.key.into(),
            entry.tenant.into(),
            entry.site.into(),
            entry.sentence.into(),
            json(entry.before),
            json(entry.after),
            previous.unwrap_or_default(),
            entry.hash,
            body,
        ]
    }
}

fn ndjson(lines: &[Line]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        if serde_json::to_writer(&mut text, line).is_ok() {
            text.push(b'\n');
        }
    }
    text
}

/// Rows of a table whose cells no spreadsheet runs.
fn table(rows: impl IntoIterator<Item = [String; 17]>) -> Result<Vec<u8>, ApiError> {
    let failed = |error: String| StoreError::Io(std::io::Error::other(error));
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        let cells = row.iter().map(|cell| guarded(cell));
        writer.write_record(cells).map_err(|error| failed(error.to_string()))?;
    }
    Ok(writer.into_inner().map_err(|error| failed(error.to_string()))?)
}
