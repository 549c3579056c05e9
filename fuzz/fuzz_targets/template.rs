//! Any bytes at all as a computed value.
//!
//! `cargo +nightly fuzz run template`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/profiles/sample.rs"]
mod sample;
#[path = "../../tests/it/profiles/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::template(bytes));
