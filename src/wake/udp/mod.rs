//! Waking through a NAT: the STUN server that devices bind at, and the
//! datagrams that are sent back through their bindings (TR-069 Annex G).

mod accounts;
mod bindings;
mod datagram;
mod door;
mod rate;

pub use accounts::StunAccounts;
pub(super) use datagram::Request;
pub use door::StunDoor;
