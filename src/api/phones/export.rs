//! Phones into a file, as an import takes them.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{Filter, table};
use crate::access::{Principal, Right};
use crate::api::extract::Query;
use crate::api::mask::{self, MASK};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::settings::Meant;
use crate::api::state::Shared;
use crate::api::within::{Eyes, may_show};
use crate::phone::{Mac, Phone};
use crate::store::{StoreError, Vault};

/// Phones of one export at most.
const MAX_PHONES: usize = 50_000;

/// Which phones, and how they are written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ExportQuery {
    /// `csv` or `json`; `json` if not given.
    format: Option<String>,
    /// `show` writes passwords and keys in clear; else `***` stands for them.
    secrets: Option<String>,
    /// As when listing phones.
    q: Option<String>,
    vendor: Option<String>,
    site: Option<String>,
    model: Option<String>,
}

/// Writes phones into a file, as an import takes them
#[utoipa::path(get, path = "/api/v1/phones/export", tag = "phones", params(ExportQuery),
    responses((status = 200, content((String = "text/csv"), (Vec<serde_json::Value> = "application/json"))),
        (status = 413, body = Problem)))]
pub(in crate::api) async fn export(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let secrets = shows_secrets(&principal, query.secrets.as_deref())?;
    let mut eyes = Eyes::of(&state, &principal);
    let filter = Filter::new(query.q, query.vendor, query.site, query.model)?;
    let mut phones: Vec<Phone> = Vec::new();
    let mut after: Option<Mac> = None;
    loop {
        let page = state.store().phones(after, 1000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.mac);
        for phone in page {
            if filter.matches(&phone) && eyes.site(&phone.site).await? {
                phones.push(phone);
            }
        }
        if phones.len() > MAX_PHONES {
            return Err(ApiError::TooMany { what: "phones", limit: MAX_PHONES });
        }
    }
    let vault = &state.deps.vault;
    let (kind, body) = match query.format.as_deref() {
        None | Some("json") => ("application/json", write_json(&phones, vault, secrets)?),
        Some("csv") => ("text/csv; charset=utf-8", table::write(&phones, vault, secrets)?),
        Some(_) => return Err(bad_value("format", "csv or json")),
    };
    if secrets {
        tracing::warn!(phones = phones.len(), "phones were exported with their secrets");
    }
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// Whether secrets are asked for: never unless in words, and by somebody who might
/// fetch the files themselves.
pub(super) fn shows_secrets(principal: &Principal, word: Option<&str>) -> Result<bool, ApiError> {
    match word {
        None | Some("hide") => Ok(false),
        Some("show") => may_show(principal, Right::PhonesUrls).map(|()| true),
        Some(_) => Err(bad_value("secrets", "hide or show")),
    }
}

/// A JSON array with a phone a line, so that faults of an import are found.
fn write_json(phones: &[Phone], vault: &Vault, secrets: bool) -> Result<Vec<u8>, StoreError> {
    let mut out = b"[\n".to_vec();
    for (number, phone) in phones.iter().enumerate() {
        if number > 0 {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(as_json(phone, vault, secrets)?.to_string().as_bytes());
    }
    out.extend_from_slice(b"\n]\n");
    Ok(out)
}

fn as_json(phone: &Phone, vault: &Vault, secrets: bool) -> Result<Value, StoreError> {
    let opened = |sealed| match secrets {
        true => vault.unseal(sealed).map(|secret| secret.expose().to_owned()),
        false => Ok(MASK.to_owned()),
    };
    let accounts = phone.accounts.iter().map(|account| {
        Ok(json!({
            "line": account.line,
            "user": account.user,
            "auth_user": account.auth_user,
            "password": opened(&account.password)?,
            "display_name": account.display_name,
            "server": account.server,
            "port": account.port,
            "transport": account.transport,
            "outbound_proxy": account.outbound_proxy,
            "voicemail": account.voicemail,
            "label": account.label,
        }))
    });
    let accounts = accounts.collect::<Result<Vec<Value>, StoreError>>()?;
    let keys: Vec<Value> = phone
        .keys
        .iter()
        .map(|key| {
            let value = if secrets { (&*key.value).into() } else { mask::url(&key.value) };
            json!({"position": key.position, "kind": key.kind, "value": value,
                "label": key.label, "line": key.line, "pickup": key.pickup})
        })
        .collect();
    let settings = match secrets {
        true => json!(phone.settings),
        false => json!(Meant::Vendor(phone.vendor).all_shown(&phone.settings)),
    };
    Ok(json!({
        "mac": phone.mac,
        "vendor": phone.vendor.word(),
        "model": phone.model,
        "site": phone.site,
        "enabled": phone.enabled,
        "template": phone.template,
        "names": phone.names,
        "config_key": phone.config_key.as_ref().map(opened).transpose()?,
        "accounts": accounts,
        "keys": keys,
        "settings": settings,
    }))
}
