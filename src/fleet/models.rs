//! What is known of models, at hand, so that a session reads nothing for it.
//!
//! A model is loaded when one of its devices first comes, and again when a commit
//! touched models since. Devices choose their model's name themselves: so the table
//! is bounded, and so is how many models are recorded at all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::{info, warn};

use crate::device::{Device, Learned, Lesson, ModelKey, ModelRecord, ModelWishes};
use crate::store::{Kind, Record, Store, StoreError};

/// The most models at hand.
const MAX_AT_HAND: usize = 4096;

/// The most models that are recorded.
const MAX_RECORDED: usize = 10_000;

/// All models.
pub struct Models {
    store: Arc<dyn Store>,
    /// What is assumed of a device that was never met.
    assumed: Learned,
    at_hand: RwLock<HashMap<ModelKey, Arc<Known>>>,
    /// Rises with each use.
    uses: AtomicU64,
    /// How many models are recorded, once it was counted; one lesson is
    /// recorded at a time, so that none is lost.
    recorded: tokio::sync::Mutex<Option<usize>>,
}

/// What is known of one model.
struct Known {
    record: Option<ModelRecord>,
    /// For any firmware first.
    wishes: Vec<ModelWishes>,
    /// Of the store when it was loaded.
    generation: u64,
    used: AtomicU64,
}

impl Models {
    /// `assumed` goes for devices of which nothing is known.
    pub fn new(store: Arc<dyn Store>, assumed: Learned) -> Self {
        Self {
            store,
            assumed,
            at_hand: RwLock::default(),
            uses: AtomicU64::new(0),
            recorded: tokio::sync::Mutex::default(),
        }
    }

    /// What goes for a device.
    ///
    /// # Errors
    /// [`StoreError`] when its model is not at hand and cannot be read.
    pub async fn learned(&self, device: &Device) -> Result<Learned, StoreError> {
        let key = ModelKey::of(device);
        let generation = self.store.generation(Kind::Model);
        let known = match self.find(&key, generation) {
            Some(known) => known,
            None => self.load(&key, generation).await?,
        };
        Ok(self.assumed.clone().with(known.record.as_ref(), &device.lessons.own, &known.wishes))
    }

    /// Tells a device's lessons to its model, and returns those that the device
    /// has to keep itself: in which it differs from its model.
    ///
    /// # Errors
    /// [`StoreError`] when what the model learned cannot be recorded.
    pub async fn hear(&self, device: &Device, own: Vec<Lesson>) -> Result<Vec<Lesson>, StoreError> {
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

    async fn load(&self, key: &ModelKey, generation: u64) -> Result<Arc<Known>, StoreError> {
        let record = self.store.model(key).await?;
        let mut wishes = Vec::new();
        let any = key.any_firmware();
        wishes.extend(self.store.model_wishes(&any).await?);
        if any != *key {
            wishes.extend(self.store.model_wishes(key).await?);
        }
        let used = AtomicU64::new(self.uses.load(Ordering::Relaxed));
        let known = Arc::new(Known { record, wishes, generation, used });
        self.keep(key.clone(), known.clone());
        Ok(known)
    }

    fn find(&self, key: &ModelKey, generation: u64) -> Option<Arc<Known>> {
        // The table is valid between any two statements.
        let at_hand = self.at_hand.read().unwrap_or_else(PoisonError::into_inner);
        let known = at_hand.get(key).filter(|known| known.generation == generation)?;
        known.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(known.clone())
    }

    fn keep(&self, key: ModelKey, known: Arc<Known>) {
        let mut at_hand = self.at_hand.write().unwrap_or_else(PoisonError::into_inner);
        if at_hand.len() >= MAX_AT_HAND {
            // The older half goes: rare, and each costs three reads when it comes
            // again.
            let use_of = |known: &Known| known.used.load(Ordering::Relaxed);
            let mut used: Vec<u64> = at_hand.values().map(|known| use_of(known)).collect();
            used.sort_unstable();
            let middle = used.get(used.len() / 2).copied().unwrap_or_default();
            at_hand.retain(|_, known| use_of(known) > middle);
        }
        at_hand.insert(key, known);
    }
}
