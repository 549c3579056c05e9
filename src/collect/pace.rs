//! Token buckets: how often one may report.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use crate::time::Timestamp;

/// From this many buckets on the full ones are thrown away.
const SWEEP_FROM: usize = 4096;
/// The most buckets that are kept; whoever has none then is refused.
const MAX_BUCKETS: usize = 1 << 20;

const MINUTE: i64 = 60_000;

/// A bucket for each key.
#[derive(Debug)]
pub(super) struct Pace<K> {
    /// Milliseconds in which one token comes back; 0 is no limit.
    interval: i64,
    /// How many there are in a full bucket.
    burst: i64,
    /// When each is full again, and when to sweep next.
    buckets: Mutex<(HashMap<K, i64>, usize)>,
}

impl<K: Hash + Eq> Pace<K> {
    /// So many a minute, and `burst` at once; 0 a minute is no limit.
    pub(super) fn new(per_minute: u32, burst: u32) -> Self {
        let interval = MINUTE.checked_div(per_minute.into()).map_or(0, |interval| interval.max(1));
        Self { interval, burst: burst.max(1).into(), buckets: Mutex::default() }
    }

    /// Takes a token of this key; whether there was one.
    pub(super) fn takes(&self, key: K, now: Timestamp) -> bool {
        if self.interval == 0 {
            return true;
        }
        let now = now.as_millis();
        let mut guard = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let (buckets, sweep_at) = &mut *guard;
        if buckets.len() >= (*sweep_at).max(SWEEP_FROM) {
            buckets.retain(|_, full_at| *full_at > now);
            *sweep_at = buckets.len().saturating_mul(2);
        }
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(&key) {
            return false;
        }
        let emptied = now.saturating_add(self.interval.saturating_mul(self.burst));
        let full_at = buckets.entry(key).or_insert(now);
        // Beyond empty there is nothing: the clock was set back, and that must
        // not lock anybody out.
        let level = if *full_at > emptied { now } else { now.max(*full_at) };
        if level > emptied.saturating_sub(self.interval) {
            return false;
        }
        *full_at = level.saturating_add(self.interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_by_itself() {
        let start = Timestamp::from_millis(1_795_205_100_000);
        let pace = Pace::new(6, 2);
        assert!(pace.takes("a", start) && pace.takes("a", start));
        assert!(!pace.takes("a", start));
        assert!(pace.takes("b", start));
        let later = start.after(Duration::from_secs(10));
        assert!(pace.takes("a", later) && !pace.takes("a", later));
        // A clock that was set back locks nobody out.
        assert!(pace.takes("a", Timestamp::from_millis(1_000_000)));
        assert!((0..100).all(|_| Pace::new(0, 1).takes("a", start)));
    }
}
