//! The firmware images of simulated devices: a first line with the version,
//! then any bytes.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// What every image begins with.
const MAGIC: &str = "PROVOST-SIM ";

/// The longest version that is taken, in bytes (`SoftwareVersion` has 64).
const MAX_VERSION: usize = 64;

/// Why bytes are no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The first line is not `PROVOST-SIM <version>`.
    #[error("the first line of a simulated image is `PROVOST-SIM <version>`")]
    NoHeader,
    /// The version is empty, longer than 64 bytes, or holds other characters
    /// than ASCII letters, digits, `.`, `-` and `_`.
    #[error("the version of a simulated image has 1 to 64 letters, digits, dots, dashes")]
    BadVersion,
}

impl ImageError {
    /// What it means to whoever asked.
    pub const fn class(self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

/// Makes an image of `size` bytes, or a little more if the header needs it.
/// The same arguments give the same bytes.
///
/// # Errors
/// [`ImageError::BadVersion`].
pub fn firmware_image(version: &str, size: usize) -> Result<Vec<u8>, ImageError> {
    check_version(version)?;
    let mut image = format!("{MAGIC}{version}\n").into_bytes();
    // A linear congruence is enough: the bytes must only not compress away.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    while image.len() < size {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        image.push(state.to_be_bytes()[0]);
    }
    Ok(image)
}

/// The version that an image brings.
///
/// # Errors
/// [`ImageError`] when the bytes are no image.
pub fn read_firmware_image(image: &[u8]) -> Result<&str, ImageError> {
    let rest = image.strip_prefix(MAGIC.as_bytes()).ok_or(ImageError::NoHeader)?;
    let end = rest.iter().take(MAX_VERSION + 1).position(|byte| *byte == b'\n');
    let line = end.and_then(|end| rest.get(..end)).ok_or(ImageError::NoHeader)?;
    let version = std::str::from_utf8(line).map_err(|_| ImageError::BadVersion)?;
    check_version(version)?;
    Ok(version)
}

fn check_version(version: &str) -> Result<(), ImageError> {
    let sound = (1..=MAX_VERSION).contains(&version.len())
        && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if sound { Ok(()) } else { Err(ImageError::BadVersion) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_tells_its_version() {
        let image = firmware_image("2.0.1-rc_3", 4096).unwrap();
        assert_eq!(image.len(), 4096);
        assert_eq!(read_firmware_image(&image), Ok("2.0.1-rc_3"));
        assert_eq!(image, firmware_image("2.0.1-rc_3", 4096).unwrap());
    }

    #[test]
    fn other_bytes_are_no_image() {
        for bytes in [&b""[..], b"PROVOST-SIM ", b"PROVOST-SIM 1.0", b"<html>", b"provost-sim 1\n"]
        {
            assert_eq!(read_firmware_image(bytes), Err(ImageError::NoHeader));
        }
        for bytes in [&b"PROVOST-SIM \n"[..], b"PROVOST-SIM \xff\n", b"PROVOST-SIM a b\n"] {
            assert_eq!(read_firmware_image(bytes), Err(ImageError::BadVersion));
        }
        assert_eq!(firmware_image(&"1".repeat(65), 0), Err(ImageError::BadVersion));
    }
}
