//! Profiles: rules over a fleet, and what they want of a device.
//!
//! Pure. A profile is read and checked here, all that are in force are compiled
//! into a set, and the set tells what is wanted of one device and who wants it.
//! How a device gets there is for [`crate::plan`]; storing and planning over the
//! fleet for [`crate::fleet`].

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod record;
mod set;

pub use record::{PlanRecord, ProfileChange, ProfileRecord};
pub use set::{
    Asked, Drifting, FirmwareTarget, ProfileError, ProfileSet, Refresh, Resolved, Said, TagChange,
};
