//! AudioCodes 400HD.

mod family;

pub use family::{AudioCodes, FAMILY};
