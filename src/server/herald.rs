//! Those who tell others what happens: the hub of the event stream, webhooks, and
//! the watch for devices that stay away.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::error::ServerError;
use super::parts::Parts;
use crate::herald::{Hub, Presence, Webhooks, WebhooksDeps};

/// The herald's rooms.
pub(super) struct Herald {
    pub(super) hub: Arc<Hub>,
    pub(super) webhooks: Arc<Webhooks>,
}

impl Herald {
    /// Builds them, and keeps them at work until `stop`.
    pub(super) fn start(
        parts: &Parts<'_>,
        doors: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<Self, ServerError> {
        let (store, clock) = (parts.store.clone(), parts.clock.clone());
        let config = parts.live.events.clone();
        let hub = Hub::new(store.clone(), parts.vault.derive("event ids"), config.clone());
        let webhooks = Webhooks::new(WebhooksDeps {
            store: store.clone(),
            vault: parts.vault.clone(),
            clock: clock.clone(),
            hub: hub.clone(),
            config: parts.live.webhooks.clone(),
        })?;
        doors.spawn(hub.clone().run(stop.clone()));
        doors.spawn(webhooks.clone().run(stop.clone()));
        doors.spawn(Presence::new(store, clock, config).run(stop.clone()));
        Ok(Self { hub, webhooks })
    }
}
