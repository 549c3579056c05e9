//! `/phones`: what is provisioned by file.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::{IfMatch, Json, PhoneKey, Query, plain_text, present};
use super::paging::{self, Page};
use super::problem::{ApiError, Problem, bad_value};
use super::sites::{check_site_name, seal_key, shown_secret, shown_settings, taken_settings};
use super::state::{Shared, State as Inner};
use crate::device::{Sealed, Secret};
use crate::phone::{Account, Mac, Phone, Seen, Site, Transport, Vendor};
use crate::provision::fanvil;
use crate::store::{Batch, Change, Record};
use crate::time::Timestamp;

/// The site of phones that name none; made when it is first needed.
const DEFAULT_SITE: &str = "default";

/// The highest line of a phone.
const MAX_LINE: u8 = 64;

/// SIP's port (RFC 3261 §18.1.1).
const SIP_PORT: u16 = 5060;

/// Random bytes in a phone's token.
const TOKEN_BYTES: usize = 16;

/// A phone.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PhoneView {
    #[schema(value_type = String, example = "0c383e07e16c")]
    mac: Mac,
    vendor: &'static str,
    model: Box<str>,
    site: Box<str>,
    /// `"set"` if there is a key for its own file; the key is never shown.
    config_key: Option<&'static str>,
    accounts: Vec<AccountView>,
    /// Settings in the vendor's own keys, `MODULE/Key` → value; secrets are
    /// masked.
    settings: BTreeMap<String, String>,
    /// What it was last seen doing.
    seen: Option<SeenView>,
    revision: u32,
}

/// A SIP account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountView {
    line: u8,
    user: Box<str>,
    auth_user: Box<str>,
    /// Always `"set"`: a password is never shown.
    password: &'static str,
    display_name: Box<str>,
    server: Box<str>,
    port: u16,
}

/// What a phone was last seen doing.
#[derive(Debug, Serialize, ToSchema)]
struct SeenView {
    #[schema(value_type = String)]
    at: Timestamp,
    #[schema(value_type = String)]
    address: std::net::IpAddr,
    firmware: Box<str>,
    file: Box<str>,
    /// The version that it was served.
    version: Box<str>,
}

impl PhoneView {
    fn new(phone: Phone, seen: Option<Seen>) -> Self {
        Self {
            mac: phone.mac,
            vendor: phone.vendor.word(),
            model: phone.model,
            site: phone.site,
            config_key: shown_secret(phone.config_key.as_ref()),
            accounts: phone.accounts.into_iter().map(AccountView::from).collect(),
            settings: shown_settings(&phone.settings),
            seen: seen.map(SeenView::from),
            revision: phone.revision,
        }
    }
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            line: account.line,
            user: account.user,
            auth_user: account.auth_user,
            password: "set",
            display_name: account.display_name,
            server: account.server,
            port: account.port,
        }
    }
}

impl From<Seen> for SeenView {
    fn from(seen: Seen) -> Self {
        Self {
            at: seen.at,
            address: seen.address,
            firmware: seen.firmware,
            file: seen.file,
            version: seen.version,
        }
    }
}

/// What a phone is to be; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneChange {
    /// `fanvil`.
    vendor: Option<String>,
    /// As the vendor names it: `X4`. Needed for a new phone.
    model: Option<String>,
    /// A site that exists; `default` is made by itself.
    site: Option<String>,
    /// 64 hex digits; `null` takes the key away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    config_key: Option<Option<String>>,
    /// All settings from now on; a masked value (`***`) keeps what is stored.
    settings: Option<BTreeMap<String, String>>,
}

/// A SIP account as it is to be; a password that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountChange {
    /// The SIP user.
    user: String,
    /// The user name for authentication; the SIP user if absent.
    auth_user: Option<String>,
    password: Option<String>,
    display_name: Option<String>,
    /// The registrar's host name or address.
    server: String,
    /// 5060 if absent.
    port: Option<u16>,
}

/// Which phones are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PhoneQuery {
    /// From 1 to 1000; 100 if not given.
    limit: Option<usize>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists phones
#[utoipa::path(get, path = "/api/v1/phones", tag = "phones", params(PhoneQuery),
    responses((status = 200, body = Page<PhoneView>)))]
pub(super) async fn list(
    State(state): State<Shared>,
    Query(query): Query<PhoneQuery>,
) -> Result<axum::Json<Page<PhoneView>>, ApiError> {
    let limit = paging::limit(query.limit)?;
    let after: Option<Mac> = paging::key_after(query.after.as_deref())?;
    let mut phones = state.store().phones(after, limit + 1).await?;
    let more = phones.len() > limit;
    phones.truncate(limit);
    let next = phones.last().filter(|_| more).map(|last| paging::cursor(last.mac));
    let mut items = Vec::with_capacity(phones.len());
    for phone in phones {
        let seen = state.store().seen(phone.mac).await?;
        items.push(PhoneView::new(phone, seen));
    }
    Ok(axum::Json(Page { items, next }))
}

/// Shows a phone
#[utoipa::path(get, path = "/api/v1/phones/{mac}", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let phone = known(&state, mac).await?;
    let seen = state.store().seen(mac).await?;
    Ok(axum::Json(PhoneView::new(phone, seen)))
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
    PhoneKey(mac): PhoneKey,
    if_match: IfMatch,
    Json(change): Json<PhoneChange>,
) -> Result<(StatusCode, axum::Json<PhoneView>), ApiError> {
    if change.vendor.as_deref().is_some_and(|vendor| vendor != Vendor::Fanvil.word()) {
        return Err(bad_value("vendor", "`fanvil` is the one that is known"));
    }
    let stored = state.store().phone(mac).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut phone = stored.unwrap_or_else(|| new_phone(&state, mac));
    if_match.check(phone.revision)?;
    if let Some(model) = change.model {
        plain_text("model", &model, 64)?;
        phone.model = model.trim().into();
    }
    if phone.model.is_empty() {
        return Err(bad_value("model", "as the vendor names it, as in X4"));
    }
    if let Some(site) = change.site {
        check_site_name("site", &site)?;
        phone.site = site.into();
    }
    if let Some(key) = change.config_key {
        phone.config_key = seal_key(&state.deps.vault, "config_key", key)?;
    }
    if let Some(settings) = change.settings {
        phone.settings = taken_settings(settings, &phone.settings)?;
    }
    let mut batch = Batch::new();
    if state.store().site(&phone.site).await?.is_none() {
        if &*phone.site != DEFAULT_SITE {
            return Err(bad_value(
                "site",
                "there is no such site; make it with PUT /api/v1/sites/…",
            ));
        }
        let site = Site { name: DEFAULT_SITE.into(), revision: 1, ..Site::default() };
        batch.put(Record::Site(Box::new(site)));
    }
    let phone = commit(&state, batch, phone).await?;
    let seen = state.store().seen(mac).await?;
    Ok((status, axum::Json(PhoneView::new(phone, seen))))
}

fn new_phone(state: &Inner, mac: Mac) -> Phone {
    let token = Secret::new(state.deps.vault.random_hex(TOKEN_BYTES));
    Phone::new(mac, Vendor::Fanvil, "", DEFAULT_SITE, state.deps.vault.seal(&token))
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

/// Sets the account of a line
#[utoipa::path(put, path = "/api/v1/phones/{mac}/accounts/{line}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("line" = u8, Path, description = "From 1 to 64"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = AccountChange,
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(super) async fn put_account(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
    Path((_, line)): Path<(String, String)>,
    if_match: IfMatch,
    Json(change): Json<AccountChange>,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let line = parse_line(&line)?;
    let mut phone = known(&state, mac).await?;
    if_match.check(phone.revision)?;
    let before = phone.accounts.iter().position(|account| account.line == line);
    let password = before
        .map(|at| phone.accounts.swap_remove(at).password)
        .filter(|_| change.password.is_none());
    phone.accounts.push(account(&state, line, change, password)?);
    phone.accounts.sort_by_key(|account| account.line);
    let phone = commit(&state, Batch::new(), phone).await?;
    let seen = state.store().seen(mac).await?;
    Ok(axum::Json(PhoneView::new(phone, seen)))
}

/// Takes the account of a line away
#[utoipa::path(delete, path = "/api/v1/phones/{mac}/accounts/{line}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("line" = u8, Path, description = "From 1 to 64")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove_account(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
    Path((_, line)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let line = parse_line(&line)?;
    let mut phone = known(&state, mac).await?;
    let before = phone.accounts.len();
    phone.accounts.retain(|account| account.line != line);
    if phone.accounts.len() == before {
        return Err(ApiError::NoSuch { what: "account on line", name: line.to_string() });
    }
    commit(&state, Batch::new(), phone).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_line(text: &str) -> Result<u8, ApiError> {
    let line = text.parse().ok().filter(|line| (1..=MAX_LINE).contains(line));
    line.ok_or_else(|| bad_value("line", format!("from 1 to {MAX_LINE}")))
}

fn account(
    state: &Inner,
    line: u8,
    change: AccountChange,
    stored: Option<Sealed>,
) -> Result<Account, ApiError> {
    let auth_user = change.auth_user.unwrap_or_default();
    let display_name = change.display_name.unwrap_or_default();
    let new_password = change.password.unwrap_or_default();
    for (field, text) in [
        ("user", &change.user),
        ("auth_user", &auth_user),
        ("password", &new_password),
        ("display_name", &display_name),
        ("server", &change.server),
    ] {
        plain_text(field, text, 128)?;
    }
    for (field, text) in [("user", &change.user), ("server", &change.server)] {
        if text.is_empty() || text.contains(char::is_whitespace) {
            return Err(bad_value(field, "not empty, without blanks"));
        }
    }
    let port = change.port.unwrap_or(SIP_PORT);
    if port == 0 {
        return Err(bad_value("port", "from 1 to 65535"));
    }
    let new_password = Secret::new(new_password);
    let account = Account {
        line,
        user: change.user.into(),
        auth_user: auth_user.into(),
        password: stored.unwrap_or_else(|| state.deps.vault.seal(&new_password)),
        display_name: display_name.into(),
        server: change.server.into(),
        port,
        transport: Transport::Udp,
        outbound_proxy: "".into(),
        voicemail: "".into(),
        label: "".into(),
    };
    // Refused here rather than when the phone asks for its file.
    fanvil::check_account(&account, Some(&new_password))
        .map_err(|error| bad_value("account", error.to_string()))?;
    Ok(account)
}

/// Where a phone is to be pointed.
#[derive(Serialize, ToSchema)]
pub(super) struct PhoneUrl {
    /// The folder that holds its files. Whoever knows it can fetch them.
    url: String,
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
    let url = (state.deps.phone_urls)(&phone)?;
    let config = format!("{}/{mac}.cfg", url.trim_end_matches('/'));
    Ok(axum::Json(PhoneUrl { url, config }))
}

async fn known(state: &Inner, mac: Mac) -> Result<Phone, ApiError> {
    let phone = state.store().phone(mac).await?;
    phone.ok_or_else(|| ApiError::NoSuch { what: "phone", name: mac.to_string() })
}

/// Writes the phone's next revision.
async fn commit(state: &Inner, mut batch: Batch, mut phone: Phone) -> Result<Phone, ApiError> {
    phone.revision = phone.revision.saturating_add(1);
    batch.put(Record::Phone(Box::new(phone.clone())));
    state.store().commit(batch).await?;
    Ok(phone)
}
