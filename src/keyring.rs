//! Keys at work: a new key for secrets, and what older ones sealed sealed anew in
//! the background; so is what was written before its kind was sealed.
//!
//! The walk goes over all records a page at a time and is repeated until one finds
//! nothing more to do; that it was done is noted in the store, so that a start
//! goes on where a stop was. Commits and requests go on meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::store::{KeyId, KeyInfo, Record, Resealed, Store, StoreError, Vault};

/// Records of a page: one batch that is durable at once.
const PAGE: usize = 200;

/// How long a walk that the store refused waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// The setting that names the key with which everything was sealed anew, and the
/// [`KINDS`] that were sealed then.
const DONE: &str = "keys/resealed";

/// Raised when a further kind of record is sealed: a store from before is then
/// walked over at the next start, though its key is the same.
const KINDS: u32 = 2;

/// Why a key stays.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// There is no such key.
    #[error("there is no key {0}")]
    NoSuch(KeyId),
    /// Secrets are sealed with it, or others derive from it.
    #[error("the key {id} is in use: {why}")]
    InUse {
        /// The key.
        id: KeyId,
        /// By what.
        why: String,
    },
    /// The store, or the key's file.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How far the walk is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Whether it is under way.
    pub running: bool,
    /// Records that it has looked at.
    pub looked: u64,
    /// Records that it has sealed anew.
    pub resealed: u64,
    /// Why it does not go on, or what it had to leave.
    pub problem: Option<String>,
    /// How many seals of each key the last whole walk found.
    pub by_key: Option<BTreeMap<KeyId, u64>>,
}

/// The keys of an installation, and the walk that follows a new one.
pub struct Keyring {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    walk: Mutex<Walk>,
    bell: Notify,
    /// Held while keys are made or retired.
    changing: tokio::sync::Mutex<()>,
}

impl Keyring {
    /// The keys of a vault that seals a store.
    pub fn new(store: Arc<dyn Store>, vault: Arc<Vault>) -> Arc<Self> {
        Arc::new(Self {
            store,
            vault,
            walk: Mutex::default(),
            bell: Notify::new(),
            changing: tokio::sync::Mutex::new(()),
        })
    }

    /// The keys, in the order of their making.
    pub fn keys(&self) -> Vec<KeyInfo> {
        self.vault.keys()
    }

    /// How far the walk is.
    pub fn walk(&self) -> Walk {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, change: impl FnOnce(&mut Walk)) {
        change(&mut self.walk.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Makes a new key, which seals from now on, and begins to seal anew what
    /// others sealed. With `derived` other keys are derived from it from the next
    /// start on.
    ///
    /// # Errors
    /// [`StoreError::KeyPlace`] when the key cannot be made durable; nothing changed
    /// then.
    pub async fn rotate(&self, derived: bool) -> Result<KeyInfo, StoreError> {
        let _alone = self.changing.lock().await;
        let vault = Arc::clone(&self.vault);
        let made = tokio::task::spawn_blocking(move || vault.rotate(derived))
            .await
            .map_err(std::io::Error::other)??;
        tracing::info!(key.id = %made.id, key.number = made.number, "a new key seals secrets");
        self.note(|walk| *walk = Walk { running: true, ..Walk::default() });
        self.bell.notify_one();
        Ok(made)
    }

    /// Removes a key that nothing is sealed with any more; every record is looked
    /// at first.
    ///
    /// # Errors
    /// [`KeyringError::NoSuch`], and [`KeyringError::InUse`] while something needs
    /// the key.
    pub async fn retire(&self, id: KeyId) -> Result<(), KeyringError> {
        let _alone = self.changing.lock().await;
        let keys = self.vault.keys();
        let key = keys.iter().find(|key| key.id == id).ok_or(KeyringError::NoSuch(id))?;
        let in_use = |why: &str| Err(KeyringError::InUse { id, why: why.to_owned() });
        if key.current {
            return in_use("secrets are sealed with it");
        }
        if key.derives {
            return in_use("links and addresses are derived from it");
        }
        let found = self.walk_over(false).await?;
        match found.by_key.get(&id).copied() {
            Some(seals @ 1..) => return in_use(&format!("{seals} secrets are sealed with it")),
            _ if found.lost > 0 => {
                return in_use(&format!("{} records cannot be looked into", found.lost));
            }
            _ => {}
        }
        let vault = Arc::clone(&self.vault);
        tokio::task::spawn_blocking(move || vault.retire(id))
            .await
            .map_err(|error| StoreError::Io(std::io::Error::other(error)))??;
        tracing::info!(key.id = %id, "a key was retired");
        Ok(())
    }

    /// Seals anew whenever there is a new key, until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let work = async {
                if let Err(error) = self.keep_up().await {
                    tracing::warn!(%error, "sealing anew waits");
                    self.note(|walk| walk.problem = Some(error.to_string()));
                    tokio::time::sleep(PATIENCE).await;
                } else {
                    self.bell.notified().await;
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = work => {}
            }
        }
    }

    /// Seals anew until nothing is left, if that was not done for the present key
    /// and all kinds that are sealed.
    ///
    /// # Errors
    /// What the store says; the next call begins anew.
    pub async fn keep_up(&self) -> Result<(), StoreError> {
        let keys = self.vault.keys();
        let Some(current) = keys.last() else { return Ok(()) };
        let all_done = format!("{} {KINDS}", current.id).into_bytes();
        let done = self.store.setting(DONE).await?;
        if done.as_ref() == Some(&all_done) {
            self.note(|walk| walk.running = false);
            return Ok(());
        }
        self.note(|walk| *walk = Walk { running: true, ..Walk::default() });
        loop {
            let found = self.walk_over(true).await?;
            if found.resealed > 0 {
                // Somebody may have put what was read before, under the old key.
                continue;
            }
            let left = found.lost > 0;
            if !left {
                self.store.commit(Record::Setting(DONE.into(), all_done).into()).await?;
            }
            let problem = left.then(|| {
                format!(
                    "{} records are sealed with keys that are not here, or are unsound",
                    found.lost
                )
            });
            self.note(|walk| {
                walk.running = false;
                walk.problem = problem;
                walk.by_key = Some(found.by_key);
            });
            tracing::info!(key.id = %current.id, left = found.lost, "all that is sealed was looked at");
            return Ok(());
        }
    }

    /// One walk over all records.
    async fn walk_over(&self, write: bool) -> Result<Resealed, StoreError> {
        let mut all = Resealed::default();
        loop {
            let page = self.store.office().reseal(all.next.as_deref(), PAGE, write).await?;
            all.looked += page.looked;
            all.resealed += page.resealed;
            all.open += page.open;
            all.lost += page.lost;
            for (id, seals) in page.by_key {
                *all.by_key.entry(id).or_default() += seals;
            }
            if write {
                self.note(|walk| {
                    walk.looked += page.looked;
                    walk.resealed += page.resealed;
                });
            }
            all.next = page.next;
            if all.next.is_none() {
                return Ok(all);
            }
            tokio::task::yield_now().await;
        }
    }
}
