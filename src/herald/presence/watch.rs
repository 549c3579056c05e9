//! Which silent devices were looked at already.
//!
//! A place in the order of last Informs goes along with the time: what lies before
//! it was looked at. A device that is silent but has its time yet is looked at
//! again when that is over, and not before.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::time::Duration;

use super::PAGE;
use crate::config::{EventsConfig, Live};
use crate::device::DeviceId;
use crate::store::IndexStore;
use crate::time::Timestamp;

/// Devices of the order that are passed over in one go, at most.
const PASSED: usize = 2000;

/// After this time it begins with the first device again: one may have come to
/// stand behind the place, when its commit took long or its record was brought from
/// elsewhere.
const ANEW: Duration = Duration::from_secs(3600);

/// Devices that are to be looked at.
pub(super) struct Silent {
    /// By id.
    pub(super) devices: Vec<DeviceId>,
    /// Up to where the order is looked at with them.
    place: Option<(Timestamp, DeviceId)>,
    /// Whether there are no more at present.
    pub(super) is_last: bool,
}

/// What was looked at.
pub(super) struct Watch {
    /// The last device of the order that was looked at.
    place: Option<(Timestamp, DeviceId)>,
    /// Devices that have their time yet, by when it is over.
    due: BTreeSet<(Timestamp, DeviceId)>,
    /// The same by device: when it informed last, and until when it has its time.
    waiting: HashMap<DeviceId, (Timestamp, Timestamp)>,
    config: Live<EventsConfig>,
    /// With which settings it was reckoned until when devices have their time.
    reckoned_with: EventsConfig,
    /// When it was begun with the first device.
    began: Timestamp,
    /// The last look.
    looked: Timestamp,
}

impl Watch {
    pub(super) fn new(now: Timestamp, config: Live<EventsConfig>) -> Self {
        Self {
            place: None,
            due: BTreeSet::new(),
            waiting: HashMap::new(),
            reckoned_with: (*config).clone(),
            config,
            began: now,
            looked: now,
        }
    }

    /// Before each look: whatever makes what is known useless makes it forgotten.
    pub(super) fn begin(&mut self, now: Timestamp) {
        let config: &EventsConfig = &self.config;
        if *config != self.reckoned_with || now < self.looked {
            self.reckoned_with = config.clone();
            self.due.clear();
            self.waiting.clear();
            self.place = None;
            self.began = now;
        } else if now.since(self.began) >= ANEW {
            self.place = None;
            self.began = now;
        }
        self.looked = now;
    }

    /// The devices that are to be looked at next: those whose time is over, and those
    /// that informed last before `silent`. `None` while the store has no order.
    pub(super) fn next(&self, indexes: &dyn IndexStore, silent: Timestamp) -> Option<Silent> {
        let span = (Bound::Unbounded, Bound::Excluded(silent));
        let after = self.place.as_ref().map(|(at, id)| (*at, id));
        let passed = indexes.informed(span, after, false, PASSED)?;
        let mut devices: Vec<_> = self
            .due
            .iter()
            .take(PAGE)
            .take_while(|(over, _)| *over < self.looked)
            .map(|(_, id)| id.clone())
            .collect();
        let due = devices.len();
        let mut place = self.place.clone();
        let mut is_last = due < PAGE && passed.len() < PASSED;
        for (id, at) in passed {
            let is_known = self.waiting.get(&id).is_some_and(|(informed, _)| *informed == at)
                || devices.iter().take(due).any(|known| *known == id);
            if !is_known {
                if devices.len() == PAGE {
                    is_last = false;
                    break;
                }
                devices.push(id.clone());
            }
            place = Some((at, id));
        }
        Some(Silent { devices, place, is_last })
    }

    /// Devices were looked at. Some have their time yet: when they informed last, and
    /// until when that is.
    pub(super) fn looked_at(
        &mut self,
        silent: Silent,
        waiting: Vec<(DeviceId, Timestamp, Timestamp)>,
    ) {
        for id in &silent.devices {
            if let Some((_, over)) = self.waiting.remove(id) {
                self.due.remove(&(over, id.clone()));
            }
        }
        self.place = silent.place;
        for (id, informed, over) in waiting {
            self.waiting.insert(id.clone(), (informed, over));
            self.due.insert((over, id));
        }
    }

    /// Devices that have their time yet.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.due.len()
    }
}
