//! The attributes of a message.

use std::fmt;
use std::net::SocketAddr;

use super::message::Transaction;
use super::{address, number};

/// One attribute, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// Where the server saw the client.
    MappedAddress(SocketAddr),
    /// The same, veiled on the wire (RFC 5389 §15.2).
    XorMappedAddress(SocketAddr),
    /// Where the client wants the answer.
    ResponseAddress(SocketAddr),
    /// Whether the answer is wanted from the server's other address or port.
    ChangeRequest {
        /// Another address.
        address: bool,
        /// Another port.
        port: bool,
    },
    /// From where the answer was sent.
    SourceAddress(SocketAddr),
    /// The server's other address.
    ChangedAddress(SocketAddr),
    /// Who asked that the answer be sent somewhere else.
    ReflectedFrom(SocketAddr),
    /// The user name, as it stands: perhaps padded with blanks.
    Username(&'a [u8]),
    /// A HMAC over what comes before it.
    MessageIntegrity(&'a [u8; 20]),
    /// Why the request was refused.
    ErrorCode {
        /// As in HTTP, from 100 to 699.
        code: u16,
        /// In words.
        reason: &'a [u8],
    },
    /// The attributes that the server did not understand.
    UnknownAttributes(Vec<u16>),
    /// The request was sent from the port at which UDP connection requests are
    /// expected (TR-069 §G.2.1.1). The value should be
    /// [`super::CONNECTION_REQUEST_BINDING`].
    ConnectionRequestBinding(&'a [u8]),
    /// The client noticed that its binding has changed.
    BindingChange,
    /// Another one.
    Other(u16, &'a [u8]),
}

/// A password, a MAC and what is not known are told by their length only.
impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MappedAddress(at) => write!(f, "MappedAddress({at})"),
            Self::XorMappedAddress(at) => write!(f, "XorMappedAddress({at})"),
            Self::ResponseAddress(at) => write!(f, "ResponseAddress({at})"),
            Self::ChangeRequest { address, port } => write!(f, "ChangeRequest({address}, {port})"),
            Self::SourceAddress(at) => write!(f, "SourceAddress({at})"),
            Self::ChangedAddress(at) => write!(f, "ChangedAddress({at})"),
            Self::ReflectedFrom(at) => write!(f, "ReflectedFrom({at})"),
            Self::Username(name) => write!(f, "Username({:?})", String::from_utf8_lossy(name)),
            Self::MessageIntegrity(_) => f.write_str("MessageIntegrity"),
            Self::ErrorCode { code, .. } => write!(f, "ErrorCode({code})"),
            Self::UnknownAttributes(numbers) => write!(f, "UnknownAttributes({numbers:04x?})"),
            Self::ConnectionRequestBinding(_) => f.write_str("ConnectionRequestBinding"),
            Self::BindingChange => f.write_str("BindingChange"),
            Self::Other(number, value) => write!(f, "Other({number:#06x}, {} bytes)", value.len()),
        }
    }
}

impl<'a> Attribute<'a> {
    /// Reads a value; `None` if it is not what its number wants.
    pub(super) fn read(number: u16, value: &'a [u8], transaction: &Transaction) -> Option<Self> {
        Some(match number {
            number::MAPPED_ADDRESS => Self::MappedAddress(address::read(value)?),
            number::XOR_MAPPED_ADDRESS => {
                Self::XorMappedAddress(address::veiled(address::read(value)?, transaction))
            }
            number::RESPONSE_ADDRESS => Self::ResponseAddress(address::read(value)?),
            number::CHANGE_REQUEST => {
                let flags = u32::from_be_bytes(value.try_into().ok()?);
                Self::ChangeRequest { address: flags & 4 != 0, port: flags & 2 != 0 }
            }
            number::SOURCE_ADDRESS => Self::SourceAddress(address::read(value)?),
            number::CHANGED_ADDRESS => Self::ChangedAddress(address::read(value)?),
            number::REFLECTED_FROM => Self::ReflectedFrom(address::read(value)?),
            number::USERNAME => Self::Username(value),
            number::MESSAGE_INTEGRITY => Self::MessageIntegrity(value.try_into().ok()?),
            number::ERROR_CODE => {
                let ([_, _, class, rest], reason) = value.split_first_chunk::<4>()?;
                let (class, rest) = (u16::from(class & 7), u16::from(*rest));
                if !(1..=6).contains(&class) || rest > 99 {
                    return None;
                }
                Self::ErrorCode { code: class * 100 + rest, reason }
            }
            number::UNKNOWN_ATTRIBUTES => {
                let pairs = value.as_chunks::<2>().0;
                Self::UnknownAttributes(
                    pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect(),
                )
            }
            number::CONNECTION_REQUEST_BINDING => Self::ConnectionRequestBinding(value),
            number::BINDING_CHANGE => Self::BindingChange,
            other => Self::Other(other, value),
        })
    }

    /// Whether a server must refuse the request, since it does not understand
    /// this attribute. REALM, NONCE and PASSWORD are known and mean nothing
    /// here.
    pub(super) const fn is_alarming(&self) -> Option<u16> {
        match self {
            Self::Other(number::REALM | number::NONCE | number::PASSWORD, _) => None,
            Self::Other(number, _) if *number < number::OPTIONAL_FROM => Some(*number),
            _ => None,
        }
    }
}
