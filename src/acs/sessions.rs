//! The table of live sessions.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::driver::Driver;
use crate::device::DeviceId;
use crate::gate::Principal;
use crate::time::Timestamp;

/// The unguessable key of a session, as it stands in the cookie.
pub(super) type Cookie = [u8; 16];

/// One live session as the endpoint sees it.
pub(super) struct Live {
    /// Its key.
    pub(super) cookie: Cookie,
    /// Whose it is.
    pub(super) device: DeviceId,
    /// Who was let in when it was opened.
    pub(super) principal: Principal,
    /// When its Inform came.
    pub(super) began_at: Timestamp,
    /// From which address it was opened.
    pub(super) address: IpAddr,
    /// The session itself; one message at a time.
    pub(super) driver: tokio::sync::Mutex<Driver>,
    seen: Mutex<Seen>,
}

/// Where and when the session was last heard of.
#[derive(Clone, Copy, Debug)]
struct Seen {
    connection: u64,
    at: Timestamp,
    timeout: std::time::Duration,
}

impl Live {
    /// A session that was just opened.
    pub(super) fn new(
        cookie: Cookie,
        device: DeviceId,
        principal: Principal,
        address: IpAddr,
        driver: Driver,
        connection: u64,
        now: Timestamp,
    ) -> Self {
        let seen = Seen { connection, at: now, timeout: driver.timeout() };
        Self {
            cookie,
            device,
            principal,
            address,
            began_at: now,
            driver: tokio::sync::Mutex::new(driver),
            seen: Mutex::new(seen),
        }
    }

    /// Whether the last message came over this connection, which then needs no
    /// proof of who it is.
    pub(super) fn is_on(&self, connection: u64) -> bool {
        lock(&self.seen).connection == connection
    }

    fn is_silent(&self, now: Timestamp) -> bool {
        let seen = lock(&self.seen);
        now.since(seen.at) > seen.timeout
    }
}

/// All live sessions.
#[derive(Default)]
pub(super) struct Sessions {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    by_cookie: HashMap<Cookie, Arc<Live>>,
    by_connection: HashMap<u64, Cookie>,
    by_device: HashMap<DeviceId, Cookie>,
}

impl Sessions {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        lock(&self.table).by_cookie.len()
    }

    /// Adds a session and returns the one of the same device that it
    /// supersedes: newest wins.
    pub(super) fn open(&self, live: Arc<Live>, connection: u64) -> Option<Arc<Live>> {
        let mut table = lock(&self.table);
        let superseded = table.by_device.insert(live.device.clone(), live.cookie);
        let superseded = superseded.and_then(|cookie| table.remove(&cookie));
        table.by_connection.insert(connection, live.cookie);
        table.by_cookie.insert(live.cookie, live);
        superseded
    }

    /// The session with this cookie.
    pub(super) fn by_cookie(&self, cookie: &Cookie) -> Option<Arc<Live>> {
        lock(&self.table).by_cookie.get(cookie).cloned()
    }

    /// The session that was last heard of over this connection.
    pub(super) fn by_connection(&self, connection: u64) -> Option<Arc<Live>> {
        let table = lock(&self.table);
        table.by_cookie.get(table.by_connection.get(&connection)?).cloned()
    }

    /// The session of a device.
    pub(super) fn by_device(&self, device: &DeviceId) -> Option<Arc<Live>> {
        let table = lock(&self.table);
        table.by_cookie.get(table.by_device.get(device)?).cloned()
    }

    /// The only session from this address, if there is exactly one: the last
    /// resort for devices that return no cookie and open a connection for each
    /// message (Q21, Q23).
    pub(super) fn only_from(&self, address: IpAddr) -> Option<Arc<Live>> {
        let table = lock(&self.table);
        let mut found = table.by_cookie.values().filter(|live| live.address == address);
        let first = found.next()?;
        found.next().is_none().then(|| first.clone())
    }

    /// Notes that a session was heard of over this connection.
    pub(super) fn heard(
        &self,
        live: &Live,
        connection: u64,
        timeout: std::time::Duration,
        now: Timestamp,
    ) {
        let before = {
            let mut seen = lock(&live.seen);
            let before = seen.connection;
            *seen = Seen { connection, at: now, timeout };
            before
        };
        if before != connection {
            let mut table = lock(&self.table);
            table.by_connection.remove(&before);
            table.by_connection.insert(connection, live.cookie);
        }
    }

    /// What comes over this connection from now on belongs to no session that it
    /// carried before: another device spoke on it.
    pub(super) fn part(&self, connection: u64) {
        lock(&self.table).by_connection.remove(&connection);
    }

    /// Takes a session off the table; `false` if it was superseded already.
    pub(super) fn close(&self, cookie: &Cookie) -> bool {
        lock(&self.table).remove(cookie).is_some()
    }

    /// Takes all sessions off the table that have been silent for too long.
    pub(super) fn take_silent(&self, now: Timestamp) -> Vec<Arc<Live>> {
        let mut table = lock(&self.table);
        let silent: Vec<Cookie> = table
            .by_cookie
            .values()
            .filter(|live| live.is_silent(now))
            .map(|live| live.cookie)
            .collect();
        silent.iter().filter_map(|cookie| table.remove(cookie)).collect()
    }

    /// Takes all sessions off the table: the server stops.
    pub(super) fn take_all(&self) -> Vec<Arc<Live>> {
        let mut table = lock(&self.table);
        table.by_connection.clear();
        table.by_device.clear();
        table.by_cookie.drain().map(|(_, live)| live).collect()
    }
}

impl Table {
    fn remove(&mut self, cookie: &Cookie) -> Option<Arc<Live>> {
        let live = self.by_cookie.remove(cookie)?;
        if self.by_device.get(&live.device) == Some(cookie) {
            self.by_device.remove(&live.device);
        }
        self.by_connection.remove(&lock(&live.seen).connection);
        Some(live)
    }
}

/// A poisoned lock means that a thread panicked while holding it; the tables
/// are valid between any two statements, so that going on is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
