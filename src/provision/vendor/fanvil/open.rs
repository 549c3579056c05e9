//! A file as a phone takes it: decrypted if it has a key, then read.

use super::{CipherError, ConfigKey, Profile, Text, TextError, decrypt};
use crate::class::Class;
use crate::device::Secret;

/// Why a file cannot be opened. Never tells the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key is none, or the file does not decrypt.
    #[error(transparent)]
    Cipher(#[from] CipherError),
    /// What came out is no configuration file.
    #[error(transparent)]
    Text(#[from] TextError),
}

impl OpenError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Cipher(error) => error.class(),
            Self::Text(error) => error.class(),
        }
    }
}

/// Opens a file with a key of 64 hex digits, or a plain file without one.
///
/// # Errors
/// [`OpenError`].
pub fn open(profile: Profile, key: Option<&Secret>, bytes: &[u8]) -> Result<Text, OpenError> {
    let Some(key) = key else { return Ok(Text::read_any(bytes)?) };
    let key = ConfigKey::parse(key.expose())?;
    Ok(Text::read_any(&decrypt(profile, &key, bytes)?)?)
}

#[cfg(test)]
mod tests {
    use super::super::encrypt;
    use super::*;

    const DEVICE: &[u8] = include_bytes!("../../../../tests/fixtures/fanvil/device-x6.cfg");

    #[test]
    fn only_the_right_key_opens_a_file() {
        let (right, wrong) = ("0f".repeat(32), "0e".repeat(32));
        let (right, wrong) = (Secret::new(right), Secret::new(wrong));
        for profile in Profile::ALL {
            let key = ConfigKey::parse(right.expose()).unwrap();
            let sealed = encrypt(profile, &key, DEVICE);
            assert_eq!(&*open(profile, Some(&right), &sealed).unwrap().version, "2.0000000007");
            assert!(open(profile, Some(&wrong), &sealed).is_err(), "{}", profile.name);
            assert_eq!(open(profile, None, &sealed), Err(TextError::NoHead.into()));
        }
    }
}
