//! The bearer tokens of the northbound.
//!
//! At first start an admin token is made and written to `admin.token` in the
//! data folder, readable by its owner only; the store keeps nothing but its
//! SHA-256. The file is the truth while it is there, so a token is changed by
//! writing another one and starting again; without the file the known hash
//! stays good, so an operator may move the token to a safer place.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::access::{Principal, TokenRecord, UserRecord};
use crate::class::Class;
use crate::store::{Kind, Record, Store, StoreError};
use crate::time::Clock;

/// The name of the file in the data folder that holds the admin token.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The setting of the store that holds the SHA-256 of the admin token.
const ADMIN_SETTING: &str = "token/admin";

/// The shortest token that is taken from the file, in characters.
const MIN_LENGTH: usize = 32;

/// The tokens that open the northbound, as hashes.
#[derive(Clone)]
pub struct Tokens {
    admin: [u8; 32],
    /// The tokens of people and machines.
    known: Arc<Known>,
}

/// What the store holds of tokens, kept at hand until it changes.
struct Known {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    book: RwLock<Book>,
}

#[derive(Default)]
struct Book {
    generation: Option<u64>,
    tokens: HashMap<[u8; 32], (TokenRecord, Option<UserRecord>)>,
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
pub async fn load_or_make(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    data: &Path,
) -> Result<Tokens, TokenError> {
    let path = data.join(ADMIN_TOKEN_FILE);
    let known = store.setting(ADMIN_SETTING).await?;
    let known: Option<[u8; 32]> = known.and_then(|hash| hash.try_into().ok());
    let admin = match (read_token(&path)?, known) {
        (Some(token), _) => hashed(&token),
        (None, Some(admin)) => admin,
        (None, None) => {
            let token = make_token()?;
            write_private(&path, &token).map_err(|source| TokenError::File { path, source })?;
            hashed(&token)
        }
    };
    if known != Some(admin) {
        let record = Record::Setting(ADMIN_SETTING.into(), admin.to_vec());
        store.commit(record.into()).await?;
    }
    Ok(Tokens::new(store, clock, admin))
}

/// What is kept of a token's text.
fn hashed(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Tokens {
    /// The admin's token, in clear, and those that a store holds.
    pub fn over(store: Arc<dyn Store>, clock: Arc<dyn Clock>, admin: &str) -> Self {
        Self::new(store, clock, hashed(admin))
    }

    fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, admin: [u8; 32]) -> Self {
        Self { admin, known: Arc::new(Known { store, clock, book: RwLock::default() }) }
    }

    /// Who presents this token; `None` if it opens nothing. Takes the same time
    /// for every wrong token.
    ///
    /// # Errors
    /// What the store says.
    pub async fn check(&self, presented: &str) -> Result<Option<Principal>, StoreError> {
        let hash = hashed(presented);
        if bool::from(hash.ct_eq(&self.admin)) {
            return Ok(Some(Principal::admin()));
        }
        self.known.check(&hash).await
    }
}

impl Known {
    async fn check(&self, hash: &[u8; 32]) -> Result<Option<Principal>, StoreError> {
        let generation = self.store.generation(Kind::Token);
        let is_current = self.read().generation == Some(generation);
        if !is_current {
            let office = self.store.office();
            let users: HashMap<Box<str>, UserRecord> =
                office.users().await?.into_iter().map(|user| (user.name.clone(), user)).collect();
            let entry = |token: TokenRecord| {
                let user = token.user.as_ref().and_then(|name| users.get(name).cloned());
                (token.hash, (token, user))
            };
            let tokens = office.tokens().await?.into_iter().map(entry).collect();
            let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
            *book = Book { generation: Some(generation), tokens };
        }
        // Looked up by hash: how long it takes tells nothing of any token's text.
        let book = self.read();
        let found = book.tokens.get(hash);
        let now = self.clock.now();
        Ok(found.and_then(|(token, user)| Principal::of(token, user.as_ref(), now)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
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
