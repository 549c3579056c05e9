//! Who walks addresses: asks by name for one phone after another that is not
//! there.
//!
//! An address block has 2²⁴ addresses, so names can be tried. Counted are the
//! different addresses of one block that were asked for from one network by name
//! alone and led nowhere, whatever the reason; so the count tells nothing of
//! which of them exist.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::throttle::wide_network;
use crate::phone::Mac;
use crate::time::Timestamp;

/// How long addresses are counted, and nobody of that network gets a file of
/// that block by name alone once there were too many.
const WINDOW: Duration = Duration::from_secs(600);
/// Networks and blocks remembered at once.
const MAX_WALKS: usize = 16_384;

/// Addresses that led nowhere, by network and block.
#[derive(Debug)]
pub(super) struct Walks {
    limit: usize,
    walks: Mutex<HashMap<(IpAddr, [u8; 3]), Walk>>,
}

#[derive(Debug)]
struct Walk {
    since: Timestamp,
    missed: HashSet<Mac>,
}

impl Walks {
    /// So many addresses of one block within ten minutes; 0 is no limit.
    pub(super) fn new(limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { limit, walks: Mutex::new(HashMap::new()) }
    }

    /// Whether a phone of this block may be asked for by name from there.
    pub(super) fn admits(&self, source: IpAddr, mac: Mac, now: Timestamp) -> bool {
        let walks = self.lock();
        let walk = walks.get(&(wide_network(source), mac.oui()));
        let over = |walk: &Walk| walk.missed.len() >= self.limit && !is_old(walk, now);
        self.limit == 0 || !walk.is_some_and(over)
    }

    /// Counts an address that led nowhere; whether it is time to raise the
    /// alarm, which is once in a window.
    pub(super) fn missed(&self, source: IpAddr, mac: Mac, now: Timestamp) -> bool {
        if self.limit == 0 {
            return false;
        }
        let key = (wide_network(source), mac.oui());
        let mut walks = self.lock();
        if walks.len() >= MAX_WALKS && !walks.contains_key(&key) {
            walks.retain(|_, walk| !is_old(walk, now));
            if walks.len() >= MAX_WALKS {
                walks.clear();
            }
        }
        let walk = walks.entry(key).or_insert_with(|| Walk { since: now, missed: HashSet::new() });
        if is_old(walk, now) {
            *walk = Walk { since: now, missed: HashSet::new() };
        }
        walk.missed.len() < self.limit && walk.missed.insert(mac) && walk.missed.len() == self.limit
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(IpAddr, [u8; 3]), Walk>> {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_old(walk: &Walk, now: Timestamp) -> bool {
    now.since(walk.since) >= WINDOW || now < walk.since
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_205_100_000 + seconds * 1000)
    }

    fn mac(last: u8) -> Mac {
        Mac::try_from([0x0c, 0x38, 0x3e, 0, 0, last]).unwrap()
    }

    #[test]
    fn a_walk_is_told_once_and_held_off_until_it_is_over() {
        let walks = Walks::new(3);
        let (source, neighbour) = ("192.0.2.1".parse().unwrap(), "192.0.2.9".parse().unwrap());
        let other = "198.51.100.1".parse().unwrap();
        let told: Vec<bool> =
            [1, 1, 2, 3, 4].map(|last| walks.missed(source, mac(last), at(0))).into();
        assert_eq!(told, [false, false, false, true, false]);
        assert!(!walks.admits(source, mac(9), at(599)));
        assert!(!walks.admits(neighbour, mac(9), at(599)), "one network is one walker");
        assert!(walks.admits(other, mac(9), at(599)));
        let digium = "000fd3010203".parse().unwrap();
        assert!(walks.admits(source, digium, at(599)), "another block is none of it");
        assert!(walks.admits(source, mac(9), at(600)));
        assert!(!walks.missed(source, mac(1), at(600)), "it begins anew");
        assert!(walks.admits(source, mac(9), at(601)));
        assert!(walks.admits(source, mac(9), at(-1)), "the clock was set back");
    }

    #[test]
    fn the_table_is_bounded_and_may_be_switched_off() {
        let walks = Walks::new(1);
        for i in 0..40_000_u32 {
            walks.missed(IpAddr::V4((i << 8).into()), mac(1), at(0));
        }
        assert!(walks.lock().len() <= MAX_WALKS);
        let off = Walks::new(0);
        assert!(!off.missed("::1".parse().unwrap(), mac(1), at(0)));
        assert!(off.admits("::1".parse().unwrap(), mac(1), at(0)));
    }
}
