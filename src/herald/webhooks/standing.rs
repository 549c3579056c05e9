//! How webhooks are doing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::news::WebhookProgress;

/// All webhooks that were at work since the server started: each begins with what
/// is durable of it.
#[derive(Default)]
pub(super) struct Standings(Mutex<HashMap<Box<str>, WebhookProgress>>);

impl Standings {
    pub(super) fn of(&self, id: &str) -> Option<WebhookProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    pub(super) fn known(&self) -> Vec<Box<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(super) fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(super) fn set(&self, id: &str, progress: &WebhookProgress) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.into(), progress.clone());
    }
}
