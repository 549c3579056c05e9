//! Phones: hardware addresses, vendors, accounts and sites.
//!
//! Pure words, the inventory of what is provisioned by file. A phone that also
//! speaks CWMP is a [`crate::device::Device`] as well; the two are joined by
//! the MAC at the end of its serial number.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod allow;
mod mac;
mod record;

pub use allow::{Allow, AllowError};
pub use mac::{Mac, MacError};
pub use record::{Account, FileVersion, Phone, Seen, Site, Vendor};
