//! Waiting for a task to end, without polling.

use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;

use super::problem::ApiError;
use crate::device::{Task, TaskId};
use crate::store::{Notice, Store};

/// Returns the task when it is ended or `patience` is over, whichever comes
/// first.
///
/// `notices` must have been subscribed to before whatever may end the task was
/// set in motion; then nothing is missed between the look and the wait.
pub(super) async fn until_ended(
    store: &dyn Store,
    mut notices: broadcast::Receiver<Notice>,
    id: TaskId,
    patience: Duration,
) -> Result<Task, ApiError> {
    let deadline = Instant::now() + patience;
    loop {
        let task = store.task(id).await?;
        let task = task.ok_or_else(|| ApiError::NoSuch { what: "task", name: id.to_string() })?;
        if task.state.is_ended() {
            return Ok(task);
        }
        if tokio::time::timeout_at(deadline, news_of(&mut notices, id)).await.is_err() {
            return Ok(task);
        }
    }
}

/// Returns when the task may have changed.
async fn news_of(notices: &mut broadcast::Receiver<Notice>, id: TaskId) {
    loop {
        match notices.recv().await {
            Ok(Notice::Task { id: changed, .. }) if changed == id => return,
            Ok(_) => {}
            // Something was missed: look again.
            Err(RecvError::Lagged(_)) => return,
            // The store is shut down; the next look tells so, or time runs out.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
    }
}
