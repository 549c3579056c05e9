//! One account or one key of a phone.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::change::{AccountChange, Applier, KeyChange, MAX_LINE, MAX_POSITION};
use super::view::PhoneView;
use super::{commit, known};
use crate::access::Principal;
use crate::api::extract::{IfMatch, Json, PhoneKey};
use crate::api::problem::{ApiError, Problem, bad_value};
use crate::api::settings::none_wrong;
use crate::api::state::Shared;
use crate::store::Batch;

/// Sets the account of a line
#[utoipa::path(put, path = "/api/v1/phones/{mac}/accounts/{line}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("line" = u8, Path, description = "From 1 to 64"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = AccountChange,
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(in crate::api) async fn put_account(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Path((_, line)): Path<(String, String)>,
    if_match: IfMatch,
    Json(change): Json<AccountChange>,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let line = parse_line(&line)?;
    let mut phone = known(&state, mac).await?;
    if_match.check(phone.revision)?;
    let before = phone.accounts.iter().position(|account| account.line == line);
    let stored = before.map(|at| phone.accounts.swap_remove(at));
    let mut applier = Applier::new(&state.deps.vault);
    phone.accounts.extend(applier.account("", phone.vendor, line, change, stored));
    none_wrong(applier.wrong)?;
    phone.accounts.sort_by_key(|account| account.line);
    let phone = commit(&state, Batch::new(), phone).await?;
    Ok(axum::Json(PhoneView::load(&state, &principal, phone).await?))
}

/// Takes the account of a line away
#[utoipa::path(delete, path = "/api/v1/phones/{mac}/accounts/{line}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("line" = u8, Path, description = "From 1 to 64")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::api) async fn remove_account(
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

/// Sets a programmable key
#[utoipa::path(put, path = "/api/v1/phones/{mac}/keys/{position}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("position" = u16, Path, description = "From 1, as the vendor counts the keys"),
        ("If-Match" = Option<String>, Header, description = "Only if this is still the revision")),
    request_body = KeyChange,
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(in crate::api) async fn put_key(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
    Path((_, position)): Path<(String, String)>,
    if_match: IfMatch,
    Json(change): Json<KeyChange>,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let position = parse_position(&position)?;
    let mut phone = known(&state, mac).await?;
    if_match.check(phone.revision)?;
    let before = phone.keys.iter().position(|key| key.position == position);
    let stored = before.map(|at| phone.keys.swap_remove(at));
    let mut applier = Applier::new(&state.deps.vault);
    phone.keys.extend(applier.key("", position, change, stored.as_ref()));
    none_wrong(applier.wrong)?;
    phone.keys.sort_by_key(|key| key.position);
    let phone = commit(&state, Batch::new(), phone).await?;
    Ok(axum::Json(PhoneView::load(&state, &principal, phone).await?))
}

/// Takes a programmable key away
#[utoipa::path(delete, path = "/api/v1/phones/{mac}/keys/{position}", tag = "phones",
    params(
        ("mac" = String, Path, description = "The hardware address, in any spelling"),
        ("position" = u16, Path, description = "From 1, as the vendor counts the keys")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::api) async fn remove_key(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
    Path((_, position)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let position = parse_position(&position)?;
    let mut phone = known(&state, mac).await?;
    let before = phone.keys.len();
    phone.keys.retain(|key| key.position != position);
    if phone.keys.len() == before {
        return Err(ApiError::NoSuch { what: "key at position", name: position.to_string() });
    }
    commit(&state, Batch::new(), phone).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_line(text: &str) -> Result<u8, ApiError> {
    let line = text.parse().ok().filter(|line| (1..=MAX_LINE).contains(line));
    line.ok_or_else(|| bad_value("line", format!("from 1 to {MAX_LINE}")))
}

fn parse_position(text: &str) -> Result<u16, ApiError> {
    let position = text.parse().ok().filter(|position| (1..=MAX_POSITION).contains(position));
    position.ok_or_else(|| bad_value("position", format!("from 1 to {MAX_POSITION}")))
}
