//! `/campaigns`: changes over many devices.
//!
//! - `steps`: what operators do with one that was made.
//! - `view`: how campaigns and their devices are shown.

pub(super) mod steps;

mod view;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use self::view::{CampaignView, MemberView, PreviewView};
use super::extract::{Json, Query};
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::sorted::{Columns, Key, Sort};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::campaign::CampaignError;
use crate::device::DeviceId;
use crate::rollout::{CampaignRecord, Place};

impl From<CampaignError> for ApiError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::Spec(error) => bad_value(error.at, error.problem),
            CampaignError::NoSuch(name) => Self::NoSuch { what: "campaign", name: name.into() },
            CampaignError::Exists(name) => Self::Exists { what: "campaign", name: name.into() },
            CampaignError::Store(error) => error.into(),
            error => Self::Campaign(error),
        }
    }
}

/// The campaign of a name.
async fn known(state: &Inner, name: String) -> Result<CampaignRecord, ApiError> {
    let record = state.store().fleet().campaign(&name).await?;
    record.ok_or(ApiError::NoSuch { what: "campaign", name })
}

/// What campaigns can be sorted by.
const COLUMNS: Columns<CampaignRecord> = &[
    ("name", |campaign| Key::from(&*campaign.name)),
    ("state", |campaign| campaign.state.word().into()),
    ("devices", |campaign| campaign.devices().into()),
    ("made_at", |campaign| campaign.at.into()),
    ("made_by", |campaign| Key::from(&*campaign.by)),
    ("started_at", |campaign| campaign.started_at.into()),
];

/// Lists campaigns, by name if no other order is asked for
#[utoipa::path(get, path = "/api/v1/campaigns", tag = "campaigns", params(Sort),
    responses((status = 200, body = Page<CampaignView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Query(sort): Query<Sort>,
) -> Result<axum::Json<Page<CampaignView>>, ApiError> {
    let campaigns = state.store().fleet().campaigns().await?;
    let campaigns = sort.of(campaigns, |campaign| &campaign.name, COLUMNS)?;
    let items = campaigns.iter().map(CampaignView::in_list).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Whether a campaign is only looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct Making {
    /// Tell what it would be, and record nothing.
    #[serde(default)]
    preview: bool,
}

/// Makes a draft of a campaign: its devices are chosen, and nothing is asked of
/// them
#[utoipa::path(post, path = "/api/v1/campaigns", tag = "campaigns", params(Making),
    request_body(content = std::collections::HashMap<String, serde_json::Value>,
        description = "See docs/CAMPAIGNS.md"),
    responses((status = 200, description = "What it would be", body = PreviewView),
        (status = 201, description = "The draft", body = CampaignView),
        (status = 409, body = Problem)))]
pub(super) async fn create(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(making): Query<Making>,
    Json(text): Json<serde_json::Value>,
) -> Result<Response, ApiError> {
    let campaigns = &state.deps.campaigns;
    let text = text.to_string();
    if making.preview {
        let preview = campaigns.preview(&text).await?;
        return Ok(axum::Json(PreviewView::from(preview)).into_response());
    }
    let record = campaigns.create(&text, &principal.name).await?;
    let at = format!("/api/v1/campaigns/{}", record.name);
    let view = axum::Json(CampaignView::whole(&record));
    Ok((StatusCode::CREATED, [(header::LOCATION, at)], view).into_response())
}

/// Shows a campaign: where it stands, wave by wave, and what happened to it
#[utoipa::path(get, path = "/api/v1/campaigns/{name}", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign")),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<CampaignView>, ApiError> {
    Ok(axum::Json(CampaignView::whole(&known(&state, name).await?)))
}

/// Which devices of a campaign.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct MembersQuery {
    /// Only those that stand there: `waiting`, `at_work`, `done`, `already`,
    /// `failed`, `unreached`, `skipped`, `undoing`, `undone`, `not_undone`.
    state: Option<String>,
    /// Only those of this wave, from 1.
    wave: Option<u32>,
    /// From 1 to 1,000; 100 if not given.
    limit: Option<usize>,
    /// What `next` said.
    after: Option<String>,
}

/// Lists the devices of a campaign
#[utoipa::path(get, path = "/api/v1/campaigns/{name}/members", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign"), MembersQuery),
    responses((status = 200, body = Page<MemberView>), (status = 404, body = Problem)))]
pub(super) async fn members(
    State(state): State<Shared>,
    Path(name): Path<String>,
    Query(query): Query<MembersQuery>,
) -> Result<axum::Json<Page<MemberView>>, ApiError> {
    let record = known(&state, name).await?;
    let place = query.state.as_deref().map(place).transpose()?;
    let limit = paging::limit(query.limit)?;
    let mut after: Option<DeviceId> = paging::key_after(query.after.as_deref())?;
    let mut items = Vec::new();
    let mut scanned = 0;
    let next = 'pages: loop {
        let page = state.store().fleet().members(&record.name, after.as_ref(), limit).await?;
        let is_last = page.len() < limit;
        scanned += page.len();
        for member in page {
            after = Some(member.device.clone());
            let fits = place.is_none_or(|place| member.state.place() == place)
                && query.wave.is_none_or(|wave| member.wave.checked_add(1) == Some(wave));
            if fits {
                items.push(MemberView::from(&member));
                if items.len() == limit {
                    break 'pages after;
                }
            }
        }
        if is_last {
            break None;
        }
        if scanned >= MAX_SCAN {
            break after;
        }
    };
    Ok(axum::Json(Page { items, next: next.map(paging::cursor) }))
}

fn place(word: &str) -> Result<Place, ApiError> {
    Place::ALL.into_iter().find(|place| place.word() == word).ok_or_else(|| {
        bad_value("state", "waiting, at_work, done, already, failed, unreached, skipped, undoing, undone or not_undone")
    })
}
