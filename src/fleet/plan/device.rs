//! What one device would be asked.

use std::collections::BTreeSet;

use super::super::Known;
use super::Outage;
use super::proposal::Wish;
use crate::device::{DeviceId, Labels, Source};
use crate::plan::{Assessment, PlannedRpc, assess};
use crate::profile::{FirmwareTarget, ProfileError};
use crate::store::FileRecord;

/// The standard's word for firmware.
const FIRMWARE: &str = "1 Firmware Upgrade Image";

/// What one device would be asked, from what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePlan {
    /// The device.
    pub device: DeviceId,
    /// Whether its parameters were ever read.
    pub known: bool,
    /// What would change, in the order of the paths.
    pub changes: Vec<PlannedChange>,
    /// What would have to be read first.
    pub unknown: Vec<Box<str>>,
    /// What it cannot have, each with the reason.
    pub impossible: Vec<(Box<str>, Box<str>)>,
    /// The RPCs that it takes, as far as that is known.
    pub rpcs: Vec<PlannedRpc>,
    /// The firmware that it would fetch.
    pub firmware: Option<FirmwareChange>,
    /// Tags that it would be given (`true`) or lose.
    pub tags: Vec<(Box<str>, bool)>,
    /// What would be interrupted.
    pub outages: BTreeSet<Outage>,
    /// What could not be told.
    pub problems: Vec<ProfileError>,
}

/// One value or row that would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// The parameter, or the row with its last dot; a new one ends in `{i}.`.
    pub path: Box<str>,
    /// What it is; `None` if it is not there.
    pub from: Option<Box<str>>,
    /// What it would be; empty for a row that goes. In clear.
    pub to: Box<str>,
    /// Whether neither must be shown.
    pub secret: bool,
    /// Who wants it.
    pub source: Source,
}

/// Firmware that would be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirmwareChange {
    /// The version that runs.
    pub from: Box<str>,
    /// The version that is to run.
    pub to: Box<str>,
    /// The stored file that brings it; `None` if there is none.
    pub file: Option<Box<str>>,
    /// Who wants it.
    pub source: Source,
}

impl PlannedChange {
    /// Whether it makes a row.
    pub fn makes_row(&self) -> bool {
        self.path.ends_with('.') && self.from.is_none()
    }

    /// Whether it removes a row.
    pub fn removes_row(&self) -> bool {
        self.path.ends_with('.') && self.from.is_some()
    }
}

impl DevicePlan {
    /// What would be asked of a device of which this is wanted.
    /// `files` are those that are stored, newest last.
    pub(super) fn new(known: &Known, wish: Wish, files: &[FileRecord]) -> Self {
        let Wish { resolved, labels } = wish;
        let assessment = assess(&resolved.desired, &known.tree, &known.learned, &known.written);
        let Assessment { differences, unknown, impossible, rpcs } = assessment;
        let nobody = || Source { layer: "".into(), name: "".into(), version: 0 };
        let mut changes: Vec<PlannedChange> = differences
            .into_iter()
            .map(|difference| PlannedChange {
                source: resolved.desired.source(difference.source).cloned().unwrap_or_else(nobody),
                path: difference.path,
                from: difference.found,
                to: difference.wanted,
                secret: difference.secret,
            })
            .collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let mut plan = Self {
            device: known.device.id.clone(),
            known: !known.tree.is_empty(),
            outages: changes.iter().filter_map(|change| Outage::of(&change.path)).collect(),
            changes,
            unknown: unknown.iter().map(|path| path.as_str().into()).collect(),
            impossible,
            rpcs,
            firmware: None,
            tags: tag_changes(&known.labels, &labels),
            problems: resolved.problems,
        };
        for path in resolved.unread {
            if !plan.unknown.iter().any(|known| **known == *path.as_str()) {
                plan.unknown.push(path.as_str().into());
            }
        }
        if let Some(target) = resolved.firmware {
            plan.add_firmware(&known.device.software_version, target, files);
        }
        plan
    }

    /// Whether the device would be asked something, or its tags change.
    pub fn is_change(&self) -> bool {
        !self.changes.is_empty() || self.reboots() || !self.tags.is_empty()
    }

    /// Whether the device has all that is wanted of it.
    pub fn is_satisfied(&self) -> bool {
        !self.is_change()
            && self.unknown.is_empty()
            && self.impossible.is_empty()
            && self.problems.is_empty()
    }

    /// Whether the device would restart: it does after new firmware.
    pub fn reboots(&self) -> bool {
        self.firmware.as_ref().is_some_and(|firmware| firmware.file.is_some())
    }

    fn add_firmware(&mut self, runs: &str, target: FirmwareTarget, files: &[FileRecord]) {
        if *runs == *target.version {
            return;
        }
        let mut brought = files.iter().rev().filter_map(|file| file.brought_by(&target.tenant));
        let file = brought.find(|file| brings(file, &target));
        if file.is_none() {
            let why = format!("no stored file brings the firmware {}", target.version);
            self.impossible.push(("DeviceInfo.SoftwareVersion".into(), why.into()));
        } else {
            self.outages.insert(Outage::Internet);
            match self.rpcs.iter_mut().find(|rpc| rpc.method == "Download") {
                Some(rpc) => rpc.count += 1,
                None => self.rpcs.push(PlannedRpc { method: "Download", count: 1 }),
            }
        }
        self.firmware = Some(FirmwareChange {
            from: runs.into(),
            to: target.version,
            file: file.map(|file| file.name),
            source: target.source,
        });
    }
}

/// Whether a file is the one that a target names.
fn brings(file: &FileRecord, target: &FirmwareTarget) -> bool {
    if *file.file_type != *FIRMWARE {
        return false;
    }
    if target.file.is_empty() {
        file.version.as_deref() == Some(&*target.version)
    } else {
        *file.sha256 == *target.file || *file.name == *target.file
    }
}

fn tag_changes(before: &Labels, after: &Labels) -> Vec<(Box<str>, bool)> {
    let given = after.tags.difference(&before.tags).map(|tag| (tag.clone(), true));
    let lost = before.tags.difference(&after.tags).map(|tag| (tag.clone(), false));
    given.chain(lost).collect()
}
