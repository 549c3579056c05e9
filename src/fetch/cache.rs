//! Finished phone files, kept until what they were made of changes.
//!
//! The store tells of every commit; what a commit touched is dropped. A file
//! that was being made while its phone or site changed is not kept: the number
//! of changes seen before it was begun must still be the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::phone::Mac;
use crate::provision::Claim;
use crate::provision::fanvil::{CommonFile, Named, resolve};
use crate::store::Notice;

/// Bytes of files kept; beyond it the cache starts anew.
const MAX_BYTES: usize = 64 << 20;
/// Phones remembered; beyond it the cache starts anew.
const MAX_PHONES: usize = 200_000;

/// A file as it goes out.
#[derive(Debug)]
pub(super) struct Served {
    /// The bytes, encrypted if they are to be.
    pub(super) bytes: Bytes,
    /// Whether they are.
    pub(super) encrypted: bool,
    /// The version in its first line.
    pub(super) version: Box<str>,
    /// The entity tag, with its quotes.
    pub(super) tag: Box<str>,
    /// The name that is shown to operators: `0c383e07e16c.cfg`.
    pub(super) name: Box<str>,
}

/// What a file was made of.
pub(super) struct Origin<'a> {
    /// The claim that the phone holds at present.
    pub(super) claim: Claim,
    /// Its site.
    pub(super) site: &'a str,
    /// Its model.
    pub(super) model: &'a str,
    /// Which of its files.
    pub(super) named: Named,
    /// Whether it goes over TLS.
    pub(super) tls: bool,
}

/// How many changes had been seen; see [`Cache::begin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

pub(super) struct Cache(Mutex<Inner>);

/// One file over plain HTTP and one over TLS.
type Pair = [Option<Arc<Served>>; 2];

struct Inner {
    changes: Receiver<Notice>,
    epoch: u64,
    bytes: usize,
    phones: HashMap<Mac, Entry>,
    /// By site and model.
    common: HashMap<(Box<str>, &'static str), Pair>,
}

struct Entry {
    claim: Claim,
    site: Box<str>,
    model: Box<str>,
    device: Pair,
}

impl Cache {
    /// An empty cache that follows these changes.
    pub(super) fn new(changes: Receiver<Notice>) -> Self {
        let (phones, common) = (HashMap::new(), HashMap::new());
        Self(Mutex::new(Inner { changes, epoch: 0, bytes: 0, phones, common }))
    }

    /// The file of this name for a phone, if it is at hand and the claim is the
    /// one that the phone held when it was made.
    pub(super) fn find(&self, claim: &Claim, name: &str, tls: bool) -> Option<Arc<Served>> {
        let mut inner = self.lock();
        inner.catch_up();
        let entry = inner.phones.get(&claim.mac).filter(|entry| entry.claim == *claim)?;
        let pair = match resolve(name, claim.mac, &entry.model)? {
            Named::Device => &entry.device,
            Named::Common(file) => inner.common.get(&(entry.site.clone(), file.model))?,
        };
        side(pair, tls).clone()
    }

    /// To be called before the store is read, and given to [`Cache::keep`].
    pub(super) fn begin(&self) -> Epoch {
        let mut inner = self.lock();
        inner.catch_up();
        Epoch(inner.epoch)
    }

    /// Keeps a file, unless something changed since `epoch`; whether it did.
    pub(super) fn keep(&self, epoch: Epoch, origin: &Origin<'_>, file: &Arc<Served>) -> bool {
        let mut guard = self.lock();
        let inner = &mut *guard;
        inner.catch_up();
        if Epoch(inner.epoch) != epoch {
            return false;
        }
        if inner.bytes > MAX_BYTES || inner.phones.len() >= MAX_PHONES {
            inner.clear();
        }
        let entry = inner.phones.entry(origin.claim.mac).or_insert_with(|| Entry {
            claim: origin.claim,
            site: origin.site.into(),
            model: origin.model.into(),
            device: [None, None],
        });
        let pair = match origin.named {
            Named::Device => &mut entry.device,
            Named::Common(CommonFile { model, .. }) => {
                inner.common.entry((origin.site.into(), model)).or_default()
            }
        };
        let replaced = side_mut(pair, origin.tls).replace(Arc::clone(file));
        inner.bytes += file.bytes.len();
        inner.bytes -= replaced.map_or(0, |old| old.bytes.len().min(inner.bytes));
        true
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
                        self.bytes = self.bytes.saturating_sub(size(&entry.device));
                    }
                }
                Ok(Notice::Site(site)) => self.drop_site(&site),
                Ok(Notice::Layer(_)) => {
                    self.epoch += 1;
                    self.clear();
                }
                Ok(_) => {}
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
            freed += if keep { 0 } else { size(&entry.device) };
            keep
        });
        self.common.retain(|(its, _), pair| {
            let keep = &**its != site;
            freed += if keep { 0 } else { size(pair) };
            keep
        });
        self.bytes = self.bytes.saturating_sub(freed);
    }

    fn clear(&mut self) {
        self.phones.clear();
        self.common.clear();
        self.bytes = 0;
    }
}

fn size(pair: &Pair) -> usize {
    pair.iter().flatten().map(|file| file.bytes.len()).sum()
}

fn side(pair: &Pair, tls: bool) -> &Option<Arc<Served>> {
    let [plain, over_tls] = pair;
    if tls { over_tls } else { plain }
}

fn side_mut(pair: &mut Pair, tls: bool) -> &mut Option<Arc<Served>> {
    let [plain, over_tls] = pair;
    if tls { over_tls } else { plain }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::{Sender, channel};

    use super::*;
    use crate::device::Secret;
    use crate::provision::PhoneLinks;
    use crate::provision::fanvil::common_file;

    const MAC: &str = "0c383e07e16c";

    fn claim(mac: &str) -> Claim {
        let links = PhoneLinks::new([1; 32]);
        let path = links.path(mac.parse().unwrap(), &Secret::new("own"));
        links.check(path.split('/').nth(2).unwrap()).unwrap()
    }

    fn origin(mac: &str, site: &'static str, named: Named) -> Origin<'static> {
        Origin { claim: claim(mac), site, model: "X6", named, tls: false }
    }

    fn common() -> Named {
        Named::Common(common_file("X6").unwrap())
    }

    fn file(text: &'static str) -> Arc<Served> {
        let empty = Box::<str>::from("");
        Arc::new(Served {
            bytes: Bytes::from_static(text.as_bytes()),
            encrypted: false,
            version: empty.clone(),
            tag: empty.clone(),
            name: empty,
        })
    }

    /// A cache with the device file and the common file of a phone at `hq`.
    fn filled() -> (Cache, Sender<Notice>) {
        let (changes, watch) = channel(8);
        let cache = Cache::new(watch);
        let epoch = cache.begin();
        assert!(cache.keep(epoch, &origin(MAC, "hq", Named::Device), &file("device")));
        assert!(cache.keep(epoch, &origin(MAC, "hq", common()), &file("common")));
        (cache, changes)
    }

    /// Which of the two files are at hand.
    fn at_hand(cache: &Cache) -> (bool, bool) {
        let has = |name| cache.find(&claim(MAC), name, false).is_some();
        (has("0c383e07e16c.cfg"), has("F0V00X600000.cfg"))
    }

    #[test]
    fn a_kept_file_is_found_by_its_own_claim_alone() {
        let (cache, _changes) = filled();
        assert_eq!(at_hand(&cache), (true, true));
        let device = "0c383e07e16c.cfg";
        assert!(cache.find(&claim(MAC), device, true).is_none(), "TLS has a file of its own");
        assert!(cache.find(&claim(MAC), "index.html", false).is_none());
        let renewed = PhoneLinks::new([1; 32]).path(MAC.parse().unwrap(), &Secret::new("new"));
        let renewed = PhoneLinks::new([1; 32]).check(renewed.split('/').nth(2).unwrap()).unwrap();
        assert!(cache.find(&renewed, device, false).is_none());
    }

    #[test]
    fn what_a_change_touches_is_dropped() {
        let other = || Notice::Phone("0c383e07e16d".parse().unwrap());
        for (change, left) in [
            (other(), (true, true)),
            (Notice::Site("lab".into()), (true, true)),
            // The common file stays for the others; this phone is looked up.
            (Notice::Phone(MAC.parse().unwrap()), (false, false)),
            (Notice::Site("hq".into()), (false, false)),
        ] {
            let (cache, changes) = filled();
            changes.send(change.clone()).unwrap();
            assert_eq!(at_hand(&cache), left, "{change:?}");
        }
        let (cache, changes) = filled();
        for _ in 0..20 {
            changes.send(other()).unwrap();
        }
        assert_eq!(at_hand(&cache), (false, false), "some changes were missed");
        assert_eq!(cache.lock().bytes, 0);
    }

    #[test]
    fn a_file_that_was_overtaken_is_not_kept() {
        let (changes, watch) = channel(8);
        let cache = Cache::new(watch);
        let epoch = cache.begin();
        changes.send(Notice::Phone(MAC.parse().unwrap())).unwrap();
        assert!(!cache.keep(epoch, &origin(MAC, "hq", Named::Device), &file("old")));
        assert_eq!(at_hand(&cache), (false, false));
    }

    #[test]
    fn bytes_are_counted_once_and_given_back() {
        let (cache, changes) = filled();
        assert_eq!(cache.lock().bytes, 12);
        cache.keep(cache.begin(), &origin(MAC, "hq", Named::Device), &file("new"));
        assert_eq!(cache.lock().bytes, 9);
        changes.send(Notice::Site("hq".into())).unwrap();
        cache.begin();
        assert_eq!(cache.lock().bytes, 0);
    }
}
