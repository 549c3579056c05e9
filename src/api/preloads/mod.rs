//! `/preloads`: devices that are known before they appear, and what they are given
//! when they do.

mod export;
mod import;
mod table;

pub(super) use export::*;
pub(super) use import::*;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::devices::no_such_device;
use super::extract::{IfMatch, Json, Query};
use super::labels::{LabelsBody, LabelsFilter, LabelsView, first_wrong};
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{DeviceId, Event, EventKind, Labels, Preload, PreloadKey, is_secret_field};
use crate::ledger::Names;
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// A device that is expected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PreloadView {
    /// `device`, `serial`, `mac` or `login`.
    kind: &'static str,
    key: String,
    #[serde(flatten)]
    labels: LabelsView,
    /// For `If-Match`.
    revision: u32,
    /// When it was made, or last changed.
    #[schema(value_type = String)]
    at: Timestamp,
    /// By whom.
    by: Box<str>,
    /// The device that took it up.
    #[schema(value_type = Option<String>)]
    taken_by: Option<DeviceId>,
}

impl PreloadView {
    /// A preload; the device that took it up and who made it, if those are seen.
    async fn load(eyes: &Eyes<'_>, names: &mut Names, preload: Preload) -> Result<Self, ApiError> {
        let Preload { key, at, by, labels, mut taken_by } = preload;
        if let Some(taker) = &taken_by
            && !eyes.of_device(taker).await?
        {
            taken_by = None;
        }
        let by = names.told(eyes.store(), &by).await?;
        let (kind, text) = (key.kind(), key.text().to_owned());
        let revision = labels.revision;
        let labels = LabelsView::masked(labels);
        Ok(Self { kind, key: text, labels, revision, at, by, taken_by })
    }
}

/// Which are listed; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PreloadQuery {
    /// A part of the key or of what is known of the subscriber, in any case.
    q: Option<String>,
    /// Only keys of this kind.
    kind: Option<String>,
    /// Only those that a device has taken up, or that none has.
    taken: Option<bool>,
    tag: Option<String>,
    tenant: Option<String>,
    site: Option<String>,
    /// What a field of the subscriber says, in any case: `4711` in any field, or
    /// `id=4711` in this one.
    subscriber: Option<String>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// The conditions of a query.
struct Filter {
    part: Option<String>,
    kind: Option<String>,
    taken: Option<bool>,
    labels: LabelsFilter,
}

impl Filter {
    fn matches(&self, preload: &Preload) -> bool {
        let known = preload.labels.subscriber.iter().filter(|(name, _)| !is_secret_field(name));
        let mut texts = std::iter::once(preload.key.text()).chain(known.map(|(_, text)| &**text));
        self.kind.as_ref().is_none_or(|kind| kind == preload.key.kind())
            && self.taken.is_none_or(|taken| taken == preload.taken_by.is_some())
            && self.labels.matches(&preload.labels)
            && self
                .part
                .as_ref()
                .is_none_or(|part| texts.any(|text| text.to_lowercase().contains(part)))
    }
}

/// Lists devices that are expected
#[utoipa::path(get, path = "/api/v1/preloads", tag = "admission", params(PreloadQuery),
    responses((status = 200, body = Page<PreloadView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<PreloadQuery>,
) -> Result<axum::Json<Page<PreloadView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let eyes = Eyes::of(&state, &principal);
    let mut after: Option<PreloadKey> = eyes.after(query.after.as_deref())?;
    if let Some(kind) = query.kind.as_deref().filter(|kind| !PreloadKey::KINDS.contains(kind)) {
        return Err(bad_value("kind", format!("{kind} is none of device, serial, mac, login")));
    }
    let filter = Filter {
        part: query.q.map(|part| part.to_lowercase()),
        kind: query.kind,
        taken: query.taken,
        labels: LabelsFilter {
            tag: query.tag,
            tenant: query.tenant,
            site: query.site,
            subscriber: query.subscriber,
        },
    };
    let chunk = (limit + 1).max(200);
    let mut names = eyes.names();
    let (mut items, mut shown) = (Vec::new(), None);
    let mut scanned = 0;
    loop {
        let page = state.store().fleet().preloads(after.as_ref(), chunk).await?;
        let last_page = page.len() < chunk;
        scanned += page.len();
        for preload in page {
            after = Some(preload.key.clone());
            if !eyes.labels(&preload.labels) || !filter.matches(&preload) {
                continue;
            }
            if items.len() == limit {
                return Ok(axum::Json(Page { items, next: shown.map(paging::cursor) }));
            }
            shown.clone_from(&after);
            items.push(PreloadView::load(&eyes, &mut names, preload).await?);
        }
        if last_page {
            return Ok(axum::Json(Page { items, next: None }));
        }
        if scanned >= MAX_SCAN {
            let is_shown = shown == after;
            let next = after.map(|key| eyes.cursor(key, is_shown));
            return Ok(axum::Json(Page { items, next }));
        }
    }
}

/// The key that a path names.
fn key_of(kind: &str, text: &str) -> Result<PreloadKey, ApiError> {
    PreloadKey::new(kind, text).map_err(|error| bad_value(format!("{kind} key"), error))
}

fn no_such_preload(key: &PreloadKey) -> ApiError {
    ApiError::NoSuch { what: "expected device", name: key.to_string() }
}

async fn expected(state: &Inner, key: &PreloadKey) -> Result<Preload, ApiError> {
    state.store().fleet().preload(key).await?.ok_or_else(|| no_such_preload(key))
}

/// Shows a device that is expected
#[utoipa::path(get, path = "/api/v1/preloads/{kind}/{key}", tag = "admission",
    params(("kind" = String, Path, description = "device, serial, mac or login"),
        ("key" = String, Path, description = "the id, number, address or name")),
    responses((status = 200, body = PreloadView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path((kind, key)): Path<(String, String)>,
) -> Result<axum::Json<PreloadView>, ApiError> {
    let preload = expected(&state, &key_of(&kind, &key)?).await?;
    let eyes = Eyes::of(&state, &principal);
    Ok(axum::Json(PreloadView::load(&eyes, &mut eyes.names(), preload).await?))
}

/// Expects a device, or changes what it will be given
#[utoipa::path(put, path = "/api/v1/preloads/{kind}/{key}", tag = "admission",
    params(("kind" = String, Path, description = "device, serial, mac or login"),
        ("key" = String, Path, description = "the id, number, address or name"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision; 0 for none")),
    request_body = LabelsBody,
    responses((status = 200, body = PreloadView), (status = 201, body = PreloadView),
        (status = 409, body = Problem)))]
pub(super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path((kind, key)): Path<(String, String)>,
    if_match: IfMatch,
    Json(body): Json<LabelsBody>,
) -> Result<(StatusCode, axum::Json<PreloadView>), ApiError> {
    let key = key_of(&kind, &key)?;
    let stored = state.store().fleet().preload(&key).await?;
    let before = stored.as_ref().map(|stored| &stored.labels);
    if_match.check(before.map_or(0, |labels| labels.revision))?;
    let eyes = Eyes::of(&state, &principal);
    let names_tenant = body.tenant.is_some();
    let mut labels = body.whole(before).map_err(first_wrong)?;
    if !names_tenant {
        // Whose it is goes without saying.
        let stored = before.map_or("", |labels| &*labels.tenant);
        labels.tenant = eyes.tenant_after(stored).into();
    }
    eyes.keep(before.unwrap_or(&Labels::default()), &labels)?;
    if let Some(stored) = stored.as_ref().filter(|stored| stored.labels.says_the_same(&labels)) {
        let view = PreloadView::load(&eyes, &mut eyes.names(), stored.clone()).await?;
        return Ok((StatusCode::OK, axum::Json(view)));
    }
    if let Some(problem) = too_late(&state, &eyes, &key, stored.as_ref()).await? {
        return Err(problem);
    }
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let preload = Preload {
        key,
        at: state.deps.clock.now(),
        by: (&*principal.name).into(),
        labels: Labels { revision: labels.revision.saturating_add(1), ..labels },
        taken_by: None,
    };
    state.store().commit(Record::Preload(Box::new(preload.clone())).into()).await?;
    Ok((status, axum::Json(PreloadView::load(&eyes, &mut eyes.names(), preload).await?)))
}

/// Why nothing can be laid ready any more: the device is here. Of devices that are
/// not seen nobody is told; what is laid ready for one waits for nothing.
async fn too_late(
    state: &Inner,
    eyes: &Eyes<'_>,
    key: &PreloadKey,
    stored: Option<&Preload>,
) -> Result<Option<ApiError>, ApiError> {
    let device = match (key, stored.and_then(|stored| stored.taken_by.as_ref())) {
        (_, Some(taker)) => taker,
        (PreloadKey::Device(id), None) => id,
        _ => return Ok(None),
    };
    let is_here = state.store().device(device).await?.is_some() && eyes.of_device(device).await?;
    Ok(is_here.then(|| ApiError::IsHere { key: key.to_string(), device: device.to_string() }))
}

/// Expects a device no longer; one that took it up keeps what it was given
#[utoipa::path(delete, path = "/api/v1/preloads/{kind}/{key}", tag = "admission",
    params(("kind" = String, Path, description = "device, serial, mac or login"),
        ("key" = String, Path, description = "the id, number, address or name")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<Shared>,
    Path((kind, key)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let key = key_of(&kind, &key)?;
    expected(&state, &key).await?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetPreload(key));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which labels go where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    /// As what the device was expected, or `device/` with the id of one that is
    /// here.
    #[schema(example = "serial/0123")]
    from: String,
    /// As what its replacement is expected, or `device/` with the id of one that is
    /// here.
    to: String,
}

/// Lets a replacement take over what a device was given
#[utoipa::path(post, path = "/api/v1/preloads/move", tag = "admission", request_body = Move,
    responses((status = 200, body = PreloadView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn hand_over(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Json(asked): Json<Move>,
) -> Result<axum::Json<PreloadView>, ApiError> {
    let key = |field: &'static str, text: &str| {
        text.parse::<PreloadKey>().map_err(|error| bad_value(field, error))
    };
    let (from, to) = (key("from", &asked.from)?, key("to", &asked.to)?);
    if from == to {
        return Err(bad_value("to", "it is the same as `from`"));
    }
    let fleet = state.store().fleet();
    if fleet.preload(&to).await?.is_some() {
        return Err(ApiError::Exists { what: "the expected device", name: to.to_string() });
    }
    let now = state.deps.clock.now();
    let mut batch = Batch::new();
    let eyes = Eyes::of(&state, &principal);
    let before = fleet.preload(&from).await?.filter(|before| eyes.labels(&before.labels));
    let old = match (&before, &from) {
        (Some(Preload { taken_by, .. }), _) => taken_by.clone(),
        (None, PreloadKey::Device(id)) => Some(id.clone()),
        (None, _) => return Err(no_such_preload(&from)),
    };
    // What the device has now goes before what it was given at first.
    let mut labels = before.as_ref().map(|before| before.labels.clone());
    if let Some(old) = old {
        let is_here = eyes.device(&old).await?;
        match state.store().labels(&old).await? {
            Some(present) if is_here => {
                let revision = present.revision.saturating_add(1);
                // Whose it is stays, if it would be out of sight otherwise.
                let emptied = match eyes.see_all() {
                    true => Labels::default(),
                    false => Labels {
                        tenant: present.tenant.clone(),
                        site: present.site.clone(),
                        ..Labels::default()
                    },
                };
                batch.put(Record::Labels(old.clone(), Labels { revision, ..emptied }));
                let text = format!("tags, tenant, site and subscriber went to {to}");
                let kind = EventKind::Alarm(text.into());
                batch.put(Record::Event(Event { device: old, at: now, kind }));
                labels = Some(present);
            }
            _ if before.is_none() && !is_here => return Err(no_such_device(&old)),
            _ => {}
        }
    }
    if before.is_some() {
        batch.push(Change::ForgetPreload(from));
    }
    let labels = Labels { revision: 1, ..labels.unwrap_or_default() };
    eyes.keep(&labels, &labels)?;
    let mut preload =
        Preload { key: to, at: now, by: (&*principal.name).into(), labels, taken_by: None };
    if let PreloadKey::Device(new) = &preload.key
        && eyes.device(new).await?
    {
        let known = state.store().labels(new).await?.map_or(0, |labels| labels.revision);
        let labels = Labels { revision: known.saturating_add(1), ..preload.labels.clone() };
        batch.put(Record::Labels(new.clone(), labels));
        preload.taken_by = Some(new.clone());
    }
    batch.put(Record::Preload(Box::new(preload.clone())));
    state.store().commit(batch).await?;
    Ok(axum::Json(PreloadView::load(&eyes, &mut eyes.names(), preload).await?))
}
