//! `/sites`: places whose phones share settings.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{IfMatch, Json, Query, plain_text, present};
use super::mask::MASK;
use super::problem::{ApiError, Problem, bad_value};
use super::settings::{Meant, seal_key, shown_secret, taken};
use super::sorted::{Columns, Key, Sort};
use super::state::{Shared, State as Inner};
use super::within::Eyes;
use crate::access::Principal;
use crate::device::{Sealed, Secret};
use crate::phone::{Access, Allow, AllowError, Contact, Mac, Site, SiteLogin, Vendor};
use crate::store::{Batch, Change, Record, Vault};

/// Entries of a site's phone book at most.
const MAX_CONTACTS: usize = 10_000;

/// Logins of a site at most.
const MAX_LOGINS: usize = 8;

/// A place with phones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteView {
    name: Box<str>,
    /// Whose it is: names the layer `tenant/…`; nobody's if empty.
    tenant: Box<str>,
    /// `"set"` if there is a key for common files; the key is never shown.
    common_key: Option<&'static str>,
    /// Settings for all its phones; `vendor:name` is for one vendor. Secrets are
    /// masked.
    settings: BTreeMap<String, String>,
    /// Whether secrets may leave over TFTP, FTP and plain HTTP in unencrypted
    /// files.
    plain_secrets: bool,
    access: AccessView,
    /// What its phones' phone book holds.
    contacts: Vec<ContactEntry>,
    revision: u32,
}

/// Who may fetch the files of a site's phones, and how.
#[derive(Debug, Serialize, ToSchema)]
struct AccessView {
    /// Whether a file may be asked for by name alone, without a token in the
    /// path.
    tokenless: bool,
    /// Where phones may ask from; anywhere if empty.
    #[schema(value_type = Vec<String>)]
    allow: Vec<Allow>,
    /// Whether a phone's own file is given only once without a token.
    lock: bool,
    /// Logins of which one is needed where there is no token.
    logins: Vec<LoginView>,
}

/// A login for the phones of a site.
#[derive(Debug, Serialize, ToSchema)]
struct LoginView {
    user: Box<str>,
    /// Always `"set"`: a password is never shown.
    password: &'static str,
}

/// An entry of a site's phone book.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactEntry {
    #[schema(value_type = String)]
    name: Box<str>,
    #[schema(value_type = String)]
    number: Box<str>,
    /// The group; none if empty.
    #[serde(default)]
    #[schema(value_type = String)]
    group: Box<str>,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            name: site.name,
            tenant: site.tenant,
            common_key: shown_secret(site.common_key.as_ref()),
            settings: Meant::Shared.all_shown(&site.settings),
            plain_secrets: site.plain_secrets,
            access: AccessView {
                tokenless: site.access.tokenless,
                allow: site.access.allow,
                lock: site.access.lock,
                logins: site
                    .access
                    .logins
                    .into_iter()
                    .map(|login| LoginView { user: login.user, password: "set" })
                    .collect(),
            },
            contacts: site
                .contacts
                .into_iter()
                .map(|Contact { name, number, group }| ContactEntry { name, number, group })
                .collect(),
            revision: site.revision,
        }
    }
}

/// What is to be changed; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteChange {
    /// Whose it is; empty for nobody's.
    tenant: Option<String>,
    /// 64 hex digits; `null` takes the key away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    common_key: Option<Option<String>>,
    /// All settings from now on; a masked value (`***`) keeps what is stored.
    settings: Option<BTreeMap<String, String>>,
    plain_secrets: Option<bool>,
    access: Option<AccessChange>,
    /// The whole phone book from now on.
    contacts: Option<Vec<ContactEntry>>,
}

/// What is to be changed about who may fetch; a field that is absent stays as
/// it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccessChange {
    tokenless: Option<bool>,
    /// All allowed sources from now on: addresses, networks (`10.10.50.0/24`) and
    /// patterns (`10.10.50.*`).
    allow: Option<Vec<String>>,
    lock: Option<bool>,
    /// All logins from now on; a password that is absent stays as it is.
    logins: Option<Vec<LoginChange>>,
}

/// A login as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginChange {
    user: String,
    password: Option<String>,
}

/// The sites.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sites {
    items: Vec<SiteView>,
}

/// What sites can be sorted by.
const COLUMNS: Columns<Site> =
    &[("name", |site| Key::from(&*site.name)), ("tenant", |site| Key::from(&*site.tenant))];

/// Lists sites
#[utoipa::path(get, path = "/api/v1/sites", tag = "phones", params(Sort),
    responses((status = 200, body = Sites), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(sort): Query<Sort>,
) -> Result<axum::Json<Sites>, ApiError> {
    let mut sites = state.store().sites().await?;
    sites.retain(|site| principal.sees(&site.tenant, &site.name));
    let sites = sort.of(sites, |site| &site.name, COLUMNS)?;
    Ok(axum::Json(Sites { items: sites.into_iter().map(SiteView::from).collect() }))
}

/// Shows a site
#[utoipa::path(get, path = "/api/v1/sites/{name}", tag = "phones",
    params(("name" = String, Path, description = "The site")),
    responses((status = 200, body = SiteView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<SiteView>, ApiError> {
    let site = state.store().site(&name).await?;
    site.map(|site| axum::Json(site.into())).ok_or(ApiError::NoSuch { what: "site", name })
}

/// Makes a site, or changes one
#[utoipa::path(put, path = "/api/v1/sites/{name}", tag = "phones",
    params(
        ("name" = String, Path, description = "Letters, digits, `-`, `_` and `.`"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = SiteChange,
    responses((status = 200, body = SiteView), (status = 201, body = SiteView),
        (status = 409, body = Problem)))]
pub(super) async fn put(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(change): Json<SiteChange>,
) -> Result<(StatusCode, axum::Json<SiteView>), ApiError> {
    check_site_name("name", &name)?;
    let stored = state.store().site(&name).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let eyes = Eyes::of(&state, &principal);
    let mut site = stored.unwrap_or_else(|| Site {
        name: name.as_str().into(),
        tenant: eyes.tenant_after("").into(),
        ..Site::default()
    });
    if_match.check(site.revision)?;
    if let Some(key) = change.common_key {
        site.common_key = seal_key(&state.deps.vault, "common_key", key)?;
    }
    if let Some(settings) = change.settings {
        site.settings = taken(Meant::Shared, settings, &site.settings)?;
    }
    if let Some(tenant) = change.tenant {
        if !tenant.is_empty() {
            check_site_name("tenant", &tenant)?;
        }
        if !eyes.gives(&site.tenant, &tenant) {
            let problem = "this token gives nothing to other tenants, or to none";
            return Err(ApiError::BeyondReach { field: "tenant", problem });
        }
        site.tenant = tenant.into();
    }
    if !principal.sees(&site.tenant, &site.name) {
        let problem = "this token is for some sites; it makes no others";
        return Err(ApiError::BeyondReach { field: "name", problem });
    }
    if let Some(access) = change.access {
        change_access(&state.deps.vault, access, &mut site.access)?;
    }
    if let Some(contacts) = change.contacts {
        site.contacts = taken_contacts(contacts)?;
    }
    site.plain_secrets = change.plain_secrets.unwrap_or(site.plain_secrets);
    site.revision = site.revision.saturating_add(1);
    state.store().commit(Record::Site(Box::new(site.clone())).into()).await?;
    Ok((status, axum::Json(site.into())))
}

/// Where the phones of a site are to be pointed.
#[derive(Serialize, ToSchema)]
pub(super) struct SiteUrl {
    /// The folder that holds the files of all its phones. Whoever knows it can ask
    /// for the files of a phone by its address.
    url: String,
    /// The same over plain HTTP, and over TLS; empty where there is no such door.
    http: String,
    https: String,
    /// What DHCP tells the phones of each vendor.
    addresses: BTreeMap<&'static str, String>,
}

/// Shows the folder that all phones of a site share, token included: for DHCP
/// options, which cannot carry a token for each phone
#[utoipa::path(get, path = "/api/v1/sites/{name}/url", tag = "phones",
    params(("name" = String, Path, description = "The site")),
    responses((status = 200, body = SiteUrl), (status = 404, body = Problem)))]
pub(super) async fn url(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<axum::Json<SiteUrl>, ApiError> {
    let site = state.store().site(&name).await?;
    let site = site.ok_or(ApiError::NoSuch { what: "site", name })?;
    let supply = &state.deps.supply;
    let folders = supply.site_folders(&site);
    let address = |vendor: Vendor| (vendor.word(), supply.site_address(&site, vendor, ""));
    Ok(axum::Json(SiteUrl {
        url: folders.this,
        http: folders.http,
        https: folders.https,
        addresses: Vendor::ALL.into_iter().map(address).collect(),
    }))
}

/// Forgets a site at which no phone stands
#[utoipa::path(delete, path = "/api/v1/sites/{name}", tag = "phones",
    params(("name" = String, Path, description = "The site")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn forget(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    if state.store().site(&name).await?.is_none() {
        return Err(ApiError::NoSuch { what: "site", name });
    }
    if let Some(phone) = phone_at(&state, &name).await? {
        return Err(ApiError::InUse { what: "site", name, by: format!("phone {phone}") });
    }
    let mut batch = Batch::new();
    batch.push(Change::ForgetSite(name.into()));
    state.store().commit(batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A phone that stands at a site. Looks at all phones if there is none: sites
/// are seldom forgotten.
async fn phone_at(state: &Inner, site: &str) -> Result<Option<Mac>, ApiError> {
    let mut after = None;
    loop {
        let phones = state.store().phones(after, 1000).await?;
        if let Some(phone) = phones.iter().find(|phone| *phone.site == *site) {
            return Ok(Some(phone.mac));
        }
        match phones.last() {
            Some(last) => after = Some(last.mac),
            None => return Ok(None),
        }
    }
}

fn change_access(vault: &Vault, change: AccessChange, access: &mut Access) -> Result<(), ApiError> {
    access.tokenless = change.tokenless.unwrap_or(access.tokenless);
    access.lock = change.lock.unwrap_or(access.lock);
    if let Some(allow) = change.allow {
        let wrong = |error| bad_value("access.allow", error);
        if allow.iter().any(|one| one.contains([' ', ','])) {
            return Err(wrong(AllowError::NoPattern));
        }
        access.allow = Allow::list(&allow.join(" ")).map_err(wrong)?;
    }
    let Some(logins) = change.logins else { return Ok(()) };
    if logins.len() > MAX_LOGINS {
        return Err(bad_value("access.logins", format!("at most {MAX_LOGINS}")));
    }
    let before = std::mem::take(&mut access.logins);
    for LoginChange { user, password } in logins {
        let password = password.filter(|password| password != MASK);
        plain_text("access.logins.user", &user, 64)?;
        plain_text("access.logins.password", password.as_deref().unwrap_or_default(), 128)?;
        if user.is_empty() || user.contains(':') {
            return Err(bad_value("access.logins.user", "not empty, without `:`"));
        }
        if access.logins.iter().any(|login| *login.user == *user) {
            return Err(bad_value("access.logins.user", "each once"));
        }
        let stored = before.iter().find(|login| *login.user == *user);
        let password: Sealed = match (password, stored) {
            (Some(password), _) if !password.is_empty() => vault.seal(&Secret::new(password)),
            (None, Some(stored)) => stored.password.clone(),
            _ => return Err(bad_value("access.logins.password", "a new login needs one")),
        };
        access.logins.push(SiteLogin { user: user.into(), password });
    }
    Ok(())
}

fn taken_contacts(contacts: Vec<ContactEntry>) -> Result<Vec<Contact>, ApiError> {
    if contacts.len() > MAX_CONTACTS {
        return Err(bad_value("contacts", format!("at most {MAX_CONTACTS}")));
    }
    let mut taken = Vec::with_capacity(contacts.len());
    for (at, ContactEntry { name, number, group }) in contacts.into_iter().enumerate() {
        let field = |name: &str| format!("contacts[{at}].{name}");
        for (part, text) in [("name", &name), ("number", &number), ("group", &group)] {
            plain_text(&field(part), text, 128)?;
        }
        for (part, text) in [("name", &name), ("number", &number)] {
            if text.trim().is_empty() {
                return Err(bad_value(field(part), "not empty"));
            }
        }
        taken.push(Contact { name, number, group });
    }
    Ok(taken)
}

/// A name that is safe in URLs, file names and keys.
pub(super) fn check_site_name(field: &str, name: &str) -> Result<(), ApiError> {
    let sound = (1..=64).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if sound {
        Ok(())
    } else {
        Err(bad_value(field, "1 to 64 letters, digits, `-`, `_` and `.`, not beginning with `.`"))
    }
}
