//! SIP messages (RFC 3261) as far as provisioning needs them: a lenient reader
//! of single datagrams, an exact writer, and the times of sending again.
//!
//! Phones ask for their configuration by SUBSCRIBE and are told to fetch it by
//! NOTIFY. No dialogs, no calls, no transport but UDP. Sockets and rates are
//! [`crate::announce`]'s and [`crate::wake`]'s.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod address;
mod error;
mod message;
mod resend;
mod write;

pub use address::{NameAddress, Uri};
pub use error::SipError;
pub use message::{MAX_DATAGRAM, Message, Start};
pub use resend::Resend;
pub use write::Writer;
