//! Any bytes at all as a client certificate.
//!
//! `cargo +nightly fuzz run certificate`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/http/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::certificate(bytes));
