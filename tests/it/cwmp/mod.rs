//! Tests of `cwmp` from outside.

mod golden;
mod hostile;
mod plain;
mod quirks;
mod roundtrip;
mod samples;
mod session;
mod survives;

use std::path::Path;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cwmp");

/// The bytes of a fixture.
fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(FOLDER).join(format!("{name}.xml"))).unwrap()
}

/// The bytes of all fixtures.
fn fixtures() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}
