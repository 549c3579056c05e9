//! Digium and Sangoma D series.

mod family;
mod options;

pub use family::{Digium, FAMILY};
pub use options::{Option60, Option66, Option66Error, is_dpma};
