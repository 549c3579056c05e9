//! The store on an index: what both engines have in common.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::{broadcast, oneshot};

use super::disk::RealDisk;
use super::index::{Index, behind, end_of};
use super::record::{self, Head, Setting, Stored};
use super::resolve::Bounds;
use super::snapshot::{Errand, copy_all};
use super::step::{Prepared, Ring, Step};
use super::writer::{Queue, Request, Shared, Writer, lock};
use super::{
    BackupReport, Batch, Change, Companion, FileRecord, FleetStore, Health, IndexStore, Kind,
    Notice, OfficeStore, Store, StoreError, Vault, backup, keys, step, tree,
};
use crate::device::{
    Association, ChangeSet, Credentials, Device, DeviceId, Event, Labels, ModelKey, ModelRecord,
    ModelWishes, Report, SessionRecord, Task, TaskId, TraceEntry,
};
use crate::metrics::{COMMIT_SECONDS, COMMITS};
use crate::param::{Extent, Tree};
use crate::phone::{FetchLog, FileVersion, Layer, Mac, Phone, Scope, Seen, Site};
use crate::time::Timestamp;

/// How commits get to the committer.
pub(super) enum Committer<I> {
    /// In the caller's own thread: nothing is waited for.
    Inline(Arc<Mutex<Writer<I>>>),
    /// By a thread of its own, which waits for the disk.
    Thread {
        /// Its queue.
        queue: Arc<Queue>,
        /// Who takes snapshots and backups.
        errands: Sender<Errand>,
    },
}

/// Ends the threads; told whether the store is closed in order.
type Ending = Box<dyn FnOnce(bool) -> Result<(), StoreError> + Send>;

/// A store on an index.
pub(super) struct Embedded<I: Index> {
    shared: Arc<Shared<I>>,
    committer: Committer<I>,
    bounds: Bounds,
    ending: Mutex<Option<Ending>>,
    companion: OnceLock<Arc<dyn Companion>>,
}

impl<I: Index> Embedded<I> {
    /// Puts a store together. `ending` is called once.
    pub(super) fn new(
        shared: Arc<Shared<I>>,
        committer: Committer<I>,
        bounds: Bounds,
        ending: Ending,
    ) -> Self {
        Self {
            shared,
            committer,
            bounds,
            ending: Mutex::new(Some(ending)),
            companion: OnceLock::new(),
        }
    }

    /// What the faces share with the threads.
    pub(super) fn shared(&self) -> &Shared<I> {
        &self.shared
    }

    pub(super) fn index(&self) -> Result<&I, StoreError> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        Ok(&self.shared.index)
    }

    /// [`Store::commit`], of a batch that is not empty.
    async fn commit_batch(&self, mut batch: Batch) -> Result<(), StoreError> {
        if let Some(companion) = self.companion.get()
            && companion.concerns(&batch)
        {
            companion.accompany(self, &mut batch).await?;
        }
        let told = self.shared.notices.receiver_count() > 0;
        let mut prepared = step::prepare(&batch, &self.shared.names, &self.shared.vault, told)?;
        for change in batch.changes() {
            if let Change::TrimHistory(id, before) = change {
                prepared.steps.extend(self.trims(id, *before)?);
            }
        }
        drop(batch);
        self.hand_over(prepared).await
    }

    /// The bytes of a record, its parts put together, handed to `read`.
    fn read<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<R, StoreError>,
    ) -> Result<Option<R>, StoreError> {
        self.index()?;
        self.shared.read(key)?.map(|bytes| read(bytes.as_ref())).transpose()
    }

    pub(super) fn record<T: Stored>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.read(key, |bytes| record::decode(bytes, &self.shared.vault))
    }

    /// Records of a kind in key order, strictly after a key.
    pub(super) fn page<T: Stored>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let from = after.map_or_else(|| prefix.to_vec(), behind);
        // Records in parts are read after the scan, which may hold a lock.
        let mut found: Vec<Result<T, Vec<u8>>> = Vec::new();
        let mut result = Ok(());
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.index()?.scan(&from, end_of(prefix).as_deref(), &mut |key, value| {
            if Head::split(value).is_some_and(|(head, _)| head.parts > 0) {
                found.push(Err(key.to_vec()));
            } else {
                match record::decode(value, &self.shared.vault) {
                    Ok(record) => found.push(Ok(record)),
                    Err(error) => result = Err(error),
                }
            }
            if result.is_ok() && found.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        result?;
        let mut records = Vec::with_capacity(found.len());
        for entry in found {
            match entry {
                Ok(record) => records.push(record),
                Err(key) => records.extend(self.record(&key)?),
            }
        }
        Ok(records)
    }

    /// The tasks that a list of keys names, in the list's order.
    fn listed(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        let from = after.map_or_else(|| prefix.to_vec(), behind);
        let mut ids = Vec::new();
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.index()?.scan(&from, end_of(prefix).as_deref(), &mut |key, _| {
            ids.extend(keys::task_of(key));
            if ids.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut tasks = Vec::with_capacity(ids.len());
        for id in ids {
            tasks.extend(self.record(&keys::task(id))?);
        }
        Ok(tasks)
    }
}

impl<I: Index> Embedded<I> {
    /// The latest entries of a ring, newest first.
    pub(super) fn ring<T: Stored>(
        &self,
        kind: Ring,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<T>, StoreError> {
        let bound = usize::try_from(self.bounds.of(kind).max(1)).unwrap_or(usize::MAX);
        let limit = limit.min(bound);
        let prefix = keys::under_device(kind.letter(), id);
        let mut entries = Vec::new();
        let mut result = Ok(());
        if limit == 0 {
            return Ok(entries);
        }
        self.index()?.scan_back(&prefix, end_of(&prefix).as_deref(), &mut |_, value| {
            match record::decode(value, &self.shared.vault) {
                Ok(entry) => entries.push(entry),
                Err(error) => result = Err(error),
            }
            if result.is_ok() && entries.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        result.map(|()| entries)
    }
}

impl<I: Index> Embedded<I> {
    /// What seals the store's records.
    pub(super) fn vault(&self) -> &Vault {
        &self.shared.vault
    }

    /// A record's bytes, its parts put together.
    pub(super) fn whole(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(key, |bytes| Ok(bytes.to_vec()))
    }

    /// Hands a batch to the committer and waits until it is durable.
    pub(super) async fn hand_over(&self, prepared: Prepared) -> Result<(), StoreError> {
        if prepared.steps.is_empty() {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        match &self.committer {
            Committer::Inline(writer) => {
                let mut writer = lock(writer);
                writer.commit(prepared, answer);
                writer.finish_group();
            }
            Committer::Thread { queue, .. } => queue.push(Request::Commit(prepared, answer))?,
        }
        answered.await.unwrap_or(Err(StoreError::Closed))
    }
}

impl<I: Index> Embedded<I> {
    /// What is to be done so that the histories of a device hold nothing from
    /// before this time, and nothing beyond the numbers that are kept.
    fn trims(&self, id: &DeviceId, before: Timestamp) -> Result<Vec<Step>, StoreError> {
        let mut steps = Vec::new();
        for kind in Ring::ALL {
            let ring = keys::under_device(kind.letter(), id);
            let last = self.index()?.last_key(&ring)?.as_deref().and_then(keys::number_of);
            let Some(last) = last else { continue };
            let beyond = last.saturating_add(1).saturating_sub(self.bounds.of(kind).max(1));
            let mut first = None;
            // Oldest first. One that cannot be read has no age, and stays.
            self.index()?.scan(&ring, end_of(&ring).as_deref(), &mut |key, value| {
                let number = keys::number_of(key);
                let is_old = self.time_of(kind, value).is_some_and(|at| at < before);
                if is_old || number.is_some_and(|number| number < beyond) {
                    first = number.map(|number| number.saturating_add(1));
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            steps.extend(first.map(|first| Step::TrimRing(kind, id.clone(), first)));
        }
        Ok(steps)
    }

    /// When an entry of a history was made.
    fn time_of(&self, kind: Ring, value: &[u8]) -> Option<Timestamp> {
        let vault = &self.shared.vault;
        Some(match kind {
            Ring::Events => record::decode::<Event>(value, vault).ok()?.at,
            Ring::Sessions => record::decode::<SessionRecord>(value, vault).ok()?.began_at,
            Ring::Reports => record::decode::<Report>(value, vault).ok()?.at,
            Ring::Trace => record::decode::<TraceEntry>(value, vault).ok()?.at,
            Ring::Changes => record::decode::<ChangeSet>(value, vault).ok()?.at,
        })
    }
}

impl<I: Index> Drop for Embedded<I> {
    fn drop(&mut self) {
        if let Some(ending) = lock(&self.ending).take() {
            // Not closed in order: what is left is what a crash leaves.
            let _ = ending(false);
        }
    }
}

#[async_trait]
impl<I: Index> Store for Embedded<I> {
    fn fleet(&self) -> &dyn FleetStore {
        self
    }

    fn office(&self) -> &dyn OfficeStore {
        self
    }

    fn indexes(&self) -> &dyn IndexStore {
        self
    }

    fn accompany(&self, companion: Arc<dyn Companion>) {
        let _ = self.companion.set(companion);
    }

    async fn device(&self, id: &DeviceId) -> Result<Option<Device>, StoreError> {
        self.record(&keys::of_device(b'd', id))
    }

    async fn devices(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Device>, StoreError> {
        let after = after.map(|id| keys::of_device(b'd', id));
        self.page(b"d/", after.as_deref(), limit)
    }

    async fn tree(&self, id: &DeviceId) -> Result<Option<Tree>, StoreError> {
        self.tree_within(id, &Extent::Whole).await
    }

    async fn tree_within(
        &self,
        id: &DeviceId,
        extent: &Extent,
    ) -> Result<Option<Tree>, StoreError> {
        if extent.is_nothing() {
            return Ok(None);
        }
        let Shared { names, vault, .. } = &*self.shared;
        self.read(&keys::of_device(b'p', id), |bytes| {
            tree::decode_within(bytes, names, vault, extent)
        })
    }

    async fn labels(&self, id: &DeviceId) -> Result<Option<Labels>, StoreError> {
        self.record(&keys::of_device(b'l', id))
    }

    async fn credentials(&self, id: &DeviceId) -> Result<Option<Credentials>, StoreError> {
        self.record(&keys::of_device(b'c', id))
    }

    async fn open_tasks(&self, id: &DeviceId) -> Result<Vec<Task>, StoreError> {
        self.listed(&keys::under_device(b'q', id), None, usize::MAX)
    }

    async fn task(&self, id: TaskId) -> Result<Option<Task>, StoreError> {
        self.record(&keys::task(id))
    }

    async fn tasks(
        &self,
        device: Option<&DeviceId>,
        after: Option<TaskId>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        let Some(device) = device else {
            return self.page(b"t/", after.map(keys::task).as_deref(), limit);
        };
        let after = after.map(|id| keys::listed_task(b'u', device, id));
        self.listed(&keys::under_device(b'u', device), after.as_deref(), limit)
    }

    async fn waiting_tasks(
        &self,
        after: Option<(&DeviceId, TaskId)>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        let after = after.map(|(device, id)| keys::listed_task(b'q', device, id));
        self.listed(b"q/", after.as_deref(), limit)
    }

    async fn events(&self, id: &DeviceId, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.ring(Ring::Events, id, limit)
    }

    async fn sessions(
        &self,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        self.ring(Ring::Sessions, id, limit)
    }

    async fn reports(&self, id: &DeviceId, limit: usize) -> Result<Vec<Report>, StoreError> {
        self.ring(Ring::Reports, id, limit)
    }

    async fn trace(&self, id: &DeviceId, limit: usize) -> Result<Vec<TraceEntry>, StoreError> {
        self.ring(Ring::Trace, id, limit)
    }

    async fn has_stale_history(
        &self,
        id: &DeviceId,
        before: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(!self.trims(id, before)?.is_empty())
    }

    async fn model(&self, key: &ModelKey) -> Result<Option<ModelRecord>, StoreError> {
        self.record(&keys::named(b'y', &key.to_string()))
    }

    async fn models(
        &self,
        after: Option<&ModelKey>,
        limit: usize,
    ) -> Result<Vec<ModelRecord>, StoreError> {
        let after = after.map(|key| keys::named(b'y', &key.to_string()));
        self.page(b"y/", after.as_deref(), limit)
    }

    async fn model_wishes(&self, key: &ModelKey) -> Result<Option<ModelWishes>, StoreError> {
        self.record(&keys::named(b'Y', &key.to_string()))
    }

    async fn all_model_wishes(&self) -> Result<Vec<ModelWishes>, StoreError> {
        self.page(b"Y/", None, usize::MAX)
    }

    async fn associations(
        &self,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<Association>, StoreError> {
        self.page(&keys::under_device(b'x', id), None, limit)
    }

    async fn device_of_phone(&self, mac: Mac) -> Result<Option<DeviceId>, StoreError> {
        let value = self.index()?.get(&keys::of_phone(b'v', mac))?;
        let text = value.and_then(|value| String::from_utf8(value.as_ref().to_vec()).ok());
        Ok(text.and_then(|text| DeviceId::parse(&text).ok()))
    }

    async fn phone(&self, mac: Mac) -> Result<Option<Phone>, StoreError> {
        self.record(&keys::of_phone(b'h', mac))
    }

    async fn phones(&self, after: Option<Mac>, limit: usize) -> Result<Vec<Phone>, StoreError> {
        let after = after.map(|mac| keys::of_phone(b'h', mac));
        self.page(b"h/", after.as_deref(), limit)
    }

    async fn seen(&self, mac: Mac) -> Result<Option<Seen>, StoreError> {
        self.record(&keys::of_phone(b's', mac))
    }

    async fn fetch_log(&self, mac: Mac) -> Result<Option<FetchLog>, StoreError> {
        self.record(&keys::of_phone(b'k', mac))
    }

    async fn layer(&self, scope: &Scope) -> Result<Option<Layer>, StoreError> {
        self.record(&keys::named(b'j', &scope.to_string()))
    }

    async fn layers(&self) -> Result<Vec<Layer>, StoreError> {
        self.page(b"j/", None, usize::MAX)
    }

    async fn site(&self, name: &str) -> Result<Option<Site>, StoreError> {
        self.record(&keys::named(b'i', name))
    }

    async fn sites(&self) -> Result<Vec<Site>, StoreError> {
        self.page(b"i/", None, usize::MAX)
    }

    async fn file_version(&self, key: &str) -> Result<Option<FileVersion>, StoreError> {
        self.record(&keys::named(b'g', key))
    }

    async fn file(&self, sha256: &str) -> Result<Option<FileRecord>, StoreError> {
        self.record(&keys::named(b'f', sha256))
    }

    async fn files(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<FileRecord>, StoreError> {
        let after = after.map(|sha256| keys::named(b'f', sha256));
        self.page(b"f/", after.as_deref(), limit)
    }

    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.record::<Setting>(&keys::named(b'm', name))?.map(|setting| setting.0))
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.index()?;
        if batch.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        let result = self.commit_batch(batch).await;
        let outcome = match &result {
            Ok(()) => 0,
            Err(StoreError::Conflict(_)) => 1,
            Err(StoreError::ReadOnly(_)) => 2,
            Err(_) => 3,
        };
        COMMITS.one(outcome);
        COMMIT_SECONDS.took(0, began.elapsed());
        result
    }

    fn generation(&self, kind: Kind) -> u64 {
        self.shared.generations.of(kind)
    }

    fn watch(&self) -> broadcast::Receiver<Notice> {
        self.shared.notices.subscribe()
    }

    async fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        self.index()?;
        let to = to.to_owned();
        match &self.committer {
            Committer::Inline(writer) => {
                let (writer, shared) = (writer.clone(), self.shared.clone());
                let work = move || backup_memory(&writer, &shared, &to);
                tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
            }
            Committer::Thread { errands, .. } => {
                let (answer, answered) = oneshot::channel();
                errands.send(Errand::Backup(to, answer)).map_err(|_| StoreError::Closed)?;
                answered.await.unwrap_or(Err(StoreError::Closed))
            }
        }
    }

    fn health(&self) -> Health {
        let mut health = self.shared.state.health();
        let indexing = *self.shared.indexing.borrow();
        health.indexing = (!indexing.is_complete()).then_some(indexing.looked);
        health.writable &= !self.shared.closed.load(Ordering::Acquire);
        health
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.shared.closed.store(true, Ordering::Release);
        let Some(ending) = lock(&self.ending).take() else { return Ok(()) };
        tokio::task::spawn_blocking(|| ending(true)).await.map_err(std::io::Error::other)?
    }
}

/// A backup of a store in memory: commits wait meanwhile.
fn backup_memory<I: Index>(
    writer: &Mutex<Writer<I>>,
    shared: &Shared<I>,
    to: &Path,
) -> Result<BackupReport, StoreError> {
    let _still = lock(writer);
    let mut out = backup::Writer::create(&RealDisk, to)?;
    out.begin(0)?;
    copy_all(&shared.index, &mut out)?;
    out.attach(None, &shared.vault)?;
    out.finish(&RealDisk)
}
