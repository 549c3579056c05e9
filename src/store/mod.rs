//! What survives: typed records behind the trait [`Store`].
//!
//! A commit is durable when [`Store::commit`] returns: it survives `kill -9`, a
//! power cut and a full disk. A batch is applied whole or not at all, and
//! records that carry a `revision` are refused with [`StoreError::Conflict`]
//! when somebody else changed them meanwhile.

mod backup;
mod before;
mod change;
mod companion;
mod disk;
mod embedded;
mod file;
mod fleet;
mod frame;
mod index;
mod indexes;
mod indexing;
mod informed;
mod joined;
mod journal;
mod keys;
mod marker;
mod memory;
mod names;
mod office;
mod open;
mod ranges;
mod record;
mod recover;
mod replay;
mod reseal;
mod resolve;
mod sled;
mod snapshot;
mod step;
mod tally;
mod terms;
mod tree;
mod vault;
mod writer;

pub use change::{Batch, Change, Kind, Notice, Record};
pub use companion::Companion;
pub use disk::{Disk, DiskFile, RealDisk};
pub use file::{FileRecord, FileShare};
pub use fleet::FleetStore;
pub use indexes::{IndexStore, TermSpan};
pub use indexing::Indexing;
pub use joined::{device_of, phone_of};
pub use office::{BulkRecord, Document, OfficeKey, OfficeRecord, OfficeStore, Reply};
pub use open::{Ground, memory, memory_sealed, open, open_on, open_sealed, restore, restore_with};
pub use reseal::Resealed;
pub use vault::{KEY_FILE, KeyId, KeyIdError, KeyInfo, KeyPlace, Vault};

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::class::Class;
use crate::device::{
    Association, Credentials, Device, DeviceId, Event, Labels, ModelKey, ModelRecord, ModelWishes,
    Report, SessionRecord, Task, TaskId, TraceEntry,
};
use crate::param::{Extent, Tree};
use crate::phone::{FetchLog, FileVersion, Layer, Mac, Phone, Scope, Seen, Site};
use crate::time::Timestamp;

/// What the store could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A record was changed by somebody else since it was read.
    #[error("{0} was changed meanwhile; read it again and repeat")]
    Conflict(String),
    /// There is no space left, or the disk refuses writes: nothing was
    /// written, reads go on, and writes resume by themselves.
    #[error("the store cannot write ({0}); reads go on, and writes resume when space returns")]
    ReadOnly(String),
    /// A record or a batch is larger than the store takes; nothing was written.
    #[error("{0} is too large to be stored")]
    TooLarge(String),
    /// What lies on disk is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// A key that secrets are sealed with is missing or in use.
    #[error("{0}")]
    Key(String),
    /// Where the keys lie nothing can be written at present: no key was made, and
    /// none has gone.
    #[error("the keys cannot be written: {0}")]
    KeyPlace(String),
    /// The disk failed otherwise.
    #[error("the store's disk failed: {0}")]
    Io(#[from] std::io::Error),
    /// The store is shut down.
    #[error("the store is shut down")]
    Closed,
}

impl StoreError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Conflict(_) => Class::Conflict,
            Self::TooLarge(_) => Class::TooLarge,
            Self::ReadOnly(_) | Self::KeyPlace(_) | Self::Closed => Class::Unavailable,
            Self::Damaged(_) | Self::Key(_) | Self::Io(_) => Class::Internal,
        }
    }
}

/// The inventory, the intent and the history, typed.
///
/// One instance serves all doors. Reads see every commit that has returned.
/// Lists are ordered by key and paged by the last key seen.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The records of what is wanted of the fleet.
    fn fleet(&self) -> &dyn FleetStore;
    /// The records of the northbound itself.
    fn office(&self) -> &dyn OfficeStore;
    /// By what devices are searched.
    fn indexes(&self) -> &dyn IndexStore;
    /// Has something added to every commit from now on; only the first call has
    /// an effect.
    fn accompany(&self, companion: std::sync::Arc<dyn Companion>);
    /// One device's hot record.
    async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError>;
    /// Devices in key order, strictly after `after`, at most `limit`.
    async fn devices(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError>;
    /// One device's parameters.
    async fn tree(&self, id: &DeviceId) -> Result<Option<Tree>, StoreError>;
    /// Those of one device's parameters that are asked for, and perhaps more. A few
    /// of many cost far less than all.
    async fn tree_within(&self, id: &DeviceId, extent: &Extent)
    -> Result<Option<Tree>, StoreError>;
    /// What operators attached to a device.
    async fn labels(&self, id: &DeviceId) -> Result<Option<Labels>, StoreError>;
    /// The credentials that a device was given.
    async fn credentials(&self, id: &DeviceId) -> Result<Option<Credentials>, StoreError>;
    /// The tasks of a device that are not ended, oldest first. Cheap when
    /// there are none.
    async fn open_tasks(&self, id: &DeviceId) -> Result<Vec<Task>, StoreError>;
    /// One task.
    async fn task(&self, id: TaskId) -> Result<Option<Task>, StoreError>;
    /// Tasks in the order of their making, of one device or of all, strictly
    /// after `after`.
    async fn tasks(
        &self,
        device: Option<&DeviceId>,
        after: Option<TaskId>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError>;
    /// The tasks of all devices that are not ended, ordered by device and age,
    /// strictly after the one named: for the sweep that gives up what is
    /// overdue.
    async fn waiting_tasks(
        &self,
        after: Option<(&DeviceId, TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError>;
    /// The latest events of a device, newest first.
    async fn events(&self, id: &DeviceId, limit: usize) -> Result<Vec<Event>, StoreError>;
    /// The latest sessions of a device, newest first.
    async fn sessions(&self, id: &DeviceId, limit: usize)
    -> Result<Vec<SessionRecord>, StoreError>;
    /// The latest reports of a device, newest first.
    async fn reports(&self, id: &DeviceId, limit: usize) -> Result<Vec<Report>, StoreError>;
    /// The latest traced messages of a device, newest first.
    async fn trace(&self, id: &DeviceId, limit: usize) -> Result<Vec<TraceEntry>, StoreError>;
    /// Whether a device has history from before this time, or more of it than is
    /// kept: whether [`Change::TrimHistory`] would do anything.
    async fn has_stale_history(&self, id: &DeviceId, before: Timestamp)
    -> Result<bool, StoreError>;
    /// What was learned of a model.
    async fn model(&self, key: &ModelKey) -> Result<Option<ModelRecord>, StoreError>;
    /// What was learned of all models, in key order, strictly after `after`.
    async fn models(
        &self,
        after: Option<&ModelKey>,
        limit: usize,
    ) -> Result<Vec<ModelRecord>, StoreError>;
    /// What an operator says of a model.
    async fn model_wishes(&self, key: &ModelKey) -> Result<Option<ModelWishes>, StoreError>;
    /// What operators say of all models, in key order.
    async fn all_model_wishes(&self) -> Result<Vec<ModelWishes>, StoreError>;
    /// Every word on an association that a device has part in, be it as the
    /// gateway or as the member; at most `limit`.
    async fn associations(
        &self,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<Association>, StoreError>;
    /// The device whose serial number ends in this address: the same phone as
    /// CWMP knows it.
    async fn device_of_phone(&self, mac: Mac) -> Result<Option<DeviceId>, StoreError>;
    /// One phone.
    async fn phone(&self, mac: Mac) -> Result<Option<Phone>, StoreError>;
    /// Phones in key order, strictly after `after`.
    async fn phones(&self, after: Option<Mac>, limit: usize) -> Result<Vec<Phone>, StoreError>;
    /// What a phone was last seen doing.
    async fn seen(&self, mac: Mac) -> Result<Option<Seen>, StoreError>;
    /// What a phone fetched, and its first-fetch lock.
    async fn fetch_log(&self, mac: Mac) -> Result<Option<FetchLog>, StoreError>;
    /// One layer of settings.
    async fn layer(&self, scope: &Scope) -> Result<Option<Layer>, StoreError>;
    /// All layers, in key order.
    async fn layers(&self) -> Result<Vec<Layer>, StoreError>;
    /// One site.
    async fn site(&self, name: &str) -> Result<Option<Site>, StoreError>;
    /// All sites, in key order.
    async fn sites(&self) -> Result<Vec<Site>, StoreError>;
    /// The version gate of a generated file.
    async fn file_version(&self, key: &str) -> Result<Option<FileVersion>, StoreError>;
    /// One uploaded file.
    async fn file(&self, sha256: &str) -> Result<Option<FileRecord>, StoreError>;
    /// Uploaded files in key order.
    async fn files(&self, after: Option<&str>, limit: usize)
    -> Result<Vec<FileRecord>, StoreError>;
    /// A small setting that the server keeps for itself (token hashes).
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Makes a batch durable, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] and [`StoreError::ReadOnly`] leave nothing of
    /// the batch behind. After [`StoreError::Io`] from a failed sync the
    /// outcome is unknown until the store has been opened again.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;
    /// A number that rises with each commit that touches records of a kind: read
    /// it before the records, and read these again when it differs. Costs next to
    /// nothing.
    fn generation(&self, kind: Kind) -> u64;
    /// Tells of every commit from now on; slow readers miss some and are told.
    fn watch(&self) -> broadcast::Receiver<Notice>;
    /// Writes a verified backup of the whole store to a file.
    async fn backup(&self, to: &std::path::Path) -> Result<BackupReport, StoreError>;
    /// What an operator should know of the store's health.
    fn health(&self) -> Health;
    /// Syncs and closes; afterwards every call answers [`StoreError::Closed`].
    async fn close(&self) -> Result<(), StoreError>;
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Records written.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// The setting that tells whose a user name is, when it is not the device's id:
/// its value is the id.
pub fn login_alias(username: &str) -> String {
    format!("login/{username}")
}

/// The setting that tells which file a device sent for an Upload task: its value
/// is the file's SHA-256 in lower-case hex.
pub fn upload_of(task: TaskId) -> String {
    format!("upload/{task}")
}

/// The store's health.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether commits are taken at present.
    pub writable: bool,
    /// What an operator should look at: an index that was rebuilt, a full disk.
    pub alarms: Vec<String>,
    /// Devices known.
    pub devices: u64,
    /// Bytes in the journal since the last snapshot.
    pub journal_bytes: u64,
    /// How many records were looked at to make the indexes of a store that has
    /// none yet; `None` once all are there.
    pub indexing: Option<u64>,
}
