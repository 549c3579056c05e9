//! Tags that profiles set and take away.

use tracing::warn;

use super::desiring::Case;
use super::driver::Driver;
use crate::profile::Resolved;
use crate::store::{Record, StoreError};

/// Changes of tags in one session, since each may let other profiles match.
const MAX_ROUNDS: usize = 4;

impl Driver {
    /// Brings the tags to what profiles want. `true` if they changed, so that other
    /// profiles may match. Tags that an operator changes meanwhile go before: then
    /// it is looked at again in the next session.
    pub(super) async fn set_tags(
        &mut self,
        case: &mut Case,
        resolved: &Resolved,
    ) -> Result<bool, StoreError> {
        let mut tags = case.labels.tags.clone();
        for change in &resolved.tags {
            if change.wanted {
                tags.insert(change.tag.clone());
            } else {
                tags.remove(&change.tag);
            }
        }
        if tags == case.labels.tags {
            return Ok(false);
        }
        if case.tags_seen.contains(&tags) || case.tags_seen.len() > MAX_ROUNDS {
            let differing: Vec<&str> =
                tags.symmetric_difference(&case.labels.tags).map(|tag| &**tag).collect();
            let problem = format!("profiles disagree on the tags {}", differing.join(", "));
            if !case.problems.iter().any(|known| **known == *problem) {
                case.problems.push(problem.into());
            }
            return Ok(false);
        }
        let mut labels = case.labels.clone();
        labels.tags = tags;
        labels.revision = labels.revision.saturating_add(1);
        let id = &self.work.device.id;
        // On its own: the mark of the device has to name the revision that is there.
        match self.shared.store.commit(Record::Labels(id.clone(), labels.clone()).into()).await {
            Ok(()) => {
                case.tags_seen.push(labels.tags.clone());
                case.labels = labels;
                Ok(true)
            }
            Err(StoreError::Conflict(_)) => {
                warn!(device.id = %id, "its labels were changed meanwhile: tags wait for the next session");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
