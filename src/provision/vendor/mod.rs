//! The vendors' formats, a module each.

pub mod fanvil;
