//! Hardware addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 48-bit MAC address. Never the all-zero address, which names a common
/// file of some vendors and no device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// A text is no MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a MAC address has twelve hex digits, optionally separated by ':', '-' or '.', and is not all zeroes"
)]
pub struct MacError;

impl Mac {
    /// Its first three bytes: whose address block it is of.
    pub const fn oui(self) -> [u8; 3] {
        let [a, b, c, ..] = self.0;
        [a, b, c]
    }

    /// The address that a serial number ends in, as those of Fanvil's phones do
    /// (`00100400FV02001000000c383e2599fe`); `None` if it does not.
    pub fn of_serial(serial: &str) -> Option<Self> {
        serial.get(serial.len().checked_sub(12)?..)?.parse().ok()
    }

    /// The six bytes in transmission order.
    pub const fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl TryFrom<[u8; 6]> for Mac {
    type Error = MacError;

    fn try_from(bytes: [u8; 6]) -> Result<Self, MacError> {
        if bytes == [0; 6] { Err(MacError) } else { Ok(Self(bytes)) }
    }
}

impl FromStr for Mac {
    type Err = MacError;

    fn from_str(text: &str) -> Result<Self, MacError> {
        let digits: String = match text.len() {
            12 => text.to_owned(),
            14 | 17 => text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect(),
            _ => return Err(MacError),
        };
        let mut bytes = [0; 6];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| MacError)?;
        bytes.try_into()
    }
}

impl fmt::Display for Mac {
    /// Twelve lower-case hex digits without separators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Mac {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mac {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_may_end_in_an_address() {
        let mac = "0c383e2599fe".parse().ok();
        assert_eq!(Mac::of_serial("00100400FV02001000000c383e2599fe"), mac);
        assert_eq!(Mac::of_serial("0C383E2599FE"), mac);
        for serial in ["", "LAB0001", "00100400FV0200100000000000000000", "é0383e2599fe"] {
            assert_eq!(Mac::of_serial(serial), None, "{serial}");
        }
    }

    #[test]
    fn the_usual_spellings_are_one_address() {
        for text in ["0C383E07E16C", "0c:38:3e:07:e1:6c", "0c-38-3e-07-e1-6c", "0c38.3e07.e16c"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "0c383e07e16c");
        }
        for text in
            ["", "000000000000", "0c383e07e16", "0c383e07e16g", "0c383e07e16c0", "../../../../.."]
        {
            assert_eq!(text.parse::<Mac>(), Err(MacError), "{text}");
        }
    }
}
