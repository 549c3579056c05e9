//! Waking devices: connection requests over HTTP (TR-069 §3.2.2), with the
//! guard that keeps them from going anywhere but to the device.
//!
//! A device reports where it can be reached, and a hostile one reports
//! somebody else's address. So a request goes only to the address that the
//! device itself called from, or into networks that the operator allows; it
//! carries nothing that the device chose but a path, follows no redirect, and
//! takes two seconds and 8 KiB at most.
//!
//! Phones are told by SIP NOTIFY ([`notify()`]) or Fanvil's action URI ([`action_uri()`]).
//!
//! [`Waker::wake`] is all that others use for devices: it reads the store, asks the guard
//! (`guard`), counts (`pace`) and speaks (`request`).

mod action;
mod address;
mod error;
mod guard;
mod notify;
mod pace;
mod recent;
mod request;
mod waker;
mod ways;

pub use action::{ActionOutcome, action_uri};
pub use error::WakeError;
pub use notify::{NOTIFY_WITHIN, NotifyOutcome, NotifyRequest, notify};
pub use waker::{Waker, WakerDeps};
pub use ways::{Attempt, WakeReport, Way, Woken, XmppAsk};
