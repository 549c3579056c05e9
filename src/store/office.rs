//! The records of the northbound itself: tokens, users, tenants, the audit, news
//! and who is told of them, answers that are given twice, documents of the
//! GenieACS dialect.

use std::ops::ControlFlow;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::embedded::Embedded;
use super::index::{Index, end_of};
use super::record::{self, HEAD, Stored};
use super::step::Step;
use super::{Resealed, StoreError, Vault, before, keys};
use crate::access::{AuditDraft, AuditEntry, TenantRecord, TokenRecord, TokenUse, UserRecord};
use crate::device::DeviceId;
use crate::news::{DeadLetter, News, NewsDraft, WebhookProgress, WebhookRecord};
use crate::time::Timestamp;

/// One typed record of the northbound.
#[derive(Clone, Debug)]
pub enum OfficeRecord {
    /// A token; revisioned.
    Token(Box<TokenRecord>),
    /// When a token was last used.
    TokenUse(Box<str>, TokenUse),
    /// A user; revisioned.
    User(Box<UserRecord>),
    /// A tenant; revisioned.
    Tenant(Box<TenantRecord>),
    /// An entry of the audit, which the store numbers and chains.
    Audit(Box<AuditDraft>),
    /// News, which the store numbers.
    News(Box<NewsDraft>),
    /// A webhook; revisioned.
    Webhook(Box<WebhookRecord>),
    /// How far a webhook is, and how its deliveries go.
    WebhookAt(Box<str>, WebhookProgress),
    /// News that a webhook did not take.
    DeadLetter(Box<DeadLetter>),
    /// A device that was told to be away, and since when.
    Away(DeviceId, Timestamp),
    /// A document of the GenieACS dialect.
    Document(Box<Document>),
    /// An answer to a request with an `Idempotency-Key`.
    Reply(Box<Reply>),
    /// A change over many devices that goes on by itself.
    Bulk(Box<BulkRecord>),
}

/// What is to be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfficeKey {
    /// A token, with when it was last used.
    Token(Box<str>),
    /// A user.
    User(Box<str>),
    /// A tenant.
    Tenant(Box<str>),
    /// A webhook, with how far it is.
    Webhook(Box<str>),
    /// News that a webhook did not take: the webhook and the number.
    DeadLetter(Box<str>, u64),
    /// A device is not away.
    Away(DeviceId),
    /// A document: its collection and its id.
    Document(Box<str>, Box<str>),
    /// An answer: the token's id and the key.
    Reply(Box<str>, Box<str>),
    /// A change over many devices.
    Bulk(u128),
}

/// A document of the GenieACS dialect that is stored as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// `presets`, `provisions`, `virtual_parameters`, `objects`.
    pub collection: Box<str>,
    /// Its name there.
    pub id: Box<str>,
    /// The text: JSON or a script.
    pub body: Box<str>,
    /// When it was stored.
    pub at: Timestamp,
}

/// The answer to a request that may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The id of the token that asked.
    pub token: Box<str>,
    /// The `Idempotency-Key`.
    pub key: Box<str>,
    /// SHA-256 over method, path, query and body: the same key with another
    /// request is refused.
    pub request: [u8; 32],
    /// When it was asked.
    pub at: Timestamp,
    /// The answer's status; 0 while the request is being worked on.
    pub status: u16,
    /// The answer's headers that belong to it.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The answer's body.
    pub body: Vec<u8>,
}

/// A change over many devices that goes on by itself. What is done for a device is
/// committed together with how far the change is: nothing is done twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkRecord {
    /// The key.
    pub id: u128,
    /// Who asked for it.
    pub created_by: Box<str>,
    /// The id of the token that asked; empty for the one in `admin.token`.
    pub token: Box<str>,
    /// What the one who asked may do.
    pub rights: Vec<crate::access::Right>,
    /// Whose devices, as the one who asked sees them.
    pub reach: crate::access::Reach,
    /// When.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// What was asked for: JSON as it came. Sealed with the record.
    pub asked: Box<str>,
    /// Where the page of devices under work begins; the first if `None`.
    pub page: Option<Box<str>>,
    /// The last device that was dealt with.
    pub after: Option<DeviceId>,
    /// How many devices there were when it was asked.
    pub total: u64,
    /// Devices for which it was done.
    pub done: u64,
    /// Devices for which it could not be done.
    pub failed: u64,
    /// The first of those, and why: at most twenty.
    pub problems: Vec<(DeviceId, Box<str>)>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Whether it is to go no further.
    pub cancelled: bool,
    /// Devices that the one who asked sees no longer, for which nothing was done.
    pub left_out: u64,
    /// Why it was stopped before its end; empty if it was not.
    pub stopped: Box<str>,
}

impl Stored for TokenRecord {
    const NAME: &'static str = "a token";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for TokenUse {
    const NAME: &'static str = "the use of a token";
}

impl Stored for UserRecord {
    const NAME: &'static str = "a user";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for TenantRecord {
    const NAME: &'static str = "a tenant";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for NewsDraft {
    const NAME: &'static str = "news";
}

impl Stored for WebhookRecord {
    const NAME: &'static str = "a webhook";
    const SEALED: bool = true;

    fn revision(&self) -> u32 {
        self.revision
    }
}

impl Stored for DeadLetter {
    const NAME: &'static str = "a dead letter";
}

impl Stored for Document {
    const NAME: &'static str = "a document";
    const SEALED: bool = true;
}

impl Stored for Reply {
    const NAME: &'static str = "an answer";
    const SEALED: bool = true;
}

impl Stored for BulkRecord {
    const NAME: &'static str = "a change over many devices";
    const VERSION: u8 = 2;
    const SEALED: bool = true;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::bulk(body)
    }
}

impl Stored for WebhookProgress {
    const NAME: &'static str = "how far a webhook is";
    const VERSION: u8 = 2;

    fn migrate(body: &[u8]) -> Option<Self> {
        before::webhook_progress(body)
    }
}

/// Since when a device is away.
#[derive(Serialize, Deserialize)]
struct Since(DeviceId, Timestamp);

impl Stored for Since {
    const NAME: &'static str = "a device that is away";
}

/// The body of an entry of the audit: what its hash is over.
impl Stored for AuditDraft {
    const NAME: &'static str = "an entry of the audit";
}

impl OfficeRecord {
    /// What the committer has to do for it.
    pub(super) fn step(&self, vault: &Vault) -> Result<Step, StoreError> {
        use super::step::{large, small, small_step};
        Ok(match self {
            Self::Token(token) => large(keys::named(b'T', &token.id), &**token, true, vault)?,
            Self::TokenUse(id, used) => small_step(keys::named(b'1', id), used, vault)?,
            Self::User(user) => large(keys::named(b'U', &user.name), &**user, true, vault)?,
            Self::Tenant(tenant) => large(keys::named(b'Z', &tenant.name), &**tenant, true, vault)?,
            Self::Audit(draft) => Step::Audit(small(keys::AUDIT, &**draft, vault)?),
            Self::News(draft) => Step::News(small(keys::NEWS, &**draft, vault)?),
            Self::Webhook(webhook) => {
                large(keys::named(b'W', &webhook.id), &**webhook, true, vault)?
            }
            Self::WebhookAt(id, progress) => small_step(keys::named(b'2', id), progress, vault)?,
            Self::DeadLetter(letter) => {
                small_step(keys::dead_letter(&letter.webhook, letter.number), &**letter, vault)?
            }
            Self::Away(id, since) => {
                small_step(keys::of_device(b'E', id), &Since(id.clone(), *since), vault)?
            }
            Self::Document(document) => large(
                keys::document(&document.collection, &document.id),
                &**document,
                false,
                vault,
            )?,
            Self::Reply(reply) => {
                large(keys::reply(&reply.token, &reply.key), &**reply, false, vault)?
            }
            Self::Bulk(bulk) => large(keys::bulk(bulk.id), &**bulk, false, vault)?,
        })
    }
}

impl OfficeKey {
    /// The keys that go with it.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Token(id) => vec![keys::named(b'T', id), keys::named(b'1', id)],
            Self::User(name) => vec![keys::named(b'U', name)],
            Self::Tenant(name) => vec![keys::named(b'Z', name)],
            Self::Webhook(id) => vec![keys::named(b'W', id), keys::named(b'2', id)],
            Self::DeadLetter(webhook, number) => vec![keys::dead_letter(webhook, *number)],
            Self::Away(id) => vec![keys::of_device(b'E', id)],
            Self::Document(collection, id) => vec![keys::document(collection, id)],
            Self::Reply(token, key) => vec![keys::reply(token, key)],
            Self::Bulk(id) => vec![keys::bulk(*id)],
        }
    }
}

/// Reads the records of the northbound. They are written by commits like all
/// others.
#[async_trait]
pub trait OfficeStore: Send + Sync {
    /// All tokens, by id.
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError>;
    /// One token.
    async fn token(&self, id: &str) -> Result<Option<TokenRecord>, StoreError>;
    /// When a token was last used.
    async fn token_use(&self, id: &str) -> Result<Option<TokenUse>, StoreError>;
    /// All users, by name.
    async fn users(&self) -> Result<Vec<UserRecord>, StoreError>;
    /// One user.
    async fn user(&self, name: &str) -> Result<Option<UserRecord>, StoreError>;
    /// All tenants, by name.
    async fn tenants(&self) -> Result<Vec<TenantRecord>, StoreError>;
    /// One tenant.
    async fn tenant(&self, name: &str) -> Result<Option<TenantRecord>, StoreError>;
    /// Entries of the audit from a number on, at most `limit`, oldest first.
    async fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;
    /// The numbers of the first entry that is kept and of the next one that will
    /// be made.
    async fn audit_range(&self) -> Result<(u64, u64), StoreError>;
    /// News from a number on, at most `limit`, oldest first.
    async fn news(&self, from: u64, limit: usize) -> Result<Vec<News>, StoreError>;
    /// The numbers of the first news that is kept and of the next that will be.
    async fn news_range(&self) -> Result<(u64, u64), StoreError>;
    /// All webhooks, by id.
    async fn webhooks(&self) -> Result<Vec<WebhookRecord>, StoreError>;
    /// One webhook.
    async fn webhook(&self, id: &str) -> Result<Option<WebhookRecord>, StoreError>;
    /// How far a webhook is, and how its deliveries go.
    async fn webhook_at(&self, id: &str) -> Result<Option<WebhookProgress>, StoreError>;
    /// What a webhook did not take, from a number on, oldest first.
    async fn dead_letters(
        &self,
        webhook: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;
    /// All devices that are away, and since when.
    async fn away(&self) -> Result<Vec<(DeviceId, Timestamp)>, StoreError>;
    /// Since when a device is away; `None` if it is not.
    async fn away_since(&self, id: &DeviceId) -> Result<Option<Timestamp>, StoreError>;
    /// The documents of a collection, by id.
    async fn documents(&self, collection: &str) -> Result<Vec<Document>, StoreError>;
    /// One document.
    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError>;
    /// The answer that a token was given to a request with a key.
    async fn reply(&self, token: &str, key: &str) -> Result<Option<Reply>, StoreError>;
    /// Answers in key order, strictly after the one named by token and key.
    async fn replies(
        &self,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> Result<Vec<Reply>, StoreError>;
    /// One change over many devices.
    async fn bulk(&self, id: u128) -> Result<Option<BulkRecord>, StoreError>;
    /// Looks at the next records that are sealed or hold what is, at most `limit`,
    /// from where a page before ended; with `write` those that an older key of the
    /// vault sealed are sealed anew.
    async fn reseal(
        &self,
        from: Option<&[u8]>,
        limit: usize,
        write: bool,
    ) -> Result<Resealed, StoreError>;
    /// All changes over many devices, oldest first, strictly after `after`.
    async fn bulks(&self, after: Option<u128>, limit: usize)
    -> Result<Vec<BulkRecord>, StoreError>;
}

impl<I: Index> Embedded<I> {
    /// The entries of a numbered log from a number on.
    fn log<T>(
        &self,
        prefix: &[u8],
        from: u64,
        limit: usize,
        read: impl Fn(u64, &[u8]) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut entries = Vec::new();
        let mut result = Ok(());
        if limit == 0 {
            return Ok(entries);
        }
        let first = keys::numbered(prefix, from);
        self.index()?.scan(&first, end_of(prefix).as_deref(), &mut |key, value| {
            match keys::number_of(key).map(|number| read(number, value)) {
                Some(Ok(entry)) => entries.push(entry),
                Some(Err(error)) => result = Err(error),
                None => {}
            }
            if result.is_ok() && entries.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        result.map(|()| entries)
    }

    /// The first number of a log and the one behind its last.
    fn log_range(&self, prefix: &[u8]) -> Result<(u64, u64), StoreError> {
        let index = self.index()?;
        let mut first = None;
        index.scan(prefix, end_of(prefix).as_deref(), &mut |key, _| {
            first = keys::number_of(key);
            ControlFlow::Break(())
        })?;
        let last = index.last_key(prefix)?.as_deref().and_then(keys::number_of);
        Ok(match (first, last) {
            (Some(first), Some(last)) => (first, last.saturating_add(1)),
            _ => (0, 0),
        })
    }
}

/// An entry of the audit as it lies in the store: its hash, then what it says.
fn audit_entry(number: u64, value: &[u8]) -> Result<AuditEntry, StoreError> {
    let (hash, body) = value
        .split_first_chunk::<32>()
        .ok_or_else(|| StoreError::Damaged(format!("entry {number} of the audit is cut")))?;
    let draft = record::decode_plain::<AuditDraft>(body)?;
    Ok(AuditEntry {
        number,
        draft,
        body: body.get(HEAD..).unwrap_or_default().to_vec(),
        hash: *hash,
    })
}

#[async_trait]
impl<I: Index> OfficeStore for Embedded<I> {
    async fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.page(b"T/", None, usize::MAX)
    }

    async fn token(&self, id: &str) -> Result<Option<TokenRecord>, StoreError> {
        self.record(&keys::named(b'T', id))
    }

    async fn token_use(&self, id: &str) -> Result<Option<TokenUse>, StoreError> {
        self.record(&keys::named(b'1', id))
    }

    async fn users(&self) -> Result<Vec<UserRecord>, StoreError> {
        self.page(b"U/", None, usize::MAX)
    }

    async fn user(&self, name: &str) -> Result<Option<UserRecord>, StoreError> {
        self.record(&keys::named(b'U', name))
    }

    async fn tenants(&self) -> Result<Vec<TenantRecord>, StoreError> {
        self.page(b"Z/", None, usize::MAX)
    }

    async fn tenant(&self, name: &str) -> Result<Option<TenantRecord>, StoreError> {
        self.record(&keys::named(b'Z', name))
    }

    async fn audit(&self, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.log(keys::AUDIT, from, limit, audit_entry)
    }

    async fn audit_range(&self) -> Result<(u64, u64), StoreError> {
        self.log_range(keys::AUDIT)
    }

    async fn news(&self, from: u64, limit: usize) -> Result<Vec<News>, StoreError> {
        self.log(keys::NEWS, from, limit, |number, value| {
            Ok(News { number, draft: record::decode_plain(value)? })
        })
    }

    async fn news_range(&self) -> Result<(u64, u64), StoreError> {
        self.log_range(keys::NEWS)
    }

    async fn webhooks(&self) -> Result<Vec<WebhookRecord>, StoreError> {
        self.page(b"W/", None, usize::MAX)
    }

    async fn webhook(&self, id: &str) -> Result<Option<WebhookRecord>, StoreError> {
        self.record(&keys::named(b'W', id))
    }

    async fn webhook_at(&self, id: &str) -> Result<Option<WebhookProgress>, StoreError> {
        self.record(&keys::named(b'2', id))
    }

    async fn dead_letters(
        &self,
        webhook: &str,
        from: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.log(&keys::dead_letters(webhook), from, limit, |_, value| record::decode_plain(value))
    }

    async fn away(&self) -> Result<Vec<(DeviceId, Timestamp)>, StoreError> {
        let all: Vec<Since> = self.page(b"E/", None, usize::MAX)?;
        Ok(all.into_iter().map(|Since(id, since)| (id, since)).collect())
    }

    async fn away_since(&self, id: &DeviceId) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.record::<Since>(&keys::of_device(b'E', id))?.map(|Since(_, since)| since))
    }

    async fn documents(&self, collection: &str) -> Result<Vec<Document>, StoreError> {
        self.page(&keys::document(collection, ""), None, usize::MAX)
    }

    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        self.record(&keys::document(collection, id))
    }

    async fn reply(&self, token: &str, key: &str) -> Result<Option<Reply>, StoreError> {
        self.record(&keys::reply(token, key))
    }

    async fn replies(
        &self,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> Result<Vec<Reply>, StoreError> {
        let after = after.map(|(token, key)| keys::reply(token, key));
        self.page(b"J/", after.as_deref(), limit)
    }

    async fn bulk(&self, id: u128) -> Result<Option<BulkRecord>, StoreError> {
        self.record(&keys::bulk(id))
    }

    async fn reseal(
        &self,
        from: Option<&[u8]>,
        limit: usize,
        write: bool,
    ) -> Result<Resealed, StoreError> {
        let (page, prepared) = self.reseal_page(from, limit, write)?;
        self.hand_over(prepared).await?;
        Ok(page)
    }

    async fn bulks(
        &self,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<BulkRecord>, StoreError> {
        self.page(b"O/", after.map(keys::bulk).as_deref(), limit)
    }
}
