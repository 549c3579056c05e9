//! What is known of models, at hand, so that a session reads nothing for it.
//!
//! A model is loaded when one of its devices first comes, and dropped when a
//! commit touches it. Devices choose their model's name themselves: so the table
//! is bounded, and so is how many models are recorded at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tracing::{info, warn};

use crate::device::{Device, Learned, Lesson, ModelKey, ModelRecord, ModelWishes};
use crate::store::{Notice, Record, Store, StoreError};

/// The most models at hand.
const MAX_AT_HAND: usize = 4096;

/// The most models that are recorded.
const MAX_RECORDED: usize = 10_000;

/// All models.
pub(super) struct Models {
    store: Arc<dyn Store>,
    /// What is assumed of a device that was never met.
    assumed: Learned,
    at_hand: Mutex<AtHand>,
    /// How many models are recorded, once it was counted; one lesson is
    /// recorded at a time, so that none is lost.
    recorded: tokio::sync::Mutex<Option<usize>>,
}

struct AtHand {
    notices: broadcast::Receiver<Notice>,
    known: HashMap<ModelKey, Known>,
    /// Rises with each use.
    clock: u64,
}

/// What is known of one model.
#[derive(Clone, Default)]
struct Known {
    record: Option<Arc<ModelRecord>>,
    /// For any firmware first.
    wishes: Arc<Vec<ModelWishes>>,
    used: u64,
}

impl Models {
    /// `assumed` goes for devices of which nothing is known.
    pub(super) fn new(store: Arc<dyn Store>, assumed: Learned) -> Self {
        let at_hand = AtHand { notices: store.watch(), known: HashMap::new(), clock: 0 };
        Self {
            store,
            assumed,
            at_hand: Mutex::new(at_hand),
            recorded: tokio::sync::Mutex::default(),
        }
    }

    /// What goes for a device.
    ///
    /// # Errors
    /// [`StoreError`] when its model is not at hand and cannot be read.
    pub(super) async fn learned(&self, device: &Device) -> Result<Learned, StoreError> {
        let key = ModelKey::of(device);
        let at_hand = self.at_hand().find(&key);
        let known = match at_hand {
            Some(known) => known,
            None => self.load(&key).await?,
        };
        Ok(self.assumed.clone().with(
            known.record.as_deref(),
            &device.lessons.own,
            known.wishes.iter(),
        ))
    }

    /// Tells a device's lessons to its model, and returns those that the device
    /// has to keep itself: in which it differs from its model.
    ///
    /// # Errors
    /// [`StoreError`] when what the model learned cannot be recorded.
    pub(super) async fn hear(
        &self,
        device: &Device,
        own: Vec<Lesson>,
    ) -> Result<Vec<Lesson>, StoreError> {
        let key = ModelKey::of(device);
        let mut recorded = self.recorded.lock().await;
        let before = self.store.model(&key).await?;
        let is_new = before.is_none();
        let mut record = before.unwrap_or_else(|| ModelRecord::new(key));
        let mut heard = false;
        for lesson in &own {
            heard |= record.hear(&device.id, lesson);
        }
        if heard {
            let count = match *recorded {
                Some(count) => count,
                None => self.store.models(None, MAX_RECORDED).await?.len(),
            };
            *recorded = Some(count);
            if is_new && count >= MAX_RECORDED {
                warn!(model = %record.key, "too many models: what is learned of it is not recorded");
                return Ok(own);
            }
            self.store.commit(Record::Model(Box::new(record.clone())).into()).await?;
            *recorded = Some(count + usize::from(is_new));
            for lesson in &own {
                info!(model = %record.key, device.id = %device.id, lesson = lesson.ability.name(),
                    words = %lesson.words, "learned");
            }
        }
        let differs = |lesson: &Lesson| {
            record.taken_like(&lesson.ability).is_none_or(|taken| taken.ability != lesson.ability)
        };
        Ok(own.into_iter().filter(differs).collect())
    }

    async fn load(&self, key: &ModelKey) -> Result<Known, StoreError> {
        let record = self.store.model(key).await?.map(Arc::new);
        let mut wishes = Vec::new();
        let any = key.any_firmware();
        wishes.extend(self.store.model_wishes(&any).await?);
        if any != *key {
            wishes.extend(self.store.model_wishes(key).await?);
        }
        let known = Known { record, wishes: Arc::new(wishes), used: 0 };
        self.at_hand().keep(key.clone(), known.clone());
        Ok(known)
    }

    fn at_hand(&self) -> MutexGuard<'_, AtHand> {
        // The table is valid between any two statements.
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AtHand {
    fn find(&mut self, key: &ModelKey) -> Option<Known> {
        self.catch_up();
        self.clock += 1;
        let clock = self.clock;
        let known = self.known.get_mut(key)?;
        known.used = clock;
        Some(known.clone())
    }

    fn keep(&mut self, key: ModelKey, known: Known) {
        if self.known.len() >= MAX_AT_HAND {
            // The older half goes: rare, and each costs two reads when it comes
            // again.
            let mut used: Vec<u64> = self.known.values().map(|known| known.used).collect();
            used.sort_unstable();
            let middle = used.get(used.len() / 2).copied().unwrap_or_default();
            self.known.retain(|_, known| known.used > middle);
        }
        self.known.insert(key, Known { used: self.clock, ..known });
    }

    /// Drops what the commits since the last call touched.
    fn catch_up(&mut self) {
        loop {
            match self.notices.try_recv() {
                // What is said of any firmware is about all of them.
                Ok(Notice::Model(key)) if key.software_version.is_empty() => {
                    self.known.retain(|known, _| known.any_firmware() != key);
                }
                Ok(Notice::Model(key)) => {
                    self.known.remove(&key);
                }
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => self.known.clear(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}
