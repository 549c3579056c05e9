//! Finished phone files, kept until what they were made of changes.
//!
//! The store tells of every commit; what a commit touched is dropped. A file
//! that was being made while its phone or site changed is not kept: the number
//! of changes seen before it was begun must still be the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::make::Served;
use crate::phone::{Mac, Vendor};
use crate::provision::Claim;
use crate::store::Notice;

/// Bytes of files kept; beyond it the cache starts anew.
const MAX_BYTES: usize = 64 << 20;
/// Phones remembered; beyond it the cache starts anew.
const MAX_PHONES: usize = 200_000;
/// Spellings of names kept for one phone.
const MAX_NAMES: usize = 32;

/// What a file was made of.
pub(super) struct Origin<'a> {
    /// The phone; `None` for a file that was made without one.
    pub(super) mac: Option<Mac>,
    /// The claim that the phone holds at present, if it showed one.
    pub(super) claim: Option<Claim>,
    /// Its site.
    pub(super) site: &'a str,
    /// Whose formats.
    pub(super) vendor: Vendor,
    /// The name as it was asked for.
    pub(super) name: &'a str,
    /// Whether it goes where it can be read on the way.
    pub(super) plain: bool,
    /// `unlocks` of the phone, if its site locks.
    pub(super) locks: Option<u32>,
}

/// What is at hand for a phone.
pub(super) struct AtHand {
    /// Whose phone it is.
    pub(super) vendor: Vendor,
    /// As [`Origin::locks`].
    pub(super) locks: Option<u32>,
    pub(super) file: Arc<Served>,
}

/// Which file phones share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shared {
    /// The site.
    pub(super) site: Box<str>,
    /// Whose.
    pub(super) vendor: Vendor,
    /// Of which model.
    pub(super) model: Box<str>,
    /// Its name.
    pub(super) name: Box<str>,
    /// Whether it goes where it can be read on the way.
    pub(super) plain: bool,
    /// Whether it was made for somebody who did not say which phone he is.
    pub(super) public: bool,
}

/// How many changes had been seen; see [`Cache::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

pub(super) struct Cache(Mutex<Inner>);

struct Inner {
    changes: Receiver<Notice>,
    epoch: u64,
    bytes: usize,
    phones: HashMap<Mac, Entry>,
    shared: HashMap<Shared, Arc<Served>>,
}

struct Entry {
    claim: Option<Claim>,
    site: Box<str>,
    vendor: Vendor,
    locks: Option<u32>,
    /// By the name as it was asked for; over plain doors and others.
    files: [HashMap<Box<str>, Arc<Served>>; 2],
}

impl Cache {
    /// An empty cache that follows these changes.
    pub(super) fn new(changes: Receiver<Notice>) -> Self {
        let (phones, shared) = (HashMap::new(), HashMap::new());
        Self(Mutex::new(Inner { changes, epoch: 0, bytes: 0, phones, shared }))
    }

    /// The file of this name for a phone, if it is at hand and the claim is the
    /// one that the phone held when it was made.
    pub(super) fn claimed(&self, claim: &Claim, name: &str, plain: bool) -> Option<AtHand> {
        let mut inner = self.lock();
        inner.catch_up();
        let entry = inner.phones.get(&claim.mac).filter(|entry| entry.claim == Some(*claim))?;
        let file = Arc::clone(side(&entry.files, plain).get(name)?);
        Some(AtHand { vendor: entry.vendor, locks: entry.locks, file })
    }

    /// The file of this name for a phone that may have it.
    pub(super) fn find(&self, mac: Mac, name: &str, plain: bool) -> Option<Arc<Served>> {
        let mut inner = self.lock();
        inner.catch_up();
        side(&inner.phones.get(&mac)?.files, plain).get(name).cloned()
    }

    /// A file that phones share.
    pub(super) fn shared(&self, which: &Shared) -> Option<Arc<Served>> {
        let mut inner = self.lock();
        inner.catch_up();
        inner.shared.get(which).cloned()
    }

    /// To be called before the store is read, and given to [`Cache::keep`].
    pub(super) fn begin(&self) -> Epoch {
        let mut inner = self.lock();
        inner.catch_up();
        Epoch(inner.epoch)
    }

    /// Keeps a file, for all who share it if it is shared, unless something
    /// changed since `epoch`; whether it did.
    pub(super) fn keep(
        &self,
        epoch: Epoch,
        origin: &Origin<'_>,
        shared: Option<Shared>,
        file: &Arc<Served>,
    ) -> bool {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.catch_up();
        if Epoch(inner.epoch) != epoch {
            return false;
        }
        if inner.bytes > MAX_BYTES || inner.phones.len() >= MAX_PHONES {
            inner.clear();
        }
        let is_shared = shared.is_some();
        if let Some(which) = shared {
            inner.bytes += file.bytes.len();
            let replaced = inner.shared.insert(which, Arc::clone(file));
            inner.bytes -= replaced.map_or(0, |old| old.bytes.len().min(inner.bytes));
        }
        let Some(mac) = origin.mac else { return true };
        let entry = inner.phones.entry(mac).or_insert_with(|| Entry {
            claim: None,
            site: origin.site.into(),
            vendor: origin.vendor,
            locks: origin.locks,
            files: Default::default(),
        });
        entry.claim = origin.claim.or(entry.claim);
        let files = if origin.plain { &mut entry.files[0] } else { &mut entry.files[1] };
        if files.len() < MAX_NAMES || files.contains_key(origin.name) {
            let replaced = files.insert(origin.name.into(), Arc::clone(file));
            if !is_shared {
                inner.bytes += file.bytes.len();
                inner.bytes -= replaced.map_or(0, |old| old.bytes.len().min(inner.bytes));
            }
        }
        true
    }

    /// Forgets everything, as after a change of what no commit tells.
    pub(super) fn forget(&self) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Drops what the commits since the last call touched.
    fn catch_up(&mut self) {
        loop {
            match self.changes.try_recv() {
                Ok(Notice::Phone(mac)) => {
                    self.epoch += 1;
                    if let Some(entry) = self.phones.remove(&mac) {
                        self.bytes = self.bytes.saturating_sub(size(&entry));
                    }
                }
                Ok(Notice::Site(site)) => self.drop_site(&site),
                Ok(Notice::Layer(_) | Notice::File(_)) => {
                    self.epoch += 1;
                    self.clear();
                }
                Ok(
                    Notice::Device(_)
                    | Notice::Task { .. }
                    | Notice::Model(_)
                    | Notice::Labels(_)
                    | Notice::Profile(_)
                    | Notice::Campaign(_)
                    | Notice::LearnedParameters(_)
                    | Notice::News
                    | Notice::Webhooks
                    | Notice::Bulk(_),
                ) => {}
                // Some were missed: anything may have changed.
                Err(TryRecvError::Lagged(_)) => {
                    self.epoch += 1;
                    self.clear();
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn drop_site(&mut self, site: &str) {
        self.epoch += 1;
        let mut freed = 0;
        self.phones.retain(|_, entry| {
            let keep = &*entry.site != site;
            freed += if keep { 0 } else { size(entry) };
            keep
        });
        self.shared.retain(|which, file| {
            let keep = &*which.site != site;
            freed += if keep { 0 } else { file.bytes.len() };
            keep
        });
        self.bytes = self.bytes.saturating_sub(freed);
    }

    fn clear(&mut self) {
        self.phones.clear();
        self.shared.clear();
        self.bytes = 0;
    }
}

/// What a phone's own files take; shared ones are counted where they are shared.
fn size(entry: &Entry) -> usize {
    let files = entry.files.iter().flat_map(HashMap::values);
    files.filter(|file| !file.is_shared()).map(|file| file.bytes.len()).sum()
}

const fn side(
    files: &[HashMap<Box<str>, Arc<Served>>; 2],
    plain: bool,
) -> &HashMap<Box<str>, Arc<Served>> {
    let [over_plain, over_tls] = files;
    if plain { over_plain } else { over_tls }
}

#[cfg(test)]
mod tests;
