//! What happened, to be told to others: the words of the event stream and of
//! webhooks.
//!
//! Pure. Which commit brings which news is `ledger`'s business; who is told, over
//! which connection, that of `herald` and `api`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod kind;
mod record;
mod webhook;

pub use kind::NewsKind;
pub use record::{News, NewsDraft};
pub use webhook::{DeadLetter, WebhookRecord};
