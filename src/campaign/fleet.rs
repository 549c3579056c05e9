//! What one device of a campaign is asked, as records.

use super::service::CampaignsDeps;
use super::work::Work;
use crate::device::{Action, Device, DeviceId, DownloadFile, Labels, Task, TaskId, TaskState};
use crate::param::Tree;
use crate::rollout::{
    Asked, Before, CampaignAction, CampaignSpec, Member, MemberState, Place, ask, task_id, undo,
};
use crate::store::{FileRecord, Record, StoreError};
use crate::time::Timestamp;

/// Files looked at in one go.
const PAGE: usize = 500;

/// What is recorded so that a device is asked something, or because it is not.
pub(super) struct Order {
    /// Where it stood.
    pub(super) from: Place,
    /// Where it stands.
    pub(super) member: Member,
    /// The task, and what belongs to it.
    pub(super) records: Vec<Record>,
    /// Whether the device is asked anything.
    pub(super) asks: bool,
}

impl Work {
    /// What a device is asked when its turn has come.
    pub(super) async fn order(
        &self,
        deps: &CampaignsDeps,
        member: Member,
        began: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Order, StoreError> {
        let from = member.state.place();
        let settled = |state| Order {
            from,
            member: Member { state, ..member.clone() },
            records: Vec::new(),
            asks: false,
        };
        let Some(device) = self.device(deps, &member.device).await? else {
            let why = "the device is not known any more".into();
            return Ok(settled(MemberState::Skipped { at: now, why }));
        };
        let tree = match self.spec.action {
            CampaignAction::Parameters { .. } => deps.store.tree(&device.id).await?,
            _ => None,
        };
        let tree = tree.unwrap_or_default();
        let (action, before, tag) = match ask(&self.spec, &device, &tree, self.file.as_ref()) {
            Asked::Nothing => return Ok(settled(MemberState::Already { at: now })),
            Asked::Impossible(why) => {
                return Ok(settled(MemberState::Skipped { at: now, why }));
            }
            Asked::Tag => (by_profiles(), Before::Nothing, true),
            Asked::Task(action, before) => (*action, before, false),
        };
        let task = self.next_task(&member, action, began, expires_at, now);
        let mut records = Vec::new();
        if tag {
            records.extend(tagged(deps, &device.id, &self.spec.tag(), true).await?);
        }
        // What it had before the first attempt is what it is brought back to.
        let before = if member.before == Before::Nothing { before } else { member.before.clone() };
        let state = MemberState::Asked { at: now, task: task.id };
        let asks = member.asks.saturating_add(1);
        records.push(Record::Task(Box::new(task)));
        Ok(Order { from, member: Member { asks, before, state, ..member }, records, asks: true })
    }

    /// What a device is asked so that it is what it was before.
    pub(super) async fn order_back(
        &self,
        deps: &CampaignsDeps,
        member: Member,
        began: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Order, StoreError> {
        let from = member.state.place();
        let first = from != Place::Undoing;
        let attempts = if first { 0 } else { member.attempts };
        let settled = |state| Order {
            from,
            member: Member { state, attempts, ..member.clone() },
            records: Vec::new(),
            asks: false,
        };
        let Some(device) = self.device(deps, &member.device).await? else {
            let why = "the device is not known any more".into();
            return Ok(settled(MemberState::NotUndone { at: now, why }));
        };
        let file = match &member.before {
            Before::Version(version) => {
                of_version(deps, &self.record.tenant, version).await?.map(download)
            }
            _ => None,
        };
        let (action, tag) = match undo(&self.spec, &device, &member.before, file) {
            Asked::Nothing => return Ok(settled(MemberState::Undone { at: now })),
            Asked::Impossible(why) => {
                return Ok(settled(MemberState::NotUndone { at: now, why }));
            }
            Asked::Tag => (by_profiles(), true),
            Asked::Task(action, _) => (*action, false),
        };
        let task = self.next_task(&member, action, began, expires_at, now);
        let mut records = Vec::new();
        if tag {
            records.extend(tagged(deps, &device.id, &self.spec.tag(), false).await?);
        }
        let state = MemberState::UndoAsked { at: now, task: task.id };
        let asks = member.asks.saturating_add(1);
        records.push(Record::Task(Box::new(task)));
        Ok(Order { from, member: Member { asks, attempts, state, ..member }, records, asks: true })
    }

    /// A device that may be asked: it may have become somebody else's since it was
    /// chosen, and is then as good as forgotten.
    pub(super) async fn device(
        &self,
        deps: &CampaignsDeps,
        id: &DeviceId,
    ) -> Result<Option<Device>, StoreError> {
        device_within(deps, &self.record.tenant, id).await
    }

    fn next_task(
        &self,
        member: &Member,
        action: Action,
        began: Timestamp,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Task {
        let ask = member.asks.saturating_add(1);
        let record = &self.record;
        let id: TaskId = task_id(&record.name, record.at, began, &member.device, ask);
        Task {
            id,
            device: member.device.clone(),
            revision: 1,
            action,
            created_at: now,
            created_by: format!("campaign {}", record.name).into(),
            expires_at,
            state: TaskState::Queued,
            notes: Vec::new(),
            results: Vec::new(),
        }
    }
}

/// Asks that a device be brought to what profiles want of it.
fn by_profiles() -> Action {
    Action::Converge(Box::default())
}

/// A device, if campaigns of this tenant are about it: the installation's are about
/// all.
pub(super) async fn device_within(
    deps: &CampaignsDeps,
    tenant: &str,
    id: &DeviceId,
) -> Result<Option<Device>, StoreError> {
    let Some(device) = deps.store.device(id).await? else { return Ok(None) };
    let labels = deps.store.labels(id).await?.unwrap_or_default();
    Ok(is_about(tenant, &labels).then_some(device))
}

/// Whether campaigns of this tenant are about a device with these labels.
pub(super) fn is_about(tenant: &str, labels: &Labels) -> bool {
    tenant.is_empty() || *labels.tenant == *tenant
}

/// A device's labels with a tag, or without it; `None` if that is so already.
pub(super) async fn tagged(
    deps: &CampaignsDeps,
    device: &DeviceId,
    tag: &str,
    wanted: bool,
) -> Result<Option<Record>, StoreError> {
    let mut labels = deps.store.labels(device).await?.unwrap_or_default();
    let changed = if wanted { labels.tags.insert(tag.into()) } else { labels.tags.remove(tag) };
    labels.revision = labels.revision.saturating_add(1);
    Ok(changed.then(|| Record::Labels(device.clone(), labels)))
}

/// The firmware that a campaign names, as devices are told to fetch it.
pub(super) async fn firmware(
    deps: &CampaignsDeps,
    tenant: &str,
    spec: &CampaignSpec,
) -> Result<Option<DownloadFile>, StoreError> {
    let CampaignAction::Firmware { file: Some(file), version } = &spec.action else {
        return Ok(None);
    };
    let file = file_of(deps, tenant, file).await?.map(download);
    let version = version.as_deref().map(Box::from);
    Ok(file.map(|file| DownloadFile { version: version.or(file.version), ..file }))
}

/// A stored file that a tenant may hand out: one that it brought; the installation
/// any.
pub(super) async fn file_of(
    deps: &CampaignsDeps,
    tenant: &str,
    sha256: &str,
) -> Result<Option<FileRecord>, StoreError> {
    let file = deps.store.file(sha256).await?;
    Ok(if tenant.is_empty() { file } else { file.and_then(|file| file.brought_by(tenant)) })
}

/// A stored firmware of a version, the newest if there are several.
pub(super) async fn of_version(
    deps: &CampaignsDeps,
    tenant: &str,
    version: &str,
) -> Result<Option<FileRecord>, StoreError> {
    Ok(firmwares(deps, tenant, version).await?.into_iter().max_by_key(|file| file.uploaded_at))
}

/// All stored firmwares of a version that a tenant's operator brought.
pub(super) async fn firmwares(
    deps: &CampaignsDeps,
    tenant: &str,
    version: &str,
) -> Result<Vec<FileRecord>, StoreError> {
    let mut found = Vec::new();
    let mut after: Option<Box<str>> = None;
    loop {
        let page = deps.store.files(after.as_deref(), PAGE).await?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|file| file.sha256.clone());
        let brought = page.into_iter().filter_map(|file| file.brought_by(tenant));
        found.extend(
            brought.filter(|file| file.is_firmware() && file.version.as_deref() == Some(version)),
        );
        if is_last {
            return Ok(found);
        }
    }
}

fn download(file: FileRecord) -> DownloadFile {
    DownloadFile {
        sha256: file.sha256,
        file_type: file.file_type,
        name: file.name,
        size: file.size,
        version: file.version,
    }
}

/// Whether everything is known of a device that a campaign changes, and whether
/// it could be brought back.
pub(super) async fn is_known(
    deps: &CampaignsDeps,
    (tenant, spec): (&str, &CampaignSpec),
    device: &Device,
    versions: &mut std::collections::HashMap<Box<str>, bool>,
) -> Result<(bool, bool), StoreError> {
    match &spec.action {
        CampaignAction::Firmware { .. } => {
            let version = &device.software_version;
            let stored = match versions.get(version) {
                Some(stored) => *stored,
                None => {
                    let stored = of_version(deps, tenant, version).await?.is_some();
                    if versions.len() < 1000 {
                        versions.insert(version.clone(), stored);
                    }
                    stored
                }
            };
            Ok((!version.is_empty(), stored))
        }
        CampaignAction::Parameters { .. } => {
            let tree = deps.store.tree(&device.id).await?.unwrap_or_default();
            Ok(values_known(spec, device, &tree))
        }
        CampaignAction::Profile { .. } => Ok((true, true)),
        CampaignAction::Reboot {} | CampaignAction::Migrate { .. } => Ok((true, false)),
    }
}

fn values_known(spec: &CampaignSpec, device: &Device, tree: &Tree) -> (bool, bool) {
    match ask(spec, device, tree, None) {
        Asked::Task(_, Before::Values(values)) => {
            let known = |(path, _): &(Box<str>, _)| tree.value(path).is_some();
            let is_known = values.iter().all(known);
            (is_known, values.iter().all(|(_, value)| value.is_some()))
        }
        _ => (false, false),
    }
}
