//! Tests of `schema` and of the checks before anything is queued, from outside.

mod checks;
mod commands;
pub(crate) mod survives;

use std::path::{Path, PathBuf};

/// A file of ours.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/datamodels").join(name)
}

#[test]
fn files_cut_and_spoilt_anywhere_never_panic() {
    for name in ["acme.xml", "acme.txt"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        survives::datamodel(&whole);
        for at in 0..whole.len() {
            survives::datamodel(&whole[..at]);
            let mut spoilt = whole.clone();
            spoilt[at] ^= 0x15;
            survives::datamodel(&spoilt);
        }
    }
}
