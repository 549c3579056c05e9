//! What phones fetched, and the first-fetch locks.
//!
//! Writes are bounded: what tells nothing new is written once a minute, and a
//! refusal of a phone once a minute whatever its reason. A store that cannot
//! write keeps no phone from its file.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

use crate::phone::{DoorKind, Ended, FetchLog, Fetched, Lock, Mac, Seen, Vendor};
use crate::provision::Kind;
use crate::store::{Batch, Record, Store, StoreError};
use crate::time::Timestamp;

/// A fetch that tells nothing new is recorded this often.
const RECORD_AGAIN: Duration = Duration::from_secs(60);
/// How long the address that closed a lock may ask once more.
const ASK_AGAIN: Duration = Duration::from_secs(600);
/// How long one address has a phone's first fetch for itself.
const FIRST_FETCH: Duration = Duration::from_secs(60);
/// Phones of which the last record is remembered.
const MAX_MARKS: usize = 400_000;
/// Logs that can be written at once.
const PENS: usize = 64;
/// Fetches that a slow listener may be behind.
const TOLD: usize = 1024;

/// A fetch under way: what the ledger wants back when it has ended.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    /// The phone; `None` if nothing told which.
    pub(super) mac: Option<Mac>,
    pub(super) kind: Kind,
    /// As which it is counted.
    pub(super) counted: &'static str,
    /// Whose it is; `None` of an image.
    pub(super) vendor: Option<Vendor>,
    pub(super) file: Box<str>,
    pub(super) version: Box<str>,
    pub(super) at: Timestamp,
    pub(super) address: IpAddr,
    pub(super) door: DoorKind,
    /// What the User-Agent told.
    pub(super) firmware: Box<str>,
    /// `unlocks` of the phone, if a whole fetch closes its lock where it is open.
    pub(super) closes: Option<u32>,
}

pub(super) struct Ledger {
    store: Arc<dyn Store>,
    /// What was last recorded of each phone's files.
    marks: Mutex<HashMap<(Mac, Box<str>), Mark>>,
    /// When a refusal of a phone was last recorded.
    refused: Mutex<HashMap<Mac, Timestamp>>,
    /// First fetches under way by name alone, and from where.
    first: Mutex<HashMap<Mac, (IpAddr, Timestamp)>>,
    pens: [tokio::sync::Mutex<()>; PENS],
    /// Every fetch that ended with the phone having the file.
    told: broadcast::Sender<(Mac, Seen)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Mark {
    at: Timestamp,
    address: IpAddr,
    door: DoorKind,
    firmware: Box<str>,
    version: Box<str>,
    ended: Ended,
    closes: Option<u32>,
}

impl Ledger {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            marks: Mutex::default(),
            refused: Mutex::default(),
            first: Mutex::default(),
            pens: std::array::from_fn(|_| tokio::sync::Mutex::new(())),
            told: broadcast::Sender::new(TOLD),
        }
    }

    /// Tells of every fetch that ends with the phone having its file.
    pub(super) fn watch(&self) -> broadcast::Receiver<(Mac, Seen)> {
        self.told.subscribe()
    }

    /// Records how a fetch ended, and closes the phone's lock if it is to be
    /// closed by it.
    pub(super) async fn ended(&self, fetch: Fetch, ended: Ended) {
        let Some(mac) = fetch.mac else { return };
        // A phone takes the head of an image to see which version it is.
        let ended = match ended {
            Ended::Broken(bytes) if fetch.kind == Kind::Image => Ended::Part(bytes),
            ended => ended,
        };
        let has_it = matches!(ended, Ended::Whole | Ended::Unchanged);
        let closes = fetch.closes.filter(|_| has_it);
        if fetch.closes.is_some() && !has_it {
            lock(&self.first).remove(&mac);
        }
        // Nothing was taken: somebody looked.
        if ended == Ended::Part(0) {
            return;
        }
        if has_it && self.told.receiver_count() > 0 {
            let seen = Seen {
                at: fetch.at,
                address: fetch.address,
                firmware: fetch.firmware.clone(),
                file: fetch.file.clone(),
                version: fetch.version.clone(),
            };
            // Whoever listened may be gone.
            let _ = self.told.send((mac, seen));
        }
        let mark = Mark {
            at: fetch.at,
            address: fetch.address,
            door: fetch.door,
            firmware: fetch.firmware.clone(),
            version: fetch.version.clone(),
            ended: ended.clone(),
            closes,
        };
        let key = (mac, fetch.file.clone());
        // Remembered before it is written: those that come while a slow disk
        // writes it tell nothing new either.
        {
            let mut marks = lock(&self.marks);
            if marks.get(&key).is_some_and(|last| !last.is_worth(&mark)) {
                return;
            }
            if marks.len() >= MAX_MARKS {
                marks.clear();
            }
            marks.insert(key.clone(), mark);
        }
        let fetched = Fetched {
            at: fetch.at,
            address: fetch.address,
            door: fetch.door,
            file: fetch.file.clone(),
            version: fetch.version.clone(),
            ended,
        };
        let seen = Seen {
            at: fetch.at,
            address: fetch.address,
            firmware: fetch.firmware,
            file: fetch.file,
            version: fetch.version,
        };
        let closed = closes.map(|unlocks| Lock { at: seen.at, address: seen.address, unlocks });
        if let Err(error) = self.write(mac, fetched, Some(seen), closed).await {
            lock(&self.marks).remove(&key);
            tracing::warn!(phone.mac = %mac, %error, "a fetch was not recorded");
        }
    }

    /// Whether a refusal of this phone is to be recorded now.
    pub(super) fn takes_refusal(&self, mac: Mac, now: Timestamp) -> bool {
        let mut refused = lock(&self.refused);
        if refused.get(&mac).is_some_and(|last| now.since(*last) < RECORD_AGAIN && now >= *last) {
            return false;
        }
        if refused.len() >= MAX_MARKS {
            refused.clear();
        }
        refused.insert(mac, now);
        true
    }

    /// Records that a known phone was refused; one that was forgotten meanwhile
    /// has no log.
    pub(super) async fn refused(&self, mac: Mac, fetched: Fetched) {
        if !self.store.phone(mac).await.is_ok_and(|phone| phone.is_some()) {
            return;
        }
        if let Err(error) = self.write(mac, fetched, None, None).await {
            tracing::warn!(phone.mac = %mac, %error, "a refusal was not recorded");
        }
    }

    /// Takes the first fetch of a phone for one address; `false` if another has
    /// it.
    pub(super) fn is_first(&self, mac: Mac, address: IpAddr, now: Timestamp) -> bool {
        let mut first = lock(&self.first);
        if let Some((holder, since)) = first.get(&mac)
            && *holder != address
            && now.since(*since) < FIRST_FETCH
            && now >= *since
        {
            return false;
        }
        if first.len() >= MAX_MARKS {
            first.clear();
        }
        first.insert(mac, (address, now));
        true
    }

    async fn write(
        &self,
        mac: Mac,
        fetched: Fetched,
        seen: Option<Seen>,
        closed: Option<Lock>,
    ) -> Result<(), StoreError> {
        let [.., last] = mac.bytes();
        let Some(pen) = self.pens.get(usize::from(last) % PENS) else { return Ok(()) };
        let _pen = pen.lock().await;
        let log = self.store.fetch_log(mac).await?;
        let mut log = log.unwrap_or_else(|| FetchLog::new(mac));
        log.add(fetched);
        if let Some(closed) = closed
            && log.lock.as_ref().is_none_or(|lock| lock.unlocks != closed.unlocks)
        {
            log.lock = Some(closed);
        }
        let mut batch = Batch::from(Record::FetchLog(Box::new(log)));
        if let Some(seen) = seen {
            batch.put(Record::Seen(mac, seen));
        }
        self.store.commit(batch).await
    }
}

impl Mark {
    /// Whether `next` is worth a record after this one.
    fn is_worth(&self, next: &Self) -> bool {
        self.address != next.address
            || self.door != next.door
            || self.firmware != next.firmware
            || self.version != next.version
            || self.ended != next.ended
            || self.closes != next.closes
            || next.at.since(self.at) >= RECORD_AGAIN
            || next.at < self.at
    }
}

/// What a phone's lock says of an ask from an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// It is open; the next whole fetch closes it.
    Open,
    /// It is closed, and this is the phone that closed it: phones ask twice.
    Again,
    /// It is closed.
    Closed,
}

/// Weighs a phone's lock.
pub(super) fn locked(
    log: Option<&FetchLog>,
    unlocks: u32,
    address: IpAddr,
    now: Timestamp,
) -> Locked {
    let lock = log.and_then(|log| log.lock.as_ref()).filter(|lock| lock.unlocks == unlocks);
    match lock {
        None => Locked::Open,
        Some(lock)
            if lock.address.to_canonical() == address.to_canonical()
                && now.since(lock.at) < ASK_AGAIN
                && now >= lock.at =>
        {
            Locked::Again
        }
        Some(_) => Locked::Closed,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_weighed_by_address_time_and_the_operators_last_word() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        let at = Timestamp::from_millis(1_795_205_100_000);
        let later = |seconds| at.after(Duration::from_secs(seconds));
        let mac = "0c383e07e16c".parse().unwrap();
        let log = FetchLog { lock: Some(Lock { at, address, unlocks: 1 }), ..FetchLog::new(mac) };
        assert_eq!(locked(None, 1, address, at), Locked::Open);
        assert_eq!(locked(Some(&log), 1, address, later(599)), Locked::Again);
        assert_eq!(locked(Some(&log), 1, mapped, later(599)), Locked::Again);
        assert_eq!(locked(Some(&log), 1, address, later(600)), Locked::Closed);
        assert_eq!(locked(Some(&log), 1, other, later(1)), Locked::Closed);
        assert_eq!(locked(Some(&log), 2, other, later(1)), Locked::Open);
    }

    #[test]
    fn one_address_at_a_time_has_the_first_fetch() {
        let ledger = Ledger::new(crate::store::memory(&crate::config::StoreConfig::default()));
        let mac = "0c383e07e16c".parse().unwrap();
        let (one, two) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let at = Timestamp::from_millis(1_795_205_100_000);
        assert!(ledger.is_first(mac, one, at) && ledger.is_first(mac, one, at));
        assert!(!ledger.is_first(mac, two, at));
        assert!(ledger.is_first(mac, two, at.after(FIRST_FETCH)));
    }
}
