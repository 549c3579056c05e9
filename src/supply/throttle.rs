//! How often one source may ask for phone files, and who is walking addresses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;

/// Sources remembered at once.
const MAX_SOURCES: usize = 65_536;
/// Requests that led nowhere within a minute after which somebody should know.
const ALARM: u32 = 30;
const MINUTE: Duration = Duration::from_secs(60);

/// A token bucket for each source: an IPv4 address or an IPv6 /64.
#[derive(Debug)]
pub(super) struct Throttle {
    per_minute: u32,
    sources: Mutex<HashMap<IpAddr, Source>>,
}

#[derive(Debug)]
struct Source {
    /// What is left, in 1/60000 of a request: what one millisecond brings
    /// at one request a minute.
    left: u64,
    filled_at: Timestamp,
    misses: u32,
    misses_since: Timestamp,
}

impl Throttle {
    /// So many requests a minute from one source, as many at once; 0 is no
    /// limit.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, sources: Mutex::new(HashMap::new()) }
    }

    /// Counts a request; whether it may be served.
    pub(super) fn takes(&self, source: IpAddr, now: Timestamp) -> bool {
        if self.per_minute == 0 {
            return true;
        }
        let mut sources = self.lock();
        let source = self.source(&mut sources, source, now);
        let elapsed = u64::try_from(now.since(source.filled_at).as_millis()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(u64::from(self.per_minute));
        source.left = source.left.saturating_add(gained).min(self.capacity());
        // Also when the clock was set back.
        source.filled_at = now;
        match source.left.checked_sub(60_000) {
            Some(left) => {
                source.left = left;
                true
            }
            None => false,
        }
    }

    /// Counts a request that led nowhere; their number if it is time to say so,
    /// which is once a minute for one source.
    pub(super) fn missed(&self, source: IpAddr, now: Timestamp) -> Option<u32> {
        let mut sources = self.lock();
        let source = self.source(&mut sources, source, now);
        if now.since(source.misses_since) >= MINUTE || now < source.misses_since {
            source.misses = 0;
            source.misses_since = now;
        }
        source.misses = source.misses.saturating_add(1);
        (source.misses == ALARM).then_some(source.misses)
    }

    fn capacity(&self) -> u64 {
        u64::from(self.per_minute) * 60_000
    }

    fn source<'a>(
        &self,
        sources: &'a mut HashMap<IpAddr, Source>,
        source: IpAddr,
        now: Timestamp,
    ) -> &'a mut Source {
        let key = network(source);
        if sources.len() >= MAX_SOURCES && !sources.contains_key(&key) {
            sources.retain(|_, source| now.since(source.filled_at) < MINUTE);
            // Still full: so many sources at once can be held off by no bucket,
            // and must not take the memory either.
            if sources.len() >= MAX_SOURCES {
                sources.clear();
            }
        }
        let full = self.capacity();
        sources.entry(key).or_insert(Source {
            left: full,
            filled_at: now,
            misses: 0,
            misses_since: now,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts as one network: an IPv4 /24 or an IPv6 /64.
pub(super) fn wide_network(address: IpAddr) -> IpAddr {
    match network(address) {
        IpAddr::V4(address) => IpAddr::V4((address.to_bits() & !0xff).into()),
        address @ IpAddr::V6(_) => address,
    }
}

/// What counts as one source.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_795_205_100_000 + millis)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_gets_its_requests_a_minute_and_no_more() {
        let throttle = Throttle::new(60);
        let source = address("192.0.2.1");
        let served = (0..100).filter(|_| throttle.takes(source, at(0))).count();
        assert_eq!(served, 60);
        assert!(!throttle.takes(source, at(999)));
        assert!(throttle.takes(source, at(1000)));
        assert!(!throttle.takes(source, at(1000)));
        assert!(throttle.takes(address("192.0.2.2"), at(1000)), "another source is untouched");
        let served = (0..100).filter(|_| throttle.takes(source, at(600_000))).count();
        assert_eq!(served, 60, "what was not used does not pile up");
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_off_for_long() {
        let throttle = Throttle::new(60);
        let source = address("192.0.2.1");
        while throttle.takes(source, at(0)) {}
        assert!(!throttle.takes(source, at(-3_600_000)));
        assert!(throttle.takes(source, at(-3_599_000)));
    }

    #[test]
    fn an_ipv6_network_is_one_source() {
        assert_eq!(network(address("2001:db8::1")), network(address("2001:db8::ffff:2")));
        assert_ne!(network(address("2001:db8::1")), network(address("2001:db8:0:1::1")));
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn who_walks_addresses_is_told_of_once_a_minute() {
        let throttle = Throttle::new(0);
        let source = address("192.0.2.1");
        let told =
            |start: i64| (0..500).filter_map(|i| throttle.missed(source, at(start + i))).count();
        assert_eq!(told(0), 1);
        assert_eq!(told(1_000), 0);
        assert_eq!(told(61_000), 1);
    }

    #[test]
    fn the_table_is_bounded() {
        let throttle = Throttle::new(1);
        for i in 0..200_000_u32 {
            throttle.takes(IpAddr::V4(i.into()), at(0));
        }
        assert!(throttle.lock().len() <= MAX_SOURCES);
    }
}
