//! What goes with every commit.

use async_trait::async_trait;

use super::{Batch, Store, StoreError};

/// Adds to commits what must become durable together with them: entries of the
/// audit, news.
#[async_trait]
pub trait Companion: Send + Sync + 'static {
    /// Whether there is anything to add to this batch. Asked of every commit, the
    /// smallest included: it must cost next to nothing.
    fn concerns(&self, batch: &Batch) -> bool;

    /// Adds to a batch that it concerns.
    ///
    /// # Errors
    /// What the store says when it is read; nothing is committed then.
    async fn accompany(&self, store: &dyn Store, batch: &mut Batch) -> Result<(), StoreError>;
}
