//! Any bytes at all as a data model, in XML or in the compact form.
//!
//! `cargo +nightly fuzz run datamodel`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/datamodels/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::datamodel(bytes));
