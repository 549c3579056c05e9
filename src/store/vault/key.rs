//! One key: what it seals with, and by what it is known.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use ring::hmac;

use super::super::StoreError;

/// Bytes of a key.
pub(super) const KEY_LEN: usize = 32;

/// Bytes of a key's id.
pub(super) const ID_LEN: usize = 4;

/// By what a key is known: made of the key itself, so that a file in another
/// one's place is noticed. It tells nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) [u8; ID_LEN]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A text that is no id of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's id has eight hex digits")]
pub struct KeyIdError;

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let mut id = [0; ID_LEN];
        hex::decode_to_slice(text.trim(), &mut id).map_err(|_| KeyIdError)?;
        Ok(Self(id))
    }
}

/// A key as it is told. The key itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its id.
    pub id: KeyId,
    /// Its number, from 1, in the order of their making.
    pub number: u32,
    /// Whether secrets are sealed with it from now on.
    pub current: bool,
    /// Whether other keys are derived from it, since the last start or from the
    /// next one on.
    pub derives: bool,
    /// Its file; `None` if it lies in memory only.
    pub file: Option<PathBuf>,
}

/// A key that opens, and perhaps seals.
pub(super) struct Key {
    pub(super) id: KeyId,
    pub(super) number: u32,
    /// Whether other keys are to be derived from it rather than from those before.
    pub(super) derives: bool,
    pub(super) file: Option<PathBuf>,
    /// The key as it is, if it lies in no file: a backup could be opened by nobody
    /// without it.
    pub(super) bytes: Option<[u8; KEY_LEN]>,
    pub(super) sealing: LessSafeKey,
    pub(super) deriving: hmac::Key,
}

impl Key {
    /// A key of these bytes.
    pub(super) fn new(
        bytes: &[u8; KEY_LEN],
        number: u32,
        derives: bool,
        file: Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        let sealing = UnboundKey::new(&AES_256_GCM, bytes)
            .map_err(|_| StoreError::Key("a key has 32 bytes".to_owned()))?;
        let master = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let signed = |purpose: &[u8]| hmac::sign(&master, purpose);
        let mut id = [0; ID_LEN];
        for (to, from) in id.iter_mut().zip(signed(b"provost key id 1").as_ref()) {
            *to = *from;
        }
        // The key from which others are derived is apart from the sealing key, so
        // that no derived key tells anything of that one.
        let deriving = hmac::Key::new(hmac::HMAC_SHA256, signed(b"provost derivation 1").as_ref());
        let sealing = LessSafeKey::new(sealing);
        let bytes = file.is_none().then_some(*bytes);
        Ok(Self { id: KeyId(id), number, derives, file, bytes, sealing, deriving })
    }
}
