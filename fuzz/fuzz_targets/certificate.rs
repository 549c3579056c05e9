//! Any bytes at all as a client certificate.
//!
//! `cargo +nightly fuzz run certificate`

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let _ = provost::http::mac_in_certificate(der);
});
