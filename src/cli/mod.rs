//! The commands and their exit codes.
//!
//! Each command is a file with its arguments and a `run`. Those that talk to a
//! running server do so through its northbound, like any other client.

pub mod demo;
pub mod fanvil;
pub mod inspect;
pub mod serve;
pub mod simulate;
