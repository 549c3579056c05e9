//! Phones that an AstLinux mass deployment describes.

mod family;

pub use family::{AstLinux, FAMILY};
