//! Fanvil phones: their files' text form, names, versions and encryption.
//!
//! A phone fetches a common file, whose name says its model, and a file of its
//! own, `<mac>.cfg`. Both are texts of one form ([`Text`]), each with a version
//! of its own ([`VersionForm`]) and, if the operator wishes, encrypted with a key
//! of its own ([`encrypt`]). `docs/FANVIL.md` says what is known for sure and
//! what is not: the vendor has published neither mode nor padding.

mod agent;
mod cipher;
mod family;
mod names;
mod open;
mod render;
mod text;
mod version;

pub use agent::Agent;
pub use cipher::{CipherError, ConfigKey, Profile, decrypt, encrypt};
pub use family::FAMILY;
pub use names::{CommonFile, Named, common_file, common_names, resolve};
pub use open::{OpenError, open};
pub use render::{check_account, check_setting, is_secret, render_common, render_device};
pub use text::{Module, Row, Text, TextError, assemble};
pub use version::{VersionError, VersionForm};
