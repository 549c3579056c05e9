//! What a session that read the whole tree teaches of a vendor's own parameters.

use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::warn;

use crate::device::{Device, ModelKey};
use crate::param::Tree;
use crate::schema::LearnedParameters;
use crate::store::{Record, Store, StoreError};

/// The most models of which parameters are learned. Devices choose their
/// model's name themselves.
const MAX_MODELS: usize = 2_000;

/// How many models are read at a time while they are counted.
const PAGE: usize = 50;

/// How many models there are, once they were counted: none yet.
const NOT_COUNTED: usize = usize::MAX;

/// How many models of this process's store something is learned of.
pub(super) struct Learning {
    models: AtomicUsize,
}

impl Learning {
    pub(super) const fn new() -> Self {
        Self { models: AtomicUsize::new(NOT_COUNTED) }
    }

    /// What is to be recorded of a device's model after its whole tree was read;
    /// nothing if the tree brings no news.
    pub(super) async fn hear(
        &self,
        store: &dyn Store,
        device: &Device,
        tree: &Tree,
    ) -> Option<Record> {
        match self.learned(store, device, tree).await {
            Ok(record) => record,
            Err(error) => {
                warn!(device.id = %device.id, %error, "a vendor's own parameters were not learned");
                None
            }
        }
    }

    async fn learned(
        &self,
        store: &dyn Store,
        device: &Device,
        tree: &Tree,
    ) -> Result<Option<Record>, StoreError> {
        let key = ModelKey::of(device);
        let before = store.fleet().learned_parameters(&key).await?;
        let is_new = before.is_none();
        let mut learned = before.unwrap_or_else(|| LearnedParameters::new(key));
        if !learned.hear(tree) {
            return Ok(None);
        }
        if is_new {
            let count = self.count(store).await?;
            if count >= MAX_MODELS {
                warn!(model = %learned.key, "too many models: their own parameters are not learned");
                return Ok(None);
            }
            self.models.store(count + 1, Ordering::Relaxed);
        }
        Ok(Some(Record::LearnedParameters(Box::new(learned))))
    }

    async fn count(&self, store: &dyn Store) -> Result<usize, StoreError> {
        let counted = self.models.load(Ordering::Relaxed);
        if counted != NOT_COUNTED {
            return Ok(counted);
        }
        let (mut count, mut last) = (0, None);
        loop {
            let page = store.fleet().all_learned_parameters(last.as_ref(), PAGE).await?;
            count += page.len();
            match page.into_iter().next_back() {
                Some(one) if count < MAX_MODELS => last = Some(one.key),
                _ => return Ok(count),
            }
        }
    }
}
