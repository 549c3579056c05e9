//! Any text at all as a Digium setting, its name before the first line break.
//!
//! `cargo +nightly fuzz run digium_setting fuzz/corpus/digium_setting`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/digium/survives.rs"]
#[allow(dead_code, reason = "the other target runs the rest")]
mod survives;

fuzz_target!(|text: &str| survives::setting(text));
