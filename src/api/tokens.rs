//! The bearer tokens of the northbound.
//!
//! At first start an admin token is made and written to `admin.token` in the
//! data folder, readable by its owner only; the store keeps nothing but its
//! SHA-256. The file is the truth while it is there, so a token is changed by
//! writing another one and starting again; without the file the known hash
//! stays good, so an operator may move the token to a safer place.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::access::{Principal, TokenRecord, TokenUse, UserRecord};
use crate::class::Class;
use crate::store::{Kind, OfficeRecord, Record, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// The name of the file in the data folder that holds the admin token.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";

/// The setting of the store that holds the SHA-256 of the admin token.
const ADMIN_SETTING: &str = "token/admin";

/// The hex digits of a token's id.
const ID_DIGITS: usize = 16;

/// The shortest token that is taken from the file, in characters.
const MIN_LENGTH: usize = 32;

/// That a token was used is written once in this time.
const NOTE_EVERY: Duration = Duration::from_secs(60);

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
    /// When it was last written that a token was used, by its id.
    noted: Mutex<HashMap<Arc<str>, Timestamp>>,
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
        Self {
            admin,
            known: Arc::new(Known {
                store,
                clock,
                book: RwLock::default(),
                noted: Mutex::default(),
            }),
        }
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

    /// Notes that a principal was here. It is written behind the answer, by nobody
    /// in particular, and at most once a minute for each token: what is kept is of
    /// use to find tokens that nobody needs, and costs no request anything.
    pub(super) fn note(&self, principal: &Principal, address: IpAddr) {
        if principal.token.is_empty() || !self.known.is_due(&principal.token) {
            return;
        }
        let (known, id) = (Arc::clone(&self.known), principal.token.clone());
        let used = TokenUse { at: known.clock.now(), address: Some(address) };
        tokio::spawn(async move {
            if let Err(error) = known.write_use(&id, used).await {
                tracing::warn!(token.id = %id, %error, "when the token was used is not written");
            }
        });
    }
}

impl Known {
    /// Whether the use of a token is to be written, which it then is.
    fn is_due(&self, id: &Arc<str>) -> bool {
        let now = self.clock.now();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = noted.get(id).is_none_or(|at| now.since(*at) >= NOTE_EVERY || now < *at);
        if is_due {
            noted.insert(Arc::clone(id), now);
        }
        is_due
    }

    async fn write_use(&self, id: &str, used: TokenUse) -> Result<(), StoreError> {
        // One that was deleted meanwhile leaves nothing behind.
        if self.store.office().token(id).await?.is_none() {
            return Ok(());
        }
        let record = OfficeRecord::TokenUse(id.into(), used);
        self.store.commit(Record::Office(record).into()).await
    }

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
            let tokens: HashMap<_, (TokenRecord, _)> =
                office.tokens().await?.into_iter().map(entry).collect();
            let ids: HashSet<&str> = tokens.values().map(|(token, _)| &*token.id).collect();
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.retain(|id, _| ids.contains(&**id));
            drop((noted, ids));
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

/// `pv_` and 256 random bits: the first token.
fn make_token() -> Result<String, TokenError> {
    Ok(format!("pv_{}", URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// The id of a new token.
pub(super) fn make_id() -> Result<String, TokenError> {
    Ok(hex::encode(random::<{ ID_DIGITS / 2 }>()?))
}

/// The text of a token with an id, and what is kept of it.
pub(super) fn make_text(id: &str) -> Result<(String, [u8; 32]), TokenError> {
    let text = format!("pv_{id}_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let hash = hashed(&text);
    Ok((text, hash))
}

/// The id that a text names, if it looks like that of a token: safe in a log,
/// whoever made it up.
pub(super) fn named_id(text: &str) -> Option<&str> {
    let (id, _) = text.strip_prefix("pv_")?.split_once('_')?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (id.len() == ID_DIGITS && id.bytes().all(is_hex)).then_some(id)
}

fn random<const N: usize>() -> Result<[u8; N], TokenError> {
    let mut random = [0; N];
    getrandom::fill(&mut random).map_err(TokenError::NoRandom)?;
    Ok(random)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_of_a_token_may_be_told() {
        let id = make_id().unwrap();
        let (text, hash) = make_text(&id).unwrap();
        assert_eq!(named_id(&text), Some(id.as_str()));
        assert_eq!(hash, hashed(&text));
        assert!(text.len() >= 3 + ID_DIGITS + 1 + 43, "256 bits: {text}");
        assert_ne!(make_text(&id).unwrap().0, text);
        let first = make_token().unwrap();
        for other in ["", "pv_", "pv_0123", "pv_0123_x", "pv_0123456789ABCDEF_x", first.as_str()] {
            assert_eq!(named_id(other), None, "{other}");
        }
    }
}
