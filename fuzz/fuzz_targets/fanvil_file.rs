//! Any bytes at all as a Fanvil file, text or XML.
//!
//! `cargo +nightly fuzz run fanvil_file fuzz/corpus/fanvil_file tests/fixtures/fanvil`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/fanvil/survives.rs"]
#[allow(dead_code, reason = "the other target runs the rest")]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::file(bytes));
