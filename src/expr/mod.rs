//! Rules and computed values: which devices a profile or a campaign is about
//! (CEL), and texts that are made from what is known of a device (minijinja).
//!
//! Pure, and bounded: a rule has a size and a depth, and regular expressions run
//! in linear time.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod rule;
mod subject;

pub use rule::{MAX_RULE, Rule, RuleError};
pub use subject::Subject;
