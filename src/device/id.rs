//! Identity of a device: OUI, product class and serial number (TR-069 §3.3.1,
//! §A.3.3.1 DeviceIdStruct).

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// What a device says of itself in the `DeviceId` of its Inform.
///
/// Trimmed (Q2) and bounded when it is built; the OUI is upper-cased (Q35).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeviceIdentity {
    /// The manufacturer's name; may be empty (Q2).
    pub manufacturer: Box<str>,
    /// Organizationally unique identifier, upper case; usually six hex digits.
    pub oui: Box<str>,
    /// The product class; may be empty.
    pub product_class: Box<str>,
    /// The serial number; never empty.
    pub serial_number: Box<str>,
}

/// Why an identity cannot be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The serial number is empty.
    #[error("the device gives no serial number")]
    NoSerial,
    /// A part is longer than 256 bytes or holds control characters.
    #[error("the device's identity is too long or holds control characters")]
    Unusable,
    /// A text is no device id (`OUI-ProductClass-Serial`, percent-encoded).
    #[error("a device id has the form OUI-ProductClass-SerialNumber or OUI-SerialNumber")]
    BadId,
}

/// The longest part of an identity that is taken, in bytes (the standard
/// says 64 characters), so that an id is never longer than what reads back.
const MAX_PART: usize = 256;

impl DeviceIdentity {
    /// Takes the four parts as they came in an Inform.
    ///
    /// # Errors
    /// [`IdError`] when there is no serial number or a part is unusable.
    pub fn new(
        manufacturer: &str,
        oui: &str,
        product_class: &str,
        serial: &str,
    ) -> Result<Self, IdError> {
        let part = |text: &str| {
            let text = text.trim();
            if text.len() > MAX_PART || text.chars().any(char::is_control) {
                return Err(IdError::Unusable);
            }
            Ok(Box::<str>::from(text))
        };
        let serial_number = part(serial)?;
        if serial_number.is_empty() {
            return Err(IdError::NoSerial);
        }
        let mut oui = part(oui)?;
        oui.make_ascii_uppercase();
        Ok(Self {
            manufacturer: part(manufacturer)?,
            oui,
            product_class: part(product_class)?,
            serial_number,
        })
    }

    /// The key of this device: each part percent-encoded outside unreserved
    /// characters and joined by `-`, so that no two identities share a key.
    pub fn id(&self) -> DeviceId {
        let mut text = String::with_capacity(
            self.oui.len() + self.product_class.len() + self.serial_number.len() + 8,
        );
        encode_part(&mut text, &self.oui);
        text.push('-');
        if !self.product_class.is_empty() {
            encode_part(&mut text, &self.product_class);
            text.push('-');
        }
        encode_part(&mut text, &self.serial_number);
        DeviceId(Arc::from(text))
    }
}

/// The key of a device: `OUI-ProductClass-SerialNumber` or, without a product
/// class, `OUI-SerialNumber`; `-` inside a part stands as `%2D`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct DeviceId(Arc<str>);

impl DeviceId {
    /// Takes a text that has the form of an id.
    ///
    /// # Errors
    /// [`IdError::BadId`] when it has not.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let parts = text.split('-').count();
        let sound = text.len() <= 4 * 3 * MAX_PART
            && (2..=3).contains(&parts)
            && text.bytes().all(|b| is_unreserved(b) || b == b'-' || b == b'%')
            && !text.ends_with('-');
        if sound { Ok(Self(Arc::from(text))) } else { Err(IdError::BadId) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for DeviceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// RFC 3986 unreserved characters without `-`, which separates the parts.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~')
}

fn encode_part(out: &mut String, part: &str) {
    for byte in part.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(oui: &str, class: &str, serial: &str) -> String {
        DeviceIdentity::new("m", oui, class, serial).unwrap().id().to_string()
    }

    #[test]
    fn b14_ids_are_encoded_and_distinct() {
        assert_eq!(id("00d09e", "HG-100", "0123"), "00D09E-HG%2D100-0123");
        assert_eq!(id("00D09E", "", " 0123\n"), "00D09E-0123");
        // B14: the same letters split differently are different devices.
        assert_ne!(id("A", "B-C", "D"), id("A", "B", "C-D"));
        assert_ne!(id("A-B", "", "C"), id("A", "B", "C"));
    }

    #[test]
    fn every_id_reads_back() {
        for text in [id("00D09E", "HG-100", "ä:1"), id("A", "", "1")] {
            assert_eq!(DeviceId::parse(&text).unwrap().as_str(), text);
        }
        for bad in ["", "abc", "a-b-c-d", "a-", "a-b c", "a-b/../c"] {
            assert_eq!(DeviceId::parse(bad), Err(IdError::BadId), "{bad}");
        }
    }

    #[test]
    fn unusable_identities_are_refused() {
        assert_eq!(DeviceIdentity::new("", "0", "", "  "), Err(IdError::NoSerial));
        assert_eq!(DeviceIdentity::new("", "0", "", "a\u{0}b"), Err(IdError::Unusable));
        assert_eq!(DeviceIdentity::new("", "0", &"x".repeat(300), "1"), Err(IdError::Unusable));
    }
}
