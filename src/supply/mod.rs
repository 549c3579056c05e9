//! Which phone gets which file, whether it may, how it is made, how it is logged.
//!
//! [`Supply`] is the one [`crate::files::Source`] of the phone's doors (HTTP, TFTP,
//! FTP): a path and what else a door knows come in, bytes go out.
//!
//! ```text
//! path, User-Agent, certificate → identify → who may → phone, site, layers, secrets
//!   → Family::resolve → render → version gate → finish → encrypt → cache → door
//! ```
//!
//! It knows no vendor, only [`crate::provision::Family`], and no protocol. The same
//! way of making files without serving them is for operators: [`Supply::preview`],
//! [`Supply::files`], [`Supply::check`]. What a phone is told to fetch from is
//! [`Supply::address_for`].

mod admit;
mod book;
mod cache;
mod deps;
mod dossier;
mod error;
mod ledger;
mod make;
mod preview;
mod route;
mod source;
mod throttle;
mod walk;

pub use deps::{AcsFor, Bases, CipherChoiceError, Supply, SupplyDeps};
pub use error::SupplyError;
pub use preview::{Listed, Preview};
