//! A store that counts what is read of phones and sites.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use provost::device::{
    Association, Credentials, Device, DeviceId, Event, Labels, ModelKey, ModelRecord, ModelWishes,
    Report, SessionRecord, Task, TaskId, TraceEntry,
};
use provost::param::{Extent, Tree};
use provost::phone::{FetchLog, FileVersion, Layer, Mac, Phone, Scope, Seen, Site};
use provost::store::{
    BackupReport, Batch, Companion, FileRecord, FleetStore, Health, IndexStore, Kind, Notice,
    OfficeStore, Store, StoreError,
};
use provost::time::Timestamp;
use tokio::sync::broadcast::Receiver;

type Read<T> = Result<T, StoreError>;

/// Counts reads of phones, sites, logs, layers and versions, each.
pub(crate) struct Counting {
    store: Arc<dyn Store>,
    counts: [AtomicUsize; 5],
}

impl Counting {
    pub(crate) fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, counts: Default::default() })
    }

    /// What was read since the last call: phones, sites, logs, layers, versions.
    pub(crate) fn take(&self) -> [usize; 5] {
        self.counts.each_ref().map(|count| count.swap(0, Ordering::SeqCst))
    }

    fn count(&self, which: usize) {
        self.counts[which].fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Store for Counting {
    fn fleet(&self) -> &dyn FleetStore {
        self.store.fleet()
    }
    fn office(&self) -> &dyn OfficeStore {
        self.store.office()
    }
    fn indexes(&self) -> &dyn IndexStore {
        self.store.indexes()
    }
    fn accompany(&self, companion: Arc<dyn Companion>) {
        self.store.accompany(companion);
    }
    async fn device(&self, id: &DeviceId) -> Read<Option<Device>> {
        self.store.device(id).await
    }
    async fn devices(&self, after: Option<&DeviceId>, limit: usize) -> Read<Vec<Device>> {
        self.store.devices(after, limit).await
    }
    async fn tree(&self, id: &DeviceId) -> Read<Option<Tree>> {
        self.store.tree(id).await
    }
    async fn tree_within(&self, id: &DeviceId, extent: &Extent) -> Read<Option<Tree>> {
        self.store.tree_within(id, extent).await
    }
    async fn labels(&self, id: &DeviceId) -> Read<Option<Labels>> {
        self.store.labels(id).await
    }
    async fn credentials(&self, id: &DeviceId) -> Read<Option<Credentials>> {
        self.store.credentials(id).await
    }
    async fn open_tasks(&self, id: &DeviceId) -> Read<Vec<Task>> {
        self.store.open_tasks(id).await
    }
    async fn task(&self, id: TaskId) -> Read<Option<Task>> {
        self.store.task(id).await
    }
    async fn tasks(
        &self,
        device: Option<&DeviceId>,
        after: Option<TaskId>,
        limit: usize,
    ) -> Read<Vec<Task>> {
        self.store.tasks(device, after, limit).await
    }
    async fn waiting_tasks(
        &self,
        after: Option<(&DeviceId, TaskId)>,
        limit: usize,
    ) -> Read<Vec<Task>> {
        self.store.waiting_tasks(after, limit).await
    }
    async fn sessions(&self, id: &DeviceId, limit: usize) -> Read<Vec<SessionRecord>> {
        self.store.sessions(id, limit).await
    }
    async fn reports(&self, id: &DeviceId, limit: usize) -> Read<Vec<Report>> {
        self.store.reports(id, limit).await
    }
    async fn has_stale_history(&self, id: &DeviceId, before: Timestamp) -> Read<bool> {
        self.store.has_stale_history(id, before).await
    }
    async fn trace(&self, id: &DeviceId, limit: usize) -> Read<Vec<TraceEntry>> {
        self.store.trace(id, limit).await
    }
    async fn model(&self, key: &ModelKey) -> Read<Option<ModelRecord>> {
        self.store.model(key).await
    }
    async fn models(&self, after: Option<&ModelKey>, limit: usize) -> Read<Vec<ModelRecord>> {
        self.store.models(after, limit).await
    }
    async fn model_wishes(&self, key: &ModelKey) -> Read<Option<ModelWishes>> {
        self.store.model_wishes(key).await
    }
    async fn all_model_wishes(&self) -> Read<Vec<ModelWishes>> {
        self.store.all_model_wishes().await
    }
    async fn associations(&self, id: &DeviceId, limit: usize) -> Read<Vec<Association>> {
        self.store.associations(id, limit).await
    }
    async fn events(&self, id: &DeviceId, limit: usize) -> Read<Vec<Event>> {
        self.store.events(id, limit).await
    }
    async fn device_of_phone(&self, mac: Mac) -> Read<Option<DeviceId>> {
        self.store.device_of_phone(mac).await
    }
    async fn phone(&self, mac: Mac) -> Read<Option<Phone>> {
        self.count(0);
        self.store.phone(mac).await
    }
    async fn phones(&self, after: Option<Mac>, limit: usize) -> Read<Vec<Phone>> {
        self.count(0);
        self.store.phones(after, limit).await
    }
    async fn seen(&self, mac: Mac) -> Read<Option<Seen>> {
        self.store.seen(mac).await
    }
    async fn fetch_log(&self, mac: Mac) -> Read<Option<FetchLog>> {
        self.count(2);
        self.store.fetch_log(mac).await
    }
    async fn layer(&self, scope: &Scope) -> Read<Option<Layer>> {
        self.count(3);
        self.store.layer(scope).await
    }
    async fn layers(&self) -> Read<Vec<Layer>> {
        self.count(3);
        self.store.layers().await
    }
    async fn site(&self, name: &str) -> Read<Option<Site>> {
        self.count(1);
        self.store.site(name).await
    }
    async fn sites(&self) -> Read<Vec<Site>> {
        self.count(1);
        self.store.sites().await
    }
    async fn file_version(&self, key: &str) -> Read<Option<FileVersion>> {
        self.count(4);
        self.store.file_version(key).await
    }
    async fn file(&self, sha256: &str) -> Read<Option<FileRecord>> {
        self.store.file(sha256).await
    }
    async fn files(&self, after: Option<&str>, limit: usize) -> Read<Vec<FileRecord>> {
        self.store.files(after, limit).await
    }
    async fn setting(&self, name: &str) -> Read<Option<Vec<u8>>> {
        self.store.setting(name).await
    }
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.store.commit(batch).await
    }
    fn generation(&self, kind: Kind) -> u64 {
        self.store.generation(kind)
    }
    fn watch(&self) -> Receiver<Notice> {
        self.store.watch()
    }
    async fn backup(&self, to: &Path) -> Read<BackupReport> {
        self.store.backup(to).await
    }
    fn health(&self) -> Health {
        self.store.health()
    }
    async fn close(&self) -> Result<(), StoreError> {
        self.store.close().await
    }
}
