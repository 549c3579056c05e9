//! Writing a message.

use std::net::SocketAddr;

use super::integrity::{self, ATTRIBUTE, Padding};
use super::message::{HEADER, Kind, Transaction};
use super::{address, number};

/// Makes one message, attribute after attribute, in the order of the calls.
#[derive(Clone, Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    transaction: Transaction,
}

impl Writer {
    /// Begins a message.
    pub fn new(kind: Kind, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&kind.number().to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&transaction.0);
        Self { bytes, transaction }
    }

    /// How long the message is so far.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds any attribute, padded with zeros to four bytes. A value longer than
    /// 1,400 bytes is cut.
    #[must_use]
    pub fn attribute(mut self, number: u16, value: &[u8]) -> Self {
        let value = value.get(..1400).unwrap_or(value);
        let length = u16::try_from(value.len()).unwrap_or_default();
        self.bytes.extend_from_slice(&number.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
        self
    }

    /// Adds where the client was seen.
    #[must_use]
    pub fn mapped_address(self, at: SocketAddr) -> Self {
        self.address(number::MAPPED_ADDRESS, at)
    }

    /// Adds the same, veiled.
    #[must_use]
    pub fn xor_mapped_address(self, at: SocketAddr) -> Self {
        let veiled = address::veiled(at, &self.transaction);
        self.address(number::XOR_MAPPED_ADDRESS, veiled)
    }

    /// Adds where the answer is wanted.
    #[must_use]
    pub fn response_address(self, at: SocketAddr) -> Self {
        self.address(number::RESPONSE_ADDRESS, at)
    }

    /// Adds from which address and port the answer is wanted.
    #[must_use]
    pub fn change_request(self, address: bool, port: bool) -> Self {
        let flags = u32::from(address) * 4 + u32::from(port) * 2;
        self.attribute(number::CHANGE_REQUEST, &flags.to_be_bytes())
    }

    /// Adds from where the answer is sent.
    #[must_use]
    pub fn source_address(self, at: SocketAddr) -> Self {
        self.address(number::SOURCE_ADDRESS, at)
    }

    /// Adds the server's other address.
    #[must_use]
    pub fn changed_address(self, at: SocketAddr) -> Self {
        self.address(number::CHANGED_ADDRESS, at)
    }

    /// Adds who asked for an answer to somewhere else.
    #[must_use]
    pub fn reflected_from(self, at: SocketAddr) -> Self {
        self.address(number::REFLECTED_FROM, at)
    }

    /// Adds a user name, padded with blanks (TR-069 §G.2.1.1).
    #[must_use]
    pub fn username(self, name: &str) -> Self {
        let mut padded = name.as_bytes().to_vec();
        padded.resize(padded.len().next_multiple_of(4), b' ');
        self.attribute(number::USERNAME, &padded)
    }

    /// Adds an error code, from 100 to 699, with its reason.
    #[must_use]
    pub fn error_code(self, code: u16, reason: &str) -> Self {
        let class = u8::try_from(code / 100).unwrap_or_default();
        let rest = u8::try_from(code % 100).unwrap_or_default();
        let mut value = vec![0, 0, class, rest];
        value.extend_from_slice(reason.as_bytes());
        // RFC 3489 §11.2.9: blanks, so that the length is a multiple of four.
        value.resize(value.len().next_multiple_of(4), b' ');
        self.attribute(number::ERROR_CODE, &value)
    }

    /// Adds the attributes that were not understood; of an odd number one stands
    /// twice (RFC 3489 §11.2.10).
    #[must_use]
    pub fn unknown_attributes(self, numbers: &[u16]) -> Self {
        let mut value: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        if let (1, Some(last)) = (numbers.len() % 2, numbers.last()) {
            value.extend_from_slice(&last.to_be_bytes());
        }
        self.attribute(number::UNKNOWN_ATTRIBUTES, &value)
    }

    /// Says that UDP connection requests are expected at the sending port.
    #[must_use]
    pub fn connection_request_binding(self) -> Self {
        self.attribute(number::CONNECTION_REQUEST_BINDING, super::CONNECTION_REQUEST_BINDING)
    }

    /// Says that the binding has changed.
    #[must_use]
    pub fn binding_change(self) -> Self {
        self.attribute(number::BINDING_CHANGE, &[])
    }

    /// The message as it is.
    pub fn finish(mut self) -> Vec<u8> {
        self.set_length(0);
        self.bytes
    }

    /// The message with MESSAGE-INTEGRITY as its last attribute.
    pub fn sign(mut self, password: &[u8], padding: Padding) -> Vec<u8> {
        self.set_length(ATTRIBUTE);
        let mac = integrity::mac(&self.bytes, padding, password);
        self.attribute(number::MESSAGE_INTEGRITY, &mac).finish()
    }

    fn address(self, number: u16, at: SocketAddr) -> Self {
        let mut value = Vec::with_capacity(20);
        address::write(at, &mut value);
        self.attribute(number, &value)
    }

    /// Puts the length into the header; `more` is still to come.
    fn set_length(&mut self, more: usize) {
        let length = u16::try_from(self.bytes.len() + more - HEADER).unwrap_or(u16::MAX);
        if let Some(field) = self.bytes.get_mut(2..4) {
            field.copy_from_slice(&length.to_be_bytes());
        }
    }
}
