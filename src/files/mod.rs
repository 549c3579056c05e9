//! Firmware and other files on disk, by content hash.
//!
//! [`Shelf`] keeps the bytes: a file is named by the SHA-256 of its content, so
//! that a name never comes from outside and what is read is what was written.
//! [`Links`] makes the URLs under which a device may fetch one file, or send one,
//! for a while and checks them again, without keeping a record of any.
//!
//! [`Source`] is what the phone's doors stand before.
//!
//! What a file is called, whose it is and whether anybody still wants it is
//! the inventory's business ([`crate::store::FileRecord`]); serving it is
//! [`crate::fetch`]'s.

mod error;
mod links;
mod shelf;
mod source;

pub use error::FilesError;
pub use links::{Grant, Link, Links, UploadGrant, plain_name};
pub use shelf::{Shelf, Stored, Upload};
pub use source::{Ask, Content, Found, Login, NotFound, SharedSource, Source, Ticket};
