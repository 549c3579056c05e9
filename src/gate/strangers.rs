//! Quarantine: unknown devices that wait until somebody decides.
//!
//! The store keeps what is durable, [`Waiting`] who holds a place. All changes go
//! through here: of one device one at a time, so that a decision is not overwritten
//! by a device that is seen at the same moment.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{info, warn};

use super::waiting::{NoPlace, Place, Waiting};
use crate::config::AdmissionConfig;
use crate::device::{Decision, DeviceId, Stranger};
use crate::store::{Batch, Change, Record, Store, StoreError};
use crate::time::Timestamp;

/// That a device was seen again is recorded once in this time.
const RECORDED_EVERY: Duration = Duration::from_secs(3600);

/// Locks: changes of devices that share one wait for each other.
const TURNS: usize = 64;

/// Records that are read at once.
const PAGE: usize = 1000;

/// Decisions that are made durable together.
const TOGETHER: usize = 1000;

/// What becomes of an unknown device that is to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lodging {
    /// It has a place and is answered politely.
    Waits,
    /// There is no place: it is to come again later.
    Full,
}

/// How the quarantine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Devices that wait.
    pub waiting: usize,
    /// Devices that may.
    pub cap: usize,
    /// Since when devices are turned away for want of a place.
    pub full_since: Option<Timestamp>,
}

/// The unknown devices of a server.
pub struct Strangers {
    store: Arc<dyn Store>,
    cap: usize,
    waiting: Mutex<Waiting>,
    full_since: Mutex<Option<Timestamp>>,
    turns: [tokio::sync::Mutex<()>; TURNS],
}

impl Strangers {
    /// A quarantine in which nobody waits; see [`Strangers::load`].
    pub fn new(store: Arc<dyn Store>, config: &AdmissionConfig) -> Self {
        Self {
            store,
            cap: config.cap,
            waiting: Mutex::new(Waiting::new(config)),
            full_since: Mutex::default(),
            turns: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    /// Gives those that the store knows to wait their places.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    pub async fn load(&self) -> Result<(), StoreError> {
        let mut after: Option<DeviceId> = None;
        loop {
            let page = self.store.fleet().strangers(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.device.clone());
            let mut waiting = lock(&self.waiting);
            for known in page.iter().filter(|known| known.decision == Decision::Waiting) {
                waiting.restore(&known.device, known.address, known.last_seen);
            }
        }
    }

    /// How the quarantine is.
    pub fn occupancy(&self) -> Occupancy {
        let full_since = *lock(&self.full_since);
        Occupancy { waiting: lock(&self.waiting).len(), cap: self.cap, full_since }
    }

    /// An unknown device is here and is to wait. `known` is what the store said of
    /// it a moment ago. Nothing is written for one that waits already and was
    /// recorded lately.
    ///
    /// # Errors
    /// [`StoreError`] when its waiting cannot be recorded.
    pub async fn wait(
        &self,
        known: Option<&Stranger>,
        seen: Stranger,
    ) -> Result<Lodging, StoreError> {
        let (id, now) = (seen.device.clone(), seen.last_seen);
        let has_place = lock(&self.waiting).sees(&id, now);
        if has_place && known.is_some_and(|known| now.since(known.last_seen) < RECORDED_EVERY) {
            return Ok(Lodging::Waits);
        }
        let _turn = self.turn(&id).lock().await;
        let stored = self.store.fleet().stranger(&id).await?;
        if stored.as_ref().is_some_and(|stored| stored.decision != Decision::Waiting) {
            // Decided this very moment: it learns of it when it comes next.
            return Ok(Lodging::Waits);
        }
        let gone = match lock(&self.waiting).enter(&id, seen.address, now) {
            Ok(gone) => gone,
            Err(no_place) => {
                self.turned_away(no_place, &seen, now);
                return Ok(Lodging::Full);
            }
        };
        let mut batch = Batch::new();
        for (gone, _) in &gone {
            info!(device.id = %gone, "an unknown device was not seen for long and is forgotten");
            batch.push(Change::ForgetStranger(gone.clone()));
        }
        let first_seen = stored.as_ref().map_or(now, |stored| stored.first_seen);
        batch.put(Record::Stranger(Box::new(Stranger { first_seen, ..seen })));
        if let Err(error) = self.store.commit(batch).await {
            let mut waiting = lock(&self.waiting);
            if stored.is_none() {
                waiting.leave(&id);
            }
            gone.iter().for_each(|(gone, place)| waiting.put(gone, *place));
            return Err(error);
        }
        if !lock(&self.waiting).is_full() {
            *lock(&self.full_since) = None;
        }
        Ok(Lodging::Waits)
    }

    /// Says once that devices are turned away, until there was a place again.
    fn turned_away(&self, no_place: NoPlace, seen: &Stranger, now: Timestamp) {
        match no_place {
            NoPlace::Full => {
                let mut full_since = lock(&self.full_since);
                if full_since.is_none() {
                    *full_since = Some(now);
                    warn!(
                        admission.cap = self.cap,
                        "the quarantine is full: unknown devices are turned away"
                    );
                } else {
                    info!(device.id = %seen.device, "turned away: the quarantine is full");
                }
            }
            NoPlace::SourceFull => {
                info!(device.id = %seen.device, peer.address = %seen.address,
                    "turned away: too many unknown devices wait from there");
            }
        }
    }

    /// A device was taken in and its record forgotten.
    pub fn entered(&self, id: &DeviceId) {
        self.leave(id);
    }

    /// Decides on one unknown device, durably; `None` if there is none of this id.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be recorded.
    pub async fn decide(
        &self,
        id: &DeviceId,
        decision: Decision,
    ) -> Result<Option<Stranger>, StoreError> {
        let _turn = self.turn(id).lock().await;
        let Some(known) = self.store.fleet().stranger(id).await? else { return Ok(None) };
        let place = self.leave(id);
        if known.decision == Decision::Waiting && place.is_none() {
            // Its place went to another this very moment.
            return Ok(None);
        }
        let decided = Stranger { decision, ..known };
        let record = Record::Stranger(Box::new(decided.clone()));
        self.commit(record.into(), vec![(id, place)]).await?;
        info!(device.id = %id, decision = decided.decision.word(), "an unknown device was decided on");
        Ok(Some(decided))
    }

    /// Decides on many that wait, durably; tells how many of them still did.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be recorded; those before are decided.
    pub async fn decide_all(
        &self,
        ids: &[DeviceId],
        decision: &Decision,
    ) -> Result<usize, StoreError> {
        let mut decided = 0;
        for some in ids.chunks(TOGETHER) {
            // All turns, always in this order.
            let mut turns = Vec::with_capacity(TURNS);
            for turn in &self.turns {
                turns.push(turn.lock().await);
            }
            let mut batch = Batch::new();
            let mut places = Vec::new();
            for id in some {
                let Some(known) = self.store.fleet().stranger(id).await? else { continue };
                if known.decision != Decision::Waiting {
                    continue;
                }
                let Some(place) = self.leave(id) else { continue };
                places.push((id, Some(place)));
                let decision = decision.clone();
                batch.put(Record::Stranger(Box::new(Stranger { decision, ..known })));
            }
            let some = places.len();
            self.commit(batch, places).await?;
            decided += some;
        }
        info!(decided, decision = decision.word(), "unknown devices were decided on");
        Ok(decided)
    }

    /// Forgets an unknown device with what was decided on it; whether there was
    /// one.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be recorded.
    pub async fn forget(&self, id: &DeviceId) -> Result<bool, StoreError> {
        let _turn = self.turn(id).lock().await;
        if self.store.fleet().stranger(id).await?.is_none() {
            return Ok(false);
        }
        let place = self.leave(id);
        let mut batch = Batch::new();
        batch.push(Change::ForgetStranger(id.clone()));
        self.commit(batch, vec![(id, place)]).await?;
        Ok(true)
    }

    /// Commits; those who left their places for it get them back if it fails.
    async fn commit(
        &self,
        batch: Batch,
        places: Vec<(&DeviceId, Option<Place>)>,
    ) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let committed = self.store.commit(batch).await;
        if committed.is_err() {
            let mut waiting = lock(&self.waiting);
            for (id, place) in places {
                if let Some(place) = place {
                    waiting.put(id, place);
                }
            }
        }
        committed
    }

    fn leave(&self, id: &DeviceId) -> Option<Place> {
        let mut waiting = lock(&self.waiting);
        let place = waiting.leave(id);
        if !waiting.is_full() {
            drop(waiting);
            *lock(&self.full_since) = None;
        }
        place
    }

    fn turn(&self, id: &DeviceId) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let at = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default();
        &self.turns[at]
    }
}

/// The tables are sound between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
