//! Failed logins, counted by address and by name, so that guessing is slow and
//! whoever knows his password is not locked out (security: B8).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::time::Timestamp;

/// How long failures count.
const WINDOW: Duration = Duration::from_secs(60);

/// Failures in a window by one name at one address.
const PER_BOTH: u32 = 10;

/// Failures in a window at one address, by whatever names.
const PER_ADDRESS: u32 = 300;

/// Failures in a window by one name, from wherever.
const PER_NAME: u32 = 100;

/// The most counters that are kept: what comes beyond counts at its address
/// alone.
const MAX_COUNTERS: usize = 65_536;

/// Counts failures.
#[derive(Debug, Default)]
pub(super) struct Failures {
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    began: Timestamp,
    counters: HashMap<Key, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(u64),
    Both(IpAddr, u64),
}

/// How a name stands at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing speaks against judging its password.
    Clear,
    /// Too many failures, but others': only where the device is at home.
    Suspect,
    /// Too many failures of this name at this address.
    Held,
}

impl Failures {
    /// How a name stands at an address now.
    pub(super) fn standing(&self, address: IpAddr, name: &str, now: Timestamp) -> Standing {
        let (address, name) = (network(address), hash(name));
        let window = self.window(now);
        let count = |key| window.counters.get(&key).copied().unwrap_or_default();
        if count(Key::Both(address, name)) >= PER_BOTH {
            Standing::Held
        } else if count(Key::Address(address)) >= PER_ADDRESS || count(Key::Name(name)) >= PER_NAME
        {
            Standing::Suspect
        } else {
            Standing::Clear
        }
    }

    /// Counts a failure. A name that is `shared` by many counts only where it
    /// failed, or new devices could be locked out. `true` if it is the one with which a limit is reached,
    /// so that it can be told once.
    pub(super) fn count(&self, address: IpAddr, name: &str, shared: bool, now: Timestamp) -> bool {
        let (address, name) = (network(address), hash(name));
        let mut window = self.window(now);
        let mut reached = false;
        for (key, limit) in [
            (Key::Address(address), PER_ADDRESS),
            (Key::Name(name), PER_NAME),
            (Key::Both(address, name), PER_BOTH),
        ] {
            if shared && matches!(key, Key::Name(_)) {
                continue;
            }
            let room = window.counters.len() < MAX_COUNTERS || matches!(key, Key::Address(_));
            if room || window.counters.contains_key(&key) {
                let counter = window.counters.entry(key).or_default();
                *counter = counter.saturating_add(1);
                reached |= *counter == limit;
            }
        }
        reached
    }

    fn window(&self, now: Timestamp) -> MutexGuard<'_, Window> {
        // Between any two statements the counters are sound.
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(window.began) >= WINDOW || now < window.began {
            window.began = now;
            window.counters.clear();
        }
        window
    }
}

/// What one subscriber has: an IPv4 address, or a /64 of IPv6.
const fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn at(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_name_is_held_where_it_failed_and_others_are_not() {
        let failures = Failures::default();
        for _ in 0..PER_BOTH {
            assert_eq!(failures.standing(at(1), "a", NOW), Standing::Clear);
            failures.count(at(1), "a", false, NOW);
        }
        assert_eq!(failures.standing(at(1), "a", NOW), Standing::Held);
        assert_eq!(failures.standing(at(1), "b", NOW), Standing::Clear);
        assert_eq!(failures.standing(at(2), "a", NOW), Standing::Clear);
        let later = NOW.after(WINDOW);
        assert_eq!(failures.standing(at(1), "a", later), Standing::Clear, "a minute later");
    }

    #[test]
    fn many_names_at_one_address_and_one_name_from_many_are_suspect() {
        let failures = Failures::default();
        for number in 0..PER_ADDRESS {
            failures.count(at(1), &number.to_string(), false, NOW);
        }
        assert_eq!(failures.standing(at(1), "new", NOW), Standing::Suspect);
        assert_eq!(failures.standing(at(2), "new", NOW), Standing::Clear);
        for number in 0..PER_NAME {
            failures.count(IpAddr::from(number.to_be_bytes()), "wanted", false, NOW);
        }
        assert_eq!(failures.standing(at(9), "wanted", NOW), Standing::Suspect);
    }

    #[test]
    fn the_counters_are_bounded_and_addresses_count_nevertheless() {
        let failures = Failures::default();
        for number in 0..100_000_u32 {
            failures.count(at(1), &number.to_string(), false, NOW);
        }
        assert!(failures.window(NOW).counters.len() <= MAX_COUNTERS + 1);
        assert_eq!(failures.standing(at(1), "99999", NOW), Standing::Suspect);
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let other: IpAddr = "2001:db8::2".parse().unwrap();
        assert_eq!(network(one), network(other));
    }
}
