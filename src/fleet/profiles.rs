//! The profiles in force, at hand.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;
use tracing::warn;

use crate::profile::ProfileSet;
use crate::store::{Kind, Store, StoreError};

/// The profiles in force, compiled when they change.
pub struct Profiles {
    store: Arc<dyn Store>,
    at_hand: RwLock<Option<AtHand>>,
    /// Held by the one that loads, so that a crowd does not compile them all.
    loading: Mutex<()>,
}

#[derive(Clone)]
struct AtHand {
    /// Of the store before they were read.
    generation: u64,
    set: Arc<ProfileSet>,
}

impl Profiles {
    /// Those that are stored; they are loaded when they are first asked for. A
    /// profile that cannot be read is told in the log and left out.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, at_hand: RwLock::default(), loading: Mutex::default() }
    }

    /// The profiles in force. While none changed this costs next to nothing.
    ///
    /// # Errors
    /// [`StoreError`] when some changed and cannot be loaded.
    pub async fn current(&self) -> Result<Arc<ProfileSet>, StoreError> {
        if let Some(set) = self.unchanged() {
            return Ok(set);
        }
        let _one = self.loading.lock().await;
        if let Some(set) = self.unchanged() {
            return Ok(set);
        }
        let generation = self.store.generation(Kind::Profile);
        let (set, errors) = ProfileSet::compile(&self.store.fleet().profiles().await?);
        for error in errors {
            warn!(%error, "a profile is left out");
        }
        let set = Arc::new(set);
        let at_hand = AtHand { generation, set: set.clone() };
        *self.at_hand.write().unwrap_or_else(PoisonError::into_inner) = Some(at_hand);
        Ok(set)
    }

    fn unchanged(&self) -> Option<Arc<ProfileSet>> {
        let at_hand = self.at_hand.read().unwrap_or_else(PoisonError::into_inner);
        let at_hand = at_hand.as_ref()?;
        let is_it = at_hand.generation == self.store.generation(Kind::Profile);
        is_it.then(|| at_hand.set.clone())
    }
}
