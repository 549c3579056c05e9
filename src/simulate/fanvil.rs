//! A simulated Fanvil phone: fetches its common file, then its own, decodes
//! each with its key and applies what is new.
//!
//! How a file is decrypted and parsed is handed in: this room does not know
//! file formats. Nor is anything fetched here: see `fetcher`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::sync::Arc;

use crate::device::Secret;
use crate::phone::Mac;

/// Which of its two files a phone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneFileKind {
    /// The file of the model, shared by many phones.
    Common,
    /// The file of this phone.
    Device,
}

/// A file as it was decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneFile {
    /// The version of the first line, `2.0000000012`.
    pub version: Box<str>,
    /// All settings as module, key and value, in the order of the file.
    pub settings: Vec<(Box<str>, Box<str>, Box<str>)>,
}

/// Decrypts and parses a file; the error says in words why it cannot be read.
pub type Decode = Arc<dyn Fn(&[u8], Option<&Secret>) -> Result<PhoneFile, Box<str>> + Send + Sync>;

/// What the phone did with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneVerdict {
    /// Its version is higher than what was known, or the first: applied.
    Applied {
        /// The version now known.
        version: Box<str>,
    },
    /// Its version is the one already known: the phone stops.
    Unchanged {
        /// That version.
        version: Box<str>,
    },
    /// Its version is lower than the one known: left alone.
    Older {
        /// The version that was offered.
        offered: Box<str>,
        /// The version that stays.
        known: Box<str>,
    },
    /// It could not be decrypted or parsed.
    Unreadable {
        /// Why.
        reason: Box<str>,
    },
}

/// Why a phone got no file.
#[derive(Debug, thiserror::Error)]
pub enum PhoneFetchError {
    /// The server answered, but not with the file.
    #[error("{name}: the server answered {status}")]
    Refused {
        /// The file.
        name: Box<str>,
        /// The HTTP status.
        status: u16,
    },
    /// The server could not be reached, or the transfer broke.
    #[error("{name}: {reason}")]
    Unreachable {
        /// The file.
        name: Box<str>,
        /// Why.
        reason: Box<str>,
    },
}

impl PhoneFetchError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Upstream
    }
}

/// One file's version and settings as the phone keeps them.
#[derive(Clone, Debug, Default)]
struct Kept {
    version: Option<Box<str>>,
    settings: Vec<(Box<str>, Box<str>, Box<str>)>,
}

/// A phone: its keys, and what it applied.
pub struct FanvilPhone {
    mac: Mac,
    common_name: Box<str>,
    common_key: Option<Secret>,
    device_key: Option<Secret>,
    decode: Decode,
    common: Kept,
    device: Kept,
}

impl FanvilPhone {
    /// A phone fresh from the factory, with the keys that were typed in.
    pub fn new(
        mac: Mac,
        common_name: &str,
        common_key: Option<Secret>,
        device_key: Option<Secret>,
        decode: Decode,
    ) -> Self {
        let (common, device) = (Kept::default(), Kept::default());
        Self {
            mac,
            common_name: common_name.into(),
            common_key,
            device_key,
            decode,
            common,
            device,
        }
    }

    /// Its address.
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// The names of the files that it asks for, in its order: the common file,
    /// then `<mac>.cfg`.
    pub fn files(&self) -> [(PhoneFileKind, String); 2] {
        [
            (PhoneFileKind::Common, self.common_name.to_string()),
            (PhoneFileKind::Device, format!("{}.cfg", self.mac)),
        ]
    }

    /// The version known of a file.
    pub fn version(&self, kind: PhoneFileKind) -> Option<&str> {
        self.kept(kind).version.as_deref()
    }

    /// A setting as it is in force: the device file goes before the common one.
    pub fn setting(&self, module: &str, key: &str) -> Option<&str> {
        [&self.device, &self.common].into_iter().find_map(|kept| {
            let mut found = kept.settings.iter().rev();
            found.find(|(m, k, _)| **m == *module && **k == *key).map(|(_, _, value)| &**value)
        })
    }

    /// Takes a file that was fetched (vendor manuals: the same version stops,
    /// a higher one is applied).
    pub fn receive(&mut self, kind: PhoneFileKind, bytes: &[u8]) -> PhoneVerdict {
        let key = match kind {
            PhoneFileKind::Common => self.common_key.as_ref(),
            PhoneFileKind::Device => self.device_key.as_ref(),
        };
        let file = match (self.decode)(bytes, key) {
            Ok(file) => file,
            Err(reason) => return PhoneVerdict::Unreadable { reason },
        };
        let kept = match kind {
            PhoneFileKind::Common => &mut self.common,
            PhoneFileKind::Device => &mut self.device,
        };
        match kept.version.as_deref().map(|known| (known, compare(&file.version, known))) {
            Some((_, std::cmp::Ordering::Equal)) => {
                return PhoneVerdict::Unchanged { version: file.version };
            }
            Some((known, std::cmp::Ordering::Less)) => {
                return PhoneVerdict::Older { offered: file.version, known: known.into() };
            }
            Some((_, std::cmp::Ordering::Greater)) | None => {}
        }
        kept.version = Some(file.version.clone());
        kept.settings = file.settings;
        PhoneVerdict::Applied { version: file.version }
    }

    const fn kept(&self, kind: PhoneFileKind) -> &Kept {
        match kind {
            PhoneFileKind::Common => &self.common,
            PhoneFileKind::Device => &self.device,
        }
    }
}

/// The order of two versions: piece by piece at the dots, as numbers where both
/// are, so that `2.10` follows `2.9`.
fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (a.trim().split('.'), b.trim().split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return std::cmp::Ordering::Equal,
            (None, Some(_)) => return std::cmp::Ordering::Less,
            (Some(_), None) => return std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file in the tests is `key|version|value`.
    fn decode() -> Decode {
        Arc::new(|bytes, key| {
            let text = std::str::from_utf8(bytes).map_err(|_| Box::<str>::from("no text"))?;
            let parts: Vec<&str> = text.split('|').collect();
            let [with, version, value] = parts[..] else { return Err("no file".into()) };
            if key.map(Secret::expose) != Some(with) {
                return Err("the key does not fit".into());
            }
            let settings = vec![("SIP".into(), "Name".into(), value.into())];
            Ok(PhoneFile { version: version.into(), settings })
        })
    }

    fn phone() -> FanvilPhone {
        let mac = "0c383e07e16c".parse().unwrap();
        let key = |text| Some(Secret::new(text));
        FanvilPhone::new(mac, "f0X3.cfg", key("common"), key("device"), decode())
    }

    #[test]
    fn asks_for_the_common_file_first() {
        let names = phone().files().map(|(_, name)| name);
        assert_eq!(names, ["f0X3.cfg", "0c383e07e16c.cfg"]);
    }

    #[test]
    fn applies_only_what_is_newer() {
        let mut phone = phone();
        let verdicts = [
            "device|2.0000000009|a",
            "device|2.0000000009|b",
            "device|2.0000000010|c",
            "device|2.0000000002|d",
        ]
        .map(|file| phone.receive(PhoneFileKind::Device, file.as_bytes()));
        assert!(matches!(verdicts[0], PhoneVerdict::Applied { .. }));
        assert!(matches!(verdicts[1], PhoneVerdict::Unchanged { .. }));
        assert!(matches!(verdicts[2], PhoneVerdict::Applied { .. }));
        assert!(matches!(verdicts[3], PhoneVerdict::Older { .. }));
        assert_eq!(phone.setting("SIP", "Name"), Some("c"));
        assert_eq!(phone.version(PhoneFileKind::Device), Some("2.0000000010"));
        assert_eq!(phone.version(PhoneFileKind::Common), None);
    }

    #[test]
    fn each_file_has_its_own_key_and_version() {
        let mut phone = phone();
        let swapped = phone.receive(PhoneFileKind::Common, b"device|2.1|a");
        assert_eq!(swapped, PhoneVerdict::Unreadable { reason: "the key does not fit".into() });
        phone.receive(PhoneFileKind::Common, b"common|2.1|all");
        assert_eq!(phone.setting("SIP", "Name"), Some("all"));
        phone.receive(PhoneFileKind::Device, b"device|2.1|mine");
        assert_eq!(phone.setting("SIP", "Name"), Some("mine"));
    }

    #[test]
    fn versions_compare_as_numbers() {
        use std::cmp::Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            ("2.0002", "2.0002 ", Equal),
            ("2.10", "2.9", Greater),
            ("2.0", "2.0.1", Less),
            ("x", "2", Greater),
        ] {
            assert_eq!(compare(a, b), order, "{a} {b}");
        }
    }
}
