//! `/devices/{id}/reports`: what a device reported outside of sessions.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::known;
use super::extract::{DeviceKey, Query};
use super::mask;
use super::paging;
use super::problem::{ApiError, Problem};
use super::state::Shared;
use crate::device::{Report, ReportSource};
use crate::time::Timestamp;

/// By which way a report came.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SourceView {
    /// Bulk data over HTTP (TR-069 Annex N).
    BulkData,
    /// A lightweight notification over UDP (TR-069 Annex M).
    LightweightNotification,
}

/// A value of a report.
#[derive(Debug, Serialize, ToSchema)]
struct ReportedView {
    /// As the device calls it.
    name: Box<str>,
    value: String,
}

/// What a device reported.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportView {
    /// When it came, by the server's clock.
    #[schema(value_type = String)]
    at: Timestamp,
    source: SourceView,
    /// When it was collected, by the device's clock.
    #[schema(value_type = Option<String>)]
    collected_at: Option<Timestamp>,
    values: Vec<ReportedView>,
    /// How many values were not kept: secrets, and what was too much.
    left_out: u32,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let shown = |(name, value): (Box<str>, Box<str>)| {
            // A name of a profile's own may hold blanks, which no path does.
            let value = mask::value(&name.replace(char::is_whitespace, "_"), &value).into_owned();
            ReportedView { name, value }
        };
        Self {
            at: report.at,
            source: match report.source {
                ReportSource::BulkData => SourceView::BulkData,
                ReportSource::LightweightNotification => SourceView::LightweightNotification,
            },
            collected_at: report.collected_at,
            values: report.values.into_iter().map(shown).collect(),
            left_out: report.left_out,
        }
    }
}

/// The reports of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reports {
    /// Newest first.
    items: Vec<ReportView>,
}

/// How many reports are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
}

/// Lists a device's latest reports, newest first
#[utoipa::path(get, path = "/api/v1/devices/{id}/reports", tag = "devices",
    params(
        ("id" = String, Path, description = "The device id, with `%` written `%25`"),
        ReportQuery),
    responses((status = 200, body = Reports), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    DeviceKey(id): DeviceKey,
    Query(query): Query<ReportQuery>,
) -> Result<axum::Json<Reports>, ApiError> {
    let limit = paging::limit(query.limit)?;
    known(&state, &id).await?;
    let reports = state.store().reports(&id, limit).await?;
    Ok(axum::Json(Reports { items: reports.into_iter().map(ReportView::from).collect() }))
}
