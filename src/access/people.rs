//! Users and tenants.

use serde::{Deserialize, Serialize};

use super::{Reach, Role};
use crate::time::Timestamp;

/// A person who holds tokens. None of them gives more than is said here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// The key.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// The person's name as people write it.
    pub full_name: Box<str>,
    /// An address for mail; may be empty.
    pub email: Box<str>,
    /// What the person may do at most.
    pub role: Role,
    /// Whose things the person sees at most.
    pub reach: Reach,
    /// Whether all tokens of the person are shut.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A tenant: whose devices, sites and phones are kept apart from those of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// The key, as it stands in labels and sites.
    pub name: Box<str>,
    /// Raised by one with each change; a change on an old revision is refused.
    pub revision: u32,
    /// The name as people write it.
    pub title: Box<str>,
    /// Anything.
    pub note: Box<str>,
    /// When it was made.
    pub created_at: Timestamp,
}
