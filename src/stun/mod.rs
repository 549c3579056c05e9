//! STUN as TR-069 Annex G uses it: messages of RFC 3489 with the two attributes
//! of TR-069, read leniently and written exactly, for both sides.
//!
//! Clients of RFC 5389, which put a magic cookie into the transaction, are
//! understood as well: they are answered with XOR-MAPPED-ADDRESS besides.
//! [`Message`] reads a datagram, [`Writer`] makes one, [`answer`] is what a
//! server says to a request. Sockets, rates and accounts are
//! [`crate::wake`]'s.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod address;
mod attribute;
mod integrity;
mod message;
mod serve;
mod write;

#[cfg(test)]
mod tests;

pub use attribute::Attribute;
pub use integrity::Padding;
pub use message::{Kind, MAX_MESSAGE, Message, StunError, Transaction};
pub use serve::{Answer, Asked, answer, classify, refusal};
pub use write::Writer;

/// The value of CONNECTION-REQUEST-BINDING (TR-069 §G.2.1.1), 20 bytes.
pub const CONNECTION_REQUEST_BINDING: &[u8; 20] = b"dslforum.org/TR-111 ";

/// The numbers of the attributes (RFC 3489 §11.2, RFC 5389 §18.2, TR-069 §G.2.1.1).
mod number {
    pub(super) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(super) const RESPONSE_ADDRESS: u16 = 0x0002;
    pub(super) const CHANGE_REQUEST: u16 = 0x0003;
    pub(super) const SOURCE_ADDRESS: u16 = 0x0004;
    pub(super) const CHANGED_ADDRESS: u16 = 0x0005;
    pub(super) const USERNAME: u16 = 0x0006;
    pub(super) const PASSWORD: u16 = 0x0007;
    pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(super) const ERROR_CODE: u16 = 0x0009;
    pub(super) const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub(super) const REFLECTED_FROM: u16 = 0x000B;
    pub(super) const REALM: u16 = 0x0014;
    pub(super) const NONCE: u16 = 0x0015;
    pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(super) const CONNECTION_REQUEST_BINDING: u16 = 0xC001;
    pub(super) const BINDING_CHANGE: u16 = 0xC002;

    /// Attributes below this must be understood (RFC 3489 §11.2).
    pub(super) const OPTIONAL_FROM: u16 = 0x8000;
}
