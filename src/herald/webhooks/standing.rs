//! How webhooks are doing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::time::Timestamp;

/// How a webhook is doing since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// When something was taken last.
    pub last_success: Option<Timestamp>,
    /// When an attempt failed last.
    pub last_failure: Option<Timestamp>,
    /// Why it failed.
    pub problem: Option<String>,
    /// Failed attempts since something was taken last.
    pub attempts: u32,
}

/// All of them, by webhook.
#[derive(Default)]
pub(super) struct Standings(Mutex<HashMap<Box<str>, Standing>>);

impl Standings {
    pub(super) fn of(&self, id: &str) -> Standing {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned().unwrap_or_default()
    }

    pub(super) fn known(&self) -> Vec<Box<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(super) fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(super) fn succeeded(&self, id: &str, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = all.entry(id.into()).or_default();
        standing.last_success = Some(now);
        standing.attempts = 0;
    }

    pub(super) fn failed(&self, id: &str, now: Timestamp, problem: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let standing = all.entry(id.into()).or_default();
        standing.last_failure = Some(now);
        standing.problem = Some(problem.to_owned());
        standing.attempts = standing.attempts.saturating_add(1);
    }
}
