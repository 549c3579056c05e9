//! Who may do what: tokens, users, tenants.
//!
//! Nobody gives away more than they have: whatever is made or changed here must be
//! covered by its maker, before and after. What a principal restricted to a tenant
//! sees of it is what lies within that tenant.
//!
//! The names of users are the same for all tenants. So that nobody learns from a
//! name that is taken who is there besides, whoever sees one tenant only makes
//! users `name@tenant`, and such names are of that tenant for everybody; whoever
//! sees some sites only makes none.

pub(super) mod me;
pub(super) mod tenants;
pub(super) mod tokens;
pub(super) mod users;

use std::collections::BTreeSet;

use super::problem::{ApiError, bad_value};
use super::sites::check_site_name;
use super::state::State;
use crate::access::{Excess, Grant, Principal, Reach};

/// The most tokens, users and tenants that are kept, of each.
const MOST: usize = 10_000;

/// Sites of one token or user at most.
const MOST_SITES: usize = 1000;

/// Whether whoever sees this much may make a user of this name.
pub(super) fn may_name(reach: &Reach, name: &str) -> bool {
    match &reach.tenant {
        Some(own) => reach.sees_tenant(own) && tenant_of(name) == Some(own),
        None => reach.is_whole(),
    }
}

/// The tenant that the name of a user says.
fn tenant_of(name: &str) -> Option<&str> {
    name.rsplit_once('@').map(|(_, tenant)| tenant)
}

fn beyond(excess: Excess) -> ApiError {
    ApiError::BeyondOwn(excess)
}

/// Refuses what is more than its maker has.
fn covered<'a>(principal: &Principal, grant: impl Into<Grant<'a>>) -> Result<(), ApiError> {
    principal.covers(grant.into()).map_err(beyond)
}

/// The reach that is meant: what is not said stays as it was. A name that was
/// mistyped is told, but to those only who see all tenants.
async fn reach_meant(
    state: &State,
    principal: &Principal,
    tenant: Option<Option<String>>,
    sites: Option<Vec<String>>,
    before: &Reach,
) -> Result<Reach, ApiError> {
    let mut reach = before.clone();
    if let Some(tenant) = tenant {
        let tenant = tenant.filter(|tenant| !tenant.is_empty());
        if let Some(tenant) = &tenant {
            check_site_name("tenant", tenant)?;
            let is_told = principal.reach.is_whole();
            if is_told && state.store().office().tenant(tenant).await?.is_none() {
                return Err(bad_value("tenant", "there is no such tenant; PUT it first"));
            }
        }
        reach.tenant = tenant.map(Into::into);
    }
    if let Some(sites) = sites {
        if sites.len() > MOST_SITES {
            return Err(bad_value("sites", format!("at most {MOST_SITES}")));
        }
        sites.iter().try_for_each(|site| check_site_name("sites", site))?;
        reach.sites = sites.into_iter().map(Into::into).collect::<BTreeSet<Box<str>>>();
    }
    Ok(reach)
}

/// The sites of a reach as they are shown.
fn sites(reach: &Reach) -> Vec<String> {
    reach.sites.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_nobody_of_other_tenants() {
        let acme = Reach::of_tenant("acme");
        assert!(may_name(&acme, "ann@acme"));
        for other in ["ann", "ann@", "ann@other", "acme", "ann@acme@other", "ann@acme.other"] {
            assert!(!may_name(&acme, other), "{other}");
        }
        assert!(may_name(&Reach::WHOLE, "ann") && may_name(&Reach::WHOLE, "ann@acme"));
        let site = Reach { tenant: None, sites: ["hq".into()].into() };
        assert!(!may_name(&site, "ann") && !may_name(&site, "ann@acme"));
        let site = Reach { tenant: Some("acme".into()), ..site };
        assert!(!may_name(&site, "ann@acme"), "nor of other sites");
    }
}
