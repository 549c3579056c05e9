//! Datagrams of TFTP.

use std::str;

/// The longest request, in bytes (RFC 2347 §3).
const MAX_REQUEST: usize = 512;
/// The longest file name, in bytes.
const MAX_NAME: usize = 400;
/// The most options that are read.
const MAX_OPTIONS: usize = 16;

/// A datagram from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// RRQ.
    Read(Request<'a>),
    /// WRQ, of whatever.
    Write,
    /// ACK of a block; its number wraps at 65,536.
    Acknowledgement(u16),
    /// ERROR, with its code.
    Error(u16),
}

/// A read request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The name as it came.
    pub name: &'a str,
    /// The mode.
    pub mode: Mode,
    /// The options in the order in which they came, sixteen at most.
    pub options: Vec<(&'a str, &'a str)>,
}

/// The mode of a transfer (RFC 1350 §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bytes as they are.
    Octet,
    /// Text with CR LF at the end of lines.
    Netascii,
}

/// Why a datagram is none that a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// It is too short, or no string of a request ends.
    #[error("the datagram is cut")]
    Cut,
    /// A request of more than 512 bytes.
    #[error("the request is longer than 512 bytes")]
    TooLong,
    /// No operation that a reading client has.
    #[error("a reading client sends no such operation")]
    Operation,
    /// The mode is neither octet nor netascii.
    #[error("the mode is neither octet nor netascii")]
    Mode,
    /// The name is empty, no text, too long, or leads out of where it stands.
    #[error("the name is none that a file here can have")]
    Name,
}

impl PacketError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl<'a> Packet<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`PacketError`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, PacketError> {
        let (operation, rest) = datagram.split_first_chunk().ok_or(PacketError::Cut)?;
        let number = || rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        match u16::from_be_bytes(*operation) {
            1 if datagram.len() > MAX_REQUEST => Err(PacketError::TooLong),
            1 => Request::parse(rest).map(Packet::Read),
            2 => Ok(Self::Write),
            4 => number().map(Packet::Acknowledgement).ok_or(PacketError::Cut),
            // Some clients say nothing but that it is one.
            5 => Ok(Self::Error(number().unwrap_or(0))),
            _ => Err(PacketError::Operation),
        }
    }
}

impl<'a> Request<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let bytes = bytes.strip_suffix(&[0]).ok_or(PacketError::Cut)?;
        let mut strings = bytes.split(|byte| *byte == 0);
        let name = strings.next().unwrap_or_default();
        let mode = strings.next().ok_or(PacketError::Cut)?;
        let mode = if mode.eq_ignore_ascii_case(b"octet") {
            Mode::Octet
        } else if mode.eq_ignore_ascii_case(b"netascii") {
            Mode::Netascii
        } else {
            return Err(PacketError::Mode);
        };
        let name = str::from_utf8(name).ok().filter(|name| is_sound(name));
        let name = name.ok_or(PacketError::Name)?;
        let mut options = Vec::new();
        while let (Some(option), Some(value)) = (strings.next(), strings.next()) {
            if options.len() == MAX_OPTIONS {
                break;
            }
            if let (Ok(option), Ok(value)) = (str::from_utf8(option), str::from_utf8(value)) {
                options.push((option, value));
            }
        }
        Ok(Self { name, mode, options })
    }

    /// The value of an option as a number; the first counts, case does not.
    pub(super) fn number(&self, option: &str) -> Option<u64> {
        let mut of_name = self.options.iter().filter(|(name, _)| name.eq_ignore_ascii_case(option));
        let (_, value) = of_name.next()?;
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|_| digits)
    }
}

/// Whether a name may be looked for: nothing in it leads up or to another
/// system's roots. No folder of the disk stands behind names, so this is the
/// second lock on the same door.
fn is_sound(name: &str) -> bool {
    let mut parts = name.strip_prefix('/').unwrap_or(name).split('/');
    (1..=MAX_NAME).contains(&name.len())
        && !name.contains(|c: char| c.is_control() || c == '\\')
        && name.as_bytes().get(1) != Some(&b':')
        && parts.all(|part| !part.is_empty() && part != "." && part != "..")
}

/// DATA; its number wraps.
pub(super) fn data(block: u64, payload: &[u8]) -> Vec<u8> {
    let [.., high, low] = block.to_be_bytes();
    let mut bytes = Vec::with_capacity(payload.len() + 4);
    bytes.extend_from_slice(&[0, 3, high, low]);
    bytes.extend_from_slice(payload);
    bytes
}

/// OACK (RFC 2347 §4).
pub(super) fn option_acknowledgement(options: &[(&str, u64)]) -> Vec<u8> {
    let mut bytes = vec![0, 6];
    for (name, value) in options {
        bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    }
    bytes
}

/// What a client is told instead of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no such file; also for everything that must not be told.
    NotFound,
    /// Writing is not possible.
    Writing,
    /// The request is none.
    Illegal,
    /// Not now.
    Later,
}

impl Refusal {
    /// ERROR (RFC 1350 §5 and its appendix).
    pub(super) fn datagram(self) -> Vec<u8> {
        let (code, text) = match self {
            Self::Later => (0, "Try again later"),
            Self::NotFound => (1, "File not found"),
            Self::Writing => (2, "Access violation"),
            Self::Illegal => (4, "Illegal TFTP operation"),
        };
        let mut bytes = vec![0, 5, 0, code];
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        bytes
    }

    /// What answers a datagram that is no request.
    pub(super) const fn of(error: PacketError) -> Self {
        match error {
            PacketError::Name | PacketError::TooLong => Self::NotFound,
            PacketError::Cut | PacketError::Operation | PacketError::Mode => Self::Illegal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Packet<'_>, PacketError> {
        Packet::parse(bytes)
    }

    #[test]
    fn a_request_with_options_is_read() {
        let bytes = b"\0\x01a.cfg\0OcTeT\0BlkSize\x001468\0tsize\x000\0blksize\x008\0x\0";
        let Packet::Read(request) = read(bytes).unwrap() else { panic!() };
        assert_eq!((request.name, request.mode), ("a.cfg", Mode::Octet));
        assert_eq!(request.number("blksize"), Some(1468), "the first counts");
        assert_eq!(request.number("tsize"), Some(0));
        assert_eq!(request.number("x"), None, "an option without a value is none");
        assert_eq!(read(b"\0\x04\x01\x02").unwrap(), Packet::Acknowledgement(258));
        assert_eq!(read(b"\0\x05\0\x08no\0").unwrap(), Packet::Error(8));
        assert_eq!(read(b"\0\x02anything").unwrap(), Packet::Write);
    }

    #[test]
    fn only_numbers_are_numbers() {
        for value in ["", "+8", "-8", "0x8", "8 ", "99999999999999999999", "8\u{661}"] {
            let options = vec![("blksize", value)];
            let request = Request { name: "a", mode: Mode::Octet, options };
            assert_eq!(request.number("blksize"), None, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        for (bytes, error) in [
            (&b""[..], PacketError::Cut),
            (b"\0", PacketError::Cut),
            (b"\0\x01", PacketError::Cut),
            (b"\0\x01a", PacketError::Cut),
            (b"\0\x01a\0", PacketError::Cut),
            (b"\0\x01a\0octet", PacketError::Cut),
            (b"\0\x01a\0mail\0", PacketError::Mode),
            (b"\0\x04\0", PacketError::Cut),
            (b"\0\x03\0\x01data", PacketError::Operation),
            (b"\0\x06a\0b\0", PacketError::Operation),
            (b"\xff\xff", PacketError::Operation),
        ] {
            assert_eq!(read(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn names_that_lead_anywhere_else_are_none() {
        let request = |name: &str| format!("\0\u{1}{name}\0octet\0").into_bytes();
        for name in ["a.cfg", "/a.cfg", "p/token/a.cfg", "a b", "..a", "a..b"] {
            assert!(read(&request(name)).is_ok(), "{name}");
        }
        for name in [
            "",
            "/",
            "//etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/",
            "..\\a",
            "C:\\a",
            "c:/a",
            "a\n",
            &"a".repeat(401),
        ] {
            assert_eq!(read(&request(name)), Err(PacketError::Name), "{name}");
        }
        assert_eq!(read(b"\0\x01\xff\0octet\0"), Err(PacketError::Name));
        assert_eq!(read(&request(&"a".repeat(600))), Err(PacketError::TooLong));
    }

    #[test]
    fn what_is_written_is_right_to_the_byte() {
        assert_eq!(data(0x0001_0203, b"ab"), b"\0\x03\x02\x03ab");
        assert_eq!(option_acknowledgement(&[("tsize", 7)]), b"\0\x06tsize\x007\0");
        assert_eq!(Refusal::NotFound.datagram(), b"\0\x05\0\x01File not found\0");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_request_of_any_strings_is_bounded(strings in proptest::collection::vec("[a-z0-9./]{0,12}", 0..60)) {
            let bytes = format!("\0\u{1}a\0octet\0{}\0", strings.join("\0")).into_bytes();
            if let Ok(Packet::Read(request)) = read(&bytes) {
                proptest::prop_assert!(request.options.len() <= MAX_OPTIONS);
            }
        }
    }
}
