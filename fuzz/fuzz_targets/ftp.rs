//! Any bytes at all as a line of an FTP client.
//!
//! `cargo +nightly fuzz run ftp`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/doors/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::ftp(bytes));
