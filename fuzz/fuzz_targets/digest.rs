//! Any bytes at all as the challenges of a device, and as the answer to one.
//!
//! `cargo +nightly fuzz run digest`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/http/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::digest(bytes));
