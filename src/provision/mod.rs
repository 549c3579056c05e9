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

mod directives;
mod download;
mod error;
mod family;
mod gate;
mod identify;
mod layers;
mod link;
mod site_link;
mod template;
mod vendor;

pub use directives::{
    AcsMode, Dialect, DirectiveError, Directives, PREFIX as DIRECTIVE_PREFIX, ResyncWay,
};
pub use download::configuration_download;
pub use error::RenderError;
pub use family::{
    AcsLogin, AgentClaim, Ciphers, Draft, Family, Firmware, Folders, Inputs, Kind, Line, Subject,
    Versioned, Wanted, family,
};
pub use gate::{advance, fingerprint};
pub use identify::{Contradiction, Evidence, Identity, Proof, by_oui, identify, macs};
pub use layers::{LayerSettings, merge};
pub use link::{Claim, PhoneLinks};
pub use site_link::SiteLinks;
pub use template::{TemplateError, Templates};
pub use vendor::{astlinux, audiocodes, digium, fanvil};
