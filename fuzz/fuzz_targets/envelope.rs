//! Any bytes at all as the body of a CWMP message.
//!
//! `cargo +nightly fuzz run envelope fuzz/corpus/envelope tests/fixtures/cwmp`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/cwmp/survives.rs"]
mod survives;

fuzz_target!(|body: &[u8]| survives::survives(body));
