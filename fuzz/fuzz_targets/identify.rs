//! Any texts at all as the name and the User-Agent of a phone's request.
//!
//! `cargo +nightly fuzz run identify`

#![no_main]

use libfuzzer_sys::fuzz_target;
use provost::provision::{Evidence, identify};

fuzz_target!(|texts: (&str, &str)| {
    let (name, agent) = texts;
    let _ = identify(&Evidence { name, agent, ..Evidence::default() });
});
