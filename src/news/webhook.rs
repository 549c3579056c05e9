//! Webhooks and what could not be delivered.

use serde::{Deserialize, Serialize};

use super::{NewsDraft, NewsKind};
use crate::access::Reach;
use crate::device::Sealed;
use crate::time::Timestamp;

/// An address to which news is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// The key.
    pub id: Box<str>,
    /// Raised by one with each change by an operator; a change on an old revision
    /// is refused.
    pub revision: u32,
    /// What it is for, in its maker's words.
    pub name: Box<str>,
    /// Where to send it.
    pub url: Box<str>,
    /// With what it is signed.
    pub secret: Sealed,
    /// Which kinds; all if empty.
    pub kinds: Vec<NewsKind>,
    /// Whose: never more than its maker saw.
    pub reach: Reach,
    /// Whether it is sent at all.
    pub enabled: bool,
    /// Why it was switched off by itself; empty if it was not.
    pub stopped: Box<str>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: Box<str>,
}

/// News that a webhook did not take for as long as it was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The webhook.
    pub webhook: Box<str>,
    /// The number of the news.
    pub number: u64,
    /// What it says.
    pub news: NewsDraft,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub problem: Box<str>,
    /// When it was given up.
    pub at: Timestamp,
}
