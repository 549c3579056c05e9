//! `/dhcp`: what a DHCP server is to tell phones and devices.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::Query;
use super::problem::{ApiError, Problem, bad_value};
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::dhcp::{AcsOption, Dialect, Plan, PlanError};
use crate::phone::{Site, Vendor};

/// Phones read at a time.
const PAGE: usize = 1000;

/// What is to be written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DhcpQuery {
    /// `dnsmasq`, `kea` or `isc`.
    r#for: String,
    /// The site whose network it is for; may be left out if there is one.
    site: Option<String>,
    /// The option that Fanvil phones look at: 66 if not given, 43, or 128 to
    /// 254.
    option: Option<u8>,
    /// Where devices under TR-069 find their ACS; nothing is said if absent.
    acs: Option<String>,
    /// The provisioning code that they are told.
    provisioning_code: Option<String>,
}

/// Configuration for a DHCP server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DhcpView {
    /// The site.
    site: Box<str>,
    /// Phones of the site that are told one by one.
    phones: usize,
    /// The configuration, to be included by the server's own. It holds the
    /// phones' tokens.
    text: String,
}

/// Writes configuration for a DHCP server
///
/// Each phone of the site is told its own folder; other phones of the known
/// vendors are told the site's.
#[utoipa::path(get, path = "/api/v1/dhcp", tag = "phones", params(DhcpQuery),
    responses((status = 200, body = DhcpView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    Query(query): Query<DhcpQuery>,
) -> Result<axum::Json<DhcpView>, ApiError> {
    let refused = |field| move |error: PlanError| bad_value(field, error.to_string());
    let dialect: Dialect = query.r#for.parse().map_err(refused("for"))?;
    let option = query.option.unwrap_or(66);
    let site = chosen(&state, &principal, query.site).await?;
    let mut plan = Plan::default();
    let mut after = None;
    loop {
        let page = state.store().phones(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.mac);
        for phone in page.iter().filter(|phone| phone.enabled && phone.site == site.name) {
            if let Some(address) = state.deps.supply.address_of(phone)? {
                let added = plan.phone(phone.mac, phone.vendor, &address, option);
                added.map_err(refused("option"))?;
            }
        }
    }
    for vendor in Vendor::ALL {
        let address = state.deps.supply.site_address(&site, vendor, "");
        if !address.is_empty() {
            plan.vendor(vendor, &address, option).map_err(refused("option"))?;
        }
    }
    if let Some(url) = query.acs {
        let provisioning_code = query.provisioning_code.unwrap_or_default();
        plan.acs(&AcsOption { url, provisioning_code }).map_err(refused("acs"))?;
    }
    let text = plan.write(dialect);
    Ok(axum::Json(DhcpView { site: site.name, phones: plan.phones.len(), text }))
}

/// The site that is named, or the only one.
async fn chosen(
    state: &Inner,
    principal: &Principal,
    name: Option<String>,
) -> Result<Site, ApiError> {
    let seen = |site: &Site| principal.sees(&site.tenant, &site.name);
    if let Some(name) = name {
        let site = state.store().site(&name).await?;
        return site.filter(seen).ok_or(ApiError::NoSuch { what: "site", name });
    }
    let mut sites = state.store().sites().await?;
    sites.retain(seen);
    match (sites.pop(), sites.is_empty()) {
        (Some(site), true) => Ok(site),
        _ => Err(bad_value("site", "name one; each network has phones of one site")),
    }
}
