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
use super::within::Eyes;
use crate::access::Principal;
use crate::campaign::CampaignError;
use crate::device::DeviceId;
use crate::ledger::Names;
use crate::rollout::{CampaignRecord, CampaignState, Place};

impl From<CampaignError> for ApiError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::Spec(error) => bad_value(error.at, error.problem),
            CampaignError::NoSuch(name) => Self::NoSuch { what: "campaign", name: name.into() },
            CampaignError::Exists(name) => Self::Exists { what: "campaign", name: name.into() },
            CampaignError::Taken(name) => Self::Taken { what: "campaign", name: name.into() },
            CampaignError::TooMany(limit) => Self::TooMany { what: "campaigns", limit },
            CampaignError::Store(error) => error.into(),
            error => Self::Campaign(error),
        }
    }
}

/// The campaign of a name, if it is seen.
async fn known(eyes: &Eyes<'_>, state: &Inner, name: String) -> Result<CampaignRecord, ApiError> {
    let record = state.store().fleet().campaign(&name).await?;
    let seen = record.filter(|record| eyes.tenants(&record.tenant));
    seen.ok_or(ApiError::NoSuch { what: "campaign", name })
}

/// A campaign, with everything, as somebody may see it.
async fn seen_by(
    state: &Inner,
    principal: &Principal,
    mut record: CampaignRecord,
) -> Result<CampaignView, ApiError> {
    sign(state, &mut Eyes::of(state, principal).names(), &mut record).await?;
    Ok(CampaignView::whole(&record))
}

/// Puts the names in a campaign as they may be told: the installation may have had
/// a hand in it.
async fn sign(
    state: &Inner,
    names: &mut Names,
    record: &mut CampaignRecord,
) -> Result<(), ApiError> {
    let store = state.store();
    for line in &mut record.history {
        let told = names.told(store, &line.by).await?;
        // One that was stopped says by whom in its state as well.
        let (stopped, unsaid) = (format!("stopped by {}", line.by), format!("stopped by {told}"));
        line.what = line.what.replacen(&stopped, &unsaid, 1).into();
        if let CampaignState::Stopped { why, .. } = &mut record.state {
            *why = why.replacen(&stopped, &unsaid, 1).into();
        }
        line.by = told;
    }
    if let CampaignState::NeedsApproval { by, .. } | CampaignState::Paused { by, .. } =
        &mut record.state
    {
        *by = names.told(store, by).await?;
    }
    if let Some((_, by)) = &mut record.approved {
        *by = names.told(store, by).await?;
    }
    record.by = names.told(store, &record.by).await?;
    Ok(())
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
    Extension(principal): Extension<Principal>,
    Query(sort): Query<Sort>,
) -> Result<axum::Json<Page<CampaignView>>, ApiError> {
    let eyes = Eyes::of(&state, &principal);
    let mut campaigns = state.store().fleet().campaigns().await?;
    campaigns.retain(|campaign| eyes.tenants(&campaign.tenant));
    let mut names = eyes.names();
    for campaign in &mut campaigns {
        sign(&state, &mut names, campaign).await?;
    }
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
    /// The tenant whose it is to be, and whose devices alone it asks; the token's own
    /// if not given, and empty for the installation.
    tenant: Option<String>,
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
    let tenant = Eyes::of(&state, &principal).owner(making.tenant.as_deref())?;
    if making.preview {
        let preview = campaigns.preview(&text, &tenant).await?;
        return Ok(axum::Json(PreviewView::from(preview)).into_response());
    }
    let record = campaigns.create(&text, &principal.name, &tenant).await?;
    let at = format!("/api/v1/campaigns/{}", record.name);
    let view = axum::Json(seen_by(&state, &principal, record).await?);
    Ok((StatusCode::CREATED, [(header::LOCATION, at)], view).into_response())
}

/// Shows a campaign: where it stands, wave by wave, and what happened to it
#[utoipa::path(get, path = "/api/v1/campaigns/{name}", tag = "campaigns",
    params(("name" = String, Path, description = "The campaign")),
    responses((status = 200, body = CampaignView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<axum::Json<CampaignView>, ApiError> {
    let record = known(&Eyes::of(&state, &principal), &state, name).await?;
    Ok(axum::Json(seen_by(&state, &principal, record).await?))
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
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    Query(query): Query<MembersQuery>,
) -> Result<axum::Json<Page<MemberView>>, ApiError> {
    let eyes = Eyes::of(&state, &principal);
    let record = known(&eyes, &state, name).await?;
    let place = query.state.as_deref().map(place).transpose()?;
    let limit = paging::limit(query.limit)?;
    let mut after: Option<DeviceId> = eyes.after(query.after.as_deref())?;
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
            // One of a tenant's campaign may have become another's since.
            if fits && eyes.of_device(&member.device).await? {
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
    Ok(axum::Json(Page { items, next: next.map(|key| eyes.cursor(key, false)) }))
}

fn place(word: &str) -> Result<Place, ApiError> {
    Place::ALL.into_iter().find(|place| place.word() == word).ok_or_else(|| {
        bad_value("state", "waiting, at_work, done, already, failed, unreached, skipped, undoing, undone or not_undone")
    })
}
