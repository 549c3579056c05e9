//! How many datagrams of one source the STUN server looks at.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::time::Timestamp;
use crate::wake::pace::Bucket;

/// Two hundred at once, then fifty a second: a thousand devices behind one
/// carrier's NAT that bind every twenty seconds.
const OF_SOURCE: Bucket = Bucket { interval: 20, burst: 200 };

/// How many sources are counted at once; beyond them no new one is looked at.
const MAX_SOURCES: usize = 1 << 16;

/// Counts datagrams.
#[derive(Debug, Default)]
pub(super) struct Rate {
    each: HashMap<IpAddr, i64>,
    swept_at: i64,
}

impl Rate {
    /// Whether a datagram from there is looked at.
    pub(super) fn allows(&mut self, source: IpAddr, now: Timestamp) -> bool {
        // Once a second at most: invented sources must not cost a sweep each.
        let second = now.as_secs();
        if self.each.len() >= MAX_SOURCES && self.swept_at != second {
            self.swept_at = second;
            self.each.retain(|_, full_at| *full_at > now.as_millis());
        }
        let source = network(source);
        if self.each.len() >= MAX_SOURCES && !self.each.contains_key(&source) {
            return false;
        }
        OF_SOURCE.take(self.each.entry(source).or_insert(i64::MIN), now)
    }
}

/// One subscriber: an address of IPv4, 64 bits of one of IPv6.
const fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(source) => IpAddr::V4(source),
        IpAddr::V6(source) => {
            let [a, b, c, d, ..] = source.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn d09_a_source_has_a_burst_and_then_a_rate_and_memory_stays_bounded() {
        let mut rate = Rate::default();
        let now = Timestamp::from_millis(1_000_000);
        let source = [203, 0, 113, 7].into();
        assert_eq!((0..1000).filter(|_| rate.allows(source, now)).count(), 200);
        assert!(rate.allows([203, 0, 113, 8].into(), now), "others are not locked out");
        let later = now.after(Duration::from_secs(1));
        assert_eq!((0..1000).filter(|_| rate.allows(source, later)).count(), 50);
        for number in 0..200_000_u32 {
            rate.allows(IpAddr::V4(number.into()), later);
        }
        assert!(rate.each.len() <= MAX_SOURCES);
        let neighbours = (0..300_u16).map(|last| Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
        let much_later = now.after(Duration::from_secs(3600));
        let mut rate = Rate::default();
        assert_eq!(neighbours.filter(|at| rate.allows((*at).into(), much_later)).count(), 200);
    }
}
