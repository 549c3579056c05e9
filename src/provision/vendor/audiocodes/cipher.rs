//! `.cfx`: a whole configuration file, encrypted.
//!
//! As `openssl enc -des-ede3-cbc -nosalt -pass pass:SECRET -md md5` (or
//! `sha256`) does: key and IV are what OpenSSL's `EVP_BytesToKey` makes of the
//! secret without a salt, in one round; padding is that of RFC 5652 §6.3. The
//! vendor's secret is the same in every phone and is not known here: the
//! operator brings it. This hides a file from a glance and from nothing else; who
//! needs more serves files over TLS.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use des::TdesEde3;
use md5::Digest as _;

use crate::class::Class;
use crate::device::Secret;

/// Bytes of the key, three times that of DES.
const KEY: usize = 24;
/// Bytes of a block, and of the IV.
const BLOCK: usize = 8;

/// Which digest makes key and IV of the secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyDigest {
    /// MD5, what OpenSSL before 1.1 takes unless told otherwise.
    #[default]
    Md5,
    /// SHA-256, what later ones take.
    Sha256,
}

/// What a secret or a file has wrong. Never tells the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CfxError {
    /// The secret is too short or too long, or holds what no command line takes.
    #[error("a secret for .cfx files has 8 to 128 printable ASCII characters")]
    Secret,
    /// There is no digest of this name.
    #[error("the digest of .cfx files is md5 or sha256")]
    Digest,
    /// The file does not decrypt.
    #[error("the file does not decrypt: wrong secret, wrong digest, or damaged")]
    Damaged,
}

impl CfxError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Secret | Self::Digest => Class::Invalid,
            Self::Damaged => Class::Failed,
        }
    }
}

impl KeyDigest {
    /// The word for it, as OpenSSL's `-md` takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
        }
    }

    /// The digest of this name.
    ///
    /// # Errors
    /// [`CfxError::Digest`].
    pub fn named(name: &str) -> Result<Self, CfxError> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|digest| digest.word() == name)
            .ok_or(CfxError::Digest)
    }

    /// Key, then IV.
    fn stretch(self, secret: &Secret) -> Result<[u8; KEY + BLOCK], CfxError> {
        let secret = checked(secret.expose())?.as_bytes();
        let mut made = [0; KEY + BLOCK];
        let mut last: Vec<u8> = Vec::new();
        let size = match self {
            Self::Md5 => 16,
            Self::Sha256 => 32,
        };
        for piece in made.chunks_mut(size) {
            last.extend_from_slice(secret);
            last = match self {
                Self::Md5 => md5::Md5::digest(&last).to_vec(),
                Self::Sha256 => sha2::Sha256::digest(&last).to_vec(),
            };
            piece.iter_mut().zip(&last).for_each(|(to, from)| *to = *from);
        }
        Ok(made)
    }
}

/// Checks a secret.
///
/// # Errors
/// [`CfxError::Secret`].
pub(super) fn checked(secret: &str) -> Result<&str, CfxError> {
    let sound =
        (8..=128).contains(&secret.len()) && secret.bytes().all(|b| matches!(b, b' '..=b'~'));
    if sound { Ok(secret) } else { Err(CfxError::Secret) }
}

/// Encrypts a file.
///
/// # Errors
/// [`CfxError::Secret`].
pub fn encrypt_cfx(digest: KeyDigest, secret: &Secret, plain: &[u8]) -> Result<Vec<u8>, CfxError> {
    let made = digest.stretch(secret)?;
    let (key, iv) = made.split_at(KEY);
    let mode =
        cbc::Encryptor::<TdesEde3>::new_from_slices(key, iv).map_err(|_| CfxError::Secret)?;
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + BLOCK, 0);
    let sealed = mode.encrypt_padded::<Pkcs7>(&mut buffer, plain.len());
    let length = sealed.map_err(|_| CfxError::Secret)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// Decrypts a file.
///
/// # Errors
/// [`CfxError`]. There is no authentication: another secret fails by its
/// padding, which one in 256 passes.
pub fn decrypt_cfx(digest: KeyDigest, secret: &Secret, sealed: &[u8]) -> Result<Vec<u8>, CfxError> {
    let made = digest.stretch(secret)?;
    let (key, iv) = made.split_at(KEY);
    let mode =
        cbc::Decryptor::<TdesEde3>::new_from_slices(key, iv).map_err(|_| CfxError::Secret)?;
    let mut buffer = sealed.to_vec();
    let length = mode.decrypt_padded::<Pkcs7>(&mut buffer).map_err(|_| CfxError::Damaged)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `printf 'voip/line/0/id=1\n' | openssl enc -des-ede3-cbc -nosalt -pass
    /// pass:correct-horse -md …`
    #[test]
    fn openssl_makes_the_same_bytes() {
        let secret = Secret::new("correct-horse");
        for (digest, expected) in [
            (KeyDigest::Md5, "42eabf10c1113fedc6b7f703348e281da1dcbef08fba3b98"),
            (KeyDigest::Sha256, "892e84d9ec5944282d013c34b5da2f1aeeefd31bbee280a0"),
        ] {
            let sealed = encrypt_cfx(digest, &secret, b"voip/line/0/id=1\n").unwrap();
            assert_eq!(hex::encode(&sealed), expected, "{}", digest.word());
            assert_eq!(decrypt_cfx(digest, &secret, &sealed).unwrap(), b"voip/line/0/id=1\n");
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let error = encrypt_cfx(KeyDigest::Md5, &Secret::new("hunter2"), b"").unwrap_err();
        assert_eq!(
            error.to_string(),
            "a secret for .cfx files has 8 to 128 printable ASCII characters"
        );
        assert_eq!(KeyDigest::named("sha1"), Err(CfxError::Digest));
        assert_eq!(KeyDigest::named("sha256"), Ok(KeyDigest::Sha256));
        let secret = Secret::new("correct-horse");
        for cut in [0, 1, 7, 9] {
            assert_eq!(decrypt_cfx(KeyDigest::Md5, &secret, &vec![7; cut]), Err(CfxError::Damaged));
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(plain in prop::collection::vec(any::<u8>(), 0..300)) {
            let secret = Secret::new("correct-horse");
            for digest in [KeyDigest::Md5, KeyDigest::Sha256] {
                let sealed = encrypt_cfx(digest, &secret, &plain).unwrap();
                prop_assert_eq!(sealed.len() % BLOCK, 0);
                prop_assert_eq!(&decrypt_cfx(digest, &secret, &sealed).unwrap(), &plain);
            }
        }
    }
}
