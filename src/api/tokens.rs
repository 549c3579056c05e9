//! The bearer tokens of the northbound.
//!
//! At first start an admin token is made and written to `admin.token` in the
//! data folder, readable by its owner only; the store keeps nothing but its
//! SHA-256. The file is the truth while it is there, so a token is changed by
//! writing another one and starting again; without the file the known hash
//! stays good, so an operator may move the token to a safer place.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::class::Class;
use crate::store::{Record, Store, StoreError};

/// The name of the file in the data folder that holds the admin token.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The setting of the store that holds the SHA-256 of the admin token.
const ADMIN_SETTING: &str = "token/admin";

/// The shortest token that is taken from the file, in characters.
const MIN_LENGTH: usize = 32;

/// The tokens that open the northbound, as hashes.
#[derive(Clone, Debug)]
pub struct Tokens {
    admin: [u8; 32],
}

/// Who presents a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name that stands in records of what was asked.
    pub name: &'static str,
}

/// Why the tokens cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token's file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The token's file holds something that is too short to be a token.
    #[error("{0}: a token has at least 32 characters; delete the file to have one made")]
    TooShort(PathBuf),
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    NoRandom(getrandom::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TokenError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::File { .. } | Self::NoRandom(_) => Class::Internal,
            Self::TooShort(_) => Class::Invalid,
            Self::Store(error) => error.class(),
        }
    }
}

/// Reads the admin token of a data folder, or makes it at first start.
///
/// # Errors
/// [`TokenError`] when the file or the store fails.
pub async fn load_or_make(store: &dyn Store, data: &Path) -> Result<Tokens, TokenError> {
    let path = data.join(ADMIN_TOKEN_FILE);
    let known = store.setting(ADMIN_SETTING).await?;
    let known: Option<[u8; 32]> = known.and_then(|hash| hash.try_into().ok());
    let token = match (read_token(&path)?, known) {
        (Some(token), _) => token,
        (None, Some(admin)) => return Ok(Tokens { admin }),
        (None, None) => {
            let token = make_token()?;
            write_private(&path, &token).map_err(|source| TokenError::File { path, source })?;
            token
        }
    };
    let tokens = Tokens::of_admin(&token);
    if known != Some(tokens.admin) {
        let record = Record::Setting(ADMIN_SETTING.into(), tokens.admin.to_vec());
        store.commit(record.into()).await?;
    }
    Ok(tokens)
}

impl Tokens {
    /// Tokens of which only the admin's is known, in clear.
    pub fn of_admin(token: &str) -> Self {
        Self { admin: Sha256::digest(token.as_bytes()).into() }
    }

    /// Who presents this token; `None` if it opens nothing. Takes the same time
    /// for every wrong token.
    pub fn check(&self, presented: &str) -> Option<Principal> {
        let hash: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        bool::from(hash.ct_eq(&self.admin)).then_some(Principal { name: "admin" })
    }
}

fn read_token(path: &Path) -> Result<Option<String>, TokenError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let token = text.trim();
            if token.len() < MIN_LENGTH {
                return Err(TokenError::TooShort(path.to_owned()));
            }
            Ok(Some(token.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TokenError::File { path: path.to_owned(), source }),
    }
}

/// `pv_` and 256 random bits.
fn make_token() -> Result<String, TokenError> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(TokenError::NoRandom)?;
    Ok(format!("pv_{}", URL_SAFE_NO_PAD.encode(random)))
}

/// Writes a file that only its owner may read, durably before it counts: a
/// token whose hash is stored must not be lost with the power.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
