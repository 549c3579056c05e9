//! What must be found without a key: phones by a name of their own, and the sites
//! whose files may be asked for by name alone.
//!
//! Read from the store when first needed, and kept up by its notices.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::phone::{Mac, Phone, Site};
use crate::store::{Notice, Store, StoreError};

/// Phones read at once.
const PAGE: usize = 512;

pub(super) struct Book {
    store: Arc<dyn Store>,
    inner: tokio::sync::Mutex<Inner>,
    /// Apart from the rest, so that nobody waits for the store to look at it.
    changes: std::sync::Mutex<Receiver<Notice>>,
}

#[derive(Default)]
struct Inner {
    /// `None` until they are needed, and when they have to be read anew.
    sites: Option<Arc<Vec<Site>>>,
    names: Option<Names>,
    /// Phones to be read again.
    stale: HashSet<Mac>,
}

#[derive(Default)]
struct Names {
    /// By the name in lower case; of several phones that claim a name the
    /// lowest has it.
    phones: HashMap<Box<str>, BTreeSet<Mac>>,
    of: HashMap<Mac, Vec<Box<str>>>,
}

impl Book {
    /// An empty book over a store.
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        let changes = std::sync::Mutex::new(store.watch());
        Self { store, inner: tokio::sync::Mutex::default(), changes }
    }

    /// The sites whose files may be asked for by name alone, ordered by name.
    pub(super) async fn open_sites(&self) -> Result<Arc<Vec<Site>>, StoreError> {
        let mut inner = self.inner.lock().await;
        self.catch_up(&mut inner);
        if let Some(sites) = &inner.sites {
            return Ok(Arc::clone(sites));
        }
        let mut sites = self.store.sites().await?;
        sites.retain(|site| site.access.tokenless);
        let sites = Arc::new(sites);
        inner.sites = Some(Arc::clone(&sites));
        Ok(sites)
    }

    /// The phone that has a name of its own, in any case.
    pub(super) async fn named(&self, name: &str) -> Result<Option<Mac>, StoreError> {
        let mut inner = self.inner.lock().await;
        self.catch_up(&mut inner);
        let inner = &mut *inner;
        let names = match &mut inner.names {
            Some(names) => names,
            empty => {
                inner.stale.clear();
                let mut names = Names::default();
                let mut after = None;
                loop {
                    let page = self.store.phones(after, PAGE).await?;
                    after = page.last().map(|phone| phone.mac);
                    let whole = page.len() < PAGE;
                    page.iter().for_each(|phone| names.put(phone));
                    if whole {
                        break empty.insert(names);
                    }
                }
            }
        };
        let stale: Vec<Mac> = inner.stale.iter().copied().collect();
        for mac in stale {
            let phone = self.store.phone(mac).await?;
            names.remove(mac);
            phone.iter().for_each(|phone| names.put(phone));
            inner.stale.remove(&mac);
        }
        let claimed = names.phones.get(&*name.to_lowercase());
        Ok(claimed.and_then(|phones| phones.first().copied()))
    }

    fn catch_up(&self, inner: &mut Inner) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match changes.try_recv() {
                Ok(Notice::Phone(mac)) => {
                    if inner.names.is_some() {
                        inner.stale.insert(mac);
                    }
                }
                Ok(Notice::Site(_)) => inner.sites = None,
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => *inner = Inner::default(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

impl Names {
    fn put(&mut self, phone: &Phone) {
        if phone.names.is_empty() {
            return;
        }
        let names: Vec<Box<str>> =
            phone.names.iter().map(|name| name.to_lowercase().into()).collect();
        for name in &names {
            self.phones.entry(name.clone()).or_default().insert(phone.mac);
        }
        self.of.insert(phone.mac, names);
    }

    fn remove(&mut self, mac: Mac) {
        for name in self.of.remove(&mac).unwrap_or_default() {
            let Some(phones) = self.phones.get_mut(&name) else { continue };
            phones.remove(&mac);
            if phones.is_empty() {
                self.phones.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StoreConfig;
    use crate::device::Sealed;
    use crate::phone::{Access, Vendor};
    use crate::store::{Batch, Change, Record};

    async fn put(store: &Arc<dyn Store>, mac: &str, revision: u32, names: &[&str]) {
        let token = Sealed(Vec::new());
        let phone = Phone {
            revision,
            names: names.iter().map(|name| (*name).into()).collect(),
            ..Phone::new(mac.parse().unwrap(), Vendor::Fanvil, "X6", "hq", token)
        };
        store.commit(Record::Phone(Box::new(phone)).into()).await.unwrap();
    }

    #[tokio::test]
    async fn phones_are_found_by_their_names_as_they_are_now() {
        let store = crate::store::memory(&StoreConfig::default());
        let book = Book::new(Arc::clone(&store));
        let (one, two) = ("0c383e000001", "0c383e000002");
        put(&store, one, 1, &["1001.cfg", "Reception.cfg"]).await;
        let find = async |name: &str| {
            let mac = book.named(name).await.unwrap();
            mac.map(|mac| mac.to_string()).unwrap_or_default()
        };
        assert_eq!(find("reception.CFG").await, one);
        assert_eq!(find("1002.cfg").await, "");
        put(&store, one, 2, &["1002.cfg"]).await;
        put(&store, two, 1, &["1001.cfg"]).await;
        assert_eq!(find("1001.cfg").await, two);
        assert_eq!(find("1002.cfg").await, one);
        assert_eq!(find("reception.cfg").await, "");
        put(&store, one, 3, &["1001.cfg"]).await;
        assert_eq!(find("1001.cfg").await, one, "the lowest of those that claim it");
        put(&store, one, 4, &["1002.cfg"]).await;
        assert_eq!(find("1001.cfg").await, two, "what another claims is not lost");
        let mut batch = Batch::new();
        batch.push(Change::ForgetPhone(two.parse().unwrap()));
        store.commit(batch).await.unwrap();
        assert_eq!(find("1001.cfg").await, "");
    }

    #[tokio::test]
    async fn open_sites_are_those_that_say_so() {
        let store = crate::store::memory(&StoreConfig::default());
        let book = Book::new(Arc::clone(&store));
        assert!(book.open_sites().await.unwrap().is_empty());
        for (name, tokenless) in [("b", true), ("a", true), ("c", false)] {
            let access = Access { tokenless, ..Access::default() };
            let site = Site { name: name.into(), revision: 1, access, ..Site::default() };
            store.commit(Record::Site(Box::new(site)).into()).await.unwrap();
        }
        let sites = book.open_sites().await.unwrap();
        assert_eq!(sites.iter().map(|site| &*site.name).collect::<Vec<_>>(), ["a", "b"]);
    }
}
