//! The entries of the audit, and the chain that they stand in.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::time::Timestamp;

/// One change, as it is handed to the store; the store numbers and chains it.
///
/// Nothing in it is secret: values that are were masked when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    /// When.
    pub at: Timestamp,
    /// Who, by name.
    pub actor: Box<str>,
    /// With which token; empty for the one in `admin.token` and for the server
    /// itself.
    pub token: Box<str>,
    /// From where.
    pub address: Option<IpAddr>,
    /// The request; the same for all changes of one.
    pub request: u128,
    /// What was done, as a word for filters: `labels.change`, `task.create`.
    pub action: Box<str>,
    /// The kind of what it was done to: `device`, `profile`, `token`.
    pub kind: Box<str>,
    /// Its key.
    pub key: Box<str>,
    /// Whose it is; empty for nobody's.
    pub tenant: Box<str>,
    /// The site where it stands; may be empty.
    pub site: Box<str>,
    /// What was done, in words.
    pub sentence: Box<str>,
    /// What differs, as it was before: JSON, masked; `None` if it is new.
    pub before: Option<Box<str>>,
    /// What differs, as it is now: JSON, masked; `None` if it is gone.
    pub after: Option<Box<str>>,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number, from 0, without gaps.
    pub number: u64,
    /// What it says.
    pub draft: AuditDraft,
    /// What it says as it was stored and hashed.
    pub body: Vec<u8>,
    /// [`chained`] over the entry before it, its number and its body.
    pub hash: [u8; 32],
}

/// The hash of an entry: SHA-256 over the hash of the entry before it (zeros for
/// the first), its number (big-endian) and its body.
pub fn chained(previous: &[u8; 32], number: u64, body: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(previous);
    digest.update(number.to_be_bytes());
    digest.update(body);
    digest.finalize().into()
}
