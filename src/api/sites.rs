//! `/sites`: places whose phones share settings.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{IfMatch, Json, plain_text, present};
use super::mask::{self, MASK};
use super::problem::{ApiError, Problem, bad_value};
use super::state::Shared;
use crate::device::{Sealed, Secret};
use crate::phone::Site;
use crate::provision::fanvil;
use crate::store::{Record, Vault};

/// Settings of one phone or site at most.
const MAX_SETTINGS: usize = 2000;

/// A place with phones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SiteView {
    name: Box<str>,
    /// `"set"` if there is a key for common files; the key is never shown.
    common_key: Option<&'static str>,
    /// Settings for all its phones, `MODULE/Key` → value; secrets are masked.
    settings: BTreeMap<String, String>,
    /// Whether secrets may leave over plain HTTP in unencrypted files.
    plain_secrets: bool,
    revision: u32,
}

impl From<Site> for SiteView {
    fn from(site: Site) -> Self {
        Self {
            name: site.name,
            common_key: shown_secret(site.common_key.as_ref()),
            settings: shown_settings(&site.settings),
            plain_secrets: site.plain_secrets,
            revision: site.revision,
        }
    }
}

/// What is to be changed; a field that is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteChange {
    /// 64 hex digits; `null` takes the key away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    common_key: Option<Option<String>>,
    /// All settings from now on; a masked value (`***`) keeps what is stored.
    settings: Option<BTreeMap<String, String>>,
    plain_secrets: Option<bool>,
}

/// The sites.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sites {
    items: Vec<SiteView>,
}

/// Lists sites
#[utoipa::path(get, path = "/api/v1/sites", tag = "phones",
    responses((status = 200, body = Sites)))]
pub(super) async fn list(State(state): State<Shared>) -> Result<axum::Json<Sites>, ApiError> {
    let sites = state.store().sites().await?;
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
    Path(name): Path<String>,
    if_match: IfMatch,
    Json(change): Json<SiteChange>,
) -> Result<(StatusCode, axum::Json<SiteView>), ApiError> {
    check_site_name("name", &name)?;
    let stored = state.store().site(&name).await?;
    let status = if stored.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut site = stored.unwrap_or_else(|| Site { name: name.as_str().into(), ..Site::default() });
    if_match.check(site.revision)?;
    if let Some(key) = change.common_key {
        site.common_key = seal_key(&state.deps.vault, "common_key", key)?;
    }
    if let Some(settings) = change.settings {
        site.settings = taken_settings(settings, &site.settings)?;
    }
    site.plain_secrets = change.plain_secrets.unwrap_or(site.plain_secrets);
    site.revision = site.revision.saturating_add(1);
    state.store().commit(Record::Site(Box::new(site.clone())).into()).await?;
    Ok((status, axum::Json(site.into())))
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

/// Seals an encryption key after a look at its form.
pub(super) fn seal_key(
    vault: &Vault,
    field: &str,
    key: Option<String>,
) -> Result<Option<Sealed>, ApiError> {
    let Some(key) = key else { return Ok(None) };
    if key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad_value(field, "an AES-256 key: 64 hex digits"));
    }
    Ok(Some(vault.seal(&Secret::new(key.to_ascii_lowercase()))))
}

/// All that is shown of a secret: that there is one.
pub(super) fn shown_secret(secret: Option<&Sealed>) -> Option<&'static str> {
    secret.map(|_| "set")
}

/// Settings with their secrets masked.
pub(super) fn shown_settings(settings: &BTreeMap<Box<str>, Box<str>>) -> BTreeMap<String, String> {
    let shown = |key: &str, value: &str| mask::setting(key, value).into_owned();
    settings.iter().map(|(key, value)| (key.to_string(), shown(key, value))).collect()
}

/// Settings from a request; masked values keep what is stored, so that what
/// was shown can be sent back.
pub(super) fn taken_settings(
    settings: BTreeMap<String, String>,
    stored: &BTreeMap<Box<str>, Box<str>>,
) -> Result<BTreeMap<Box<str>, Box<str>>, ApiError> {
    if settings.len() > MAX_SETTINGS {
        return Err(bad_value("settings", format!("at most {MAX_SETTINGS}")));
    }
    let mut taken = BTreeMap::new();
    for (key, value) in settings {
        plain_text("settings", &key, 128)?;
        let field = format!("settings[{key}]");
        let is_path = key
            .split_once('/')
            .is_some_and(|(module, name)| !module.trim().is_empty() && !name.trim().is_empty());
        if !is_path {
            return Err(bad_value(field, "a key has the form MODULE/Key"));
        }
        plain_text(&field, &value, 4096)?;
        let value = match stored.get(key.as_str()) {
            Some(stored) if value.contains(MASK) && *mask::setting(&key, stored) == value => {
                stored.clone()
            }
            _ if value == MASK => {
                return Err(bad_value(field, "nothing is stored that `***` could keep"));
            }
            _ => value.into(),
        };
        // Refused here rather than when a phone asks for its file.
        fanvil::check_setting(&key, &value).map_err(|error| bad_value(field, error.to_string()))?;
        taken.insert(key.into(), value);
    }
    Ok(taken)
}
