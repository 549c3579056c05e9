//! The end: doors, what goes on by itself, the store, and all within ten seconds.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use super::data::{ADDRESSES, NORTHBOUND_URL};
use super::error::ServerError;
use super::house::Server;

/// How long all that serves may take to end; what has not ended then is let go.
const DOORS_WITHIN: Duration = Duration::from_secs(7);

/// How long closing the store may take after that.
const STORE_WITHIN: Duration = Duration::from_millis(2_500);

impl Server {
    /// Stops: says so at `/readyz`, closes the doors, lets requests under way end,
    /// ends the live sessions, lets campaigns and webhooks come to a durable point,
    /// and closes the store. Takes less than ten seconds, whatever clients do.
    ///
    /// # Errors
    /// [`ServerError::Store`] if the store could not be closed cleanly; what
    /// was acknowledged is safe nevertheless.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        let began = Instant::now();
        self.ready.stop();
        self.stop.cancel();
        let doors = async { while self.doors.join_next().await.is_some() {} };
        if timeout_at(began + DOORS_WITHIN, doors).await.is_err() {
            warn!(left = self.doors.len(), "not everything ended in time; the rest is let go");
            self.doors.abort_all();
        }
        self.data.remove(NORTHBOUND_URL);
        self.data.remove(ADDRESSES);
        match timeout_at(Instant::now() + STORE_WITHIN, self.store.close()).await {
            Ok(closed) => closed?,
            // All that was acknowledged is in the journal; the next start reads it.
            Err(_) => {
                warn!("the store took too long to be closed; the next start reads the journal")
            }
        }
        info!(took = ?began.elapsed(), "stopped");
        Ok(())
    }
}
