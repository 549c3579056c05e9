//! A plan counted over all devices.

use std::collections::BTreeMap;

use super::{DevicePlan, Outage};

/// The most kinds of paths that are counted one by one.
const MAX_PATHS: usize = 200;

/// The most profiles that are counted one by one.
const MAX_PROFILES: usize = 1000;

/// The most problems that are told in words.
const MAX_PROBLEMS: usize = 20;

/// What would change, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Devices that were looked at.
    pub devices: u64,
    /// Those of which something would be wanted that is not wanted now; without
    /// a change of profiles, those of which anything is wanted.
    pub concerned: u64,
    /// Those of them that would be asked something.
    pub changing: u64,
    /// Those of them that have all of it.
    pub satisfied: u64,
    /// Those of them that would have to be read first, in part or at all.
    pub reading: u64,
    /// Those of them of which nothing is known yet.
    pub never_read: u64,
    /// Those of them that cannot have a part of it.
    pub impossible: u64,
    /// Devices that would restart.
    pub reboots: u64,
    /// Devices by what would be interrupted.
    pub outages: BTreeMap<Outage, u64>,
    /// RPCs by method.
    pub rpcs: BTreeMap<&'static str, u64>,
    /// Devices by the kind of change.
    pub kinds: Kinds,
    /// By profile.
    pub profiles: BTreeMap<Box<str>, ProfileShare>,
    /// Devices by path that would change, `{i}` for rows.
    pub paths: BTreeMap<Box<str>, u64>,
    /// Changes of paths beyond those that are counted one by one.
    pub other_paths: u64,
    /// The first things that could not be told, each once.
    pub problems: Vec<String>,
    /// Devices with something that could not be told.
    pub troubled: u64,
}

/// Devices by the kind of change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Values are written.
    pub values: u64,
    /// Rows are made.
    pub rows_made: u64,
    /// Rows are removed.
    pub rows_removed: u64,
    /// Firmware is fetched.
    pub firmware: u64,
    /// Tags are set or taken away.
    pub tags: u64,
}

/// What one profile has to do with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfileShare {
    /// Devices that it would change.
    pub devices: u64,
    /// Changes over all of them.
    pub changes: u64,
}

impl Summary {
    /// Counts a device that is concerned.
    pub fn count(&mut self, plan: &DevicePlan) {
        self.concerned += 1;
        self.changing += u64::from(plan.is_change());
        self.satisfied += u64::from(plan.is_satisfied());
        self.reading += u64::from(!plan.unknown.is_empty());
        self.never_read += u64::from(!plan.known);
        self.impossible += u64::from(!plan.impossible.is_empty());
        self.reboots += u64::from(plan.reboots());
        for outage in &plan.outages {
            *self.outages.entry(*outage).or_default() += 1;
        }
        for rpc in &plan.rpcs {
            *self.rpcs.entry(rpc.method).or_default() += u64::from(rpc.count);
        }
        self.count_kinds(plan);
        self.count_profiles(plan);
        self.count_paths(plan);
        self.troubled += u64::from(!plan.problems.is_empty());
        for problem in &plan.problems {
            let words = problem.to_string();
            if self.problems.len() < MAX_PROBLEMS && !self.problems.contains(&words) {
                self.problems.push(words);
            }
        }
    }

    fn count_kinds(&mut self, plan: &DevicePlan) {
        let any =
            |wanted: fn(&super::PlannedChange) -> bool| u64::from(plan.changes.iter().any(wanted));
        self.kinds.values += any(|change| !change.path.ends_with('.'));
        self.kinds.rows_made += any(super::PlannedChange::makes_row);
        self.kinds.rows_removed += any(super::PlannedChange::removes_row);
        self.kinds.firmware += u64::from(plan.firmware.is_some());
        self.kinds.tags += u64::from(!plan.tags.is_empty());
    }

    fn count_profiles(&mut self, plan: &DevicePlan) {
        let mut here: BTreeMap<&str, u64> = BTreeMap::new();
        for change in &plan.changes {
            *here.entry(&change.source.name).or_default() += 1;
        }
        if let Some(firmware) = &plan.firmware {
            *here.entry(&firmware.source.name).or_default() += 1;
        }
        for (name, changes) in here {
            if self.profiles.len() >= MAX_PROFILES && !self.profiles.contains_key(name) {
                continue;
            }
            let share = self.profiles.entry(name.into()).or_default();
            share.devices += 1;
            share.changes += changes;
        }
    }

    fn count_paths(&mut self, plan: &DevicePlan) {
        let mut here: Vec<String> =
            plan.changes.iter().map(|change| generic(&change.path)).collect();
        here.sort_unstable();
        here.dedup();
        for path in here {
            let is_full = self.paths.len() >= MAX_PATHS;
            match self.paths.get_mut(&*path) {
                Some(count) => *count += 1,
                None if is_full => self.other_paths += 1,
                None => {
                    self.paths.insert(path.into(), 1);
                }
            }
        }
    }
}

/// A path with `{i}` in place of instance numbers and aliases.
fn generic(path: &str) -> String {
    let is_row = |segment: &str| {
        segment.starts_with('[')
            || (!segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let segments = path.split('.').map(|segment| if is_row(segment) { "{i}" } else { segment });
    segments.collect::<Vec<_>>().join(".")
}
