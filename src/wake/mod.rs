//! Waking devices: connection requests over HTTP (TR-069 §3.2.2), by UDP
//! through a NAT (Annex G) and through an XMPP server (Annex K), with the guard
//! that keeps them from going anywhere but to the device.
//!
//! A device reports where it can be reached, and a hostile one reports
//! somebody else's address. So a request goes only to the address that the
//! device itself called from, or into networks that the operator allows; it
//! carries nothing that the device chose but a path, follows no redirect, and
//! takes two seconds and 8 KiB at most.
//!
//! Phones are told by SIP NOTIFY ([`notify()`]) or Fanvil's action URI ([`action_uri()`]).
//!
//! [`Waker::wake`] and [`Waker::report`] are all that others use for devices: they read the
//! store, ask the guard (`guard`), count (`pace`, `recent`), choose the way (`waker`) and speak
//! (`request`, `udp`, [`XmppAsk`]).

mod action;
mod address;
mod error;
mod guard;
mod notify;
mod pace;
mod recent;
mod request;
mod udp;
mod waker;
mod ways;
mod xmpp;

pub use action::{ActionOutcome, action_uri};
pub use error::WakeError;
pub use notify::{NOTIFY_WITHIN, NotifyOutcome, NotifyRequest, notify};
pub use udp::{StunAccounts, StunDoor};
pub use waker::{Waker, WakerDeps};
pub use ways::{Attempt, WakeReport, Way, Woken, XmppAsk, XmppStanding};
pub use xmpp::XmppWay;
