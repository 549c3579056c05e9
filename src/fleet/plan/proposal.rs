//! The profiles as they are, and as they are to be.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::device::{Desired, Labels, Source};
use crate::expr::{Rule, Subject};
use crate::profile::{Asked, PlanRecord, ProfileError, ProfileRecord, ProfileSet, Resolved};
use crate::time::Timestamp;

/// How often tags that profiles set are followed to other profiles.
const TAG_ROUNDS: usize = 4;

/// What stands for the profiles that a plan was made upon: as long as it is the
/// same, none was changed. The order does not matter.
pub fn base_of(records: &[ProfileRecord]) -> u64 {
    let states: BTreeMap<&str, (u32, bool)> =
        records.iter().map(|record| (&*record.name, (record.version, record.enabled))).collect();
    let mut hash = Sha256::new();
    for (name, (version, enabled)) in states {
        hash.update(u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(name);
        hash.update(version.to_be_bytes());
        hash.update([u8::from(enabled)]);
    }
    let first: [u8; 8] = hash.finalize().first_chunk().copied().unwrap_or_default();
    u64::from_be_bytes(first)
}

/// The profiles as they would be after a plan's changes; a change that changes
/// nothing makes no new version. New ones are the plan's tenant's.
pub fn proposed(
    records: &[ProfileRecord],
    plan: &PlanRecord,
    by: &str,
    now: Timestamp,
) -> Vec<ProfileRecord> {
    let mut after: BTreeMap<Box<str>, ProfileRecord> =
        records.iter().map(|record| (record.name.clone(), record.clone())).collect();
    for change in &plan.changes {
        let Some(text) = &change.text else {
            after.remove(&change.name);
            continue;
        };
        let before = after.get(&change.name);
        if before.is_some_and(|before| before.text == *text && before.enabled == change.enabled) {
            continue;
        }
        let record = ProfileRecord {
            name: change.name.clone(),
            version: before.map_or(0, |before| before.version).saturating_add(1),
            text: text.clone(),
            enabled: change.enabled,
            at: now,
            by: by.into(),
            why: plan.why.clone(),
            tenant: before.map_or_else(|| plan.tenant.clone(), |before| before.tenant.clone()),
        };
        after.insert(change.name.clone(), record);
    }
    after.into_values().collect()
}

/// A change of profiles, compiled, and the devices that it is looked at for.
#[derive(Debug)]
pub struct Proposal {
    /// The profiles in force.
    base: ProfileSet,
    /// Those that would be.
    after: ProfileSet,
    /// The profiles that change, as they are and as they would be. `None` if
    /// none does: the question is then what those in force would do.
    changed: Option<(ProfileSet, ProfileSet)>,
    filter: Rule,
    /// Only devices of this tenant; of all if empty.
    tenant: Box<str>,
}

/// What profiles want of one device, and the tags that it has then.
pub(super) struct Wish {
    pub(super) resolved: Resolved,
    pub(super) labels: Labels,
}

impl Proposal {
    /// Compiles what is and what would be. Without a difference between the two
    /// the plan tells what the profiles in force would do.
    ///
    /// # Errors
    /// Every [`ProfileError`] of a profile that would change. One that is
    /// stored and cannot be read wants nothing, before as after.
    pub fn new(
        before: &[ProfileRecord],
        after: &[ProfileRecord],
        filter: Rule,
    ) -> Result<Self, Vec<ProfileError>> {
        let differs = |records: &[ProfileRecord], others: &[ProfileRecord]| -> Vec<ProfileRecord> {
            records.iter().filter(|record| !others.contains(record)).cloned().collect()
        };
        let (old, new) = (differs(before, after), differs(after, before));
        let (base, _) = ProfileSet::compile(before);
        let changed = if old.is_empty() && new.is_empty() {
            None
        } else {
            let (new, errors) = ProfileSet::compile(&new);
            if !errors.is_empty() {
                return Err(errors);
            }
            Some((ProfileSet::compile(&old).0, new))
        };
        let (after, _) = ProfileSet::compile(after);
        Ok(Self { base, after, changed, filter, tenant: Box::default() })
    }

    /// The same for devices of one tenant; all if it is empty.
    #[must_use]
    pub fn for_tenant(mut self, tenant: &str) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// Whether a device with these labels is looked at at all.
    pub(super) fn looks_at(&self, labels: &Labels) -> bool {
        self.tenant.is_empty() || self.tenant == labels.tenant
    }

    /// What has to be shown of a device to tell whether it is concerned.
    pub(super) fn asks(&self) -> Asked {
        let mut asks = Asked { tree: self.filter.needs_tree(), phone: self.filter.needs_phone() };
        let sets = match &self.changed {
            Some((old, new)) => vec![old, new],
            None => vec![&self.after],
        };
        for set in sets {
            asks.tree |= set.asks().tree;
            asks.phone |= set.asks().phone;
        }
        asks
    }

    /// What has to be shown of a device that is concerned, to tell what is
    /// wanted of it.
    pub(super) fn asks_in_full(&self) -> Asked {
        let (base, after) = (self.base.asks(), self.after.asks());
        let asks = self.asks();
        Asked {
            tree: asks.tree || base.tree || after.tree,
            phone: asks.phone || base.phone || after.phone,
        }
    }

    /// Whether a device is one of those asked about, and the changed profiles say
    /// anything of it, before or after.
    pub(super) fn concerns(&self, subject: &Subject<'_>) -> bool {
        // A rule that cannot be told for a device does not mean it.
        if !self.filter.matches(subject).unwrap_or(false) {
            return false;
        }
        let says = |set: &ProfileSet| set.resolve(subject) != Resolved::default();
        match &self.changed {
            Some((old, new)) => says(old) || says(new),
            None => says(&self.after),
        }
    }

    /// What would be wanted of a device; `None` if that is what is wanted of it
    /// already, and the plan is about a change.
    pub(super) fn wish(&self, subject: &Subject<'_>) -> Option<Wish> {
        let after = wish(&self.after, subject);
        if self.changed.is_some() {
            let before = wish(&self.base, subject);
            if nameless(before.resolved) == nameless(after.resolved.clone()) {
                return None;
            }
        }
        Some(after)
    }
}

/// What a set wants of a device after the tags that it sets are set.
fn wish(set: &ProfileSet, subject: &Subject<'_>) -> Wish {
    let mut labels = subject.labels.clone();
    let mut resolved = set.resolve(subject);
    for _ in 0..TAG_ROUNDS {
        let before = labels.tags.clone();
        for change in &resolved.tags {
            if change.wanted {
                labels.tags.insert(change.tag.clone());
            } else {
                labels.tags.remove(&change.tag);
            }
        }
        if labels.tags == before {
            break;
        }
        resolved = set.resolve(&Subject { labels: &labels, ..*subject });
    }
    Wish { resolved, labels }
}

/// The same without who wants it in which version: what a device notices.
fn nameless(mut resolved: Resolved) -> Resolved {
    let nobody = || Source { layer: "".into(), name: "".into(), version: 0 };
    let Desired { values, attributes, tables, sources } = &mut resolved.desired;
    values.iter_mut().for_each(|value| value.source = 0);
    attributes.iter_mut().for_each(|attribute| attribute.source = 0);
    tables.iter_mut().for_each(|table| table.source = 0);
    sources.clear();
    resolved.refresh.iter_mut().for_each(|refresh| refresh.source = nobody());
    resolved.tags.iter_mut().for_each(|tag| tag.source = nobody());
    if let Some(firmware) = &mut resolved.firmware {
        firmware.source = nobody();
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::ProfileChange;

    fn record(name: &str, version: u32, text: &str) -> ProfileRecord {
        ProfileRecord {
            name: name.into(),
            version,
            text: text.into(),
            enabled: true,
            at: Timestamp::from_millis(0),
            by: "".into(),
            why: "".into(),
            tenant: "".into(),
        }
    }

    #[test]
    fn the_base_tells_every_change_and_no_order() {
        let (a, b) = (record("a", 1, "{}"), record("b", 1, "{}"));
        let base = base_of(&[a.clone(), b.clone()]);
        assert_eq!(base, base_of(&[b.clone(), a.clone()]));
        let off = ProfileRecord { enabled: false, ..b.clone() };
        for other in [vec![a.clone()], vec![a.clone(), record("b", 2, "{}")], vec![a, off], vec![]]
        {
            assert_ne!(base, base_of(&other));
        }
        // Names and versions cannot run into each other.
        assert_ne!(base_of(&[record("ab", 1, "")]), base_of(&[record("a", 1, "")]));
    }

    #[test]
    fn changes_make_the_next_version_and_nothing_twice() {
        let now = Timestamp::from_millis(5);
        let before = [record("a", 3, "1"), record("b", 1, "1")];
        let change = |name: &str, text: Option<&str>| ProfileChange {
            name: name.into(),
            text: text.map(Into::into),
            enabled: true,
        };
        let changes = [change("a", Some("2")), change("b", None), change("c", Some("1"))];
        let plan = |changes: &[ProfileChange]| PlanRecord {
            id: 1,
            at: now,
            by: "".into(),
            why: "why".into(),
            base: 0,
            changes: changes.to_vec(),
            rule: "".into(),
            summary: "".into(),
            applied: None,
            tenant: "isp".into(),
        };
        let after = proposed(&before, &plan(&changes), "me", now);
        let told: Vec<(&str, u32, &str)> =
            after.iter().map(|one| (&*one.name, one.version, &*one.text)).collect();
        assert_eq!(told, [("a", 4, "2"), ("c", 1, "1")]);
        assert_eq!((&*after[0].by, &*after[0].why, after[0].at), ("me", "why", now));
        assert_eq!([&*after[0].tenant, &*after[1].tenant], ["", "isp"]);
        let same = proposed(&before, &plan(&[change("a", Some("1"))]), "me", now);
        assert_eq!(same, before, "what changes nothing makes no version");
    }
}
