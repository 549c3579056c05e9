//! Any bytes at all from an XMPP server.
//!
//! `cargo +nightly fuzz run xmpp_stream`

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/xmpp/survives.rs"]
mod survives;

fuzz_target!(|bytes: &[u8]| survives::survives(bytes));
