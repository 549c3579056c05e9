//! Tokens.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Reach, Right, Role};
use crate::time::Timestamp;

/// A token that opens the northbound. Its text is shown once, and not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Names it in lists, in the audit and in its text: lower-case hex.
    pub id: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// What it is for, in its maker's words.
    pub name: Box<str>,
    /// Whose it is; a machine's if `None`.
    pub user: Option<Box<str>>,
    /// SHA-256 of its text.
    pub hash: [u8; 32],
    /// What it may do at most.
    pub role: Role,
    /// What of that it may do; everything if `None`.
    pub rights: Option<Vec<Right>>,
    /// Whose things it sees.
    pub reach: Reach,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Box<str>,
    /// When it ends; never if `None`.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// When a token was last used. Written now and then, not at each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub address: Option<IpAddr>,
}
