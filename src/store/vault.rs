//! The vault: seals secrets before they are stored, and derives keys for other
//! purposes from the one key of the installation.
//!
//! Secrets are sealed with AES-256-GCM under random nonces. The key lies in
//! `secrets.key` in the data folder, readable by the owner alone; whoever has
//! the data folder has the secrets, so the folder is what must be guarded.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::StoreError;
use crate::device::{Sealed, Secret};

/// The name of the key's file in the data folder.
pub const KEY_FILE: &str = "secrets.key";

/// Bytes of the key.
const KEY_LEN: usize = 32;

/// The first byte of a sealed secret: which form it has.
const FORM: u8 = 1;

/// Seals and unseals secrets, and makes random and derived ones.
pub struct Vault {
    sealing: LessSafeKey,
    deriving: hmac::Key,
    random: SystemRandom,
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
    /// [`StoreError::Io`] when the key cannot be read or made, and
    /// [`StoreError::Damaged`] when the file is no key. An unusable key is never
    /// replaced, since what it sealed would be lost with it.
    pub fn open(data: &Path) -> Result<Arc<Self>, StoreError> {
        let path = data.join(KEY_FILE);
        match read_key(&path) {
            Err(StoreError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(data)?;
                make_key(data, &path)?;
                Self::from_key(&read_key(&path)?)
            }
            key => Self::from_key(&key?),
        }
    }

    /// A vault with a key that nobody keeps: for tests and for stores in
    /// memory.
    pub fn ephemeral() -> Arc<Self> {
        let mut key = [0; KEY_LEN];
        fill(&SystemRandom::new(), &mut key);
        let sealing = loop {
            // Fails for keys of another length only.
            if let Ok(key) = UnboundKey::new(&AES_256_GCM, &key) {
                break LessSafeKey::new(key);
            }
        };
        Arc::new(Self { sealing, deriving: deriving_key(&key), random: SystemRandom::new() })
    }

    fn from_key(key: &[u8; KEY_LEN]) -> Result<Arc<Self>, StoreError> {
        let sealing = UnboundKey::new(&AES_256_GCM, key)
            .map_err(|_| StoreError::Damaged(format!("{KEY_FILE} is no key of 32 bytes")))?;
        Ok(Arc::new(Self {
            sealing: LessSafeKey::new(sealing),
            deriving: deriving_key(key),
            random: SystemRandom::new(),
        }))
    }

    /// Seals a secret so that it can be stored.
    pub fn seal(&self, secret: &Secret) -> Sealed {
        Sealed(self.seal_bytes(secret.expose().as_bytes()))
    }

    /// Seals a whole record that may hold secrets.
    pub(super) fn seal_bytes(&self, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        fill(&self.random, &mut nonce);
        let mut bytes = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        bytes.push(FORM);
        bytes.extend_from_slice(&nonce);
        let mut body = plain.to_vec();
        let aad = Aad::from([FORM]);
        // Fails beyond 64 GiB only; what then results cannot be unsealed.
        let _ = self.sealing.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            aad,
            &mut body,
        );
        bytes.append(&mut body);
        bytes
    }

    /// Opens what [`Vault::seal`] made.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it was sealed under another key or was
    /// altered.
    pub fn unseal(&self, sealed: &Sealed) -> Result<Secret, StoreError> {
        let bytes = self.unseal_bytes(&sealed.0)?;
        let text = String::from_utf8(bytes).map_err(|_| foreign())?;
        Ok(Secret::new(text))
    }

    /// Opens what [`Vault::seal_bytes`] made.
    pub(super) fn unseal_bytes(&self, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let damaged = foreign;
        let (&form, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut body = body.to_vec();
        let plain = self
            .sealing
            .open_in_place(nonce, Aad::from([form]), &mut body)
            .map_err(|_| damaged())?
            .len();
        body.truncate(plain);
        Ok(body)
    }

    /// A key for one purpose, the same at every start: HMAC-SHA-256 of the
    /// purpose's name under a key that is derived from the installation's.
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
}

fn foreign() -> StoreError {
    StoreError::Damaged(format!("a secret was not sealed with this installation's {KEY_FILE}"))
}

/// The key from which others are derived; apart from the sealing key, so that
/// no derived key tells anything of that one.
fn deriving_key(key: &[u8; KEY_LEN]) -> hmac::Key {
    let master = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, b"provost derivation 1").as_ref())
}

/// Fills with random bytes. Predictable bytes are worse than none, so it waits
/// for as long as the system has none to give.
fn fill(random: &SystemRandom, bytes: &mut [u8]) {
    while random.fill(bytes).is_err() {
        std::thread::yield_now();
    }
}

fn read_key(path: &Path) -> Result<[u8; KEY_LEN], StoreError> {
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(1024).read_to_end(&mut text)?;
    text.as_slice().try_into().map_err(|_| {
        StoreError::Damaged(format!("{} is no key of {KEY_LEN} bytes", path.display()))
    })
}

/// Makes the key durable under its name before anything is sealed with it.
fn make_key(data: &Path, path: &Path) -> Result<(), StoreError> {
    let mut key = [0; KEY_LEN];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| io::Error::other("the system has no random bytes to give"))?;
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Linked rather than renamed: of two processes that start at once, one
    // key wins and both read it.
    match std::fs::hard_link(&new, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    std::fs::remove_file(&new)?;
    std::fs::File::open(data)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_can_be_unsealed_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("data")).unwrap();
        let sealed = vault.seal(&Secret::new("päss"));
        assert!(!format!("{sealed:?}").contains("p"), "{sealed:?}");
        let again = Vault::open(&folder.path().join("data")).unwrap();
        assert_eq!(again.unseal(&sealed).unwrap().expose(), "päss");
        assert_eq!(again.derive("nonces"), vault.derive("nonces"));
        assert_ne!(again.derive("nonces"), vault.derive("links"));
    }

    #[test]
    fn sealing_twice_gives_different_bytes() {
        let vault = Vault::ephemeral();
        let secret = Secret::new("");
        assert_ne!(vault.seal(&secret), vault.seal(&secret));
        assert_eq!(vault.unseal(&vault.seal(&secret)).unwrap(), secret);
    }

    #[test]
    fn altered_and_foreign_secrets_are_refused() {
        let vault = Vault::ephemeral();
        let sealed = vault.seal(&Secret::new("secret"));
        assert!(Vault::ephemeral().unseal(&sealed).is_err());
        for at in 0..sealed.0.len() {
            let mut altered = sealed.clone();
            altered.0[at] ^= 1;
            assert!(vault.unseal(&altered).is_err(), "byte {at}");
            assert!(vault.unseal(&Sealed(sealed.0[..at].to_vec())).is_err(), "cut at {at}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_key_is_private_and_never_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Vault::open(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short").unwrap();
        assert!(matches!(Vault::open(folder.path()), Err(StoreError::Damaged(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn random_texts_have_the_length_asked_for() {
        let vault = Vault::ephemeral();
        assert_eq!(vault.random_hex(16).len(), 32);
        assert_ne!(vault.random_hex(16), vault.random_hex(16));
    }
}
