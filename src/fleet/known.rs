//! All that is known of one device.

use std::sync::Arc;

use crate::device::{Device, DeviceId, Labels, Learned};
use crate::expr::Subject;
use crate::param::Tree;
use crate::phone::Phone;
use crate::plan::Written;
use crate::store::{StoreError, phone_of};
use crate::time::Timestamp;

/// What rules and plans look at, loaded.
#[derive(Clone, Debug)]
pub struct Known {
    /// The hot record.
    pub device: Device,
    /// What operators attached to it.
    pub labels: Labels,
    /// Its parameters.
    pub tree: Arc<Tree>,
    /// The phone that it is as well, if it is one.
    pub phone: Option<Phone>,
    /// What it can take.
    pub learned: Learned,
    /// What was written and does not read back.
    pub written: Written,
}

impl Known {
    /// The device as rules see it.
    pub fn subject(&self, now: Timestamp) -> Subject<'_> {
        Subject {
            device: &self.device,
            labels: &self.labels,
            tree: Some(&self.tree),
            phone: self.phone.as_ref(),
            now,
        }
    }
}

impl super::Fleet {
    /// Loads all that is known of a device; `None` if nobody knows it.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn known(&self, id: &DeviceId) -> Result<Option<Known>, StoreError> {
        match self.store.device(id).await? {
            Some(device) => self.known_of(device).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same for a device whose hot record was read already.
    ///
    /// # Errors
    /// [`StoreError`] when something cannot be read.
    pub async fn known_of(&self, device: Device) -> Result<Known, StoreError> {
        let store = &*self.store;
        let written = store.fleet().written(&device.id).await?.map(|record| record.digests);
        let labels = store.labels(&device.id).await?.unwrap_or_default();
        Ok(Known {
            tree: Arc::new(store.tree(&device.id).await?.unwrap_or_default()),
            phone: phone_of(store, &device, &labels).await?,
            labels,
            learned: self.models.learned(&device).await?,
            written: Written::new(written.unwrap_or_default(), self.digest.clone()),
            device,
        })
    }
}
