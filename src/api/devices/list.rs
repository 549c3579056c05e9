//! `GET /devices`: pages of devices.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::query::{DeviceWhich, order};
use super::{DeviceView, Problem};
use crate::access::Principal;
use crate::api::extract::{Named, Split};
use crate::api::fields::{Fields, Sparse};
use crate::api::paging;
use crate::api::problem::ApiError;
use crate::api::state::Shared;
use crate::api::within::Eyes;
use crate::find::{Found, Query};

/// How much is answered, and of what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DeviceListing {
    /// Only these fields of each device, with commas between: members as below,
    /// `subscriber.NAME`, `parameters.PATH`, as in
    /// `id,last_inform,parameters.Device.DeviceInfo.SoftwareVersion`.
    fields: Option<String>,
    /// By what they are sorted: a member or `parameters.PATH`, with `-` before it
    /// for the greatest first. By id if not given.
    sort: Option<String>,
    /// Whether to tell how many there are in all.
    count: bool,
    /// From 1 to 1000; 100 if not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// `next` of the page before, for the same order.
    after: Option<String>,
}

impl Named for DeviceListing {
    const NAMES: &'static [&'static str] = &["fields", "sort", "count", "limit", "after"];
}

/// One page of devices.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DevicePage {
    /// In the order asked for.
    items: Vec<Sparse<DeviceView>>,
    /// To be given as `after` for what follows; null at the end.
    next: Option<String>,
    /// How many there are in all, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Lists devices
#[utoipa::path(get, path = "/api/v1/devices", tag = "devices",
    params(DeviceWhich, DeviceListing),
    responses((status = 200, body = DevicePage), (status = 400, body = Problem)))]
pub(in crate::api) async fn list(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Split(listing, which): Split<DeviceListing, DeviceWhich>,
) -> Result<axum::Json<DevicePage>, ApiError> {
    let limit = paging::limit(listing.limit)?;
    let fields = Fields::read::<DeviceView>(listing.fields.as_deref(), true)?;
    let filter = which.filter()?;
    let finder = &state.deps.finder;
    let total = match listing.count {
        true => Some(finder.count(&filter, &principal.reach).await?),
        false => None,
    };
    let eyes = Eyes::of(&state, &principal);
    let query = Query {
        filter,
        reach: (*principal.reach).clone(),
        order: order(listing.sort.as_deref())?,
        after: eyes.after_in_search(listing.after.as_deref())?,
        limit,
        parameters: fields.as_ref().map(Fields::parameters).unwrap_or_default(),
    };
    let page = finder.page(&query).await?;
    let item = |found: Found| {
        let tree = found.tree;
        Sparse::of(DeviceView::new(found.device, found.labels), fields.as_ref(), tree.as_ref())
    };
    let items = page.found.into_iter().map(item).collect();
    let next = page.next.map(|next| eyes.search_cursor(next));
    Ok(axum::Json(DevicePage { items, next, total }))
}
