//! Which devices may be away: at hand, so that a session's commit asks a table
//! and not the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::device::DeviceId;
use crate::time::Timestamp;

/// A device is taken off the table no sooner than this after it was put there:
/// the commit that tells it to be away may still be under way.
const SETTLES: Duration = Duration::from_secs(60);

/// Devices that may be away, and since when that is supposed. Whether they are is
/// for the store to say.
#[derive(Debug, Default)]
pub(super) struct Away {
    count: AtomicUsize,
    table: RwLock<HashMap<DeviceId, Timestamp>>,
}

impl Away {
    /// Whether a device may be away.
    pub(super) fn may_be(&self, id: &DeviceId) -> bool {
        self.count.load(Ordering::Relaxed) > 0
            && self.table.read().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    /// A device is about to be away.
    pub(super) fn put(&self, id: &DeviceId, now: Timestamp) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.insert(id.clone(), now);
        self.count.store(table.len(), Ordering::Relaxed);
    }

    /// The store says that a device is not away.
    pub(super) fn is_not(&self, id: &DeviceId, now: Timestamp) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if table.get(id).is_some_and(|since| now.since(*since) >= SETTLES) {
            table.remove(id);
        }
        self.count.store(table.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_stays_on_the_table_until_its_commit_must_be_over() {
        let (away, id) = (Away::default(), DeviceId::parse("00D09E-1").unwrap());
        let now = Timestamp::from_millis(1_000_000);
        assert!(!away.may_be(&id));
        away.put(&id, now);
        away.is_not(&id, now.after(Duration::from_secs(59)));
        assert!(away.may_be(&id));
        away.is_not(&id, now.after(SETTLES));
        assert!(!away.may_be(&id));
    }
}
