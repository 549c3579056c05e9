//! What every commit brings besides: entries of the audit for what somebody asked
//! for, and news for those who listen.
//!
//! The ledger stands at the store's side ([`crate::store::Companion`]), so that no
//! change can be made without its entry, by whichever room, and both become
//! durable together. Who asks is told by [`acting`], around the whole request.

mod actor;
mod audit;
mod happenings;

pub use actor::{Actor, acting, entries_made};

use std::sync::Arc;

use async_trait::async_trait;

use crate::store::{Batch, Companion, Store, StoreError};
use crate::time::Clock;

/// Adds audit and news to commits.
pub struct Ledger {
    clock: Arc<dyn Clock>,
}

impl Ledger {
    /// A ledger by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock })
    }
}

#[async_trait]
impl Companion for Ledger {
    fn concerns(&self, batch: &Batch) -> bool {
        actor::is_acting() || happenings::concern(batch)
    }

    async fn accompany(&self, store: &dyn Store, batch: &mut Batch) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(actor) = actor::current() {
            audit::add(&actor, store, batch, now).await?;
        }
        happenings::add(store, batch, now).await
    }
}
