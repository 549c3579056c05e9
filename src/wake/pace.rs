//! How often devices may be woken, each and all together.

use std::collections::HashMap;

use crate::device::DeviceId;
use crate::time::Timestamp;

/// A token bucket, kept as the time at which it will be full again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// Milliseconds in which one token comes back.
    pub(super) interval: i64,
    /// How many tokens there are when it is full.
    pub(super) burst: i64,
}

/// Ten at once, then ten a minute: for an operator who does one thing after
/// another, not for one who hammers a button.
const OF_ONE: Bucket = Bucket { interval: 6_000, burst: 10 };

/// Two thousand at once, then 500 a second.
const OF_ALL: Bucket = Bucket { interval: 2, burst: 2_000 };

/// From this many buckets on the full ones are thrown away. More than
/// `OF_ALL` lets through while one of `OF_ONE` fills cannot be needed.
const SWEEP_FROM: usize = 4_096;

impl Bucket {
    /// Takes a token; `full_at` is the bucket's state.
    pub(super) fn take(self, full_at: &mut i64, now: Timestamp) -> bool {
        let now = now.as_millis();
        let emptied = now.saturating_add(self.interval.saturating_mul(self.burst));
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

/// Counts wakes.
#[derive(Debug, Default)]
pub(super) struct Pace {
    all: i64,
    each: HashMap<DeviceId, i64>,
    sweep_at: usize,
}

impl Pace {
    /// Whether a device may be woken now; if so, that is counted.
    pub(super) fn allows(&mut self, id: &DeviceId, now: Timestamp) -> bool {
        if self.each.len() >= self.sweep_at.max(SWEEP_FROM) {
            self.each.retain(|_, full_at| *full_at > now.as_millis());
            self.sweep_at = self.each.len().saturating_mul(2);
        }
        let mut one = self.each.get(id).copied().unwrap_or(i64::MIN);
        if !OF_ONE.take(&mut one, now) || !OF_ALL.take(&mut self.all, now) {
            return false;
        }
        self.each.insert(id.clone(), one);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(number: usize) -> DeviceId {
        format!("00D09E-{number}").parse().unwrap()
    }

    #[test]
    fn one_device_has_a_burst_and_then_a_rate() {
        let mut pace = Pace::default();
        let mut now = Timestamp::from_millis(1_000_000);
        let allowed = |pace: &mut Pace, now| (0..1000).filter(|_| pace.allows(&id(1), now)).count();
        assert_eq!(allowed(&mut pace, now), 10);
        assert!(pace.allows(&id(2), now), "others are not locked out");
        now = now.after(Duration::from_secs(6));
        assert_eq!(allowed(&mut pace, now), 1);
        now = now.after(Duration::from_secs(3600));
        assert_eq!(allowed(&mut pace, now), 10);
    }

    #[test]
    fn all_together_have_a_rate_and_memory_stays_bounded() {
        let mut pace = Pace::default();
        let mut now = Timestamp::from_millis(1_000_000);
        assert_eq!((0..5000).filter(|n| pace.allows(&id(*n), now)).count(), 2000);
        let mut next = 5000;
        for _ in 0..100 {
            now = now.after(Duration::from_secs(1));
            assert_eq!((0..1000).filter(|n| pace.allows(&id(next + n), now)).count(), 500);
            next += 1000;
        }
        // Of 52,000 that were woken, those of the last six seconds are known,
        // and at most as many again.
        assert!(pace.each.len() <= 2 * 4096, "{}", pace.each.len());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut pace = Pace::default();
        let now = Timestamp::from_millis(1_000_000_000);
        assert!(pace.allows(&id(1), now));
        let earlier = Timestamp::from_millis(1_000_000);
        assert!(pace.allows(&id(1), earlier));
    }
}
