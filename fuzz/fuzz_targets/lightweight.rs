//! Any bytes at all as a lightweight notification.
//!
//! `cargo +nightly fuzz run lightweight`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/bulk/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::lightweight(bytes));
