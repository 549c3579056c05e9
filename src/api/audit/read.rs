//! Lists of the audit, the newest entry first, and single entries.

use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::view::{EntryFilter, EntryView, Wanted};
use crate::access::{AuditEntry, Principal};
use crate::api::extract::{Named, Split};
use crate::api::paging::{self, MAX_SCAN, Page};
use crate::api::problem::{ApiError, Problem};
use crate::api::state::{Shared, State as Inner};

/// Entries that are read at once.
pub(super) const CHUNK: usize = 500;

/// How far a clock may have been set back between two entries: one that is older
/// than wanted by more ends the search.
const SET_BACK: Duration = Duration::from_secs(24 * 3600);

/// How many entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct EntryListing {
    /// From 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// What `next` of the page before said.
    after: Option<String>,
}

impl Named for EntryListing {
    const NAMES: &'static [&'static str] = &["limit", "after"];
}

/// Lists who changed what, newest first
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(EntryListing, EntryFilter),
    responses((status = 200, body = Page<EntryView>), (status = 400, body = Problem)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Split(listing, filter): Split<EntryListing, EntryFilter>,
) -> Result<axum::Json<Page<EntryView>>, ApiError> {
    let limit = paging::limit(listing.limit)?;
    let before: Option<u64> = paging::key_after(listing.after.as_deref())?;
    let mut wanted = Wanted::new(&filter, &principal)?;
    let (entries, next) = page(&state, &mut wanted, before, limit).await?;
    let items = entries.into_iter().map(EntryView::from).collect();
    Ok(axum::Json(Page { items, next: next.map(paging::cursor) }))
}

/// The newest entries before a number, and where the next page begins.
async fn page(
    state: &Inner,
    wanted: &mut Wanted<'_>,
    before: Option<u64>,
    limit: usize,
) -> Result<(Vec<AuditEntry>, Option<u64>), ApiError> {
    let office = state.store().office();
    let (first, end) = office.audit_range().await?;
    let mut before = before.unwrap_or(end).min(end);
    let mut found: Vec<AuditEntry> = Vec::new();
    let mut looked = 0;
    while before > first {
        let from = before.saturating_sub(CHUNK as u64).max(first);
        let count = usize::try_from(before - from).unwrap_or(CHUNK);
        let chunk = office.audit(from, count).await?;
        for entry in chunk.into_iter().rev().filter(|entry| entry.number < before) {
            let number = entry.number;
            let too_old =
                wanted.since().is_some_and(|since| entry.draft.at.after(SET_BACK) < since);
            if too_old {
                return Ok((found, None));
            }
            found.extend(wanted.seen(state.store(), entry).await?);
            looked += 1;
            if found.len() >= limit || looked >= MAX_SCAN {
                return Ok((found, (number > first).then_some(number)));
            }
        }
        before = from;
        tokio::task::yield_now().await;
    }
    Ok((found, None))
}

/// Shows one entry
#[utoipa::path(get, path = "/api/v1/audit/{number}", tag = "audit",
    params(("number" = u64, Path, description = "The entry's number")),
    responses((status = 200, body = EntryView), (status = 404, body = Problem)))]
pub(in crate::api) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(number): Path<String>,
) -> Result<axum::Json<EntryView>, ApiError> {
    let absent = || ApiError::NoSuch { what: "entry of the audit", name: number.clone() };
    let wanted: u64 = number.parse().map_err(|_| absent())?;
    let entry = state.store().office().audit(wanted, 1).await?.pop();
    let entry = entry.filter(|entry| entry.number == wanted).ok_or_else(absent)?;
    let all = EntryFilter::default();
    let seen = Wanted::new(&all, &principal)?.seen(state.store(), entry).await?;
    Ok(axum::Json(seen.ok_or_else(absent)?.into()))
}
