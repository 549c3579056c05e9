//! Any bytes at all as a SIP message and as a PnP request.
//!
//! `cargo +nightly fuzz run sip`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "each target runs one of them")]
#[path = "../../tests/it/doors/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::sip(bytes));
