//! What the supply is built from.

use std::sync::{Arc, PoisonError, RwLock};

use super::book::Book;
use super::cache::Cache;
use super::ledger::Ledger;
use super::throttle::Throttle;
use super::walk::Walks;
use crate::class::Class;
use crate::config::PhonesConfig;
use crate::files::Shelf;
use crate::phone::Phone;
use crate::provision::audiocodes::{CfxError, KeyDigest};
use crate::provision::fanvil::{CipherError, Profile};
use crate::provision::{AcsLogin, Ciphers, PhoneLinks, SiteLinks, Templates};
use crate::store::{Store, Vault};
use crate::time::Clock;

/// How a phone logs in to the CWMP server of this house; `None` if it has none.
pub type AcsFor = dyn Fn(&Phone) -> Option<AcsLogin> + Send + Sync;

/// Under which addresses phones reach the doors, each without a path and
/// without a `/` at its end; empty where there is no such door.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bases {
    /// `http://host:port`.
    pub http: String,
    /// `https://host:port`.
    pub https: String,
    /// Whether phones are told the second where they are told one.
    pub prefer_https: bool,
}

/// What the supply is built from.
#[derive(Clone)]
pub struct SupplyDeps {
    /// The inventory.
    pub store: Arc<dyn Store>,
    /// Opens the secrets of phones and sites; derives the keys of fingerprints.
    pub vault: Arc<Vault>,
    /// Firmware images.
    pub shelf: Arc<Shelf>,
    /// The tokens of phones.
    pub phone_links: PhoneLinks,
    /// The tokens of sites.
    pub site_links: SiteLinks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings for phones.
    pub phones: PhonesConfig,
    /// The templates; exchanged by [`Supply::set_templates`].
    pub templates: Arc<Templates>,
    /// Where phones reach the doors.
    pub bases: Bases,
    /// How phones log in to the CWMP server.
    pub acs: Arc<AcsFor>,
}

/// A setting names no way to encrypt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CipherChoiceError {
    /// `phones.fanvil_encryption` names no profile.
    #[error("phones.fanvil_encryption: {0}")]
    Fanvil(#[from] CipherError),
    /// `phones.audiocodes_key_digest` names no digest.
    #[error("phones.audiocodes_key_digest: {0}")]
    AudioCodes(#[from] CfxError),
}

impl CipherChoiceError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What the phone's doors stand before; see the room's page.
pub struct Supply {
    pub(super) deps: SupplyDeps,
    pub(super) templates: RwLock<Arc<Templates>>,
    pub(super) ciphers: Ciphers,
    /// What fingerprints of bodies are keyed with.
    pub(super) fingerprint_key: [u8; 32],
    pub(super) throttle: Throttle,
    pub(super) walks: Walks,
    pub(super) cache: Cache,
    pub(super) book: Book,
    pub(super) ledger: Arc<Ledger>,
}

impl Supply {
    /// Builds the supply.
    ///
    /// # Errors
    /// [`CipherChoiceError`] if `phones.fanvil_encryption` or
    /// `phones.audiocodes_key_digest` names none.
    pub fn new(deps: SupplyDeps) -> Result<Self, CipherChoiceError> {
        Ok(Self {
            templates: RwLock::new(Arc::clone(&deps.templates)),
            ciphers: Ciphers {
                fanvil: Profile::named(&deps.phones.fanvil_encryption)?,
                audiocodes: KeyDigest::named(&deps.phones.audiocodes_key_digest)?,
            },
            fingerprint_key: deps.vault.derive("phone file fingerprints"),
            throttle: Throttle::new(deps.phones.requests_per_minute),
            walks: Walks::new(deps.phones.addresses_in_vain),
            cache: Cache::new(deps.store.watch()),
            book: Book::new(Arc::clone(&deps.store)),
            ledger: Arc::new(Ledger::new(Arc::clone(&deps.store))),
            deps,
        })
    }

    /// Takes other templates from now on; what was made of the old ones is
    /// forgotten.
    pub fn set_templates(&self, templates: Templates) {
        *self.templates.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(templates);
        self.cache.forget();
    }

    pub(super) fn templates(&self) -> Arc<Templates> {
        Arc::clone(&self.templates.read().unwrap_or_else(PoisonError::into_inner))
    }
}
