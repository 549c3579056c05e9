//! Plans as they are shown: nothing of it holds a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::mask::{self, MASK};
use super::super::within::{INSTALLATION, Veil};
use crate::fleet::{DevicePlan, FirmwareChange, PlannedChange, Summary};
use crate::ledger::Names;
use crate::profile::{PlanRecord, ProfileError};
use crate::store::{Store, StoreError};

/// What would change, counted in devices.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
pub(in crate::api) struct SummaryView {
    /// Devices that were looked at.
    devices: u64,
    /// Those of which something would be wanted that is not wanted now; without
    /// a change of profiles, those of which anything is wanted.
    concerned: u64,
    /// Those of them that would change.
    changing: u64,
    /// Those of them that have all of it already.
    satisfied: u64,
    /// Those of them that would have to be read first.
    reading: u64,
    /// Those of them of which nothing was ever read.
    never_read: u64,
    /// Those of them that cannot have a part of it.
    impossible: u64,
    /// Devices that would restart.
    reboots: u64,
    /// By what may be interrupted: `internet`, `lan`, `wifi`, `telephony`,
    /// `management`.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    outages: BTreeMap<String, u64>,
    /// By the kind of change.
    kinds: KindsView,
    /// RPCs by method, not devices.
    #[schema(value_type = std::collections::HashMap<String, u64>)]
    rpcs: BTreeMap<String, u64>,
    /// What each profile has to do with it.
    profiles: Vec<ShareView>,
    /// By path that would change, `{i}` for rows; the most frequent first.
    paths: Vec<PathView>,
    /// Changes of paths beyond those.
    other_paths: u64,
    /// Devices with something that could not be told.
    troubled: u64,
    /// The first things that could not be told, in words.
    problems: Vec<String>,
}

/// Devices by the kind of change.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
struct KindsView {
    values: u64,
    rows_made: u64,
    rows_removed: u64,
    firmware: u64,
    tags: u64,
}

/// What one profile has to do with a plan.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
struct ShareView {
    profile: String,
    devices: u64,
    changes: u64,
}

/// Devices on which a path would change.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
struct PathView {
    path: String,
    devices: u64,
}

impl SummaryView {
    /// A summary without the names of profiles that are not seen.
    pub(super) fn veiled(summary: &Summary, veil: &Veil) -> Self {
        let mut view = Self::from(summary);
        view.profiles.retain(|share| veil.shows(&share.profile));
        if !veil.is_thin() {
            view.problems.clear();
        }
        view
    }
}

impl From<&Summary> for SummaryView {
    fn from(summary: &Summary) -> Self {
        let mut paths: Vec<PathView> = summary
            .paths
            .iter()
            .map(|(path, devices)| PathView { path: path.to_string(), devices: *devices })
            .collect();
        paths.sort_by(|a, b| b.devices.cmp(&a.devices).then_with(|| a.path.cmp(&b.path)));
        let profiles = summary.profiles.iter().map(|(name, share)| ShareView {
            profile: name.to_string(),
            devices: share.devices,
            changes: share.changes,
        });
        let kinds = summary.kinds;
        Self {
            devices: summary.devices,
            concerned: summary.concerned,
            changing: summary.changing,
            satisfied: summary.satisfied,
            reading: summary.reading,
            never_read: summary.never_read,
            impossible: summary.impossible,
            reboots: summary.reboots,
            outages: summary.outages.iter().map(|(what, n)| (what.word().to_owned(), *n)).collect(),
            kinds: KindsView {
                values: kinds.values,
                rows_made: kinds.rows_made,
                rows_removed: kinds.rows_removed,
                firmware: kinds.firmware,
                tags: kinds.tags,
            },
            rpcs: summary.rpcs.iter().map(|(method, n)| ((*method).to_owned(), *n)).collect(),
            profiles: profiles.collect(),
            paths,
            other_paths: summary.other_paths,
            troubled: summary.troubled,
            problems: summary.problems.clone(),
        }
    }
}

/// What one device would be asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(in crate::api) struct DevicePlanView {
    device: String,
    /// Whether its parameters were ever read.
    known: bool,
    changes: Vec<ChangeView>,
    /// Changes that are not listed.
    #[serde(default)]
    more_changes: usize,
    /// Parameters and objects that would have to be read first.
    unknown: Vec<String>,
    /// What it cannot have.
    impossible: Vec<ImpossibleView>,
    rpcs: Vec<RpcCount>,
    firmware: Option<FirmwareView>,
    tags: TagsView,
    /// Whether it would restart.
    reboot: bool,
    /// What may be interrupted.
    outages: Vec<String>,
    /// What could not be told.
    problems: Vec<String>,
}

/// One value or row that would change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ChangeView {
    /// The parameter, or the row with its last dot; a new one ends in `{i}.`.
    path: String,
    /// What it is; null if it is not there.
    from: Option<String>,
    /// What it would be; null for a row that goes.
    to: Option<String>,
    #[serde(flatten)]
    source: SourceView,
}

/// Who wants something.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct SourceView {
    /// `global`, `tenant NAME`, `site NAME`, `model OUI/CLASS`, `profile`, `device`.
    layer: String,
    profile: String,
    version: u32,
}

/// What a device cannot have, and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct ImpossibleView {
    path: String,
    why: String,
}

/// So many RPCs of one method.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct RpcCount {
    method: String,
    count: u32,
}

/// Firmware that a device would fetch.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct FirmwareView {
    from: String,
    to: String,
    /// The stored file that brings it; null if there is none.
    file: Option<String>,
    #[serde(flatten)]
    source: SourceView,
}

/// Tags that a device would be given and lose.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
struct TagsView {
    given: Vec<String>,
    lost: Vec<String>,
}

/// Problems of the profiles that are seen.
pub(super) fn told(problems: &[ProfileError], veil: &Veil) -> Vec<String> {
    let seen = problems.iter().filter(|problem| veil.shows(&problem.profile));
    seen.map(ToString::to_string).collect()
}

impl SourceView {
    /// Who wants something; of those that are not seen no more than that they do.
    pub(super) fn veiled(source: &crate::device::Source, veil: &Veil) -> Self {
        match veil.shows(&source.name) {
            true => source.into(),
            false => Self {
                layer: source.layer.to_string(),
                profile: INSTALLATION.to_owned(),
                version: 0,
            },
        }
    }
}

impl From<&crate::device::Source> for SourceView {
    fn from(source: &crate::device::Source) -> Self {
        Self {
            layer: source.layer.to_string(),
            profile: source.name.to_string(),
            version: source.version,
        }
    }
}

impl ChangeView {
    fn new(change: &PlannedChange, veil: &Veil) -> Self {
        let shown = |text: &str| {
            let hidden = change.secret && !text.is_empty();
            if hidden { MASK.to_owned() } else { mask::value_of(&change.path, text) }
        };
        Self {
            from: change.from.as_deref().map(shown),
            to: (!change.removes_row()).then(|| shown(&change.to)),
            path: change.path.to_string(),
            source: SourceView::veiled(&change.source, veil),
        }
    }
}

impl FirmwareView {
    fn new(firmware: &FirmwareChange, veil: &Veil) -> Self {
        Self {
            from: firmware.from.to_string(),
            to: firmware.to.to_string(),
            file: firmware.file.as_deref().map(str::to_owned),
            source: SourceView::veiled(&firmware.source, veil),
        }
    }
}

impl DevicePlanView {
    /// A device with its first `most` changes.
    pub(super) fn new(plan: &DevicePlan, most: usize, veil: &Veil) -> Self {
        let tags = |wanted: bool| {
            let tags = plan.tags.iter().filter(|(_, given)| *given == wanted);
            tags.map(|(tag, _)| tag.to_string()).collect()
        };
        let impossible = plan.impossible.iter().map(|(path, why)| ImpossibleView {
            path: path.to_string(),
            why: mask::url(why).into_owned(),
        });
        let rpcs = plan.rpcs.iter();
        Self {
            device: plan.device.to_string(),
            known: plan.known,
            changes: plan
                .changes
                .iter()
                .take(most)
                .map(|change| ChangeView::new(change, veil))
                .collect(),
            more_changes: plan.changes.len().saturating_sub(most),
            unknown: plan.unknown.iter().take(most).map(ToString::to_string).collect(),
            impossible: impossible.take(most).collect(),
            rpcs: rpcs
                .map(|rpc| RpcCount { method: rpc.method.to_owned(), count: rpc.count })
                .collect(),
            firmware: plan.firmware.as_ref().map(|firmware| FirmwareView::new(firmware, veil)),
            tags: TagsView { given: tags(true), lost: tags(false) },
            reboot: plan.reboots(),
            outages: plan.outages.iter().map(|outage| outage.word().to_owned()).collect(),
            problems: told(&plan.problems, veil),
        }
    }
}

/// Puts the names in a plan as they may be told.
pub(super) async fn sign(
    store: &dyn Store,
    names: &mut Names,
    record: &mut PlanRecord,
) -> Result<(), StoreError> {
    record.by = names.told(store, &record.by).await?;
    if let Some((_, by)) = &mut record.applied {
        *by = names.told(store, by).await?;
    }
    Ok(())
}
