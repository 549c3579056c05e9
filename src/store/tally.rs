//! What commits do to the figures of tasks: counted when a group is durable, and
//! not before.

use crate::metrics::{TASKS_ENDED, TASKS_OPEN};

/// A task as it is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskWords {
    /// What is to be done.
    pub(super) action: &'static str,
    /// How it stands.
    pub(super) state: &'static str,
}

/// What batches do to the figures.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By how many the open tasks become more.
    pub(super) opened: i64,
    /// The tasks that ended.
    pub(super) ended: Vec<TaskWords>,
}

impl Tally {
    /// Adds what another batch does, and empties it.
    pub(super) fn take(&mut self, other: &mut Self) {
        self.opened += std::mem::take(&mut other.opened);
        self.ended.append(&mut other.ended);
    }

    /// Forgets it.
    pub(super) fn clear(&mut self) {
        self.opened = 0;
        self.ended.clear();
    }

    /// Counts it, and empties it.
    pub(super) fn count(&mut self) {
        if self.opened != 0 {
            TASKS_OPEN.shift(std::mem::take(&mut self.opened));
        }
        for task in self.ended.drain(..) {
            TASKS_ENDED.one_at(task.action, task.state);
        }
    }
}
