//! Tokens that open nothing, counted by where they come from.
//!
//! Only failures are counted, and only after the token was looked at: whoever has
//! a good one is never held up, from whichever address and whatever others do
//! there. What the counting gives is a log that can be read and answers that tell
//! a program gone wrong to come later; 256 random bits need no more.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;

/// Failures at once from a source before it is told to come later.
const BURST: u32 = 20;

/// One more failure is given in this time.
const REFILL: Duration = Duration::from_secs(3);

/// The most sources that are counted; what comes beyond is not: the table can be
/// filled, and then holds up nobody.
const MAX_SOURCES: usize = 16_384;

/// Counts failures.
#[derive(Debug, Default)]
pub(super) struct BadTokens {
    sources: Mutex<Sources>,
}

#[derive(Debug, Default)]
struct Sources {
    buckets: HashMap<IpAddr, Bucket>,
    swept: Timestamp,
}

/// What is left to a source, and since when.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u32,
    since: Timestamp,
}

/// What to tell whoever failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It failed; the first of a burst, which is worth a line in the log.
    First,
    /// It failed.
    Again,
    /// It failed, and so often that it is to come again after this many seconds.
    TooMany(u32),
}

impl BadTokens {
    /// Counts a failure.
    pub(super) fn count(&self, address: IpAddr, now: Timestamp) -> Verdict {
        let source = source(address);
        // Between any two statements the counters are sound.
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if !sources.buckets.contains_key(&source) && !sources.has_room(now) {
            return Verdict::Again;
        }
        let bucket = sources.buckets.entry(source).or_insert(Bucket { left: BURST, since: now });
        bucket.refill(now);
        let was = bucket.left;
        bucket.left = was.saturating_sub(1);
        match was {
            0 => Verdict::TooMany(bucket.wait(now)),
            BURST => Verdict::First,
            _ => Verdict::Again,
        }
    }
}

impl Sources {
    /// Whether one more source can be counted. Sources that did nothing for a
    /// while are forgotten for it, but looked through once in a while only.
    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.buckets.len() < MAX_SOURCES {
            return true;
        }
        if now.since(self.swept) >= REFILL || now < self.swept {
            self.swept = now;
            self.buckets.retain(|_, bucket| {
                bucket.refill(now);
                bucket.left < BURST
            });
        }
        self.buckets.len() < MAX_SOURCES
    }
}

impl Bucket {
    fn refill(&mut self, now: Timestamp) {
        if now < self.since {
            self.since = now;
        }
        let passed = now.since(self.since).as_secs() / REFILL.as_secs();
        let given = u32::try_from(passed).unwrap_or(u32::MAX);
        if given == 0 {
            return;
        }
        self.left = self.left.saturating_add(given).min(BURST);
        self.since = if self.left == BURST { now } else { self.since.after(REFILL * given) };
    }

    /// Seconds until one more failure is given.
    fn wait(&self, now: Timestamp) -> u32 {
        let left = REFILL.saturating_sub(now.since(self.since)).as_millis().div_ceil(1000);
        u32::try_from(left).unwrap_or(1).max(1)
    }
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6.
const fn source(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn at(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn e09_a_source_that_guesses_is_told_to_come_later_and_told_of_once() {
        let bad = BadTokens::default();
        assert_eq!(bad.count(at(1), NOW), Verdict::First);
        for _ in 1..BURST {
            assert_eq!(bad.count(at(1), NOW), Verdict::Again);
        }
        assert_eq!(bad.count(at(1), NOW), Verdict::TooMany(3));
        assert_eq!(bad.count(at(1), NOW.after(Duration::from_millis(1500))), Verdict::TooMany(2));
        assert_eq!(bad.count(at(2), NOW), Verdict::First, "others are others");
        let later = NOW.after(REFILL);
        assert_eq!(bad.count(at(1), later), Verdict::Again);
        assert_eq!(bad.count(at(1), later), Verdict::TooMany(3));
        let quiet = later.after(REFILL * BURST);
        assert_eq!(bad.count(at(1), quiet), Verdict::First, "another burst");
        assert_ne!(bad.count(at(1), NOW), Verdict::First, "the clock went back");
    }

    #[test]
    fn e09_a_full_table_holds_up_nobody() {
        let bad = BadTokens::default();
        let full = u32::try_from(MAX_SOURCES).unwrap();
        for number in 0..full + 1000 {
            bad.count(at(number), NOW);
        }
        assert_eq!(bad.sources.lock().unwrap().buckets.len(), MAX_SOURCES);
        for _ in 0..2 * BURST {
            assert_eq!(bad.count(at(full + 5), NOW), Verdict::Again, "not counted");
        }
        let later = NOW.after(REFILL);
        assert_eq!(bad.count(at(full + 5), later), Verdict::First, "the old ones were forgotten");
    }

    #[test]
    fn all_of_one_subscriber_is_one_source() {
        let of = |text: &str| source(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
