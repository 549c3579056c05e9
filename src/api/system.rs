//! `/health`, `/backup` and `/openapi.json`: the server itself.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{ApiError, Problem};
use super::state::Shared;
use crate::access::Principal;
use crate::gate::Occupancy;
use crate::store::{Indexing, StoreError};
use crate::time::Timestamp;
use crate::wake::XmppStanding;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HealthView {
    /// `ok`; `degraded` if something needs an operator.
    status: &'static str,
    version: &'static str,
    #[schema(value_type = String)]
    time: Timestamp,
    /// Devices known; told to those who see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<u64>,
    store: StoreHealth,
    /// Told to those who see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<QuarantineHealth>,
    /// The XMPP server through which devices are woken, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    xmpp: Option<XmppHealth>,
}

/// How the connection to the XMPP server is.
#[derive(Debug, Serialize, ToSchema)]
struct XmppHealth {
    /// Whether devices can be woken through it at present.
    connected: bool,
    /// The address of this server there.
    address: String,
    /// Why it is not connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl From<XmppStanding> for XmppHealth {
    fn from(standing: XmppStanding) -> Self {
        let XmppStanding { address, problem } = standing;
        Self { connected: problem.is_none(), address: address.to_string(), problem }
    }
}

/// How many unknown devices wait.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantineHealth {
    waiting: usize,
    /// How many may.
    cap: usize,
    /// Since when others are told to come again later for want of a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    full_since: Option<Timestamp>,
}

impl From<Occupancy> for QuarantineHealth {
    fn from(occupancy: Occupancy) -> Self {
        let Occupancy { waiting, cap, full_since } = occupancy;
        Self { waiting, cap, full_since }
    }
}

/// How the store is.
#[derive(Debug, Serialize, ToSchema)]
struct StoreHealth {
    /// Whether changes are taken at present.
    writable: bool,
    /// What an operator should look at; told to those who see all.
    alarms: Vec<String>,
    /// Bytes in the journal since the last snapshot; told to those who see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    journal_bytes: Option<u64>,
    /// How far the indexes are, while they are being made: until then searches look
    /// at every device. Told to those who see all.
    #[serde(skip_serializing_if = "Option::is_none")]
    indexing: Option<IndexingHealth>,
}

/// How far the indexes are.
#[derive(Debug, Serialize, ToSchema)]
struct IndexingHealth {
    /// Records that were looked at.
    looked_at: u64,
    /// Whether searches use the indexes already.
    searches: bool,
    /// Whether the order of the last Informs is known already.
    last_informs: bool,
}

impl IndexingHealth {
    /// `None` once nothing is left to do.
    fn of(indexing: Indexing) -> Option<Self> {
        let Indexing { terms, informs, looked, .. } = indexing;
        let health = Self { looked_at: looked, searches: terms, last_informs: informs };
        (!indexing.is_complete()).then_some(health)
    }
}

/// Tells how the server is
#[utoipa::path(get, path = "/api/v1/health", tag = "server",
    responses((status = 200, body = HealthView), (status = 401, body = Problem)))]
pub(super) async fn health(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
) -> axum::Json<HealthView> {
    // How much there is belongs to all tenants together.
    let all = principal.reach.is_whole();
    let health = state.store().health();
    let xmpp: Option<XmppHealth> = state.deps.waker.xmpp().map(Into::into);
    let quarantine = state.deps.strangers.occupancy();
    let sound = health.writable
        && quarantine.full_since.is_none()
        && health.alarms.is_empty()
        && xmpp.as_ref().is_none_or(|xmpp| xmpp.connected);
    axum::Json(HealthView {
        status: if sound { "ok" } else { "degraded" },
        version: env!("CARGO_PKG_VERSION"),
        time: state.deps.clock.now(),
        devices: all.then_some(health.devices),
        store: StoreHealth {
            writable: health.writable,
            alarms: if all { health.alarms } else { Vec::new() },
            journal_bytes: all.then_some(health.journal_bytes),
            indexing: IndexingHealth::of(state.store().indexes().indexing()).filter(|_| all),
        },
        quarantine: all.then(|| quarantine.into()),
        xmpp: xmpp.filter(|_| all),
    })
}

/// A backup that was written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BackupView {
    /// The file's name in `backups/` of the data folder.
    name: String,
    records: u64,
    bytes: u64,
}

/// Writes a verified backup of the store into the data folder
#[utoipa::path(post, path = "/api/v1/backup", tag = "server",
    responses((status = 201, body = BackupView), (status = 409, body = Problem)))]
pub(super) async fn backup(
    State(state): State<Shared>,
) -> Result<(StatusCode, axum::Json<BackupView>), ApiError> {
    let Ok(_alone) = state.backing_up.try_lock() else { return Err(ApiError::BackupRuns) };
    let folder = state.deps.data.join("backups");
    tokio::fs::create_dir_all(&folder).await.map_err(StoreError::Io)?;
    let now = state.deps.clock.now();
    let stamp: String =
        now.to_string().chars().filter(|letter| !matches!(letter, '-' | ':')).collect();
    // Milliseconds, so that two in a row have names of their own.
    let name =
        format!("{}-{:03}.provost", stamp.trim_end_matches('Z'), now.as_millis().rem_euclid(1000));
    let report = state.store().backup(&folder.join(&name)).await?;
    tracing::info!(backup.name = %name, backup.bytes = report.bytes, "backup written");
    let view = BackupView { name, records: report.records, bytes: report.bytes };
    Ok((StatusCode::CREATED, axum::Json(view)))
}

/// This document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI")))]
pub(super) async fn openapi() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(super::openapi::document())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_the_indexes_are_is_told_until_they_are_made() {
        let mut indexing = Indexing::default();
        (indexing.informs, indexing.looked) = (true, 7);
        let told = serde_json::to_value(IndexingHealth::of(indexing)).unwrap();
        let expected = serde_json::json!({"looked_at": 7, "searches": false, "last_informs": true});
        assert_eq!(told, expected);
        indexing.terms = true;
        assert!(IndexingHealth::of(indexing).is_none());
    }
}
