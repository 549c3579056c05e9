//! Answers to challenges that were seen before (security: B6).
//!
//! Devices repeat an answer as it is, within a session and on new connections
//! (Q17, Q58), so that a repetition alone is no attack. One that comes from
//! another address than the first is: it was overheard.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// The most answers that are remembered; the oldest is forgotten first. A nonce
/// lives for five minutes.
const MAX_ANSWERS: usize = 65_536;

/// Remembers from where right answers came.
#[derive(Debug, Default)]
pub(super) struct Replays {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    first: HashMap<u128, IpAddr>,
    order: VecDeque<u128>,
}

impl Replays {
    /// Whether a right answer, named by its fingerprint, came before from
    /// another address; if it is new it is remembered.
    pub(super) fn is_replay(&self, fingerprint: u128, address: IpAddr) -> bool {
        // Between any two statements the tables are sound.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = seen.first.get(&fingerprint) {
            return *first != address;
        }
        if seen.order.len() >= MAX_ANSWERS
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.first.remove(&oldest);
        }
        seen.first.insert(fingerprint, address);
        seen.order.push_back(fingerprint);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_address_makes_a_replay_and_the_memory_is_bounded() {
        let replays = Replays::default();
        let (own, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        assert!(!replays.is_replay(1, own));
        assert!(!replays.is_replay(1, own));
        assert!(replays.is_replay(1, other));
        assert!(!replays.is_replay(1, own));
        for fingerprint in 2..200_000 {
            assert!(!replays.is_replay(fingerprint, own));
        }
        let seen = replays.seen.lock().unwrap();
        assert_eq!((seen.first.len(), seen.order.len()), (MAX_ANSWERS, MAX_ANSWERS));
    }
}
