//! Intents: what an operator wants without knowing a path: a Wi-Fi name, a PPPoE
//! login, a SIP line.
//!
//! Pure. An intent and what is known of a device make a
//! [`crate::device::Desired`], or the answer that the device cannot do it, or
//! that it was never asked whether it can.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
