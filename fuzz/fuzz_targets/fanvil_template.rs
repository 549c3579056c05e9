//! Any text at all as the template of Fanvil files, and what its rows become.
//!
//! `cargo +nightly fuzz run fanvil_template fuzz/corpus/fanvil_template src/provision/templates/fanvil`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/fanvil/survives.rs"]
#[allow(dead_code, reason = "the other target runs the rest")]
mod survives;

fuzz_target!(|source: &str| survives::template(source));
