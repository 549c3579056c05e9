//! Profiles: rules over a fleet, and what they want of a device.
//!
//! Pure. A profile is read and checked here (`entry` is TOML or JSON, `read` with
//! `parts` and `wishes` makes a [`Profile`] of it, `write` writes it back), all that are in force are
//! compiled into a set (`compiled`, `set`), and the set tells what is wanted of
//! one device and who wants it (`layers`, `tables`).
//! How a device gets there is for [`crate::plan`]; storing and planning over the
//! fleet for [`crate::fleet`].

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compiled;
mod definition;
mod entry;
mod explain;
mod intents;
mod layers;
mod parts;
mod read;
mod record;
mod resolved;
mod set;
mod tables;
mod wishes;
mod write;

pub use definition::{
    AttributeForm, Firmware, IntentForm, Layer, MAX_PROFILE, Profile, RowForm, TableForm, Wish,
};
pub use record::{PlanRecord, ProfileChange, ProfileRecord};
pub use resolved::{Drifting, FirmwareTarget, ProfileError, Refresh, Resolved, Said, TagChange};
pub use set::{Asked, ProfileSet};
