//! `/phones`: what is provisioned by file.

mod account;
mod change;
mod export;
mod fetches;
mod import;
mod render;
mod resync;
mod sorted;
mod table;
mod view;

pub(super) use account::*;
pub(super) use export::*;
pub(super) use fetches::*;
pub(super) use import::*;
pub(super) use render::*;
pub(super) use resync::*;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{IfMatch, Json, PhoneKey, Query};
use super::paging::{self, MAX_SCAN, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::settings::none_wrong;
use super::sorted::Sorting;
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{Sealed, Secret};
use crate::phone::{Mac, Phone, Site, Vendor};
use crate::provision::{Kind, family};
use crate::store::{Batch, Change, Record};
use change::{Applier, PhoneChange};
use sorted::COLUMNS;
use view::PhoneView;

/// The site of phones that name none; made when it is first needed.
pub(super) const DEFAULT_SITE: &str = "default";

/// Random bytes in a phone's token.
const TOKEN_BYTES: usize = 16;

/// Which phones are meant; all conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PhoneQuery {
    /// A part of MAC, model, a further name, or an account's user or display
    /// name, in any case.
    q: Option<String>,
    vendor: Option<String>,
    site: Option<String>,
    model: Option<String>,
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
    /// By what they are sorted, with `-` before it for the greatest first: `mac`,
    /// `vendor`, `model`, `site`, `enabled` or `last_seen`; by MAC if not given.
    sort: Option<String>,
}

/// The conditions of a query.
#[derive(Debug, Default)]
struct Filter {
    part: Option<String>,
    vendor: Option<Vendor>,
    site: Option<String>,
    model: Option<String>,
}

impl Filter {
    fn new(
        part: Option<String>,
        vendor: Option<String>,
        site: Option<String>,
        model: Option<String>,
    ) -> Result<Self, ApiError> {
        let vendor = vendor.map(|vendor| vendor.parse()).transpose();
        Ok(Self {
            part: part.map(|part| part.to_lowercase()),
            vendor: vendor.map_err(|error| bad_value("vendor", error))?,
            site,
            model,
        })
    }

    fn matches(&self, phone: &Phone) -> bool {
        let named = |part: &String| {
            // A MAC may be asked for in any spelling.
            let bare: String = part.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
            let has = |text: &str| text.to_lowercase().contains(part.as_str());
            (!bare.is_empty() && phone.mac.to_string().contains(&bare))
                || has(&phone.model)
                || phone.names.iter().any(|name| has(name))
                || phone.accounts.iter().any(|line| has(&line.user) || has(&line.display_name))
        };
        self.vendor.is_none_or(|vendor| vendor == phone.vendor)
            && self.site.as_ref().is_none_or(|site| **site == *phone.site)
            && self.model.as_ref().is_none_or(|model| model.eq_ignore_ascii_case(&phone.model))
            && self.part.as_ref().is_none_or(named)
    }
}

/// Lists phones
#[utoipa::path(get, path = "/api/v1/phones", tag = "phones", params(PhoneQuery),
    responses((status = 200, body = Page<PhoneView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<PhoneQuery>,
) -> Result<axum::Json<Page<PhoneView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let mut eyes = Eyes::of(&state, &principal);
    let filter = Filter::new(query.q, query.vendor, query.site, query.model)?;
    if let Some(sorting) = Sorting::read(query.sort.as_deref(), COLUMNS)? {
        let all = sorted::lines(&state, &mut eyes, &filter, &sorting).await?;
        let page = sorting.page(all, |line| &line.mac, limit, query.after.as_deref())?;
        return Ok(axum::Json(sorted::views(&state, &principal, &mut eyes, page).await?));
    }
    let mut after: Option<Mac> = eyes.after(query.after.as_deref())?;
    let chunk = (limit + 1).max(200);
    let (mut items, mut shown) = (Vec::new(), None);
    let mut scanned = 0;
    loop {
        let batch = state.store().phones(after, chunk).await?;
        let last_batch = batch.len() < chunk;
        scanned += batch.len();
        for phone in batch {
            after = Some(phone.mac);
            if !filter.matches(&phone) || !eyes.site(&phone.site).await? {
                continue;
            }
            if items.len() == limit {
                return Ok(axum::Json(Page { items, next: shown.map(paging::cursor) }));
            }
            shown = after;
            items.push(PhoneView::load(&state, &principal, phone).await?);
        }
        if last_batch {
            return Ok(axum::Json(Page { items, next: None }));
        }
        if scanned >= MAX_SCAN {
            let next = after.map(|key| eyes.cursor(key, shown == after));
            return Ok(axum::Json(Page { items, next }));
        }
    }
}

/// Shows a phone
#[utoipa::path(get, path = "/api/v1/phones/{mac}", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let phone = known(&state, mac).await?;
    Ok(axum::Json(PhoneView::load(&state, &principal, phone).await?))
}

/// Makes a phone known, or changes one
#[utoipa::path(put, path = "/api/v1/phones/{mac}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = PhoneChange,
    responses((status = 200, body = PhoneView), (status = 201, body = PhoneView),
        (status = 409, body = Problem)))]
pub(super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    if_match: IfMatch,
    Json(change): Json<PhoneChange>,
) -> Result<(StatusCode, axum::Json<PhoneView>), ApiError> {
    let stored = state.store().phone(mac).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut phone = match stored {
        Some(phone) => phone,
        None => new_phone(&state, mac, change.vendor.is_some())?,
    };
    if_match.check(phone.revision)?;
    let mut applier = Applier::new(&state.deps.vault);
    applier.apply(change, &mut phone);
    none_wrong(applier.wrong)?;
    let mut batch = Batch::new();
    if !Eyes::of(&state, &principal).site(&phone.site).await? {
        return Err(no_such_site());
    }
    if state.store().site(&phone.site).await?.is_none() {
        batch.put(missing_site(&phone.site)?);
    }
    let phone = commit(&state, batch, phone).await?;
    Ok((status, axum::Json(PhoneView::load(&state, &principal, phone).await?)))
}

/// A site of others is none.
fn no_such_site() -> ApiError {
    bad_value("site", "there is no such site; make it with PUT /api/v1/sites/…")
}

/// The record of a site that is made by itself; only `default` is.
fn missing_site(name: &str) -> Result<Record, ApiError> {
    if name != DEFAULT_SITE {
        return Err(no_such_site());
    }
    let site = Site { name: DEFAULT_SITE.into(), revision: 1, ..Site::default() };
    Ok(Record::Site(Box::new(site)))
}

/// A phone that is not known yet; its vendor by the block of its address unless
/// the request tells it.
fn new_phone(state: &Inner, mac: Mac, vendor_is_told: bool) -> Result<Phone, ApiError> {
    let owner = Vendor::ALL.into_iter().find(|vendor| family(*vendor).ouis().contains(&mac.oui()));
    let vendor = match owner {
        Some(vendor) => vendor,
        None if vendor_is_told => Vendor::Fanvil,
        None => {
            return Err(bad_value(
                "vendor",
                "the address is in no vendor's block; one of fanvil, digium, audiocodes and astlinux",
            ));
        }
    };
    Ok(Phone::new(mac, vendor, "", DEFAULT_SITE, new_token(state)))
}

fn new_token(state: &Inner) -> Sealed {
    state.deps.vault.seal(&Secret::new(state.deps.vault.random_hex(TOKEN_BYTES)))
}

/// Forgets a phone
#[utoipa::path(delete, path = "/api/v1/phones/{mac}", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<StatusCode, ApiError> {
    known(&state, mac).await?;
    let mut batch = Batch::new();
    batch.push(Change::ForgetPhone(mac));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where a phone is to be pointed.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneUrl {
    /// The folder that holds its files. Whoever knows it can fetch them.
    url: String,
    /// The same over plain HTTP, and over TLS; empty where there is no such door.
    http: String,
    https: String,
    /// What DHCP or a person tells the phone, in its vendor's form.
    address: String,
    /// Its own file.
    config: String,
}

/// Shows a phone's provisioning URL, token included
#[utoipa::path(get, path = "/api/v1/phones/{mac}/url", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = PhoneUrl), (status = 404, body = Problem)))]
pub(super) async fn url(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<PhoneUrl>, ApiError> {
    let phone = known(&state, mac).await?;
    Ok(axum::Json(url_of(&state, &phone).await?))
}

async fn url_of(state: &Inner, phone: &Phone) -> Result<PhoneUrl, ApiError> {
    let supply = &state.deps.supply;
    let folders = supply.folders(phone)?;
    let own = supply.files(phone.mac).await?.into_iter().find(|file| file.kind == Kind::Own);
    let config = own.map(|file| file.url);
    let address = supply.address_for(phone.mac).await?;
    Ok(PhoneUrl {
        config: config.unwrap_or_else(|| format!("{}{}.cfg", folders.this, phone.mac)),
        address: address.unwrap_or_default(),
        url: folders.this,
        http: folders.http,
        https: folders.https,
    })
}

/// Renews the token in a phone's provisioning URL; the URL before leads nowhere
/// from now on
#[utoipa::path(post, path = "/api/v1/phones/{mac}/token", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = PhoneUrl), (status = 404, body = Problem)))]
pub(super) async fn renew_token(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<PhoneUrl>, ApiError> {
    let mut phone = known(&state, mac).await?;
    phone.token = new_token(&state);
    let phone = commit(&state, Batch::new(), phone).await?;
    Ok(axum::Json(url_of(&state, &phone).await?))
}

async fn known(state: &Inner, mac: Mac) -> Result<Phone, ApiError> {
    let phone = state.store().phone(mac).await?;
    phone.ok_or_else(|| no_such_phone(mac))
}

fn no_such_phone(mac: Mac) -> ApiError {
    ApiError::NoSuch { what: "phone", name: mac.to_string() }
}

/// Refuses a phone whose files could not be made.
async fn check(state: &Inner, phone: &Phone) -> Result<(), ApiError> {
    let site = state.store().site(&phone.site).await?.unwrap_or_default();
    Ok(state.deps.supply.check(phone, &site).await?)
}

/// Writes the phone's next revision, if its files can be made.
async fn commit(state: &Inner, mut batch: Batch, mut phone: Phone) -> Result<Phone, ApiError> {
    check(state, &phone).await?;
    phone.revision = phone.revision.saturating_add(1);
    batch.put(Record::Phone(Box::new(phone.clone())));
    state.store().commit(batch).await?;
    Ok(phone)
}
