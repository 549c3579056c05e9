//! Whose things are seen.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The tenant and the sites whose things a principal sees. What lies outside is
/// answered as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// The tenant; all, and what belongs to none, if `None`.
    pub tenant: Option<Box<str>>,
    /// The sites; all of the tenant's, and what stands at none, if empty.
    pub sites: BTreeSet<Box<str>>,
}

impl Reach {
    /// Everything.
    pub const WHOLE: Self = Self { tenant: None, sites: BTreeSet::new() };

    /// One tenant's things.
    pub fn of_tenant(tenant: &str) -> Self {
        Self { tenant: Some(tenant.into()), sites: BTreeSet::new() }
    }

    /// Whether everything is seen.
    pub fn is_whole(&self) -> bool {
        self.tenant.is_none() && self.sites.is_empty()
    }

    /// Whether what belongs to this tenant and stands at this site is seen; either
    /// may be empty for none.
    pub fn sees(&self, tenant: &str, site: &str) -> bool {
        self.tenant.as_deref().is_none_or(|own| own == tenant)
            && (self.sites.is_empty() || self.sites.contains(site))
    }

    /// Whether what belongs to this tenant as a whole, and to no site of it, is
    /// seen: not by whoever sees some sites only.
    pub fn sees_tenant(&self, tenant: &str) -> bool {
        self.sees(tenant, "")
    }

    /// Whether all that `other` sees is seen here as well: nobody gives away more
    /// than they have.
    pub fn covers(&self, other: &Self) -> bool {
        let tenant = self.tenant.is_none() || self.tenant == other.tenant;
        let sites = self.sites.is_empty()
            || (!other.sites.is_empty() && other.sites.is_subset(&self.sites));
        tenant && sites
    }

    /// What both see; `None` if nothing can be.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let tenant = match (&self.tenant, &other.tenant) {
            (Some(one), Some(two)) if one != two => return None,
            (Some(one), _) => Some(one.clone()),
            (None, two) => two.clone(),
        };
        let sites: BTreeSet<Box<str>> = match (self.sites.is_empty(), other.sites.is_empty()) {
            (true, _) => other.sites.clone(),
            (false, true) => self.sites.clone(),
            (false, false) => {
                let both: BTreeSet<_> = self.sites.intersection(&other.sites).cloned().collect();
                if both.is_empty() {
                    return None;
                }
                both
            }
        };
        Some(Self { tenant, sites })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(tenant: Option<&str>, sites: &[&str]) -> Reach {
        Reach {
            tenant: tenant.map(Into::into),
            sites: sites.iter().map(|site| (*site).into()).collect(),
        }
    }

    #[test]
    fn nobody_sees_beyond_their_tenant_and_sites() {
        let whole = Reach::WHOLE;
        assert!(whole.is_whole() && whole.sees("", "") && whole.sees("a", "x"));
        let tenant = reach(Some("a"), &[]);
        assert!(tenant.sees("a", "") && tenant.sees("a", "x"));
        assert!(!tenant.sees("", "") && !tenant.sees("b", "x") && !tenant.sees("A", "x"));
        let site = reach(Some("a"), &["x"]);
        assert!(site.sees("a", "x") && !site.sees("a", "") && !site.sees("b", "x"));
        assert!(tenant.sees_tenant("a") && !tenant.sees_tenant("b"));
        assert!(!site.sees_tenant("a") && !reach(None, &["x"]).sees_tenant("a"));
    }

    #[test]
    fn what_is_given_away_is_covered() {
        let all = [
            reach(None, &[]),
            reach(None, &["x"]),
            reach(None, &["x", "y"]),
            reach(Some("a"), &[]),
            reach(Some("a"), &["x"]),
            reach(Some("b"), &["y"]),
        ];
        let things =
            [("", ""), ("a", ""), ("a", "x"), ("a", "y"), ("b", "y"), ("b", "z"), ("", "x")];
        for one in &all {
            for two in &all {
                let seen_by_two: Vec<_> =
                    things.iter().filter(|(tenant, site)| two.sees(tenant, site)).collect();
                let covered = seen_by_two.iter().all(|(tenant, site)| one.sees(tenant, site));
                assert!(!one.covers(two) || covered, "{one:?} {two:?}");
                for (tenant, site) in &things {
                    let both = one.sees(tenant, site) && two.sees(tenant, site);
                    let told = one.and(two).is_some_and(|reach| reach.sees(tenant, site));
                    assert_eq!(told, both, "{one:?} {two:?} {tenant} {site}");
                }
            }
        }
    }
}
