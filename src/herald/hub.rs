//! One reader of the news for all listeners.

use std::sync::Arc;

use crate::store::Store;

/// Hands news to listeners.
#[derive(Clone)]
pub struct Hub {
    store: Arc<dyn Store>,
}

impl Hub {
    /// A hub over a store.
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store })
    }

    /// The store with the news.
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }
}
