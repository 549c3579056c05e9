//! Where devices were seen lately, and what was told of it: two that say they
//! are one are noticed (security: B3).
//!
//! All of it is in memory and bounded. A device that stays where it is leaves
//! nothing here.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::device::DeviceId;
use crate::time::Timestamp;

/// A device that is back at its old address within this time was never away: it
/// is two.
const FLAPPING: Duration = Duration::from_secs(600);

/// An alarm of one kind about one device is told once in this time.
const QUIET: Duration = Duration::from_secs(3600);

/// The most devices of which a move, or an alarm, is remembered.
const MAX_REMEMBERED: usize = 65_536;

/// What is told at most once in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// An Inform was refused.
    Refused,
    /// A clone is suspected.
    Clone,
}

/// What is remembered of devices' addresses.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    moves: Mutex<HashMap<DeviceId, Move>>,
    told: Mutex<HashMap<(DeviceId, Told), Timestamp>>,
}

#[derive(Clone, Copy, Debug)]
struct Move {
    from: IpAddr,
    at: Timestamp,
}

impl Sightings {
    /// Notes that a device informs from another address than before. `true` if
    /// it is back where it was a moment ago. A change between IPv4 and IPv6 is
    /// none: one device can have both.
    pub(super) fn moved(&self, id: &DeviceId, from: IpAddr, to: IpAddr, now: Timestamp) -> bool {
        if from == to || from.is_ipv4() != to.is_ipv4() {
            return false;
        }
        let mut moves = lock(&self.moves);
        let back = moves
            .get(id)
            .is_some_and(|before| before.from == to && now.since(before.at) <= FLAPPING);
        make_room(&mut moves, |before| now.since(before.at) <= FLAPPING);
        moves.insert(id.clone(), Move { from, at: now });
        back
    }

    /// Whether this is to be told now; then it is not again for an hour.
    pub(super) fn tells(&self, id: &DeviceId, what: Told, now: Timestamp) -> bool {
        let mut told = lock(&self.told);
        let key = (id.clone(), what);
        if told.get(&key).is_some_and(|at| now.since(*at) < QUIET) {
            return false;
        }
        make_room(&mut told, |at| now.since(*at) < QUIET);
        told.insert(key, now);
        true
    }
}

/// Lets go of what is over when the table is full, and of everything if that is
/// not enough: then something may be told twice.
fn make_room<K: Hash + Eq, V>(table: &mut HashMap<K, V>, counts: impl Fn(&V) -> bool) {
    if table.len() >= MAX_REMEMBERED {
        table.retain(|_, value| counts(value));
        if table.len() >= MAX_REMEMBERED {
            table.clear();
        }
    }
}

/// The tables are sound between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn id(number: u32) -> DeviceId {
        DeviceId::parse(&format!("00D09E-{number}")).unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn b03_back_and_forth_is_two_devices_and_a_move_is_none() {
        let seen = Sightings::default();
        let (a, b, c, six) = (ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3"), ip("2001:db8::1"));
        assert!(!seen.moved(&id(1), a, b, NOW), "it moved");
        assert!(seen.moved(&id(1), b, a, NOW.after(Duration::from_secs(60))), "and was never away");
        assert!(!seen.moved(&id(2), a, b, NOW));
        assert!(!seen.moved(&id(2), b, c, NOW), "a changing address is no clone");
        assert!(!seen.moved(&id(3), a, b, NOW));
        assert!(!seen.moved(&id(3), b, a, NOW.after(Duration::from_secs(601))), "later it may be");
        for _ in 0..3 {
            assert!(!seen.moved(&id(4), a, six, NOW) && !seen.moved(&id(4), six, a, NOW));
        }
    }

    #[test]
    fn b03_one_alarm_in_an_hour_and_a_bounded_memory() {
        let seen = Sightings::default();
        assert!(seen.tells(&id(1), Told::Clone, NOW));
        assert!(seen.tells(&id(1), Told::Refused, NOW), "another kind is another alarm");
        assert!(!seen.tells(&id(1), Told::Clone, NOW.after(Duration::from_secs(3599))));
        assert!(seen.tells(&id(1), Told::Clone, NOW.after(Duration::from_secs(3600))));
        for number in 0..150_000 {
            assert!(seen.tells(&id(number), Told::Clone, NOW.after(Duration::from_secs(9000))));
            seen.moved(&id(number), ip("192.0.2.1"), ip("192.0.2.2"), NOW);
        }
        assert!(lock(&seen.told).len() <= MAX_REMEMBERED);
        assert!(lock(&seen.moves).len() <= MAX_REMEMBERED);
    }
}
