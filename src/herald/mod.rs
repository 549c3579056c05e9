//! Tells others what happened: listeners of the event stream, and webhooks.
//!
//! The news stands in the store, numbered, when anybody is told ([`crate::ledger`]
//! puts it there with the commit that brings it). The herald reads it once for all
//! listeners, replays what they missed, delivers to webhooks until they take it,
//! and notices devices that stay away.

mod hub;
mod ids;
mod listener;
mod presence;
mod told;
mod webhooks;

pub use hub::{Hub, HubFull, Seat};
pub use ids::EventIds;
pub use listener::{Heard, Listener};
pub use presence::Presence;
pub use told::{Told, gap_frame};
pub use webhooks::{Failure, Pace, Webhooks, WebhooksDeps, WebhooksError};
