//! A store that counts what is read of it, by the method's name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::broadcast;

use crate::device::*;
use crate::param::{Extent, Tree};
use crate::phone::{FetchLog, FileVersion, Layer, Mac, Phone, Scope, Seen, Site};
use crate::profile::{PlanRecord, ProfileRecord};
use crate::rollout::{CampaignRecord, Member};
use crate::schema::LearnedParameters;
use crate::store::*;
use crate::time::Timestamp;

/// Counts and hands on.
pub(super) struct Counting {
    store: Arc<dyn Store>,
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Counting {
    pub(super) fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, counts: Mutex::default() })
    }

    /// What was called since this was last asked, each with how often.
    pub(super) fn take(&self) -> Vec<(&'static str, usize)> {
        std::mem::take(&mut *self.counts.lock().unwrap()).into_iter().collect()
    }

    fn count(&self, method: &'static str) {
        *self.counts.lock().unwrap().entry(method).or_default() += 1;
    }
}

macro_rules! counted {
    ($trait:ident, $to:ident, { $($rest:tt)* },
        $(fn $name:ident($($arg:ident: $type:ty),*) -> $told:ty;)*) => {
        #[async_trait]
        impl $trait for Counting {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$told, StoreError> {
                self.count(stringify!($name));
                self.store.$to().$name($($arg),*).await
            })*
            $($rest)*
        }
    };
}

/// The store itself.
trait Own {
    fn own(&self) -> &dyn Store;
}

impl Own for Arc<dyn Store> {
    fn own(&self) -> &dyn Store {
        &**self
    }
}

counted! {
    Store, own,
    {
        fn fleet(&self) -> &dyn FleetStore {
            self
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
        fn generation(&self, kind: Kind) -> u64 {
            self.store.generation(kind)
        }
        fn watch(&self) -> broadcast::Receiver<Notice> {
            self.store.watch()
        }
        fn health(&self) -> Health {
            self.store.health()
        }
    },
    fn device(id: &DeviceId) -> Option<Device>;
    fn devices(after: Option<&DeviceId>, limit: usize) -> Vec<Device>;
    fn tree(id: &DeviceId) -> Option<Tree>;
    fn tree_within(id: &DeviceId, extent: &Extent) -> Option<Tree>;
    fn labels(id: &DeviceId) -> Option<Labels>;
    fn credentials(id: &DeviceId) -> Option<Credentials>;
    fn open_tasks(id: &DeviceId) -> Vec<Task>;
    fn task(id: TaskId) -> Option<Task>;
    fn tasks(device: Option<&DeviceId>, after: Option<TaskId>, limit: usize) -> Vec<Task>;
    fn waiting_tasks(after: Option<(&DeviceId, TaskId)>, limit: usize) -> Vec<Task>;
    fn events(id: &DeviceId, limit: usize) -> Vec<Event>;
    fn sessions(id: &DeviceId, limit: usize) -> Vec<SessionRecord>;
    fn reports(id: &DeviceId, limit: usize) -> Vec<Report>;
    fn trace(id: &DeviceId, limit: usize) -> Vec<TraceEntry>;
    fn has_stale_history(id: &DeviceId, before: Timestamp) -> bool;
    fn model(key: &ModelKey) -> Option<ModelRecord>;
    fn models(after: Option<&ModelKey>, limit: usize) -> Vec<ModelRecord>;
    fn model_wishes(key: &ModelKey) -> Option<ModelWishes>;
    fn all_model_wishes() -> Vec<ModelWishes>;
    fn associations(id: &DeviceId, limit: usize) -> Vec<Association>;
    fn device_of_phone(mac: Mac) -> Option<DeviceId>;
    fn phone(mac: Mac) -> Option<Phone>;
    fn phones(after: Option<Mac>, limit: usize) -> Vec<Phone>;
    fn seen(mac: Mac) -> Option<Seen>;
    fn fetch_log(mac: Mac) -> Option<FetchLog>;
    fn layer(scope: &Scope) -> Option<Layer>;
    fn layers() -> Vec<Layer>;
    fn site(name: &str) -> Option<Site>;
    fn sites() -> Vec<Site>;
    fn file_version(key: &str) -> Option<FileVersion>;
    fn file(sha256: &str) -> Option<FileRecord>;
    fn files(after: Option<&str>, limit: usize) -> Vec<FileRecord>;
    fn setting(name: &str) -> Option<Vec<u8>>;
    fn commit(batch: Batch) -> ();
    fn backup(to: &std::path::Path) -> BackupReport;
    fn close() -> ();
}

counted! {
    FleetStore, fleet, {},
    fn compliance(id: &DeviceId) -> Option<Compliance>;
    fn compliances(after: Option<&DeviceId>, limit: usize) -> Vec<Compliance>;
    fn written(id: &DeviceId) -> Option<WrittenValues>;
    fn profile(name: &str) -> Option<ProfileRecord>;
    fn profiles() -> Vec<ProfileRecord>;
    fn profile_version(name: &str, version: u32) -> Option<ProfileRecord>;
    fn profile_versions(name: &str, after: u32, limit: usize) -> Vec<ProfileRecord>;
    fn plan(id: u128) -> Option<PlanRecord>;
    fn plans(after: Option<u128>, limit: usize) -> Vec<PlanRecord>;
    fn campaign(name: &str) -> Option<CampaignRecord>;
    fn campaigns() -> Vec<CampaignRecord>;
    fn member(campaign: &str, device: &DeviceId) -> Option<Member>;
    fn members(campaign: &str, after: Option<&DeviceId>, limit: usize) -> Vec<Member>;
    fn preload(key: &PreloadKey) -> Option<Preload>;
    fn preloads(after: Option<&PreloadKey>, limit: usize) -> Vec<Preload>;
    fn stranger(id: &DeviceId) -> Option<Stranger>;
    fn strangers(after: Option<&DeviceId>, limit: usize) -> Vec<Stranger>;
    fn value_changes(id: &DeviceId, limit: usize) -> Vec<ChangeSet>;
    fn device_backup(device: &DeviceId, id: u128) -> Option<DeviceBackup>;
    fn device_backups(device: &DeviceId) -> Vec<DeviceBackup>;
    fn learned_parameters(key: &ModelKey) -> Option<LearnedParameters>;
    fn all_learned_parameters(after: Option<&ModelKey>, limit: usize) -> Vec<LearnedParameters>;
}
