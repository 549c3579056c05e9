//! A batch, encoded by whoever commits it: what the committer then has to do
//! for each change, without knowing types.

use super::names::Names;
use super::record::{self, Head, Setting, Stored};
use super::tally::TaskWords;
use super::terms::{self, Source};
use super::vault::SEALING;
use super::{
    Batch, Change, Kind, Notice, OfficeKey, OfficeRecord, Record, StoreError, Vault, frame, keys,
    tree,
};
use crate::device::{Association, DeviceId, Task, TaskId};
use crate::phone::FileVersion;
use crate::term::{self, Term};
use crate::time::Timestamp;

/// The largest value under one key, in bytes; what is larger goes in parts.
pub(super) const PART: usize = 60_000;

/// The same for a record that is never in parts, once it is sealed.
pub(super) const SEALED_PART: usize = PART + SEALING;

/// One thing to do.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Set the hot record of a device; if it is new, also where a phone of this
    /// address finds it, under the other key.
    Device {
        key: Vec<u8>,
        value: Vec<u8>,
        phone: Option<Vec<u8>>,
        id: DeviceId,
        informed: Timestamp,
    },
    /// Keep the entries of labels or of a tree in the indexes.
    Terms { device: DeviceId, source: Source, terms: Vec<u8> },
    /// Make the entries of a hot record that has none.
    IndexDevice(DeviceId),
    /// Make the entries of labels or of a tree that have none.
    IndexTerms { device: DeviceId, source: Source, terms: Vec<u8> },
    /// Set a small record.
    Small { key: Vec<u8>, value: Vec<u8> },
    /// Set a record that may be large; if revised, only upon the revision before.
    Large { key: Vec<u8>, value: Vec<u8>, revised: bool },
    /// Set a task upon the revision before, and keep its lists.
    Task { device: DeviceId, id: TaskId, value: Vec<u8>, counted: TaskWords },
    /// Set a version gate that does not fall.
    Gate { key: Vec<u8>, value: Vec<u8>, gate: Box<FileVersion> },
    /// Append to a ring of a device.
    Ring { kind: Ring, device: DeviceId, value: Vec<u8> },
    /// Set a record that was sealed anew, if what lies under its key is still what
    /// was read.
    Reseal { key: Vec<u8>, first: Vec<u8>, value: Vec<u8> },
    /// Append to the audit, chained to the entry before.
    Audit(Vec<u8>),
    /// Append to the news.
    News(Vec<u8>),
    /// Forget all that belongs to a device.
    ForgetDevice(DeviceId),
    /// Forget the entries of a ring.
    ForgetRing(Ring, DeviceId),
    /// Forget the entries of a ring with numbers below this one.
    TrimRing(Ring, DeviceId, u64),
    /// Forget records, with their parts.
    Forget(Vec<Vec<u8>>),
}

/// The histories of a device, each kept to a number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ring {
    Events,
    Sessions,
    Reports,
    Trace,
    Changes,
}

impl Ring {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Events, Self::Sessions, Self::Reports, Self::Trace, Self::Changes];

    /// The letter of its keys.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Events => b'e',
            Self::Sessions => b'a',
            Self::Reports => b'b',
            Self::Trace => b'w',
            Self::Changes => b'H',
        }
    }
}

/// A batch, ready for the committer.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// What to do, in order.
    pub(super) steps: Vec<Step>,
    /// What to tell afterwards; empty if nobody listens.
    pub(super) notices: Vec<Notice>,
    /// Ids of names that become durable with it.
    pub(super) names: Vec<u32>,
    /// The kinds of records that it touches and whose changes are counted.
    pub(super) kinds: Vec<Kind>,
}

impl Prepared {
    /// Whether it must see the index as all batches before it left it, and none
    /// with it: such a batch is applied alone.
    pub(super) fn stands_alone(&self) -> bool {
        let alone = |step: &Step| matches!(step, Step::ForgetDevice(_) | Step::Reseal { .. });
        self.steps.iter().any(alone)
    }
}

/// Encodes a batch. `told` says whether anybody listens to notices.
pub(super) fn prepare(
    batch: &Batch,
    names: &Names,
    vault: &Vault,
    told: bool,
) -> Result<Prepared, StoreError> {
    let mut prepared =
        Prepared { steps: Vec::with_capacity(batch.changes().len()), ..Prepared::default() };
    for change in batch.changes() {
        match change {
            Change::Put(record) => prepared.put(record, names, vault)?,
            Change::ForgetDevice(id) => prepared.steps.push(Step::ForgetDevice(id.clone())),
            Change::ForgetTrace(id) => {
                prepared.steps.push(Step::ForgetRing(Ring::Trace, id.clone()))
            }
            // Which entries those are is looked up by whoever commits it.
            Change::TrimHistory(..) => {}
            Change::ForgetCompliance(id) => {
                prepared.steps.push(Step::Forget(vec![keys::of_device(b'C', id)]));
            }
            Change::ForgetProfile(name, versions) => {
                let mut gone = vec![keys::named(b'P', name)];
                gone.extend((1..=*versions).map(|version| keys::profile_version(name, version)));
                prepared.steps.push(Step::Forget(gone));
            }
            Change::ForgetPlan(id) => prepared.steps.push(Step::Forget(vec![keys::plan(*id)])),
            Change::ForgetCampaign(name) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'K', name)]));
            }
            Change::ForgetMember(campaign, device) => {
                prepared.steps.push(Step::Forget(vec![keys::member(campaign, device)]));
            }
            Change::ForgetPreload(key) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'R', &key.to_string())]));
            }
            Change::ForgetStranger(id) => {
                prepared.steps.push(Step::Forget(vec![keys::of_device(b'Q', id)]));
            }
            Change::ForgetDeviceBackup(device, id) => {
                prepared.steps.push(Step::Forget(vec![keys::device_backup(device, *id)]));
            }
            Change::ForgetModel(key) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'y', &key.to_string())]));
            }
            Change::ForgetModelWishes(key) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'Y', &key.to_string())]));
            }
            Change::ForgetAssociation(association) => {
                prepared.steps.push(Step::Forget(association_keys(association).into()));
            }
            Change::ForgetPhone(mac) => {
                let kept = [b'h', b's', b'k'].map(|kind| keys::of_phone(kind, *mac));
                prepared.steps.push(Step::Forget(kept.to_vec()));
            }
            Change::ForgetSite(name) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'i', name)]));
            }
            Change::ForgetLayer(scope) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'j', &scope.to_string())]));
            }
            Change::ForgetFile(sha256) => {
                prepared.steps.push(Step::Forget(vec![keys::named(b'f', sha256)]));
            }
            Change::ForgetOffice(key) => prepared.steps.push(Step::Forget(key.keys())),
        }
        prepared.kinds.extend(Kind::of(change));
        if told {
            prepared.notices.extend(notice(change));
        }
    }
    Ok(prepared)
}

impl Prepared {
    fn put(&mut self, record: &Record, names: &Names, vault: &Vault) -> Result<(), StoreError> {
        let step = match record {
            Record::Device(device) => {
                let key = keys::of_device(b'd', &device.id);
                Step::Device {
                    value: small(&key, &**device, vault)?,
                    key,
                    phone: keys::phone_of(&device.identity.serial_number),
                    id: device.id.clone(),
                    informed: device.last_inform,
                }
            }
            Record::Tree(id, tree) => return self.put_tree(id, tree, names, vault),
            Record::Labels(id, labels) => {
                self.steps.push(large(keys::of_device(b'l', id), labels, true, vault)?);
                terms_step(id, Source::Labels, &term::of_labels(labels))
            }
            Record::Credentials(credentials) => {
                small_step(keys::of_device(b'c', &credentials.device), &**credentials, vault)?
            }
            Record::Task(task) => task_step(task, vault)?,
            Record::Event(event) => ring_step(Ring::Events, &event.device, event, vault)?,
            Record::Session(session) => {
                ring_step(Ring::Sessions, &session.device, &**session, vault)?
            }
            Record::Report(report) => ring_step(Ring::Reports, &report.device, &**report, vault)?,
            Record::Trace(entry) => ring_step(Ring::Trace, &entry.device, &**entry, vault)?,
            Record::Model(model) => {
                large(keys::named(b'y', &model.key.to_string()), &**model, false, vault)?
            }
            Record::ModelWishes(wishes) => {
                large(keys::named(b'Y', &wishes.key.to_string()), &**wishes, true, vault)?
            }
            Record::Association(association) => {
                for key in association_keys(association) {
                    self.steps.push(small_step(key, &**association, vault)?);
                }
                return Ok(());
            }
            Record::Phone(phone) => large(keys::of_phone(b'h', phone.mac), &**phone, true, vault)?,
            Record::Seen(mac, seen) => small_step(keys::of_phone(b's', *mac), seen, vault)?,
            Record::Site(site) => large(keys::named(b'i', &site.name), &**site, true, vault)?,
            Record::FetchLog(log) => small_step(keys::of_phone(b'k', log.mac), &**log, vault)?,
            Record::Layer(layer) => {
                large(keys::named(b'j', &layer.scope.to_string()), &**layer, true, vault)?
            }
            Record::FileVersion(version) => {
                let key = keys::named(b'g', &version.key);
                Step::Gate {
                    value: small(&key, version, vault)?,
                    key,
                    gate: Box::new(version.clone()),
                }
            }
            Record::File(file) => small_step(keys::named(b'f', &file.sha256), file, vault)?,
            Record::Setting(name, value) => {
                large(keys::named(b'm', name), &Setting(value.clone()), false, vault)?
            }
            Record::Office(office) => office.step(vault)?,
            other => return self.put_wanted(other, vault),
        };
        self.steps.push(step);
        Ok(())
    }

    /// The records of what is wanted of the fleet, and of what became of it.
    fn put_wanted(&mut self, record: &Record, vault: &Vault) -> Result<(), StoreError> {
        let step = match record {
            Record::Changes(set) => ring_step(Ring::Changes, &set.device, &**set, vault)?,
            Record::Compliance(compliance) => {
                large(keys::of_device(b'C', &compliance.device), &**compliance, false, vault)?
            }
            Record::Written(written) => {
                large(keys::of_device(b'S', &written.device), &**written, false, vault)?
            }
            Record::Profile(profile) => {
                let version = keys::profile_version(&profile.name, profile.version);
                self.steps.push(large(version, &**profile, false, vault)?);
                large(keys::named(b'P', &profile.name), &**profile, true, vault)?
            }
            Record::Plan(plan) => large(keys::plan(plan.id), &**plan, false, vault)?,
            Record::Campaign(campaign) => {
                large(keys::named(b'K', &campaign.name), &**campaign, true, vault)?
            }
            Record::Member(member) => {
                small_step(keys::member(&member.campaign, &member.device), &**member, vault)?
            }
            Record::Preload(preload) => {
                large(keys::named(b'R', &preload.key.to_string()), &**preload, true, vault)?
            }
            Record::Stranger(stranger) => {
                small_step(keys::of_device(b'Q', &stranger.device), &**stranger, vault)?
            }
            Record::DeviceBackup(backup) => {
                large(keys::device_backup(&backup.device, backup.id), &**backup, false, vault)?
            }
            Record::LearnedParameters(learned) => {
                large(keys::named(b'X', &learned.key.to_string()), &**learned, false, vault)?
            }
            // `put` handles all others; one that was forgotten is not dropped in silence.
            _ => return Err(StoreError::Damaged("a record has no place".to_owned())),
        };
        self.steps.push(step);
        Ok(())
    }

    /// A tree, and the names that are not known to be durable before it.
    fn put_tree(
        &mut self,
        id: &DeviceId,
        tree: &crate::param::Tree,
        names: &Names,
        vault: &Vault,
    ) -> Result<(), StoreError> {
        let (value, fresh) = tree::encode(tree, names, vault)?;
        {
            let table = names.table();
            for id in &fresh {
                let text = table.name(*id).unwrap_or_default().as_bytes().to_vec();
                self.steps.push(Step::Small { key: keys::name(*id), value: text });
            }
        }
        self.names.extend(fresh);
        self.steps.push(Step::Large { key: keys::of_device(b'p', id), value, revised: false });
        self.steps.push(terms_step(id, Source::Tree, &term::of_tree(tree)));
        Ok(())
    }
}

pub(super) fn small<T: Stored>(
    key: &[u8],
    record: &T,
    vault: &Vault,
) -> Result<Vec<u8>, StoreError> {
    check_key(key)?;
    let value = record::encode(record, vault)?;
    let most = if T::SEALED { SEALED_PART } else { PART };
    if value.len() > most { Err(StoreError::TooLarge(keys::describe(key))) } else { Ok(value) }
}

pub(super) fn small_step<T: Stored>(
    key: Vec<u8>,
    record: &T,
    vault: &Vault,
) -> Result<Step, StoreError> {
    Ok(Step::Small { value: small(&key, record, vault)?, key })
}

pub(super) fn large<T: Stored>(
    key: Vec<u8>,
    record: &T,
    revised: bool,
    vault: &Vault,
) -> Result<Step, StoreError> {
    check_key(&key)?;
    Ok(Step::Large { value: record::encode(record, vault)?, key, revised })
}

fn terms_step(device: &DeviceId, source: Source, terms: &[Term]) -> Step {
    Step::Terms { device: device.clone(), source, terms: terms::encode(terms) }
}

fn task_step(task: &Task, vault: &Vault) -> Result<Step, StoreError> {
    check_key(&keys::listed_task(b'u', &task.device, task.id))?;
    Ok(Step::Task {
        device: task.device.clone(),
        id: task.id,
        value: record::encode(task, vault)?,
        counted: TaskWords { action: task.action.word(), state: task.state.word() },
    })
}

fn ring_step<T: Stored>(
    kind: Ring,
    device: &DeviceId,
    entry: &T,
    vault: &Vault,
) -> Result<Step, StoreError> {
    let key = keys::under_device(kind.letter(), device);
    Ok(Step::Ring { kind, value: small(&key, entry, vault)?, device: device.clone() })
}

/// Where an association lies: under the gateway and under the member.
fn association_keys(association: &Association) -> [Vec<u8>; 2] {
    let Association { gateway, member, teller, .. } = association;
    keys::association(gateway, *teller, member)
}

/// Room is left for what parts and lists add to a key.
fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.len() > frame::MAX_KEY - 64 {
        return Err(StoreError::TooLarge("the name of a record".to_owned()));
    }
    Ok(())
}

fn notice(change: &Change) -> Option<Notice> {
    match change {
        Change::Put(Record::Device(device)) => Some(Notice::Device(device.id.clone())),
        Change::Put(Record::Task(task)) => Some(Notice::Task {
            id: task.id,
            device: task.device.clone(),
            ended: task.state.is_ended(),
        }),
        Change::Put(Record::Phone(phone)) => Some(Notice::Phone(phone.mac)),
        Change::Put(Record::Site(site)) => Some(Notice::Site(site.name.clone())),
        Change::Put(Record::Layer(layer)) => Some(Notice::Layer(layer.scope.clone())),
        Change::Put(Record::File(file)) => Some(Notice::File(file.sha256.clone())),
        Change::Put(Record::Model(model)) => Some(Notice::Model(model.key.clone())),
        Change::Put(Record::ModelWishes(wishes)) => Some(Notice::Model(wishes.key.clone())),
        Change::Put(Record::Labels(id, _)) => Some(Notice::Labels(id.clone())),
        Change::Put(Record::Profile(profile)) => Some(Notice::Profile(profile.name.clone())),
        Change::ForgetProfile(name, _) => Some(Notice::Profile(name.clone())),
        Change::Put(Record::Campaign(campaign)) => Some(Notice::Campaign(campaign.name.clone())),
        Change::ForgetCampaign(name) => Some(Notice::Campaign(name.clone())),
        Change::Put(Record::LearnedParameters(learned)) => {
            Some(Notice::LearnedParameters(learned.key.clone()))
        }
        Change::ForgetModel(key) | Change::ForgetModelWishes(key) => {
            Some(Notice::Model(key.clone()))
        }
        Change::ForgetDevice(id) => Some(Notice::Device(id.clone())),
        Change::ForgetPhone(mac) => Some(Notice::Phone(*mac)),
        Change::ForgetSite(name) => Some(Notice::Site(name.clone())),
        Change::ForgetLayer(scope) => Some(Notice::Layer(scope.clone())),
        Change::ForgetFile(sha256) => Some(Notice::File(sha256.clone())),
        Change::Put(Record::Office(OfficeRecord::News(_))) => Some(Notice::News),
        Change::Put(Record::Office(OfficeRecord::Webhook(_)))
        | Change::ForgetOffice(OfficeKey::Webhook(_)) => Some(Notice::Webhooks),
        Change::Put(Record::Office(OfficeRecord::Bulk(bulk))) => Some(Notice::Bulk(bulk.id)),
        Change::ForgetTrace(_)
        | Change::ForgetOffice(_)
        | Change::TrimHistory(..)
        | Change::ForgetAssociation(_)
        | Change::ForgetCompliance(_)
        | Change::ForgetPlan(_)
        | Change::ForgetMember(..)
        | Change::ForgetPreload(_)
        | Change::ForgetStranger(_)
        | Change::ForgetDeviceBackup(..)
        | Change::Put(_) => None,
    }
}

/// The head of an encoded record; of a sound one there always is one.
pub(super) fn head_of(value: &[u8]) -> Head {
    Head::split(value).map(|(head, _)| head).unwrap_or_default()
}
