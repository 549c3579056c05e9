//! Any bytes at all as an AstLinux mass deployment, a zero byte, and a template.
//!
//! `cargo +nightly fuzz run massdeploy`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/massdeploy/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
