//! How often a source may ask.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use crate::time::Timestamp;

/// Sources share this many counters, so that no flood of forged sources takes
/// memory, or makes another forgotten.
const COUNTERS: usize = 8192;

/// A phone asks once or a few times in a row when it starts: eight at once,
/// then one in two seconds.
const OF_ONE: Bucket = Bucket { interval: 2_000, burst: 8 };
/// All together: two thousand at once, then 500 a second.
const OF_ALL: Bucket = Bucket { interval: 2, burst: 2_000 };

/// A token bucket, kept as the time at which it will be full again.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Milliseconds in which one token comes back.
    interval: i64,
    burst: i64,
}

impl Bucket {
    fn take(self, full_at: &mut i64, now: i64) -> bool {
        let empty = now.saturating_add(self.interval.saturating_mul(self.burst));
        // Beyond empty there is nothing: the clock was set back.
        let level = if *full_at > empty { now } else { now.max(*full_at) };
        if level > empty.saturating_sub(self.interval) {
            return false;
        }
        *full_at = level.saturating_add(self.interval);
        true
    }
}

/// Counts requests.
#[derive(Debug)]
pub(super) struct Pace {
    secret: RandomState,
    all: i64,
    each: Vec<i64>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { secret: RandomState::new(), all: 0, each: vec![0; COUNTERS] }
    }

    /// Whether a request from `source` is looked at; if so, it is counted.
    pub(super) fn allows(&mut self, source: IpAddr, now: Timestamp) -> bool {
        let now = now.as_millis();
        let place = usize::try_from(self.secret.hash_one(source) % COUNTERS as u64).unwrap_or(0);
        let Some(one) = self.each.get_mut(place) else { return false };
        OF_ONE.take(one, now) && OF_ALL.take(&mut self.all, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_795_205_100_000 + millis)
    }

    #[test]
    fn one_source_has_a_burst_and_then_a_rate() {
        let mut pace = Pace::new();
        let source = "192.0.2.7".parse().unwrap();
        let mut allowed = |now| (0..100).filter(|_| pace.allows(source, now)).count();
        assert_eq!(allowed(at(0)), 8);
        assert_eq!(allowed(at(2_000)), 1);
        assert_eq!(allowed(at(60_000)), 8);
        assert_eq!(allowed(at(-3_600_000)), 8, "the clock was set back");
    }

    #[test]
    fn a_flood_of_sources_is_bounded_in_all() {
        let mut pace = Pace::new();
        let allowed =
            (0..100_000_u32).filter(|n| pace.allows(IpAddr::V4((*n).into()), at(0))).count();
        assert_eq!(allowed, 2_000);
        assert_eq!(pace.each.len(), COUNTERS);
    }
}
