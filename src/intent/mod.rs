//! Intents: what an operator wants without knowing a path: a Wi-Fi name, a PPPoE
//! login, a SIP line.
//!
//! Pure. An intent and what is known of a device make a
//! [`crate::device::Desired`], or the answer that the device cannot do it, or
//! that it was never asked whether it can. Which parameters that takes stands in
//! a table, `datamodels/intents.toml`, to which an operator may add: no data
//! model and no vendor is named in the code.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod ability;
mod answer;
mod candidate;
mod field;
#[allow(clippy::module_inception, reason = "the room is named after its main word")]
mod intent;
mod known;
mod resolve;
#[cfg(test)]
mod tests;
mod ways;
mod words;
mod zone;

pub use answer::{
    Ability, AbilityItem, Answer, FieldAbility, NotKnownYet, NotSupported, Resolution, Standing,
    Touched, Unclear,
};
pub use intent::{Intent, IntentError};
pub use known::Known;
pub use ways::{Basis, Ways, WaysError, install, ways};
pub use words::{BANDS, FieldWord, Form, INTENTS, IntentWord, Numbers};
