//! How phones find this server by themselves: SIP PnP over multicast ([`pnp`]),
//! and firmware by multicast DNS ([`mdns`]).
//!
//! Phones that are told by an operator, or by DHCP, need neither, so both are
//! shut unless they are opened. What is announced leads to the doors of
//! [`crate::fetch`]; who may have what is decided there.

pub mod mdns;
pub mod pnp;
