//! Parameter and object paths (TR-069 §3.6.1, TR-106 §3.1).

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// The longest path that is taken from a device, in bytes.
///
/// The standard allows 256 characters; some devices exceed it slightly.
const MAX_BYTES: usize = 1024;

/// A full parameter name (`Device.DeviceInfo.SoftwareVersion`) or an object
/// path that ends with a dot (`Device.WiFi.SSID.1.`).
///
/// Never empty, free of blanks and control characters, at most 1,024 bytes.
/// Cloning shares the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ParamPath(Arc<str>);

/// Why a text is no parameter path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The text is empty.
    #[error("a parameter path cannot be empty")]
    Empty,
    /// The text is longer than 1,024 bytes.
    #[error("a parameter path has at most 1024 bytes")]
    TooLong,
    /// A blank or a control character stands in the text.
    #[error("a parameter path holds no blanks or control characters")]
    BadCharacter,
}

impl ParamPath {
    /// Takes a text as a path. Blanks around it are dropped (Q2).
    ///
    /// # Errors
    /// [`PathError`] when nothing is left, or what is left is no path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(PathError::TooLong);
        }
        let bad = if text.is_ascii() {
            text.bytes().any(|b| b <= b' ' || b == 0x7f)
        } else {
            text.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        if bad { Err(PathError::BadCharacter) } else { Ok(Self(Arc::from(text))) }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is an object path (ends with a dot).
    pub fn is_object(&self) -> bool {
        self.0.ends_with('.')
    }

    /// The root object of the path with its dot: `Device.` or
    /// `InternetGatewayDevice.`.
    pub fn root(&self) -> &str {
        self.0.find('.').map_or(&*self.0, |dot| &self.0[..=dot])
    }

    /// The last segment, without a trailing dot: `SoftwareVersion`.
    pub fn leaf(&self) -> &str {
        let text = self.0.strip_suffix('.').unwrap_or(&self.0);
        text.rsplit('.').next().unwrap_or(text)
    }
}

impl fmt::Display for ParamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ParamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Borrow<str> for ParamPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ParamPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl<'de> Deserialize<'de> for ParamPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_paths_exist() {
        assert_eq!(ParamPath::parse(" \n"), Err(PathError::Empty));
        assert_eq!(ParamPath::parse("Device. Info"), Err(PathError::BadCharacter));
        assert_eq!(ParamPath::parse("Device.\u{7f}"), Err(PathError::BadCharacter));
        assert_eq!(ParamPath::parse(&"x".repeat(1025)), Err(PathError::TooLong));
        assert_eq!(ParamPath::parse("\n Device.X \t").unwrap().as_str(), "Device.X");
    }

    #[test]
    fn tells_objects_roots_and_leaves() {
        let object = ParamPath::parse("Device.WiFi.SSID.1.").unwrap();
        assert!(object.is_object());
        assert_eq!(object.root(), "Device.");
        assert_eq!(object.leaf(), "1");
        let name = ParamPath::parse("Device.WiFi.SSID.1.Name").unwrap();
        assert_eq!(name.leaf(), "Name");
    }
}
