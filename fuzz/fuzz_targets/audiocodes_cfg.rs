//! Any bytes at all as an AudioCodes file, linked to itself, and as DHCP's options.
//!
//! `cargo +nightly fuzz run audiocodes_cfg fuzz/corpus/audiocodes_cfg tests/fixtures/audiocodes`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/audiocodes/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::file(bytes));
