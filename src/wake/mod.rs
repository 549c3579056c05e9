//! Waking devices: connection requests over HTTP (TR-069 §3.2.2), with the
//! guard that keeps them from going anywhere but to the device.
//!
//! A device reports where it can be reached, and a hostile one reports
//! somebody else's address. So a request goes only to the address that the
//! device itself called from, or into networks that the operator allows.

mod error;
mod waker;

pub use error::WakeError;
pub use waker::Waker;
