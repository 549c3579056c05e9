//! The vault: seals secrets before they are stored, and derives keys for other
//! purposes from the one key of the installation.
//!
//! Secrets are sealed with AES-256-GCM under random nonces, by the last of a ring
//! of keys; the others open what they sealed. The keys are files ([`KeyPlace`]),
//! readable by the owner alone; whoever has them and the store has the secrets.
//!
//! ```text
//! form 1: 1 · nonce · sealed                   (by the first key)
//! form 2: 2 · id of the key · nonce · sealed
//! ```

mod files;
mod key;

pub(super) use files::IDS_FILE;
pub use files::{KEY_FILE, KeyPlace};
pub use key::{KeyId, KeyIdError, KeyInfo};

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use ring::aead::{Aad, MAX_TAG_LEN, NONCE_LEN, Nonce};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::StoreError;
use crate::device::{Sealed, Secret};
use key::{ID_LEN, KEY_LEN, Key};

/// The first byte of what the first key sealed before keys had ids.
const FIRST_FORM: u8 = 1;

/// The first byte of a sealed secret: which form it has.
const FORM: u8 = 2;

/// Bytes before what is sealed: the form, the key, the nonce.
const SEAL_HEAD: usize = 1 + ID_LEN + NONCE_LEN;

/// By how many bytes sealing makes a record longer.
pub(super) const SEALING: usize = SEAL_HEAD + MAX_TAG_LEN;

/// Seals and unseals secrets, and makes random and derived ones.
pub struct Vault {
    /// By number; never empty, and the last one seals.
    keys: RwLock<Vec<Key>>,
    /// Stays as it was at the start: what was derived from it is in use.
    deriving: hmac::Key,
    random: SystemRandom,
    place: Option<KeyPlace>,
    /// Held while the ring is changed.
    changing: Mutex<()>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

impl Vault {
    /// Opens the vault of a data folder; the folder and the key are made if
    /// they are missing, the key with mode 0600.
    ///
    /// # Errors
    /// As [`Vault::open_at`].
    pub fn open(data: &Path) -> Result<Arc<Self>, StoreError> {
        Self::open_at(KeyPlace::in_folder(data))
    }

    /// Opens the vault whose keys lie at a place.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a key cannot be read or made,
    /// [`StoreError::Damaged`] when a file is no key, and [`StoreError::Key`] when
    /// one that sealed something is missing. An unusable key is never replaced,
    /// since what it sealed would be lost with it.
    pub fn open_at(place: KeyPlace) -> Result<Arc<Self>, StoreError> {
        let keys = place.read()?;
        place.check(&keys)?;
        Self::of(keys, Some(place))
    }

    /// A vault with a key that nobody keeps: for tests and for stores in
    /// memory.
    pub fn ephemeral() -> Arc<Self> {
        let random = SystemRandom::new();
        loop {
            let mut bytes = [0; KEY_LEN];
            fill(&random, &mut bytes);
            // Fails for keys of another length only.
            if let Ok(key) = Key::new(&bytes, 1, true, None)
                && let Ok(vault) = Self::of(vec![key], None)
            {
                return vault;
            }
        }
    }

    fn of(keys: Vec<Key>, place: Option<KeyPlace>) -> Result<Arc<Self>, StoreError> {
        let root = keys.iter().rev().find(|key| key.derives).ok_or_else(|| {
            StoreError::Key("the key from which others are derived is missing".to_owned())
        })?;
        let deriving = root.deriving.clone();
        let random = SystemRandom::new();
        Ok(Arc::new(Self {
            keys: RwLock::new(keys),
            deriving,
            random,
            place,
            changing: Mutex::new(()),
        }))
    }

    fn ring(&self) -> RwLockReadGuard<'_, Vec<Key>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seals a secret so that it can be stored.
    pub fn seal(&self, secret: &Secret) -> Sealed {
        Sealed(self.seal_bytes(secret.expose().as_bytes()))
    }

    /// Seals a whole record that may hold secrets.
    pub(super) fn seal_bytes(&self, plain: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEALING + plain.len());
        self.seal_onto(&mut bytes, |out| out.extend_from_slice(plain));
        bytes
    }

    /// Has `write` append to `bytes` and seals in place what it appended.
    pub(super) fn seal_onto<R>(
        &self,
        bytes: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> R,
    ) -> R {
        let at = bytes.len();
        bytes.extend_from_slice(&[0; SEAL_HEAD]);
        let written = write(bytes);
        if self.seal_in_place(bytes, at).is_none() {
            // Beyond 64 GiB only. What is left cannot be unsealed, and is not open.
            bytes.truncate(at);
        }
        written
    }

    /// Seals what stands behind the room for the head that begins at `at`.
    fn seal_in_place(&self, bytes: &mut Vec<u8>, at: usize) -> Option<()> {
        let mut nonce = [0; NONCE_LEN];
        fill(&self.random, &mut nonce);
        let keys = self.ring();
        let key = keys.last()?;
        let (head, body) = bytes.get_mut(at..)?.split_first_chunk_mut::<SEAL_HEAD>()?;
        let (form, rest) = head.split_first_mut()?;
        *form = FORM;
        let (id, room) = rest.split_first_chunk_mut::<ID_LEN>()?;
        *id = key.id.0;
        room.copy_from_slice(&nonce);
        let (aad, _) = head.split_at(1 + ID_LEN);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.sealing.seal_in_place_separate_tag(nonce, Aad::from(aad), body).ok()?;
        bytes.extend_from_slice(tag.as_ref());
        Some(())
    }

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was altered, [`StoreError::Key`] when the
    /// key that sealed it is not here.
    pub fn unseal(&self, sealed: &Sealed) -> Result<Secret, StoreError> {
        let bytes = self.unseal_bytes(&sealed.0)?;
        let text = String::from_utf8(bytes).map_err(|_| foreign())?;
        Ok(Secret::new(text))
    }

    /// Opens what [`Vault::seal_bytes`] made.
    pub(super) fn unseal_bytes(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (head, rest) = split(sealed).ok_or_else(foreign)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(foreign)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| foreign())?;
        let keys = self.ring();
        let key = keys.iter().find(|key| head.is_of(key)).ok_or_else(|| head.missing())?;
        let mut body = body.to_vec();
        let aad = Aad::from(sealed.get(..head.len()).unwrap_or_default());
        let plain = key.sealing.open_in_place(nonce, aad, &mut body).map_err(|_| foreign())?.len();
        body.truncate(plain);
        Ok(body)
    }

    /// Whether something was sealed by the key that seals now.
    pub(super) fn is_fresh(&self, sealed: &[u8]) -> bool {
        let keys = self.ring();
        matches!(
            (split(sealed), keys.last()),
            (Some((Head::Of(id), _)), Some(key)) if id == key.id
        )
    }

    /// The key that sealed something; `None` if it is not here.
    pub(super) fn key_of(&self, sealed: &[u8]) -> Option<KeyId> {
        let (head, _) = split(sealed)?;
        match head {
            Head::Of(id) => Some(id),
            Head::First => self.ring().iter().find(|key| key.number == 1).map(|key| key.id),
        }
    }

    /// A key for one purpose, the same at every start: HMAC-SHA-256 of the
    /// purpose's name under a key that is derived from the installation's. Another
    /// key that seals changes nothing about it.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        for (to, from) in
            key.iter_mut().zip(hmac::sign(&self.deriving, purpose.as_bytes()).as_ref())
        {
            *to = *from;
        }
        key
    }

    /// `bytes` random bytes from the system's generator in lower-case hex.
    pub fn random_hex(&self, bytes: usize) -> String {
        let mut random = vec![0; bytes];
        fill(&self.random, &mut random);
        hex::encode(random)
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut random = [0; N];
        fill(&self.random, &mut random);
        random
    }

    /// The keys, in the order of their making.
    pub fn keys(&self) -> Vec<KeyInfo> {
        let keys = self.ring();
        let root = keys.iter().rev().find(|key| key.derives).map(|key| key.number);
        let current = keys.last().map(|key| key.number);
        keys.iter()
            .map(|key| KeyInfo {
                id: key.id,
                number: key.number,
                current: Some(key.number) == current,
                derives: Some(key.number) == root,
                file: key.file.clone(),
            })
            .collect()
    }

    /// The keys that lie in memory alone or in the data folder, by the names that
    /// their files have there: what a backup carries.
    pub(super) fn carried(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut carried = Vec::new();
        for key in self.ring().iter() {
            match (&key.file, &key.bytes, &self.place) {
                (None, Some(bytes), _) => {
                    let name = KeyPlace::in_folder(Path::new("")).name_of(key.number, key.derives);
                    carried.push((name, bytes.to_vec()));
                }
                (Some(file), _, Some(place)) if file.parent() == Some(&*place.data) => {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    carried.push((name.into_owned(), files::read_key(file)?.to_vec()));
                }
                _ => {}
            }
        }
        Ok(carried)
    }

    /// Makes a new key, durable before anything is sealed with it, that seals from
    /// now on. With `derived` other keys are derived from it from the next start
    /// on.
    ///
    /// # Errors
    /// [`StoreError::KeyPlace`] when its folder cannot be written to; nothing changed
    /// then.
    pub fn rotate(&self, derived: bool) -> Result<KeyInfo, StoreError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.ring().last().map_or(0, |key| key.number);
        let number = last.saturating_add(1);
        let mut bytes = [0; KEY_LEN];
        let file = match &self.place {
            None => {
                fill(&self.random, &mut bytes);
                None
            }
            Some(place) => {
                let file = place.file_of(number, derived);
                files::make_key(&file).map_err(|error| not_written(&file, &error))?;
                bytes = files::read_key(&file)?;
                Some(file)
            }
        };
        let key = Key::new(&bytes, number, derived, file)?;
        if let Some(place) = &self.place {
            let ids = self.ring().iter().map(|key| key.id).chain([key.id]).collect::<Vec<_>>();
            place.write_known(&ids).map_err(|error| {
                // The next start would take up what lies there.
                let _ = key.file.as_deref().map(files::remove_key);
                not_written(&place.data, &error)
            })?;
        }
        let id = key.id;
        self.keys.write().unwrap_or_else(PoisonError::into_inner).push(key);
        let made = self.keys().into_iter().find(|key| key.id == id);
        made.ok_or_else(|| StoreError::Key(format!("the key {id} is gone")))
    }

    /// Removes a key with its file. What it sealed cannot be opened any more:
    /// whoever asks has seen to it that there is nothing.
    ///
    /// # Errors
    /// [`StoreError::Key`] if there is no such key, or it is in use, and
    /// [`StoreError::KeyPlace`] if its file cannot be removed.
    pub fn retire(&self, id: KeyId) -> Result<(), StoreError> {
        let _alone = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(key) = self.keys().into_iter().find(|key| key.id == id) else {
            return Err(StoreError::Key(format!("there is no key {id}")));
        };
        if key.current || key.derives {
            let why =
                if key.current { "secrets are sealed with it" } else { "others derive from it" };
            return Err(StoreError::Key(format!("the key {id} is in use: {why}")));
        }
        if let Some(place) = &self.place {
            // First the list: a key that it names and that is gone stops a start.
            let ids: Vec<KeyId> =
                self.ring().iter().map(|key| key.id).filter(|known| *known != id).collect();
            place.write_known(&ids).map_err(|error| not_written(&place.data, &error))?;
            if let Some(file) = &key.file {
                files::remove_key(file).map_err(|error| not_written(file, &error))?;
            }
        }
        self.keys.write().unwrap_or_else(PoisonError::into_inner).retain(|key| key.id != id);
        Ok(())
    }
}

/// Why a key could not be made, or did not go.
fn not_written(path: &Path, error: &StoreError) -> StoreError {
    let why = match error {
        StoreError::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    StoreError::KeyPlace(format!("{}: {why}", path.display()))
}

/// What a sealed secret says of its key.
#[derive(Clone, Copy)]
enum Head {
    First,
    Of(KeyId),
}

impl Head {
    /// Bytes of it.
    const fn len(self) -> usize {
        match self {
            Self::First => 1,
            Self::Of(_) => 1 + ID_LEN,
        }
    }

    fn is_of(self, key: &Key) -> bool {
        match self {
            Self::First => key.number == 1,
            Self::Of(id) => key.id == id,
        }
    }

    fn missing(self) -> StoreError {
        let which = match self {
            Self::First => "the first key".to_owned(),
            Self::Of(id) => format!("the key {id}"),
        };
        StoreError::Key(format!("a secret was sealed with {which}, which is not here"))
    }
}

fn split(sealed: &[u8]) -> Option<(Head, &[u8])> {
    let (form, rest) = sealed.split_first()?;
    match *form {
        FIRST_FORM => Some((Head::First, rest)),
        FORM => {
            let (id, rest) = rest.split_first_chunk::<ID_LEN>()?;
            Some((Head::Of(KeyId(*id)), rest))
        }
        _ => None,
    }
}

fn foreign() -> StoreError {
    StoreError::Damaged(format!("a secret was not sealed with this installation's {KEY_FILE}"))
}

/// Fills with random bytes. Predictable bytes are worse than none, so it waits
/// for as long as the system has none to give.
fn fill(random: &SystemRandom, bytes: &mut [u8]) {
    while random.fill(bytes).is_err() {
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests;
