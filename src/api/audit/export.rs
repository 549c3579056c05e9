//! The audit as a file, oldest entry first, with all that is needed to check it
//! elsewhere.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::read::CHUNK;
use super::view::{EntryFilter, EntryView, Wanted};
use crate::access::{AuditEntry, Principal, Right};
use crate::api::extract::{Named, Split};
use crate::api::lasting::Lasting;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::sheet;
use crate::api::state::Shared;
use crate::api::stream::{Cut, Pieces, file, streamed};
use crate::store::Store;

/// How entries are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct EntryExport {
    /// `ndjson` or `csv`; `ndjson` if not given.
    format: Option<String>,
}

impl Named for EntryExport {
    const NAMES: &'static [&'static str] = &["format"];
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
    /// base64. Empty if it names somebody who is not seen.
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
    params(EntryExport, EntryFilter),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Split(how, filter): Split<EntryExport, EntryFilter>,
) -> Result<Response, ApiError> {
    let (format, name, kind) = match how.format.as_deref() {
        None | Some("ndjson") => (Format::Ndjson, "audit.ndjson", "application/x-ndjson"),
        Some("csv") => (Format::Csv, "audit.csv", "text/csv; charset=utf-8"),
        Some(_) => return Err(bad_value("format", "ndjson or csv")),
    };
    // Whether it can be read is told before the first byte leaves.
    Wanted::new(&filter, &principal)?;
    let store = Arc::clone(&state.deps.store);
    let mut lasting = Lasting::of(&state, principal, &headers, Right::AuditRead)?;
    let body = streamed(async move |mut pieces| {
        let end = write(&*store, &filter, &mut lasting, format, &mut pieces).await;
        pieces.end(end).await;
    });
    Ok(file(name, kind, body))
}

async fn write(
    store: &dyn Store,
    filter: &EntryFilter,
    lasting: &mut Lasting,
    format: Format,
    pieces: &mut Pieces,
) -> Result<(), Cut> {
    let principal = lasting.principal().clone();
    let mut wanted = Wanted::new(filter, &principal)?;
    let office = store.office();
    // What is made meanwhile is not told: an export made while others work ends.
    let (first, end) = office.audit_range().await?;
    if let Format::Csv = format {
        pieces.write(&sheet::row(COLUMNS)).await?;
    }
    let mut previous = (first == 0).then_some([0; 32]);
    let mut from = first;
    while from < end {
        let count = usize::try_from(end - from).unwrap_or(CHUNK).min(CHUNK);
        let chunk = office.audit(from, count).await?;
        let Some(last) = chunk.last() else { break };
        lasting.goes_on().await?;
        from = last.number.saturating_add(1);
        for entry in chunk {
            let before = previous.replace(entry.hash);
            if let Some(entry) = wanted.seen(store, entry).await? {
                pieces.write(&Line::of(entry, before).text(format)).await?;
            }
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

    fn text(self, format: Format) -> Vec<u8> {
        match format {
            Format::Csv => sheet::row(self.cells()),
            Format::Ndjson => {
                let mut text = serde_json::to_vec(&self).unwrap_or_default();
                text.push(b'\n');
                text
            }
        }
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
