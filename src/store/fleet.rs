//! What is wanted of the fleet, and what became of it: profiles, plans,
//! campaigns, devices that are expected, and what changed on devices.

use async_trait::async_trait;

use super::embedded::Embedded;
use super::index::Index;
use super::step::Ring;
use super::{StoreError, keys};
use crate::device::{
    ChangeSet, Compliance, DeviceBackup, DeviceId, ModelKey, Preload, PreloadKey, Stranger,
    WrittenValues,
};
use crate::profile::{PlanRecord, ProfileRecord};
use crate::rollout::{CampaignRecord, Member};
use crate::schema::LearnedParameters;

/// Reads the records of what is wanted. They are written by commits like all
/// others.
#[async_trait]
pub trait FleetStore: Send + Sync {
    /// What stands between a device and what is wanted of it; `None` if nothing.
    async fn compliance(&self, id: &DeviceId) -> Result<Option<Compliance>, StoreError>;
    /// The same for all devices of which something is to be told, in key order,
    /// strictly after `after`.
    async fn compliances(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Compliance>, StoreError>;
    /// What was written to a device and does not read back.
    async fn written(&self, id: &DeviceId) -> Result<Option<WrittenValues>, StoreError>;
    /// The present version of a profile.
    async fn profile(&self, name: &str) -> Result<Option<ProfileRecord>, StoreError>;
    /// The present versions of all profiles, by name.
    async fn profiles(&self) -> Result<Vec<ProfileRecord>, StoreError>;
    /// One version of a profile.
    async fn profile_version(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<ProfileRecord>, StoreError>;
    /// All versions of a profile, oldest first, strictly after `after`.
    async fn profile_versions(
        &self,
        name: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ProfileRecord>, StoreError>;
    /// One plan.
    async fn plan(&self, id: u128) -> Result<Option<PlanRecord>, StoreError>;
    /// Plans in the order of their making, strictly after `after`.
    async fn plans(&self, after: Option<u128>, limit: usize)
    -> Result<Vec<PlanRecord>, StoreError>;
    /// One campaign.
    async fn campaign(&self, name: &str) -> Result<Option<CampaignRecord>, StoreError>;
    /// All campaigns, by name.
    async fn campaigns(&self) -> Result<Vec<CampaignRecord>, StoreError>;
    /// One device of a campaign.
    async fn member(&self, campaign: &str, device: &DeviceId)
    -> Result<Option<Member>, StoreError>;
    /// The devices of a campaign in key order, strictly after `after`.
    async fn members(
        &self,
        campaign: &str,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError>;
    /// One device that is expected.
    async fn preload(&self, key: &PreloadKey) -> Result<Option<Preload>, StoreError>;
    /// Devices that are expected, ordered by the text of their keys, strictly
    /// after `after`.
    async fn preloads(
        &self,
        after: Option<&PreloadKey>,
        limit: usize,
    ) -> Result<Vec<Preload>, StoreError>;
    /// An unknown device.
    async fn stranger(&self, id: &DeviceId) -> Result<Option<Stranger>, StoreError>;
    /// Unknown devices in key order, strictly after `after`.
    async fn strangers(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Stranger>, StoreError>;
    /// What changed on a device, newest first.
    async fn value_changes(
        &self,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<ChangeSet>, StoreError>;
    /// One backup of a device.
    async fn device_backup(
        &self,
        device: &DeviceId,
        id: u128,
    ) -> Result<Option<DeviceBackup>, StoreError>;
    /// The backups of a device, oldest first.
    async fn device_backups(&self, device: &DeviceId) -> Result<Vec<DeviceBackup>, StoreError>;
    /// What was learned of a model's own parameters.
    async fn learned_parameters(
        &self,
        key: &ModelKey,
    ) -> Result<Option<LearnedParameters>, StoreError>;
    /// The same for all models, in key order, strictly after `after`.
    async fn all_learned_parameters(
        &self,
        after: Option<&ModelKey>,
        limit: usize,
    ) -> Result<Vec<LearnedParameters>, StoreError>;
}

#[async_trait]
impl<I: Index> FleetStore for Embedded<I> {
    async fn compliance(&self, id: &DeviceId) -> Result<Option<Compliance>, StoreError> {
        self.record(&keys::of_device(b'C', id))
    }

    async fn compliances(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Compliance>, StoreError> {
        self.page(b"C/", after.map(|id| keys::of_device(b'C', id)).as_deref(), limit)
    }

    async fn written(&self, id: &DeviceId) -> Result<Option<WrittenValues>, StoreError> {
        self.record(&keys::of_device(b'S', id))
    }

    async fn profile(&self, name: &str) -> Result<Option<ProfileRecord>, StoreError> {
        self.record(&keys::named(b'P', name))
    }

    async fn profiles(&self) -> Result<Vec<ProfileRecord>, StoreError> {
        self.page(b"P/", None, usize::MAX)
    }

    async fn profile_version(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<ProfileRecord>, StoreError> {
        self.record(&keys::profile_version(name, version))
    }

    async fn profile_versions(
        &self,
        name: &str,
        after: u32,
        limit: usize,
    ) -> Result<Vec<ProfileRecord>, StoreError> {
        let first = keys::profile_version(name, after);
        self.page(&keys::profile_versions(name), Some(&first), limit)
    }

    async fn plan(&self, id: u128) -> Result<Option<PlanRecord>, StoreError> {
        self.record(&keys::plan(id))
    }

    async fn plans(
        &self,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<PlanRecord>, StoreError> {
        self.page(b"L/", after.map(keys::plan).as_deref(), limit)
    }

    async fn campaign(&self, name: &str) -> Result<Option<CampaignRecord>, StoreError> {
        self.record(&keys::named(b'K', name))
    }

    async fn campaigns(&self) -> Result<Vec<CampaignRecord>, StoreError> {
        self.page(b"K/", None, usize::MAX)
    }

    async fn member(
        &self,
        campaign: &str,
        device: &DeviceId,
    ) -> Result<Option<Member>, StoreError> {
        self.record(&keys::member(campaign, device))
    }

    async fn members(
        &self,
        campaign: &str,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let after = after.map(|device| keys::member(campaign, device));
        self.page(&keys::members(campaign), after.as_deref(), limit)
    }

    async fn preload(&self, key: &PreloadKey) -> Result<Option<Preload>, StoreError> {
        self.record(&keys::named(b'R', &key.to_string()))
    }

    async fn preloads(
        &self,
        after: Option<&PreloadKey>,
        limit: usize,
    ) -> Result<Vec<Preload>, StoreError> {
        let after = after.map(|key| keys::named(b'R', &key.to_string()));
        self.page(b"R/", after.as_deref(), limit)
    }

    async fn stranger(&self, id: &DeviceId) -> Result<Option<Stranger>, StoreError> {
        self.record(&keys::of_device(b'Q', id))
    }

    async fn strangers(
        &self,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<Stranger>, StoreError> {
        self.page(b"Q/", after.map(|id| keys::of_device(b'Q', id)).as_deref(), limit)
    }

    async fn value_changes(
        &self,
        id: &DeviceId,
        limit: usize,
    ) -> Result<Vec<ChangeSet>, StoreError> {
        self.ring(Ring::Changes, id, limit)
    }

    async fn device_backup(
        &self,
        device: &DeviceId,
        id: u128,
    ) -> Result<Option<DeviceBackup>, StoreError> {
        self.record(&keys::device_backup(device, id))
    }

    async fn device_backups(&self, device: &DeviceId) -> Result<Vec<DeviceBackup>, StoreError> {
        self.page(&keys::under_device(b'B', device), None, usize::MAX)
    }

    async fn learned_parameters(
        &self,
        key: &ModelKey,
    ) -> Result<Option<LearnedParameters>, StoreError> {
        self.record(&keys::named(b'X', &key.to_string()))
    }

    async fn all_learned_parameters(
        &self,
        after: Option<&ModelKey>,
        limit: usize,
    ) -> Result<Vec<LearnedParameters>, StoreError> {
        let after = after.map(|key| keys::named(b'X', &key.to_string()));
        self.page(b"X/", after.as_deref(), limit)
    }
}
