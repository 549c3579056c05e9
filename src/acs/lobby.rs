//! Devices that were answered and are to be asked nothing: what they send next
//! must not be taken for a message of somebody else's session.
//!
//! A device that returns no cookie and opens a connection for each message is
//! found by its address (Q21). While one that waits in quarantine is about to send
//! from there, nobody is found so. Bounded; beyond the bound nobody is found so
//! from anywhere for a while.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::sessions::Cookie;
use crate::time::Timestamp;

/// How long a device takes to end the session in which nothing is asked of it.
const ABOUT_TO_SEND: Duration = Duration::from_secs(30);

/// Devices that are remembered at once.
const MAX_REMEMBERED: usize = 65_536;

/// Who is about to send, and from where.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    pending: HashMap<Cookie, IpAddr>,
    order: VecDeque<(Timestamp, Cookie)>,
    near: HashMap<IpAddr, usize>,
    crowded_until: Option<Timestamp>,
}

impl Lobby {
    /// A device was answered with this cookie.
    pub(super) fn answered(&self, cookie: Cookie, address: IpAddr, now: Timestamp) {
        let mut table = lock(&self.table);
        table.expire(now);
        if table.pending.len() >= MAX_REMEMBERED {
            table.crowded_until = Some(now.after(ABOUT_TO_SEND));
            return;
        }
        table.pending.insert(cookie, address);
        table.order.push_back((now, cookie));
        *table.near.entry(address).or_default() += 1;
    }

    /// A device ended its session with this cookie.
    pub(super) fn left(&self, cookie: &Cookie) {
        lock(&self.table).forget(cookie);
    }

    /// Whether a message from an address may come from a device that waits.
    pub(super) fn is_near(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut table = lock(&self.table);
        table.expire(now);
        table.near.contains_key(&address) || table.crowded_until.is_some_and(|until| now < until)
    }
}

impl Table {
    fn expire(&mut self, now: Timestamp) {
        while let Some((at, cookie)) = self.order.front().copied()
            && now.since(at) >= ABOUT_TO_SEND
        {
            self.order.pop_front();
            self.forget(&cookie);
        }
    }

    fn forget(&mut self, cookie: &Cookie) {
        let Some(address) = self.pending.remove(cookie) else { return };
        if let Some(count) = self.near.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.near.remove(&address);
            }
        }
    }
}

/// The table is sound between any two statements.
fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn cookie(number: u32) -> Cookie {
        let mut cookie = Cookie::default();
        cookie[..4].copy_from_slice(&number.to_be_bytes());
        cookie
    }

    #[test]
    fn an_address_is_near_until_all_have_left_or_the_time_is_over() {
        let (lobby, here, there) =
            (Lobby::default(), "192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        lobby.answered(cookie(1), here, NOW);
        lobby.answered(cookie(2), here, NOW);
        assert!(lobby.is_near(here, NOW) && !lobby.is_near(there, NOW));
        lobby.left(&cookie(1));
        lobby.left(&cookie(1));
        assert!(lobby.is_near(here, NOW), "the other has not left");
        lobby.left(&cookie(2));
        assert!(!lobby.is_near(here, NOW));
        lobby.answered(cookie(3), here, NOW);
        assert!(lobby.is_near(here, NOW.after(Duration::from_secs(29))));
        assert!(!lobby.is_near(here, NOW.after(Duration::from_secs(30))));
    }

    #[test]
    fn beyond_the_bound_everywhere_is_near_for_a_while() {
        let (lobby, here) = (Lobby::default(), "192.0.2.1".parse().unwrap());
        for number in 0..70_000 {
            lobby.answered(cookie(number), "192.0.2.9".parse().unwrap(), NOW);
        }
        assert!(lock(&lobby.table).pending.len() <= MAX_REMEMBERED);
        assert!(lobby.is_near(here, NOW));
        let later = NOW.after(ABOUT_TO_SEND);
        assert!(!lobby.is_near(here, later));
        assert!(lock(&lobby.table).pending.is_empty());
    }
}
