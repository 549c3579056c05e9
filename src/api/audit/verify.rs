//! Whether the audit is what was written.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::read::CHUNK;
use crate::access::{Chain, ChainBreak};
use crate::api::extract::Query;
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::state::Shared;

/// An entry whose hash was noted elsewhere.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct VerifyQuery {
    /// The number of an entry whose hash was noted elsewhere.
    number: Option<u64>,
    /// That hash, in hex.
    hash: Option<String>,
}

/// What a check of the chain found.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct VerifyView {
    /// Whether every entry follows from the one before it.
    sound: bool,
    /// How many entries were looked at.
    entries: u64,
    /// The number of the oldest entry.
    first: Option<u64>,
    /// The number of the last entry that is sound.
    last: Option<u64>,
    /// Its hash: worth noting elsewhere.
    hash: Option<String>,
    /// The first break.
    problem: Option<String>,
}

/// Checks that no entry was changed, removed or slipped in
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "audit",
    params(VerifyQuery),
    responses((status = 200, body = VerifyView), (status = 400, body = Problem)))]
pub(in crate::api) async fn verify(
    State(state): State<Shared>,
    Query(query): Query<VerifyQuery>,
) -> Result<axum::Json<VerifyView>, ApiError> {
    let noted = match (query.number, query.hash) {
        (None, None) => None,
        (Some(number), Some(hash)) => {
            let mut bytes = [0; 32];
            hex::decode_to_slice(hash.trim(), &mut bytes)
                .map_err(|_| bad_value("hash", "64 hex digits"))?;
            Some((number, bytes))
        }
        _ => return Err(bad_value("number", "number and hash go together")),
    };
    let office = state.store().office();
    let (mut from, end) = office.audit_range().await?;
    let mut chain = Chain::noted(noted);
    let mut problem: Option<ChainBreak> = None;
    while from < end && problem.is_none() {
        let chunk = office.audit(from, CHUNK).await?;
        let Some(last) = chunk.last() else { break };
        from = last.number.saturating_add(1);
        let mut entries = chunk.iter().filter(|entry| entry.number < end);
        problem =
            entries.find_map(|entry| chain.take(entry.number, &entry.body, &entry.hash).err());
        tokio::task::yield_now().await;
    }
    let problem = problem.or_else(|| chain.end().err());
    if let Some(problem) = &problem {
        tracing::error!(%problem, "the audit is not what was written");
    }
    Ok(axum::Json(VerifyView {
        sound: problem.is_none(),
        entries: chain.entries(),
        first: chain.first(),
        last: chain.last().map(|(number, _)| number),
        hash: chain.last().map(|(_, hash)| hex::encode(hash)),
        problem: problem.map(|problem| problem.to_string()),
    }))
}
