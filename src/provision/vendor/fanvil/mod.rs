//! Fanvil phones: their files' forms, names, versions and encryption.
//!
//! A phone fetches a common file, whose name says its model, and a file of its
//! own, `<mac>.cfg`. Both hold modules of rows ([`Text`]), written as text or as
//! one of two kinds of XML, each with a version of its own ([`VersionForm`]) and,
//! if the operator wishes, encrypted with a key of its own ([`encrypt`]). `docs/FANVIL.md` says what is known for sure and
//! what is not: the vendor has published neither mode nor padding.

mod agent;
mod cipher;
mod context;
mod family;
mod names;
mod open;
mod read;
mod render;
mod rows;
mod sections;
mod side;
mod text;
mod version;
mod xml;

pub use agent::Agent;
pub use cipher::{CipherError, ConfigKey, Profile, decrypt, encrypt};
pub use family::FAMILY;
pub use names::{CommonFile, common_file, common_file_named, common_names};
pub use open::{OpenError, open};
pub use render::{check_account, check_setting};
pub use rows::is_secret;
use side::PHONE_BOOK;
pub use text::{Module, Row, Text, TextError, assemble, assemble_as};
pub use version::{Generation, VersionError, VersionForm};
