//! Rules and computed values: which devices a profile or a campaign is about
//! (CEL), and texts that are made from what is known of a device (minijinja).
//!
//! Pure, and bounded: both languages are written by operators, and an operator
//! may be anybody who holds a token. A rule has a size and a depth, which is
//! looked at before any parser sees it; what it does for one device is counted
//! in steps, and regular expressions run in linear time. A template has a size,
//! fuel, and a length of what comes out.
//!
//! `guard` looks at a rule before the parser; the parser is that of the crate
//! `cel`; `compile` turns what it found into `node`s, and `machine` runs them
//! over a [`Subject`]. What is not in the language is refused when the rule is
//! read, not when the first device comes.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod compile;
mod field;
mod filter;
mod guard;
mod machine;
mod nearest;
mod node;
mod operate;
mod rule;
mod subject;
mod template;
mod value;
mod version;

pub use nearest::nearest;
pub use rule::{MAX_RULE, Pinned, Rule, RuleError};
pub use subject::Subject;
pub use template::{MAX_OUTPUT, MAX_TEMPLATE, Template, TemplateError};
pub use version::compare_versions;
