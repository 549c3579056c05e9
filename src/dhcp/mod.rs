//! DHCP and phones: what a server is to say, and what a phone makes of it.
//!
//! Pure. [`Plan`] says which phones and devices get which options, and is written
//! for dnsmasq, Kea and ISC dhcpd. [`explain()`] tells which URLs a phone will form
//! from given options. [`Reply`] and [`discover`] are the two messages that asking
//! a server takes. No DHCP server lives here: Provost gives no leases.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod dnsmasq;
mod explain;
mod isc;
mod kea;
mod options;
mod packet;
mod plan;

pub use explain::{Asker, Explained, Formed, Role, explain};
pub use options::{Options, OptionsError, sub_options};
pub use packet::{Discover, OFFER, PacketError, Reply, discover};
pub use plan::{AcsOption, Dialect, Match, Plan, PlanError, Rule, Value};
