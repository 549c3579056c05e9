//! Any bytes at all as a STUN message, and as a request to a STUN server.
//!
//! `cargo +nightly fuzz run stun`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/stun/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::stun(bytes));
