//! Any text at all as the template of Digium files.
//!
//! `cargo +nightly fuzz run digium_template fuzz/corpus/digium_template src/provision/templates/digium`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/digium/survives.rs"]
#[allow(dead_code, reason = "the other target runs the rest")]
mod survives;

fuzz_target!(|source: &str| survives::template(source));
