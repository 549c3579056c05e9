//! Digium and Sangoma D series.

mod family;

pub use family::{Digium, FAMILY};
