//! Phones: hardware addresses, vendors, accounts, keys, sites, layers of
//! settings, and what phones have fetched.
//!
//! Pure words, the inventory of what is provisioned by file. A phone that also
//! speaks CWMP is a [`crate::device::Device`] as well; the two are joined by
//! the MAC at the end of its serial number.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod allow;
mod fetches;
mod mac;
mod record;
mod site;
mod vendor;

pub use allow::{Allow, AllowError};
pub use fetches::{DoorKind, Ended, FetchLog, Fetched, Lock};
pub use mac::{Mac, MacError};
pub use record::{
    Account, FileVersion, Key, KeyKind, Phone, Seen, Settings, Transport, is_secret_setting,
};
pub use site::{Access, Contact, Layer, Scope, ScopeError, Site, SiteLogin};
pub use vendor::{Vendor, VendorError};
