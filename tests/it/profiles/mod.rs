//! Rules, computed values and profiles from outside: what they answer, what they
//! refuse, and how layers are laid over each other.

mod canonical;
mod documented;
mod layers;
mod reading;
mod rules;
mod same_as_cel;
pub(crate) mod sample;
pub(crate) mod survives;
mod tables;
mod templates;
