//! Whose formats a phone speaks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whose formats a phone speaks. New vendors are appended, because records
/// name them by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Vendor {
    /// Fanvil and its OEM brands.
    Fanvil,
    /// Digium and Sangoma D series.
    Digium,
    /// AudioCodes 400HD.
    AudioCodes,
    /// Whatever an AstLinux mass-deployment template describes.
    AstLinux,
}

/// A text names no vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a vendor is one of fanvil, digium, audiocodes and astlinux")]
pub struct VendorError;

impl Vendor {
    /// All that are known.
    pub const ALL: [Self; 4] = [Self::Fanvil, Self::Digium, Self::AudioCodes, Self::AstLinux];

    /// The lower-case word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fanvil => "fanvil",
            Self::Digium => "digium",
            Self::AudioCodes => "audiocodes",
            Self::AstLinux => "astlinux",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Vendor {
    type Err = VendorError;

    fn from_str(text: &str) -> Result<Self, VendorError> {
        Self::ALL
            .into_iter()
            .find(|vendor| vendor.word().eq_ignore_ascii_case(text))
            .ok_or(VendorError)
    }
}
