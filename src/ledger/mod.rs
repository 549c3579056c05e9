//! What every commit brings besides: entries of the audit for what somebody asked
//! for, and news for those who listen.
//!
//! The ledger stands at the store's side ([`crate::store::Companion`]), so that no
//! change can be made without its entry, by whichever room, and both become
//! durable together. Who asks is told by [`acting`], around the whole request.

mod actor;
mod audit;
mod away;
mod happenings;
mod names;

pub use actor::{Actor, acting, entries_made, still_acting};
pub use audit::deed;
pub use names::{INSTALLATION, Names};

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::{Batch, Companion, Store, StoreError};
use crate::time::Clock;

/// Adds audit and news to commits.
pub struct Ledger {
    clock: Arc<dyn Clock>,
    away: away::Away,
}

impl Ledger {
    /// A ledger by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, away: away::Away::default() })
    }

    /// Finds out which devices a store knows to be away, so that it is told when
    /// they are back; before the first commit.
    ///
    /// # Errors
    /// What the store says.
    pub async fn load(&self, store: &dyn Store) -> Result<(), StoreError> {
        for (id, since) in store.office().away().await? {
            self.away.put(&id, since);
        }
        Ok(())
    }
}

#[async_trait]
impl Companion for Ledger {
    fn concerns(&self, batch: &Batch) -> bool {
        actor::is_acting() || happenings::concern(batch, &self.away) || audit::concern(batch)
    }

    async fn accompany(&self, store: &dyn Store, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clock.now();
        match actor::current() {
            Some(actor) => audit::add(&actor, store, batch, now).await?,
            None => audit::add_of_server(store, batch, now).await?,
        }
        happenings::add(store, batch, &self.away, now).await
    }
}
