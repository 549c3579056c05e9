//! The service that wakes devices.

use std::sync::Arc;

use ipnet::IpNet;

use super::error::WakeError;
use crate::device::DeviceId;
use crate::store::{Store, Vault};
use crate::time::Clock;

/// Sends connection requests.
pub struct Waker {
    store: Arc<dyn Store>,
    _vault: Arc<Vault>,
    _clock: Arc<dyn Clock>,
    _allow: Vec<IpNet>,
}

impl Waker {
    /// A waker that may reach, besides each device's own address, the `allow`
    /// networks.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        allow: Vec<IpNet>,
    ) -> Self {
        Self { store, _vault: vault, _clock: clock, _allow: allow }
    }

    /// Asks a device to open a session. `Ok` means that it agreed to; the
    /// session itself comes within 30 seconds, or rides on one under way
    /// (Q19).
    ///
    /// # Errors
    /// [`WakeError`] says in words why it was not woken.
    pub async fn wake(&self, id: &DeviceId) -> Result<(), WakeError> {
        self.store.device(id).await?.ok_or(WakeError::Unknown)?;
        Err(WakeError::NoUrl)
    }
}
