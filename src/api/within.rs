//! What a principal sees of things that the guard does not judge: those in lists,
//! in bodies and behind the thing in the path.

use std::collections::{HashMap, HashSet};

use super::paging;
use super::problem::{ApiError, bad_value};
use super::sites::check_site_name;
use super::state::State as Inner;
use crate::access::{Principal, Reach};
use crate::device::{DeviceId, Labels};
pub(super) use crate::ledger::INSTALLATION;
use crate::ledger::Names;
use crate::profile::ProfileRecord;
use crate::store::{FileRecord, Store};

/// Between the reach and the key in a cursor.
const BOUND: char = '\n';

/// The inventory with a principal's eyes. What was looked up is remembered for the
/// time of one request.
pub(super) struct Eyes<'a> {
    state: &'a Inner,
    reach: &'a Reach,
    sites: HashMap<Box<str>, bool>,
}

impl<'a> Eyes<'a> {
    pub(super) fn of(state: &'a Inner, principal: &'a Principal) -> Self {
        Self::over(state, &principal.reach)
    }

    /// The same where there is no more than the reach.
    pub(super) fn over(state: &'a Inner, reach: &'a Reach) -> Self {
        Self { state, reach, sites: HashMap::new() }
    }

    /// Whether nothing is hidden.
    pub(super) fn see_all(&self) -> bool {
        self.reach.is_whole()
    }

    /// Whether a device is there and seen.
    pub(super) async fn device(&self, id: &DeviceId) -> Result<bool, ApiError> {
        Ok(self.state.deps.finder.sees(id, self.reach).await?)
    }

    /// Whether what belongs to a device is seen, the device being there or not: with
    /// eyes that see all it is, whatever became of the device.
    pub(super) async fn of_device(&self, id: &DeviceId) -> Result<bool, ApiError> {
        if self.see_all() { Ok(true) } else { self.device(id).await }
    }

    /// Whether what carries these labels is seen.
    pub(super) fn labels(&self, labels: &Labels) -> bool {
        self.reach.sees(&labels.tenant, &labels.site)
    }

    /// Whether what stands at a site is seen: phones.
    pub(super) async fn site(&mut self, name: &str) -> Result<bool, ApiError> {
        if self.see_all() {
            return Ok(true);
        }
        if let Some(seen) = self.sites.get(name) {
            return Ok(*seen);
        }
        let site = self.state.store().site(name).await?;
        let seen = site.is_some_and(|site| self.reach.sees(&site.tenant, &site.name));
        self.sites.insert(name.into(), seen);
        Ok(seen)
    }

    /// Whether a new thing may be given to a tenant, or one be moved there: whoever
    /// sees one tenant gives to that one, whoever sees sites alone leaves the tenant
    /// as it is.
    pub(super) fn gives(&self, before: &str, after: &str) -> bool {
        self.see_all() || after == self.tenant_after(before)
    }

    /// The tenant of what this principal makes or changes, and names none.
    pub(super) fn tenant_after<'b>(&'b self, before: &'b str) -> &'b str {
        match self.see_all() {
            true => "",
            false => self.reach.tenant.as_deref().unwrap_or(before),
        }
    }

    /// Checks that a thing stays in sight, and with its tenant, as its labels change.
    pub(super) fn keep(&self, before: &Labels, after: &Labels) -> Result<(), ApiError> {
        match self.astray(before, after) {
            Some((field, problem)) => Err(ApiError::BeyondReach { field, problem }),
            None => Ok(()),
        }
    }

    /// The label that leads out of sight, and why it cannot be.
    pub(super) fn astray(
        &self,
        before: &Labels,
        after: &Labels,
    ) -> Option<(&'static str, &'static str)> {
        if !self.gives(&before.tenant, &after.tenant) {
            Some(("tenant", "this token gives nothing to other tenants, or to none"))
        } else if !self.labels(after) {
            Some(("site", "this token is for some sites; name one of them"))
        } else {
            None
        }
    }

    /// Whether what belongs to a tenant as a whole is seen: profiles and plans.
    pub(super) fn tenants(&self, tenant: &str) -> bool {
        self.reach.sees(tenant, "")
    }

    /// The tenant for which something new is made that belongs to a tenant as a whole,
    /// the one that is named, if it may be.
    pub(super) fn tenant_of_new(&self, named: Option<&str>) -> Result<&'a str, ApiError> {
        let own = self.reach.tenant.as_deref().unwrap_or_default();
        let problem = if !self.tenants(own) {
            "this token is for some sites, and makes nothing for all"
        } else if named.is_some_and(|named| named != own) {
            "this token gives nothing to other tenants, or to none"
        } else {
            return Ok(own);
        };
        Err(ApiError::BeyondReach { field: "tenant", problem })
    }

    /// Whose a new thing is; whoever sees all may make one for any tenant, or none.
    pub(super) fn owner(&self, named: Option<&str>) -> Result<Box<str>, ApiError> {
        match named {
            Some(named) if self.see_all() => {
                if !named.is_empty() {
                    check_site_name("tenant", named)?;
                }
                Ok(named.into())
            }
            named => Ok(self.tenant_of_new(named)?.into()),
        }
    }

    /// A file as it is seen: as the tenant brought it, or as one of its devices sent
    /// it; `None` if neither did. Whoever sees some sites sees the tenant's firmware,
    /// which their devices need, and nothing else that it brought: settings may be of
    /// another site.
    pub(super) async fn file(&self, file: FileRecord) -> Result<Option<FileRecord>, ApiError> {
        if self.see_all() {
            return Ok(Some(file));
        }
        if let Some(tenant) = self.reach.tenant.as_deref()
            && let Some(own) = file.brought_by(tenant)
            && (self.tenants(tenant) || own.is_firmware())
        {
            return Ok(Some(own));
        }
        let sent = match &file.from {
            Some((device, _)) => self.device(device).await?,
            None => false,
        };
        Ok(sent.then(|| FileRecord { shares: Vec::new(), ..file }))
    }

    /// Whether a file that is seen may be removed: what the tenant brought is no site's.
    pub(super) async fn removes(&self, file: &FileRecord) -> Result<bool, ApiError> {
        if self.reach.sites.is_empty() {
            return Ok(true);
        }
        match &file.from {
            Some((device, _)) => self.device(device).await,
            None => Ok(false),
        }
    }

    /// What is looked into.
    pub(super) fn store(&self) -> &'a dyn Store {
        self.state.store()
    }

    /// Who did something, as it may be told.
    pub(super) fn names(&self) -> Names {
        Names::of(self.reach)
    }

    /// What hides the profiles that are not seen.
    pub(super) async fn veil(&self) -> Result<Veil, ApiError> {
        if self.see_all() {
            return Ok(Veil(None));
        }
        let profiles = self.state.store().fleet().profiles().await?.into_iter();
        let seen = profiles.filter(|profile| self.tenants(&profile.tenant));
        Ok(Veil(Some(seen.map(|profile| profile.name).collect())))
    }

    /// What stands in `next`. Keys of others are sealed in it: a page may end behind
    /// one that is not shown.
    pub(super) fn cursor(&self, key: impl std::fmt::Display, is_shown: bool) -> String {
        match is_shown || self.see_all() {
            true => paging::cursor(key),
            false => paging::sealed_cursor(&self.state.deps.vault, key),
        }
    }

    /// What stands in `next` of a search, which ends wherever it was looked at last.
    /// It is of use to those alone who see as much, and tells others nothing.
    pub(super) fn search_cursor(&self, key: impl std::fmt::Display) -> String {
        match self.see_all() {
            true => paging::cursor(key),
            false => {
                let bound = format!("{}{BOUND}{key}", self.reach_text());
                paging::sealed_cursor(&self.state.deps.vault, bound)
            }
        }
    }

    /// The key that `after` stands for in a search.
    pub(super) fn after_in_search<T: std::str::FromStr>(
        &self,
        after: Option<&str>,
    ) -> Result<Option<T>, ApiError> {
        if self.see_all() {
            return paging::key_after(after);
        }
        let Some(text) = after else { return Ok(None) };
        let read = || {
            let bound = paging::open_cursor(&self.state.deps.vault, text)?;
            bound.strip_prefix(&self.reach_text())?.strip_prefix(BOUND)?.parse().ok()
        };
        read().map(Some).ok_or_else(|| bad_value("after", paging::GIVE_BACK))
    }

    /// The reach as it stands in cursors.
    fn reach_text(&self) -> String {
        serde_json::to_string(self.reach).unwrap_or_default()
    }

    /// The key that `after` stands for.
    pub(super) fn after<T: std::str::FromStr>(
        &self,
        after: Option<&str>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = after else { return Ok(None) };
        match paging::open_cursor(&self.state.deps.vault, text) {
            Some(key) => {
                let key = key.parse().map_err(|_| bad_value("after", paging::GIVE_BACK))?;
                Ok(Some(key))
            }
            None => paging::key_after(after),
        }
    }
}

/// Hides who wants something of a device, where that is somebody else.
pub(super) struct Veil(Option<HashSet<Box<str>>>);

impl Veil {
    /// Whether a profile of this name is seen.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|seen| seen.contains(name))
    }

    /// The same of a stored one.
    pub(super) fn shows_record(&self, profile: &ProfileRecord) -> bool {
        self.shows(&profile.name)
    }

    /// Whether nothing is hidden.
    pub(super) const fn is_thin(&self) -> bool {
        self.0.is_none()
    }
}

/// Refuses a secret in clear to whoever may not have it.
pub(super) fn may_show(principal: &Principal, right: crate::access::Right) -> Result<(), ApiError> {
    if principal.may(right) { Ok(()) } else { Err(ApiError::NoRight(right)) }
}
