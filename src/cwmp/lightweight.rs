//! Lightweight notifications (TR-069 Annex M): one UDP datagram with changed
//! values, signed with the password of the device, and never answered.
//!
//! The datagram looks like an HTTP request and is none: devices write request
//! lines and headers of their own invention (`POST /HTTPS/1.1`, `Content-Lenght`).
//! So it is split at its blank line, the signature is looked for above, and all
//! below is the document that was signed.

use ring::hmac;

use super::read::{ReadError, ReadLimits, Scanner, walk};
use crate::device::Secret;
use crate::time::Timestamp;

/// Bytes of an HMAC-SHA1.
const SIGNATURE: usize = 20;

/// The longest header that is looked through, in bytes.
const MAX_HEAD: usize = 4096;

/// The most values that are read of one notification.
const MAX_VALUES: usize = 256;

/// What one notification may cost: a datagram is small.
const LIMITS: ReadLimits = ReadLimits {
    bytes: 64 << 10,
    depth: 8,
    elements: 2048,
    tag_bytes: 2048,
    attributes: 16,
    value_bytes: 32 << 10,
    text_bytes: 256,
    items: MAX_VALUES,
    events: 0,
    parameter_faults: 0,
};

/// Why a datagram is no lightweight notification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LightweightError {
    /// There is no blank line with a document below it.
    #[error("there is no document below a blank line")]
    NoBody,
    /// No header `Signature` with the hex digits of an HMAC-SHA1.
    #[error("there is no signature")]
    NoSignature,
    /// The document cannot be read.
    #[error(transparent)]
    Document(#[from] ReadError),
    /// The document is no notification, or lacks a member without which it has no
    /// meaning; which.
    #[error("<{0}> is missing")]
    Missing(&'static str),
}

/// A datagram, taken apart and not yet trusted.
#[derive(Clone, Copy, Debug)]
pub struct LightweightDatagram<'a> {
    signature: [u8; SIGNATURE],
    body: &'a [u8],
}

/// What a device notifies of; to be believed only when the datagram is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LightweightNotification {
    /// `TS`: when the device made it, by its own clock; `None` if that says nothing.
    pub made_at: Option<Timestamp>,
    /// `UN`: `ManagementServer.Username` of the device.
    pub username: Box<str>,
    /// `CN`: a text that the device chose at random.
    pub cnonce: Box<str>,
    /// `OUI`.
    pub oui: Box<str>,
    /// `ProductClass`; may be empty.
    pub product_class: Box<str>,
    /// `SerialNumber`; never empty.
    pub serial_number: Box<str>,
    /// Names and values that changed, in their order; at most 256.
    pub parameters: Vec<(Box<str>, Box<str>)>,
    /// How many there were beyond.
    pub left_out: u32,
}

impl<'a> LightweightDatagram<'a> {
    /// Takes a datagram apart. The document is not looked at.
    ///
    /// # Errors
    /// [`LightweightError::NoBody`], [`LightweightError::NoSignature`].
    pub fn split(datagram: &'a [u8]) -> Result<Self, LightweightError> {
        let (head, body) = split(datagram).ok_or(LightweightError::NoBody)?;
        let signature = head
            .split(|&byte| byte == b'\n')
            .filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("signature"))
            .and_then(|(_, value)| {
                let mut signature = [0; SIGNATURE];
                let digits = value.trim().trim_matches(['"', '\'']);
                hex::decode_to_slice(digits, &mut signature).ok()?;
                Some(signature)
            })
            .ok_or(LightweightError::NoSignature)?;
        Ok(Self { signature, body })
    }

    /// Whether it is signed with this password: HMAC-SHA1 over the document, as it
    /// came or without the line ends or zeroes that some senders add below.
    pub fn is_signed_with(&self, password: &Secret) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
        let trimmed = trim_end(self.body);
        let whole = hmac::verify(&key, self.body, &self.signature).is_ok();
        whole || hmac::verify(&key, trimmed, &self.signature).is_ok()
    }

    /// Reads the document. Its members may be qualified by any prefix or by none.
    ///
    /// # Errors
    /// [`LightweightError::Document`], [`LightweightError::Missing`].
    pub fn read(&self) -> Result<LightweightNotification, LightweightError> {
        let mut found = None;
        walk(self.body, &LIMITS, |xml| {
            xml.members(|xml, tag| {
                if tag.local() == "Notification" && found.is_none() {
                    found = Some(LightweightNotification::read(xml)?);
                }
                Ok(())
            })
        })?;
        let found = found.ok_or(LightweightError::Missing("Notification"))?;
        if found.serial_number.is_empty() {
            return Err(LightweightError::Missing("SerialNumber"));
        }
        if found.parameters.is_empty() {
            return Err(LightweightError::Missing("Param"));
        }
        Ok(found)
    }
}

impl LightweightNotification {
    fn read(xml: &mut Scanner<'_>) -> Result<Self, ReadError> {
        let mut one = Self::default();
        xml.members(|xml, tag| {
            match tag.local() {
                "TS" => one.made_at = time_of(&xml.text()?),
                "UN" => one.username = xml.text()?,
                "CN" => one.cnonce = xml.text()?,
                "OUI" => one.oui = xml.text()?,
                "ProductClass" => one.product_class = xml.text()?,
                "SerialNumber" => one.serial_number = xml.text()?,
                "Param" if one.parameters.len() >= MAX_VALUES => {
                    one.left_out = one.left_out.saturating_add(1);
                }
                "Param" => one.parameters.extend(parameter(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(one)
    }
}

/// A name and a value, if there is a name.
type Named = Option<(Box<str>, Box<str>)>;

fn parameter(xml: &mut Scanner<'_>) -> Result<Named, ReadError> {
    let (mut name, mut value) = (Box::default(), Box::default());
    xml.members(|xml, tag| {
        match tag.local() {
            "Name" => name = xml.text()?,
            "Value" => value = xml.value()?.into(),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Some((name, value)).filter(|(name, _): &(Box<str>, _)| !name.is_empty()))
}

/// Seconds since 1970 by the schema; some write a dateTime.
fn time_of(text: &str) -> Option<Timestamp> {
    match text.parse::<u32>() {
        Ok(seconds) => Some(Timestamp::from_millis(i64::from(seconds) * 1000)),
        Err(_) => Timestamp::parse(text),
    }
}

/// What stands above and below the first blank line; line ends are CR LF or LF.
fn split(datagram: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line_starts = 0;
    for at in memchr::memchr_iter(b'\n', datagram) {
        if at > MAX_HEAD {
            return None;
        }
        let line = datagram.get(line_starts..at)?;
        if matches!(line, [] | [b'\r']) && line_starts > 0 {
            let body = datagram.get(at + 1..).filter(|body| !body.is_empty())?;
            return Some((datagram.get(..line_starts)?, body));
        }
        line_starts = at + 1;
    }
    None
}

fn trim_end(body: &[u8]) -> &[u8] {
    let padding = |byte: &u8| matches!(byte, b'\r' | b'\n' | b' ' | 0);
    let end = body.iter().rposition(|byte| !padding(byte)).map_or(0, |last| last + 1);
    body.get(..end).unwrap_or_default()
}
