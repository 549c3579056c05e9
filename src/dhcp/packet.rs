//! The two messages that asking a DHCP server takes (RFC 2131).

use std::net::Ipv4Addr;

use super::Options;
use super::options::text;
use crate::class::Class;
use crate::phone::Mac;

/// The fixed part, before the magic cookie (RFC 2131 §2).
const FIXED: usize = 236;
const COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// The message type of an offer (RFC 2132 §9.6).
pub const OFFER: u8 = 2;
const DISCOVER: u8 = 1;
/// Servers drop messages below this (RFC 1542 §2.1).
const LEAST: usize = 300;
/// What a phone asks for.
const ASKED: [u8; 14] = [1, 3, 6, 15, 42, 43, 66, 67, 120, 125, 128, 150, 159, 160];

/// A DHCPDISCOVER as a phone sends it.
#[derive(Clone, Debug)]
pub struct Discover<'a> {
    /// The transaction id.
    pub transaction: u32,
    /// The phone's address.
    pub mac: Mac,
    /// Option 60; left out if empty.
    pub vendor_class: &'a str,
    /// Option 77; left out if empty.
    pub user_class: &'a str,
    /// Further options to ask for.
    pub asked: &'a [u8],
}

/// A message is none of a server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no DHCP reply")]
pub struct PacketError;

impl PacketError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        Class::Invalid
    }
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The message type.
    pub kind: u8,
    /// The transaction that it belongs to.
    pub transaction: u32,
    /// The address that it offers.
    pub address: Ipv4Addr,
    /// The options, those in overloaded fields included. `sname` and `file`
    /// stand for options 66 and 67 where these are absent.
    pub options: Options,
}

/// The bytes of a DHCPDISCOVER; it asks for a broadcast answer, so that no
/// address is needed to receive it.
pub fn discover(discover: &Discover<'_>) -> Vec<u8> {
    let mut bytes = vec![0; FIXED];
    let header = [1, 1, 6, 0];
    let fixed = header
        .into_iter()
        .chain(discover.transaction.to_be_bytes())
        .chain([0, 0, 0x80, 0])
        .chain([0; 16])
        .chain(discover.mac.bytes());
    bytes.iter_mut().zip(fixed).for_each(|(to, from)| *to = from);
    bytes.extend(COOKIE);
    let mut put = |code: u8, value: &[u8]| {
        let value = value.get(..255).unwrap_or(value);
        bytes.push(code);
        bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(value);
    };
    put(53, &[DISCOVER]);
    if !discover.vendor_class.is_empty() {
        put(60, discover.vendor_class.as_bytes());
    }
    if !discover.user_class.is_empty() {
        put(77, discover.user_class.as_bytes());
    }
    let further = discover.asked.iter().filter(|code| !ASKED.contains(code));
    put(55, &ASKED.iter().chain(further).copied().collect::<Vec<_>>());
    bytes.push(255);
    bytes.resize(bytes.len().max(LEAST), 0);
    bytes
}

impl Reply {
    /// Reads a server's message.
    ///
    /// # Errors
    /// [`PacketError`]. Options that are cut short are left out.
    pub fn read(bytes: &[u8]) -> Result<Self, PacketError> {
        let (fixed, rest) = bytes.split_at_checked(FIXED).ok_or(PacketError)?;
        let listed = rest.strip_prefix(&COOKIE).ok_or(PacketError)?;
        let four = |at: usize| fixed.get(at..).and_then(|rest| rest.first_chunk::<4>()).copied();
        if fixed.first() != Some(&2) {
            return Err(PacketError);
        }
        let mut options = Options::default();
        read_options(listed, &mut options);
        let (sname, file) = (fixed.get(44..108), fixed.get(108..FIXED));
        let overload = options.bytes(52).and_then(|value| value.first().copied()).unwrap_or(0);
        let fields = [(file, 1, 67), (sname, 2, 66)];
        for (field, bit, code) in fields {
            let field = field.unwrap_or_default();
            if overload & bit != 0 {
                read_options(field, &mut options);
            } else if options.text(code).is_none() {
                let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
                if let Some(text) = text(field.get(..end).unwrap_or_default()) {
                    options.add(code, text.as_bytes());
                }
            }
        }
        let kind = options.bytes(53).and_then(|kind| kind.first().copied()).ok_or(PacketError)?;
        Ok(Self {
            kind,
            transaction: u32::from_be_bytes(four(4).ok_or(PacketError)?),
            address: Ipv4Addr::from(four(16).ok_or(PacketError)?),
            options,
        })
    }
}

fn read_options(mut rest: &[u8], into: &mut Options) {
    loop {
        match rest {
            [] | [255, ..] | [_] => return,
            [0, behind @ ..] => rest = behind,
            [code, length, behind @ ..] => {
                let Some((data, next)) = behind.split_at_checked(usize::from(*length)) else {
                    return;
                };
                into.add(*code, data);
                rest = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reply(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[0] = 2;
        bytes[4..8].copy_from_slice(&7_u32.to_be_bytes());
        bytes[16..20].copy_from_slice(&[10, 0, 0, 9]);
        bytes.extend(COOKIE);
        bytes.extend_from_slice(options);
        bytes
    }

    #[test]
    fn long_options_come_in_parts_and_are_put_together() {
        let long = "x".repeat(300);
        let (one, two) = long.as_bytes().split_at(255);
        let mut options = vec![53, 1, OFFER, 66, 255];
        options.extend_from_slice(one);
        options.extend_from_slice(&[66, 45]);
        options.extend_from_slice(two);
        options.push(255);
        let read = Reply::read(&reply(&options)).unwrap();
        assert_eq!(read.options.text(66).unwrap(), long);
        assert_eq!((read.kind, read.transaction, read.address), (OFFER, 7, [10, 0, 0, 9].into()));
    }

    #[test]
    fn sname_and_file_stand_in_or_hold_options() {
        let mut bytes = reply(&[53, 1, OFFER, 255]);
        bytes[44..48].copy_from_slice(b"tftp");
        bytes[108..113].copy_from_slice(b"a.img");
        let read = Reply::read(&bytes).unwrap();
        assert_eq!(read.options.text(66).unwrap(), "tftp");
        assert_eq!(read.options.text(67).unwrap(), "a.img");
        let mut bytes = reply(&[53, 1, OFFER, 52, 1, 1, 255]);
        bytes[108..114].copy_from_slice(&[160, 3, b'u', b'r', b'l', 255]);
        let read = Reply::read(&bytes).unwrap();
        assert_eq!(read.options.text(160).unwrap(), "url");
        assert_eq!(read.options.text(67), None);
    }

    #[test]
    fn what_is_asked_can_be_read_by_a_server() {
        let mac = "0c383e07e16c".parse().unwrap();
        let ask = Discover {
            transaction: 7,
            mac,
            vendor_class: "450HD",
            user_class: "",
            asked: &[66, 200],
        };
        let bytes = discover(&ask);
        assert!(bytes.len() >= LEAST);
        assert_eq!(&bytes[28..34], &mac.bytes());
        let mut options = Options::default();
        read_options(&bytes[FIXED + 4..], &mut options);
        assert_eq!(options.text(60).unwrap(), "450HD");
        assert_eq!(options.bytes(55).unwrap().iter().filter(|code| **code == 66).count(), 1);
        assert!(options.bytes(55).unwrap().ends_with(&[200]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Reply::read(&bytes);
            let _ = Reply::read(&reply(&bytes));
        }
    }
}
