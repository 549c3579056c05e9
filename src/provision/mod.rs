//! Phone + account + site → file; the version gate; the vendors' formats.
//!
//! Pure: nothing here knows the store, the vault or a door. Secrets come in
//! opened from whoever may open them, and finished bytes go out. The doors
//! ([`crate::fetch`]) know no vendor; the vendors' modules know no door.
//!
//! ```text
//! phone, site, secrets → fanvil::render_* → fingerprint → advance → Text::write → encrypt
//! ```

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod gate;
mod link;
mod vendor;

pub use gate::{advance, fingerprint};
pub use link::{Claim, PhoneLinks};
pub use vendor::fanvil;
