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

/// How far a webhook is, and how its deliveries go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookProgress {
    /// The number of the next news that it is to have.
    pub next: u64,
    /// When something was taken last.
    pub last_success: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_failure: Option<Timestamp>,
    /// Why it failed; empty if none did.
    pub problem: Box<str>,
    /// Failed attempts since something was taken last.
    pub attempts: u32,
    /// Since when nothing was taken, if attempts fail.
    pub failing_since: Option<Timestamp>,
    /// The revision of the webhook with which they fail: what an operator changed
    /// since then may have helped.
    pub revision: u32,
}

impl From<u64> for WebhookProgress {
    /// Of a webhook that begins with the news of a number.
    fn from(next: u64) -> Self {
        Self { next, ..Self::default() }
    }
}

impl WebhookProgress {
    /// Something was taken.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.last_success = Some(now);
        self.attempts = 0;
        self.failing_since = None;
    }

    /// An attempt failed: since when they do, and of which revision.
    pub fn failed(&mut self, now: Timestamp, problem: &str, since: Timestamp, revision: u32) {
        self.last_failure = Some(now);
        self.problem = problem.into();
        self.attempts = self.attempts.saturating_add(1);
        self.failing_since = Some(since);
        self.revision = revision;
    }
}
