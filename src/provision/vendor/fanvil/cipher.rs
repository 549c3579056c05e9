//! Encryption of files: AES-256 with a named profile.
//!
//! Public is only that a key has 64 hex digits, hence AES-256. Mode, IV and
//! padding are not, so each combination worth trying has a name, and an
//! operator with a phone at hand can switch. There is no authentication in any
//! of them: who needs it serves files over TLS.

use aes::Aes256;
use aes::cipher::{
    Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, BlockModeDecrypt as _,
    BlockModeEncrypt as _, KeyInit as _, KeyIvInit as _, consts::U16,
};

use crate::class::Class;

/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// What a key or a file has wrong. Never tells the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// A key is too long or too short.
    #[error("a key has 64 hex digits (0-9, A-F, a-f); this one has {0} characters")]
    KeyLength(usize),
    /// A key holds something else than hex digits.
    #[error("a key has 64 hex digits (0-9, A-F, a-f); character {0} of this one is none")]
    KeyDigit(usize),
    /// There is no profile of this name.
    #[error("there is no encryption profile `{0}`; there are: {names}", names = Profile::names())]
    UnknownProfile(String),
    /// The file's length is no multiple of the block, or nothing.
    #[error("{0} bytes are no encrypted file: its length is a multiple of 16 and not nothing")]
    Length(usize),
    /// The padding is wrong: another key, another profile, or a damaged file.
    #[error("the file does not decrypt: wrong key, wrong profile, or damaged")]
    Padding,
}

impl CipherError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Length(_) | Self::Padding => Class::Failed,
            Self::KeyLength(_) | Self::KeyDigit(_) | Self::UnknownProfile(_) => Class::Invalid,
        }
    }
}

/// A key for files: 256 bits, written as 64 hex digits. `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigKey([u8; 32]);

impl std::fmt::Debug for ConfigKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ConfigKey {
    /// Reads 64 hex digits of either case; surrounding white space is dropped.
    ///
    /// # Errors
    /// [`CipherError::KeyLength`] or [`CipherError::KeyDigit`].
    pub fn parse(text: &str) -> Result<Self, CipherError> {
        let text = text.trim();
        let length = text.chars().count();
        if length != 64 {
            return Err(CipherError::KeyLength(length));
        }
        if let Some(at) = text.chars().position(|c| !c.is_ascii_hexdigit()) {
            return Err(CipherError::KeyDigit(at + 1));
        }
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|_| CipherError::KeyLength(length))?;
        Ok(Self(key))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Cbc(Iv),
    Ecb,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Iv {
    /// Sixteen zero bytes.
    Zero,
    /// The first sixteen bytes of the key.
    KeyPrefix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding {
    /// RFC 5652 §6.3: always one to sixteen bytes.
    Pkcs7,
    /// Zero bytes up to the block, none if it is full.
    Zero,
}

/// One way to encrypt: mode, IV and padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name in settings and on the command line.
    pub name: &'static str,
    mode: Mode,
    padding: Padding,
}

impl Default for Profile {
    /// `aes-256-cbc-zero-iv-pkcs7`.
    fn default() -> Self {
        Self::ALL[0]
    }
}

impl Profile {
    /// Every profile that there is.
    pub const ALL: [Self; 6] = [
        Self::new("aes-256-cbc-zero-iv-pkcs7", Mode::Cbc(Iv::Zero), Padding::Pkcs7),
        Self::new("aes-256-cbc-zero-iv-zero-pad", Mode::Cbc(Iv::Zero), Padding::Zero),
        Self::new("aes-256-cbc-key-iv-pkcs7", Mode::Cbc(Iv::KeyPrefix), Padding::Pkcs7),
        Self::new("aes-256-cbc-key-iv-zero-pad", Mode::Cbc(Iv::KeyPrefix), Padding::Zero),
        Self::new("aes-256-ecb-pkcs7", Mode::Ecb, Padding::Pkcs7),
        Self::new("aes-256-ecb-zero-pad", Mode::Ecb, Padding::Zero),
    ];

    const fn new(name: &'static str, mode: Mode, padding: Padding) -> Self {
        Self { name, mode, padding }
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// [`CipherError::UnknownProfile`], which lists those that there are.
    pub fn named(name: &str) -> Result<Self, CipherError> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| CipherError::UnknownProfile(name.chars().take(64).collect()))
    }

    fn names() -> String {
        Self::ALL.map(|profile| profile.name).join(", ")
    }
}

/// Encrypts a file.
pub fn encrypt(profile: Profile, key: &ConfigKey, plain: &[u8]) -> Vec<u8> {
    let over = plain.len() % BLOCK;
    let (count, byte) = match profile.padding {
        Padding::Pkcs7 => (BLOCK - over, (BLOCK - over).to_le_bytes()[0]),
        Padding::Zero => ((BLOCK - over) % BLOCK, 0),
    };
    let mut bytes = Vec::with_capacity(plain.len() + count);
    bytes.extend_from_slice(plain);
    bytes.resize(plain.len() + count, byte);
    let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut bytes);
    match profile.mode {
        Mode::Ecb => Aes256::new(&key.0.into()).encrypt_blocks(blocks),
        Mode::Cbc(iv) => {
            cbc::Encryptor::<Aes256>::new(&key.0.into(), &iv.bytes(key).into())
                .encrypt_blocks(blocks);
        }
    }
    bytes
}

/// Decrypts a file.
///
/// # Errors
/// [`CipherError::Length`] and [`CipherError::Padding`]. With zero padding any
/// key seems to fit; whether the text makes sense is for the reader to say.
pub fn decrypt(profile: Profile, key: &ConfigKey, bytes: &[u8]) -> Result<Vec<u8>, CipherError> {
    if bytes.is_empty() || !bytes.len().is_multiple_of(BLOCK) {
        return Err(CipherError::Length(bytes.len()));
    }
    let mut plain = bytes.to_vec();
    let (blocks, _) = Array::<u8, U16>::slice_as_chunks_mut(&mut plain);
    match profile.mode {
        Mode::Ecb => Aes256::new(&key.0.into()).decrypt_blocks(blocks),
        Mode::Cbc(iv) => {
            cbc::Decryptor::<Aes256>::new(&key.0.into(), &iv.bytes(key).into())
                .decrypt_blocks(blocks);
        }
    }
    let length = match profile.padding {
        Padding::Pkcs7 => unpadded(&plain).ok_or(CipherError::Padding)?,
        Padding::Zero => plain.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1),
    };
    plain.truncate(length);
    Ok(plain)
}

impl Iv {
    fn bytes(self, key: &ConfigKey) -> [u8; BLOCK] {
        match self {
            Self::Zero => [0; BLOCK],
            Self::KeyPrefix => key.0.first_chunk().copied().unwrap_or_default(),
        }
    }
}

/// The length without PKCS#7 padding, if that is sound.
fn unpadded(plain: &[u8]) -> Option<usize> {
    let count = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(count).filter(|_| (1..=BLOCK).contains(&count))?;
    plain.get(length..)?.iter().all(|byte| usize::from(*byte) == count).then_some(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn key() -> ConfigKey {
        ConfigKey::parse(KEY).unwrap()
    }

    #[test]
    fn the_default_is_the_one_of_the_settings() {
        let settings = crate::config::PhonesConfig::default();
        assert_eq!(Profile::named(&settings.fanvil_encryption), Ok(Profile::default()));
        assert_eq!(Profile::default().name, settings.fanvil_encryption);
    }

    /// NIST SP 800-38A, F.1.5 and F.2.5, first block: the mode alone, since zero
    /// padding adds nothing to a full block.
    #[test]
    fn published_vectors() {
        let key = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
        let plain = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        let profile = Profile::named("aes-256-ecb-zero-pad").unwrap();
        let sealed = encrypt(profile, &ConfigKey::parse(key).unwrap(), &plain);
        assert_eq!(hex::encode(sealed), "f3eed1bdb5d2a03c064b5a7e3db181f8");
    }

    #[test]
    fn keys_are_64_hex_digits_or_a_clear_error() {
        assert!(ConfigKey::parse(&KEY.to_uppercase()).is_ok());
        assert!(ConfigKey::parse(&format!(" {KEY}\r\n")).is_ok());
        assert_eq!(ConfigKey::parse(""), Err(CipherError::KeyLength(0)));
        assert_eq!(ConfigKey::parse(&KEY[2..]), Err(CipherError::KeyLength(62)));
        assert_eq!(ConfigKey::parse(&format!("{KEY}00")), Err(CipherError::KeyLength(66)));
        assert_eq!(ConfigKey::parse(&KEY.replace("0a", "0g")), Err(CipherError::KeyDigit(22)));
        assert_eq!(ConfigKey::parse(&"é".repeat(64)), Err(CipherError::KeyDigit(1)));
        assert_eq!(format!("{:?}", key()), "***");
    }

    #[test]
    fn lengths_that_no_encryption_gives_are_refused() {
        for length in [0, 1, 15, 17] {
            let refused = decrypt(Profile::default(), &key(), &vec![0; length]);
            assert_eq!(refused, Err(CipherError::Length(length)));
        }
    }

    #[test]
    fn bad_padding_is_refused() {
        let raw = Profile::named("aes-256-cbc-zero-iv-zero-pad").unwrap();
        for last in [0u8, 17, 255, 2] {
            let mut plain = [7; 16];
            plain[15] = last;
            let sealed = encrypt(raw, &key(), &plain);
            let opened = decrypt(Profile::default(), &key(), &sealed);
            assert_eq!(opened, Err(CipherError::Padding), "{last}");
        }
    }

    proptest! {
        #[test]
        fn every_profile_opens_what_it_sealed(
            text in prop::collection::vec(1u8.., 1..200),
            key in "[0-9a-fA-F]{64}",
        ) {
            let key = ConfigKey::parse(&key).unwrap();
            for profile in Profile::ALL {
                let sealed = encrypt(profile, &key, &text);
                prop_assert_eq!(sealed.len() % 16, 0);
                prop_assert_eq!(decrypt(profile, &key, &sealed), Ok(text.clone()));
            }
        }

        #[test]
        fn any_bytes_are_opened_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for profile in Profile::ALL {
                let _ = decrypt(profile, &key(), &bytes);
            }
        }
    }
}
