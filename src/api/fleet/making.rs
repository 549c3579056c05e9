//! Plans that are being made: a large fleet takes longer than a request should.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::fleet::Progress;
use crate::profile::PlanRecord;

/// The most plans that are being made at once; each takes all cores.
pub(super) const MAX_MAKING: usize = 4;

/// All plans that are being made.
#[derive(Debug, Default)]
pub(in crate::api) struct Makings(Mutex<HashMap<u128, Arc<Making>>>);

/// A plan that is being made.
#[derive(Debug)]
pub(super) struct Making {
    /// What is known of it: all but what it would do.
    pub(super) draft: PlanRecord,
    /// How far it is.
    pub(super) progress: Progress,
    /// How many devices there are.
    pub(super) devices: u64,
    outcome: watch::Receiver<Option<Outcome>>,
}

/// How the making of a plan ended: with a plan in the store, or not.
pub(super) type Outcome = Result<(), String>;

/// The side that makes the plan; the plan is no longer being made when it is
/// dropped.
#[derive(Debug)]
pub(super) struct Maker {
    makings: Arc<Makings>,
    pub(super) making: Arc<Making>,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Makings {
    /// Notes that a plan is being made; `None` if too many are.
    pub(super) fn begin(self: &Arc<Self>, draft: PlanRecord, devices: u64) -> Option<Maker> {
        let mut all = self.lock();
        if all.len() >= MAX_MAKING {
            return None;
        }
        let (sender, outcome) = watch::channel(None);
        let id = draft.id;
        let making = Arc::new(Making { draft, progress: Progress::default(), devices, outcome });
        all.insert(id, Arc::clone(&making));
        Some(Maker { makings: Arc::clone(self), making, outcome: sender })
    }

    /// A plan that is being made.
    pub(super) fn get(&self, id: u128) -> Option<Arc<Making>> {
        self.lock().get(&id).cloned()
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Making>> {
        let mut all: Vec<Arc<Making>> = self.lock().values().cloned().collect();
        all.sort_by_key(|making| making.draft.id);
        all
    }

    /// Gives a plan up. Returns whether it was being made.
    pub(super) fn give_up(&self, id: u128) -> bool {
        let making = self.lock().remove(&id);
        if let Some(making) = &making {
            making.progress.stop();
        }
        making.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u128, Arc<Making>>> {
        // The table is valid between any two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Making {
    /// How it ended, within `patience`; `None` if it is still being made.
    pub(super) async fn outcome(&self, patience: Duration) -> Option<Outcome> {
        let mut outcome = self.outcome.clone();
        match tokio::time::timeout(patience, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            Ok(Err(_)) => Some(Err("it was given up".to_owned())),
            Err(_) => None,
        }
    }
}

impl Maker {
    /// Tells how it ended.
    pub(super) fn end(&self, outcome: Outcome) {
        // Whoever looks next finds it in the store, or nowhere.
        self.makings.lock().remove(&self.making.draft.id);
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        self.makings.lock().remove(&self.making.draft.id);
    }
}
