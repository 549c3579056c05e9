//! Any bytes at all as a datagram of a TFTP client.
//!
//! `cargo +nightly fuzz run tftp`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/doors/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::tftp(bytes));
