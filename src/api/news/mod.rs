//! `/events`: what happens, as a list and as a stream.

mod list;
mod stream;

pub(super) use list::*;
pub(super) use stream::*;

use super::problem::{ApiError, bad_value};
use crate::device::DeviceId;
use crate::news::{NewsFilter, NewsKind};

/// What somebody asked for in a query.
fn filter(
    kind: Option<&str>,
    device: Option<&str>,
    tenant: Option<String>,
    site: Option<String>,
) -> Result<NewsFilter, ApiError> {
    let mut kinds = Vec::new();
    for word in kind.into_iter().flat_map(|kinds| kinds.split(',')) {
        kinds.push(word.trim().parse::<NewsKind>().map_err(|error| bad_value("kind", error))?);
    }
    let device = device.map(DeviceId::parse).transpose();
    Ok(NewsFilter {
        kinds,
        device: device.map_err(|error| bad_value("device", error))?,
        tenant: tenant.map(Into::into),
        site: site.map(Into::into),
    })
}

/// An id that is none.
fn bad_id(field: &str) -> ApiError {
    bad_value(field, "give back an id as it was told, or 0 for the beginning")
}
