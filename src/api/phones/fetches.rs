//! What a phone fetched, and its first-fetch lock.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::PhoneView;
use super::{commit, known};
use crate::access::Principal;
use crate::api::extract::PhoneKey;
use crate::api::problem::{ApiError, Problem};
use crate::api::state::Shared;
use crate::phone::{Ended, Fetched, Phone};
use crate::store::Batch;
use crate::time::Timestamp;

/// What a phone fetched.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Fetches {
    /// The last fetches, newest first.
    items: Vec<FetchView>,
    lock: LockView,
}

/// One fetch.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct FetchView {
    #[schema(value_type = String)]
    at: Timestamp,
    #[schema(value_type = String)]
    address: std::net::IpAddr,
    /// `http`, `https`, `tftp`, `ftp`, `ftps` or `cwmp`.
    door: &'static str,
    file: Box<str>,
    /// The version that went; empty if there is none.
    version: Box<str>,
    /// `whole`, `unchanged`, `part`, `broken` or `refused`.
    ended: &'static str,
    /// How many bytes went, of a part or before a connection broke.
    bytes: Option<u64>,
    /// Why it was refused.
    reason: Option<Box<str>>,
}

/// The first-fetch lock.
#[derive(Debug, Serialize, ToSchema)]
struct LockView {
    /// Whether the phone's own file is given no more without its token.
    closed: bool,
    /// When it was last closed.
    #[schema(value_type = Option<String>)]
    closed_at: Option<Timestamp>,
    /// By a fetch from here.
    #[schema(value_type = Option<String>)]
    closed_by: Option<std::net::IpAddr>,
    /// How often an operator has opened it.
    unlocks: u32,
}

impl From<Fetched> for FetchView {
    fn from(fetched: Fetched) -> Self {
        let (ended, bytes, reason) = match fetched.ended {
            Ended::Whole => ("whole", None, None),
            Ended::Unchanged => ("unchanged", None, None),
            Ended::Part(bytes) => ("part", Some(bytes), None),
            Ended::Broken(bytes) => ("broken", Some(bytes), None),
            Ended::Refused(reason) => ("refused", None, Some(reason)),
        };
        Self {
            at: fetched.at,
            address: fetched.address,
            door: fetched.door.word(),
            file: fetched.file,
            version: fetched.version,
            ended,
            bytes,
            reason,
        }
    }
}

/// Shows what a phone fetched, and its first-fetch lock
#[utoipa::path(get, path = "/api/v1/phones/{mac}/fetches", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = Fetches), (status = 404, body = Problem)))]
pub(in crate::api) async fn fetches(
    State(state): State<Shared>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<Fetches>, ApiError> {
    let Phone { unlocks, .. } = known(&state, mac).await?;
    let log = state.store().fetch_log(mac).await?;
    let (lock, fetches) = log.map(|log| (log.lock, log.fetches)).unwrap_or_default();
    let lock = LockView {
        closed: lock.as_ref().is_some_and(|lock| lock.unlocks == unlocks),
        closed_at: lock.as_ref().map(|lock| lock.at),
        closed_by: lock.as_ref().map(|lock| lock.address),
        unlocks,
    };
    let items = fetches.into_iter().rev().map(FetchView::from).collect();
    Ok(axum::Json(Fetches { items, lock }))
}

/// Opens a phone's first-fetch lock for one more fetch without its token
#[utoipa::path(post, path = "/api/v1/phones/{mac}/unlock", tag = "phones",
    params(("mac" = String, Path, description = "The hardware address, in any spelling")),
    responses((status = 200, body = PhoneView), (status = 404, body = Problem)))]
pub(in crate::api) async fn unlock(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    PhoneKey(mac): PhoneKey,
) -> Result<axum::Json<PhoneView>, ApiError> {
    let mut phone = known(&state, mac).await?;
    phone.unlocks = phone.unlocks.wrapping_add(1);
    let phone = commit(&state, Batch::new(), phone).await?;
    Ok(axum::Json(PhoneView::load(&state, &principal, phone).await?))
}
