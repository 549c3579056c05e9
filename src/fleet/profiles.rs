//! The profiles in force, at hand.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{Mutex, broadcast};
use tracing::warn;

use crate::profile::ProfileSet;
use crate::store::{Notice, Store, StoreError};

/// The profiles in force, compiled when they change.
pub struct Profiles {
    store: Arc<dyn Store>,
    set: RwLock<Arc<ProfileSet>>,
    notices: Mutex<broadcast::Receiver<Notice>>,
}

impl Profiles {
    /// Loads and compiles all that are stored. A profile that cannot be read is
    /// told in the log and left out.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be loaded.
    pub async fn open(store: Arc<dyn Store>) -> Result<Arc<Self>, StoreError> {
        let notices = Mutex::new(store.watch());
        let profiles = Self { store, set: RwLock::default(), notices };
        profiles.load().await?;
        Ok(Arc::new(profiles))
    }

    /// The profiles in force.
    ///
    /// # Errors
    /// [`StoreError`] when some changed and cannot be loaded.
    pub async fn current(&self) -> Result<Arc<ProfileSet>, StoreError> {
        if self.have_changed().await {
            self.load().await?;
        }
        Ok(self.set.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn have_changed(&self) -> bool {
        let mut notices = self.notices.lock().await;
        let mut changed = false;
        loop {
            match notices.try_recv() {
                Ok(Notice::Profile(_)) | Err(TryRecvError::Lagged(_)) => changed = true,
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return changed,
            }
        }
    }

    async fn load(&self) -> Result<(), StoreError> {
        let (set, errors) = ProfileSet::compile(&self.store.fleet().profiles().await?);
        for error in errors {
            warn!(%error, "a profile is left out");
        }
        *self.set.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
        Ok(())
    }
}
