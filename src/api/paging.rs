//! Pages of lists: `{"items": […], "next": …}` by key, never by offset.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::{ApiError, bad_value};
use crate::device::{Sealed, Secret};
use crate::store::Vault;

/// Items of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;

/// Items of a page at most.
pub(super) const MAX_LIMIT: usize = 1000;

/// Records that one request looks at, at most, when a filter leaves out many.
pub(super) const MAX_SCAN: usize = 20_000;

/// Before the sealed key in a cursor; no letter of Base64.
const SEALED: char = '.';

/// What is said of a cursor that is none.
pub(super) const GIVE_BACK: &str = "give back what `next` said";

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items in key order.
    pub(super) items: Vec<T>,
    /// To be given as `after` for what follows; null at the end.
    pub(super) next: Option<String>,
}

/// The number of items asked for.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked {
        None => Ok(DEFAULT_LIMIT),
        Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Some(_) => Err(bad_value("limit", format!("from 1 to {MAX_LIMIT}"))),
    }
}

/// The text that stands for a key in `next`: safe in a query as it is, which a
/// device id is not.
pub(super) fn cursor(key: impl std::fmt::Display) -> String {
    URL_SAFE_NO_PAD.encode(key.to_string())
}

/// The key that a cursor stands for.
pub(super) fn key_after<T: std::str::FromStr>(after: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(after) = after else { return Ok(None) };
    URL_SAFE_NO_PAD
        .decode(after)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
        .map(Some)
        .ok_or_else(|| bad_value("after", GIVE_BACK))
}

/// A cursor that tells nobody which key it stands for.
pub(super) fn sealed_cursor(vault: &Vault, key: impl std::fmt::Display) -> String {
    let Sealed(bytes) = vault.seal(&Secret::new(key.to_string()));
    format!("{SEALED}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The key in a cursor that tells it to nobody; `None` if it is none.
pub(super) fn open_cursor(vault: &Vault, cursor: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.strip_prefix(SEALED)?).ok()?;
    let key = vault.unseal(&Sealed(bytes)).ok()?;
    Some(key.expose().to_owned())
}
