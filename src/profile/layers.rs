//! Lays what matching profiles say over each other: the stronger overrides the
//! weaker, one path, attribute and row at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::compiled::{Compiled, Made};
use super::intents::Meant;
use super::set::note_unread;
use super::tables::{TableClaim, lay_tables};
use super::{FirmwareTarget, ProfileError, Refresh, Resolved, TagChange};
use crate::device::{AttributeWish, Desired, MAX_WANTED, Wanted, WantedAttribute, WantedValue};
use crate::expr::Subject;
use crate::param::{ParamPath, is_match};

/// A value that somebody wants, made or to be made.
#[derive(Clone, Debug)]
pub(super) enum Worth<'s> {
    Made(&'s Made),
    Wanted(Wanted),
}

impl Worth<'_> {
    /// What it is for a device.
    ///
    /// # Errors
    /// Why it cannot be computed.
    pub(super) fn wanted(&self, subject: &Subject<'_>) -> Result<Wanted, String> {
        match self {
            Self::Made(made) => made.wanted(subject),
            Self::Wanted(wanted) => Ok(wanted.clone()),
        }
    }

    /// The parameters that it asks for.
    pub(super) fn reads(&self) -> &[ParamPath] {
        match self {
            Self::Made(Made::Template(template, _)) => template.reads(),
            _ => &[],
        }
    }

    /// Whether it tells a secret, whatever the parameter's name is.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Made(made) if made.is_secret())
    }
}

/// What one profile says of one path.
#[derive(Debug)]
pub(super) struct Claim<'s> {
    /// Place among the matching profiles.
    pub(super) by: usize,
    pub(super) path: ParamPath,
    pub(super) worth: Worth<'s>,
}

/// What one profile says on notifications and access lists of one path.
#[derive(Debug)]
pub(super) struct AttributeClaim {
    pub(super) by: usize,
    pub(super) wish: AttributeWish,
}

/// All that matching profiles say, from the weakest to the strongest.
pub(super) struct Layered<'s> {
    pub(super) subject: &'s Subject<'s>,
    pub(super) profiles: Vec<&'s Compiled>,
    pub(super) values: Vec<Claim<'s>>,
    pub(super) attributes: Vec<AttributeClaim>,
    pub(super) tables: Vec<TableClaim<'s>>,
    problems: Vec<ProfileError>,
    unread: Vec<ParamPath>,
}

impl<'s> Layered<'s> {
    /// Gathers what profiles say; paths of another root than the device's are
    /// not wanted there.
    pub(super) fn of(profiles: Vec<&'s Compiled>, subject: &'s Subject<'s>) -> Self {
        let mut layered = Self {
            subject,
            profiles,
            values: Vec::new(),
            attributes: Vec::new(),
            tables: Vec::new(),
            problems: Vec::new(),
            unread: Vec::new(),
        };
        for by in 0..layered.profiles.len() {
            layered.gather(by);
        }
        layered
    }

    fn is_here(&self, path: &str) -> bool {
        let root = &*self.subject.device.root;
        !root.is_empty() && (path.starts_with(root) || path.starts_with('@'))
    }

    fn gather(&mut self, by: usize) {
        let profile: &'s Compiled = self.profiles[by];
        // What is said by path goes before what an intent of the same profile
        // means.
        for intent in &profile.intents {
            match intent.meant(self.subject, &profile.source) {
                Meant::Wanted(desired) => self.take(by, *desired),
                Meant::Unread(paths) => self.unread.extend(paths),
                Meant::Not(problem) => self.problem(by, problem),
            }
        }
        for (path, made) in &profile.parameters {
            if self.is_here(path.as_str()) {
                self.values.push(Claim { by, path: path.clone(), worth: Worth::Made(made) });
            }
        }
        for (path, form) in &profile.attributes {
            if self.is_here(path.as_str()) {
                let (notification, access_list) = (form.notification, form.access_list.clone());
                let wish = AttributeWish { path: path.clone(), notification, access_list };
                self.attributes.push(AttributeClaim { by, wish });
            }
        }
        for table in &profile.tables {
            if self.is_here(&table.table) {
                self.tables.push(TableClaim::of_profile(by, table));
            }
        }
    }

    /// Takes what an intent means.
    fn take(&mut self, by: usize, desired: Desired) {
        for value in desired.values {
            let worth = Worth::Wanted(value.value);
            self.values.push(Claim { by, path: value.path, worth });
        }
        for attribute in desired.attributes {
            self.attributes.push(AttributeClaim { by, wish: attribute.wish });
        }
        self.tables
            .extend(desired.tables.into_iter().map(|table| TableClaim::of_intent(by, table)));
    }

    pub(super) fn problem(&mut self, by: usize, problem: String) {
        let profile = self.profiles.get(by).map_or("", |profile| &profile.source.name).into();
        self.problems.push(ProfileError { profile, problem });
    }

    /// The places of the values that count: the last of each path, and none
    /// that a stronger profile overrides by `*`.
    pub(super) fn counting(&self) -> BTreeSet<usize> {
        let mut last: BTreeMap<&ParamPath, usize> = BTreeMap::new();
        for (place, claim) in self.values.iter().enumerate() {
            last.insert(&claim.path, place);
        }
        let wild: Vec<&Claim<'_>> =
            self.values.iter().filter(|claim| claim.path.has_wildcard()).collect();
        let mut counting: BTreeSet<usize> = last.into_values().collect();
        counting.retain(|place| {
            let claim = &self.values[*place];
            !wild.iter().any(|other| {
                other.by > claim.by
                    && other.path != claim.path
                    && is_match(other.path.as_str(), claim.path.as_str())
            })
        });
        counting
    }

    /// What is wanted in the end; `told` is what was told before.
    pub(super) fn resolve(mut self, told: Resolved) -> Resolved {
        let mut resolved = told;
        let mut desired = Desired::default();
        let places: Vec<u16> = self
            .profiles
            .iter()
            .enumerate()
            .map(|(place, profile)| {
                desired.sources.push(profile.source.clone());
                u16::try_from(place).unwrap_or(u16::MAX)
            })
            .collect();
        for place in self.counting() {
            let Claim { by, path, worth } = &self.values[place];
            let (by, path, reads) = (*by, path.clone(), worth.reads().to_vec());
            match worth.wanted(self.subject) {
                Ok(value) => desired.values.push(WantedValue { path, value, source: places[by] }),
                Err(error) => self.problem(by, format!("{path}: {error}")),
            }
            note_unread(reads, self.subject, &mut self.unread);
        }
        desired.values.sort_by(|a, b| a.path.cmp(&b.path));
        for (wish, by) in self.attributes_that_count() {
            desired.attributes.push(WantedAttribute { wish, source: places[by] });
        }
        let claims = std::mem::take(&mut self.tables);
        let mut laid = lay_tables(claims, self.subject);
        laid.check_references(&mut desired.values);
        laid.check_values();
        for (by, problem) in std::mem::take(&mut laid.problems) {
            self.problem(by, problem);
        }
        note_unread(std::mem::take(&mut laid.reads), self.subject, &mut self.unread);
        desired.tables = laid.into_wanted(&places);
        self.bound(&mut desired);
        drop_unused_sources(&mut desired);
        resolved.desired = desired;
        resolved.refresh = self.refresh();
        resolved.firmware = self.firmware();
        resolved.tags = self.tags();
        let drift = self.profiles.iter().rev().find_map(|profile| profile.drift);
        resolved.drifting = drift.unwrap_or_default();
        resolved.problems.append(&mut self.problems);
        for path in std::mem::take(&mut self.unread) {
            if !resolved.unread.contains(&path) {
                resolved.unread.push(path);
            }
        }
        resolved
    }

    /// Notification and access list of a path are two things, and each may come
    /// from another profile.
    fn attributes_that_count(&self) -> Vec<(AttributeWish, usize)> {
        let mut laid: BTreeMap<&ParamPath, (AttributeWish, usize)> = BTreeMap::new();
        for claim in &self.attributes {
            let wish = &claim.wish;
            let (known, by) = laid.entry(&wish.path).or_insert_with(|| {
                let path = wish.path.clone();
                (AttributeWish { path, notification: None, access_list: None }, claim.by)
            });
            known.notification = wish.notification.or(known.notification);
            if wish.access_list.is_some() {
                known.access_list.clone_from(&wish.access_list);
            }
            *by = claim.by;
        }
        laid.into_values().collect()
    }

    fn refresh(&self) -> Vec<Refresh> {
        let mut laid: BTreeMap<&ParamPath, Refresh> = BTreeMap::new();
        for profile in &self.profiles {
            for (path, seconds) in &profile.refresh {
                if self.is_here(path.as_str()) {
                    let source = profile.source.clone();
                    laid.insert(path, Refresh { path: path.clone(), seconds: *seconds, source });
                }
            }
        }
        laid.into_values().collect()
    }

    fn firmware(&self) -> Option<FirmwareTarget> {
        self.profiles.iter().rev().find_map(|profile| {
            let firmware = profile.firmware.as_ref()?;
            Some(FirmwareTarget {
                version: firmware.version.clone(),
                file: firmware.file.clone(),
                source: profile.source.clone(),
                tenant: profile.tenant.clone(),
            })
        })
    }

    fn tags(&self) -> Vec<TagChange> {
        let mut laid: BTreeMap<&str, TagChange> = BTreeMap::new();
        for profile in &self.profiles {
            for (tag, wanted) in &profile.tags {
                let source = profile.source.clone();
                laid.insert(tag, TagChange { tag: tag.clone(), wanted: *wanted, source });
            }
        }
        laid.into_values().collect()
    }

    /// Leaves out what is too much for one device, and tells it.
    fn bound(&mut self, desired: &mut Desired) {
        let rows: usize = desired.tables.iter().map(|table| table.rows.len()).sum();
        if desired.values.len() + desired.attributes.len() + rows <= MAX_WANTED {
            return;
        }
        desired.values.truncate(MAX_WANTED / 2);
        desired.attributes.truncate(MAX_WANTED / 4);
        let mut left = MAX_WANTED / 4;
        for table in &mut desired.tables {
            table.rows.truncate(left);
            left -= table.rows.len();
        }
        let problem =
            format!("more than {MAX_WANTED} values are wanted of one device; some are left out");
        let by = self.profiles.len().saturating_sub(1);
        self.problem(by, problem);
    }
}

/// Leaves only those who want something, in their order.
fn drop_unused_sources(desired: &mut Desired) {
    let all = std::mem::take(&mut desired.sources);
    let mut moved: Vec<Option<u16>> = vec![None; all.len()];
    let used = desired.values.iter().map(|value| value.source);
    let used = used.chain(desired.attributes.iter().map(|attribute| attribute.source));
    let used = used.chain(desired.tables.iter().map(|table| table.source));
    let used: BTreeSet<u16> = used.collect();
    for (place, source) in all.into_iter().enumerate() {
        if u16::try_from(place).is_ok_and(|place| used.contains(&place)) {
            moved[place] = u16::try_from(desired.sources.len()).ok();
            desired.sources.push(source);
        }
    }
    let to = |place: u16| moved.get(usize::from(place)).copied().flatten().unwrap_or(place);
    desired.values.iter_mut().for_each(|value| value.source = to(value.source));
    desired.attributes.iter_mut().for_each(|attribute| attribute.source = to(attribute.source));
    desired.tables.iter_mut().for_each(|table| table.source = to(table.source));
}
