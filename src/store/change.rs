//! What a commit is made of.

use std::sync::Arc;

use super::{FileRecord, OfficeKey, OfficeRecord};
use crate::device::{
    Association, ChangeSet, Compliance, Credentials, Device, DeviceBackup, DeviceId, Event, Labels,
    ModelKey, ModelRecord, ModelWishes, Preload, PreloadKey, Report, SessionRecord, Stranger, Task,
    TaskId, TraceEntry, WrittenValues,
};
use crate::param::Tree;
use crate::phone::{FetchLog, FileVersion, Layer, Mac, Phone, Scope, Seen, Site};
use crate::profile::{PlanRecord, ProfileRecord};
use crate::rollout::{CampaignRecord, Member};
use crate::schema::LearnedParameters;
use crate::time::Timestamp;

/// One typed record to be written.
#[derive(Clone, Debug)]
pub enum Record {
    /// A device's hot record.
    Device(Box<Device>),
    /// A device's parameters.
    Tree(DeviceId, Arc<Tree>),
    /// What operators attached to a device; revisioned.
    Labels(DeviceId, Labels),
    /// The credentials that a device was given.
    Credentials(Box<Credentials>),
    /// A task; revisioned. A task that is ended leaves the open queue.
    Task(Box<Task>),
    /// A line of history.
    Event(Event),
    /// A session in which something was asked.
    Session(Box<SessionRecord>),
    /// What a device reported outside of sessions.
    Report(Box<Report>),
    /// A message of a session that is traced.
    Trace(Box<TraceEntry>),
    /// What was learned of a model.
    Model(Box<ModelRecord>),
    /// What an operator says of a model; revisioned.
    ModelWishes(Box<ModelWishes>),
    /// What one session found changed.
    Changes(Box<ChangeSet>),
    /// What stands between a device and what is wanted of it.
    Compliance(Box<Compliance>),
    /// What was written to a device and does not read back.
    Written(Box<WrittenValues>),
    /// A profile, and the same as one of its versions; the version is its
    /// revision.
    Profile(Box<ProfileRecord>),
    /// A plan.
    Plan(Box<PlanRecord>),
    /// A campaign; revisioned.
    Campaign(Box<CampaignRecord>),
    /// A device of a campaign.
    Member(Box<Member>),
    /// A device that is expected; revisioned.
    Preload(Box<Preload>),
    /// An unknown device.
    Stranger(Box<Stranger>),
    /// A backup of a device.
    DeviceBackup(Box<DeviceBackup>),
    /// What was learned of a model's own parameters.
    LearnedParameters(Box<LearnedParameters>),
    /// One side's word that a device stands behind a gateway.
    Association(Box<Association>),
    /// A phone; revisioned.
    Phone(Box<Phone>),
    /// What a phone was last seen doing.
    Seen(Mac, Seen),
    /// What a phone fetched, and its first-fetch lock.
    FetchLog(Box<FetchLog>),
    /// A site; revisioned.
    Site(Box<Site>),
    /// Settings above or beside sites; revisioned.
    Layer(Box<Layer>),
    /// A file's version gate: refused as a conflict unless its counter is
    /// higher than, or equal with the same hash as, the one stored.
    FileVersion(FileVersion),
    /// An uploaded file.
    File(FileRecord),
    /// A small setting.
    Setting(Box<str>, Vec<u8>),
    /// A record of the northbound itself.
    Office(OfficeRecord),
}

/// One change.
///
/// Revisioned records are put with `revision` one above the stored one (1 for a
/// new record); anything else is refused as a conflict.
#[derive(Clone, Debug)]
pub enum Change {
    /// Write a record in place of what was there.
    Put(Record),
    /// Forget a device with its tree, labels, credentials, tasks and history.
    ForgetDevice(DeviceId),
    /// Forget the traced messages of a device.
    ForgetTrace(DeviceId),
    /// Forget what the histories of a device hold from before this time, and what
    /// is beyond the numbers that are kept.
    TrimHistory(DeviceId, Timestamp),
    /// Nothing stands between a device and what is wanted of it.
    ForgetCompliance(DeviceId),
    /// Forget a profile with its versions, of which there are so many.
    ForgetProfile(Box<str>, u32),
    /// Forget a plan.
    ForgetPlan(u128),
    /// Forget a campaign; its devices are forgotten one by one.
    ForgetCampaign(Box<str>),
    /// Forget a device of a campaign.
    ForgetMember(Box<str>, DeviceId),
    /// Expect a device no longer.
    ForgetPreload(PreloadKey),
    /// Forget an unknown device.
    ForgetStranger(DeviceId),
    /// Forget a backup of a device.
    ForgetDeviceBackup(DeviceId, u128),
    /// Forget what was learned of a model; what operators said of it stays.
    ForgetModel(ModelKey),
    /// Forget what an operator said of a model.
    ForgetModelWishes(ModelKey),
    /// Forget one side's word on an association.
    ForgetAssociation(Box<Association>),
    /// Forget a phone, with what it was seen doing.
    ForgetPhone(Mac),
    /// Forget a site. Its phones stay.
    ForgetSite(Box<str>),
    /// Forget a layer of settings.
    ForgetLayer(Scope),
    /// Forget a file's record.
    ForgetFile(Box<str>),
    /// Forget a record of the northbound itself.
    ForgetOffice(OfficeKey),
}

/// Changes that are made durable together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    changes: Vec<Change>,
}

impl Batch {
    /// A batch without changes.
    pub const fn new() -> Self {
        Self { changes: Vec::new() }
    }

    /// Adds a record to write.
    pub fn put(&mut self, record: Record) -> &mut Self {
        self.changes.push(Change::Put(record));
        self
    }

    /// Adds any change.
    pub fn push(&mut self, change: Change) -> &mut Self {
        self.changes.push(change);
        self
    }

    /// Takes over the changes of another batch.
    pub fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

impl From<Record> for Batch {
    fn from(record: Record) -> Self {
        Self { changes: vec![Change::Put(record)] }
    }
}

/// Kinds of records that others keep at hand: their changes are counted, so that
/// whoever keeps them sees at no cost whether to read them again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Profiles.
    Profile,
    /// What is known of models, learned or said by operators.
    Model,
    /// What was learned of models' own parameters.
    LearnedParameters,
    /// Devices that are expected.
    Preload,
    /// Tokens and users.
    Token,
}

impl Kind {
    /// How many there are.
    pub(super) const COUNT: usize = 5;

    /// The kind of record that a change touches, if it is one of these.
    pub(super) const fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::Put(Record::Profile(_)) | Change::ForgetProfile(..) => Self::Profile,
            Change::Put(Record::Model(_) | Record::ModelWishes(_))
            | Change::ForgetModel(_)
            | Change::ForgetModelWishes(_) => Self::Model,
            Change::Put(Record::LearnedParameters(_)) => Self::LearnedParameters,
            Change::Put(Record::Preload(_)) | Change::ForgetPreload(_) => Self::Preload,
            Change::Put(Record::Office(OfficeRecord::Token(_) | OfficeRecord::User(_)))
            | Change::ForgetOffice(OfficeKey::Token(_) | OfficeKey::User(_)) => Self::Token,
            _ => return None,
        })
    }
}

/// What a commit touched, told to watchers after it became durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A device's hot record.
    Device(DeviceId),
    /// A task, and whether it is ended.
    Task {
        /// The task.
        id: TaskId,
        /// Its device.
        device: DeviceId,
        /// Whether it is over.
        ended: bool,
    },
    /// What operators attached to a device.
    Labels(DeviceId),
    /// A profile.
    Profile(Box<str>),
    /// A campaign.
    Campaign(Box<str>),
    /// What was learned of a model's own parameters.
    LearnedParameters(ModelKey),
    /// A phone.
    Phone(Mac),
    /// A site.
    Site(Box<str>),
    /// A layer of settings.
    Layer(Scope),
    /// An uploaded file's record, by its SHA-256.
    File(Box<str>),
    /// What was learned of a model, or what an operator says of it.
    Model(ModelKey),
    /// There is news.
    News,
    /// Webhooks were changed.
    Webhooks,
    /// A change over many devices.
    Bulk(u128),
}
