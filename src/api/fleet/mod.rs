//! What is wanted of the fleet: `/profiles`, `/plans`, `/drift`, and why a
//! device is asked what it is asked.
//!
//! - `changes`: profiles as requests bring them, checked before they are taken.
//! - `paths`: what a profile names, against the data models.
//! - `problems`: everything that is wrong with a profile.
//! - `secrets`: profiles as they are shown, and what was shown taken back.
//! - `making`: plans that are being made.
//! - `view`: plans as they are shown.

pub(super) mod drift;
pub(super) mod explain;
pub(super) mod plans;
pub(super) mod profiles;

pub(super) mod changes;
mod making;
mod paths;
mod problems;
pub(super) mod secrets;
mod view;

pub(super) use making::Makings;
