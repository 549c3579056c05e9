//! What happened, to be told to others: the words of the event stream and of
//! webhooks.
//!
//! Pure. Which commit brings which news is `ledger`'s business; who is told, over
//! which connection, that of `herald` and `api`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod filter;
mod kind;
mod record;
mod sign;
mod view;
mod webhook;

pub use filter::NewsFilter;
pub use kind::NewsKind;
pub use record::{MAX_VALUES, News, NewsDraft, NewsValue};
pub use sign::signature;
pub use view::NewsView;
pub use webhook::{DeadLetter, WebhookProgress, WebhookRecord};
