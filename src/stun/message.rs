//! Reading a message.

use super::attribute::Attribute;
use super::integrity::{self, Padding};
use super::number;

/// The largest message that is read, in bytes: what fits into one frame.
pub const MAX_MESSAGE: usize = 1500;

/// The most attributes that are read.
const MAX_ATTRIBUTES: usize = 32;

/// The header's length (RFC 3489 §11.1).
pub(super) const HEADER: usize = 20;

/// What clients of RFC 5389 begin their transaction with.
pub(super) const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];

/// Why bytes are no STUN message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StunError {
    /// Longer than [`MAX_MESSAGE`].
    #[error("longer than {MAX_MESSAGE} bytes")]
    TooLong,
    /// The header is not whole, or is none.
    #[error("no header of STUN")]
    Header,
    /// The length in the header is not the datagram's.
    #[error("the length in the header is wrong")]
    Length,
    /// An attribute reaches beyond the end, or there are too many.
    #[error("the attributes are malformed")]
    Attributes,
    /// An attribute's value is not what its type wants.
    #[error("the value of attribute {0:#06x} is malformed")]
    Value(u16),
}

impl StunError {
    /// What it means to whoever asked.
    pub const fn class(self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

/// What a message is (RFC 3489 §11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A Binding Request.
    Request,
    /// A Binding Response.
    Response,
    /// A Binding Error Response.
    Error,
    /// A Shared Secret Request or anything newer.
    Other(u16),
}

impl Kind {
    pub(super) const fn number(self) -> u16 {
        match self {
            Self::Request => 0x0001,
            Self::Response => 0x0101,
            Self::Error => 0x0111,
            Self::Other(number) => number,
        }
    }

    const fn of(number: u16) -> Self {
        match number {
            0x0001 => Self::Request,
            0x0101 => Self::Response,
            0x0111 => Self::Error,
            other => Self::Other(other),
        }
    }
}

/// What ties an answer to its request: 16 bytes, of which clients of RFC 5389
/// choose the last 12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transaction(pub [u8; 16]);

impl Transaction {
    /// Whether a client of RFC 5389 made it.
    pub fn has_cookie(&self) -> bool {
        self.0.starts_with(&COOKIE)
    }
}

/// A message, as it was read; it borrows the datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: Kind,
    /// Which exchange it belongs to.
    pub transaction: Transaction,
    /// The attributes up to MESSAGE-INTEGRITY: what stands behind it is
    /// protected by nothing and left out.
    pub attributes: Vec<Attribute<'a>>,
    /// What MESSAGE-INTEGRITY is made over, if it is there.
    protected: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`StunError`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, StunError> {
        if datagram.len() > MAX_MESSAGE {
            return Err(StunError::TooLong);
        }
        let (header, body) = datagram.split_first_chunk::<HEADER>().ok_or(StunError::Header)?;
        let [first, second, high, low, transaction @ ..] = *header;
        if first & 0xC0 != 0 {
            return Err(StunError::Header);
        }
        if usize::from(u16::from_be_bytes([high, low])) != body.len() {
            return Err(StunError::Length);
        }
        let mut message = Self {
            kind: Kind::of(u16::from_be_bytes([first, second])),
            transaction: Transaction(transaction),
            attributes: Vec::new(),
            protected: None,
        };
        let mut rest = body;
        while !rest.is_empty() && message.protected.is_none() {
            if message.attributes.len() == MAX_ATTRIBUTES {
                return Err(StunError::Attributes);
            }
            let before = datagram.len() - rest.len();
            let (number, value, after) = split(rest).ok_or(StunError::Attributes)?;
            let attribute = Attribute::read(number, value, &message.transaction);
            message.attributes.push(attribute.ok_or(StunError::Value(number))?);
            if number == number::MESSAGE_INTEGRITY {
                message.protected = datagram.get(..before);
            }
            rest = after;
        }
        Ok(message)
    }

    /// The user name without the blanks and zeros that pad it; `None` if there
    /// is none or it is no UTF-8.
    pub fn username(&self) -> Option<&'a str> {
        let name = self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Username(name) => Some(*name),
            _ => None,
        })?;
        Some(std::str::from_utf8(name).ok()?.trim_end_matches([' ', '\0']))
    }

    /// Where the server saw the client: of a response.
    pub fn mapped_address(&self) -> Option<std::net::SocketAddr> {
        let plain = |attribute: &Attribute<'_>| match attribute {
            Attribute::MappedAddress(at) => Some(*at),
            _ => None,
        };
        let veiled = |attribute: &Attribute<'_>| match attribute {
            Attribute::XorMappedAddress(at) => Some(*at),
            _ => None,
        };
        // NATs that look for addresses in packets do not find the veiled one.
        self.attributes.iter().find_map(veiled).or_else(|| self.attributes.iter().find_map(plain))
    }

    /// The error code: of an error.
    pub fn error_code(&self) -> Option<u16> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::ErrorCode { code, .. } => Some(*code),
            _ => None,
        })
    }

    /// Whether it was sent from the port at which UDP connection requests are
    /// expected.
    pub fn is_connection_request_binding(&self) -> bool {
        self.attributes.iter().any(|attribute| {
            // The blank at the end is lost by some.
            matches!(attribute, Attribute::ConnectionRequestBinding(value)
                if value.trim_ascii_end() == super::CONNECTION_REQUEST_BINDING.trim_ascii_end())
        })
    }

    /// Whether it carries MESSAGE-INTEGRITY at all.
    pub const fn is_signed(&self) -> bool {
        self.protected.is_some()
    }

    /// Whether MESSAGE-INTEGRITY was made with this password, and by which rule.
    pub fn verify(&self, password: &[u8]) -> Option<Padding> {
        let mac = self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::MessageIntegrity(mac) => Some(*mac),
            _ => None,
        })?;
        integrity::verify(self.protected?, mac, password)
    }
}

/// The first attribute and what follows it. Values are padded to four bytes; the
/// last one's padding may be missing (RFC 3489 knows none).
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let ([first, second, high, low], rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let value = rest.get(..length)?;
    let after = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((u16::from_be_bytes([*first, *second]), value, after))
}
