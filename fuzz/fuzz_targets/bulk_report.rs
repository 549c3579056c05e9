//! Any bytes at all as a bulk data report.
//!
//! `cargo +nightly fuzz run bulk_report`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/bulk/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::bulk_report(bytes));
