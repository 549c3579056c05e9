//! The vendors' formats, a module each.

pub mod astlinux;
pub mod audiocodes;
pub mod digium;
pub mod fanvil;
