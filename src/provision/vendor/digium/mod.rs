//! Digium and Sangoma D series: their XML, its names, firmware, networks, what
//! DHCP says to them, and pre-provisioning.
//!
//! A phone fetches one complete file, `<mac>.cfg`, and what that does not say
//! falls back to the factory's. `docs/DIGIUM.md` says what is known for sure.

mod agent;
mod document;
mod family;
mod firmware;
mod name;
mod names;
mod network;
mod options;
mod preprovision;
mod render;
mod values;
mod xml;

pub use agent::agent;
pub use family::{Digium, FAMILY};
pub use firmware::{FirmwareVersion, check_firmwares, check_image_name, firmware_models};
pub use name::{Choice, List, Name, Part};
pub use network::{Network, choose};
pub use options::{Directive66, Option60, Option66, Option66Error, Place, Scheme};
pub use preprovision::{check_repeats, must_repeat};
pub use values::{check_setting, is_secret};
pub use xml::{Tag, XmlError, read};
