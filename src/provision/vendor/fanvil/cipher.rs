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
