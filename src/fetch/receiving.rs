//! Which files are on their way in, by the task that asked for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::TaskId;

/// How many may send for one task at once: one whose connection hangs, and one
/// that tries again meanwhile.
const AT_ONCE: usize = 2;

/// The files on their way in.
#[derive(Debug, Default)]
pub(super) struct Receiving {
    tasks: Mutex<HashMap<TaskId, Arc<tokio::sync::Mutex<()>>>>,
}

/// One file's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    receiving: &'a Receiving,
    task: TaskId,
    /// Held while a file of this task comes to its place, so that of two that
    /// come at once one is the first.
    pub(super) placing: Arc<tokio::sync::Mutex<()>>,
}

impl Receiving {
    /// Takes a place for a file that this task asked for; `None` if too many
    /// send already.
    pub(super) fn enter(&self, task: TaskId) -> Option<Turn<'_>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let placing = tasks.entry(task).or_default();
        // The map holds one itself.
        if Arc::strong_count(placing) > AT_ONCE {
            return None;
        }
        Some(Turn { receiving: self, task, placing: Arc::clone(placing) })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut tasks = self.receiving.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own and this one.
        if Arc::strong_count(&self.placing) <= 2 {
            tasks.remove(&self.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_may_send_for_a_task_and_places_come_back() {
        let receiving = Receiving::default();
        let (one, other) = (TaskId(1), TaskId(2));
        let first = receiving.enter(one).unwrap();
        let second = receiving.enter(one).unwrap();
        assert!(receiving.enter(one).is_none());
        assert!(receiving.enter(other).is_some());
        drop(first);
        let third = receiving.enter(one).unwrap();
        assert!(receiving.enter(one).is_none());
        drop((second, third));
        assert!(receiving.tasks.lock().unwrap().is_empty());
    }
}
