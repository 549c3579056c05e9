//! What goes over the wire, to the byte: one file for every message.
//!
//! `PROVOST_BLESS=1` writes the files anew; look at the difference then.

use std::path::PathBuf;

use provost::cwmp::{ReadLimits, Side, WriteStyle, read, write};

use super::samples;

fn file(name: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cwmp/golden");
    PathBuf::from(folder).join(format!("{name}.xml"))
}

#[test]
fn every_message_is_written_as_before() {
    let mut seen = 0;
    for (_, name, envelope) in samples::all() {
        let written = write(&envelope, &WriteStyle::default());
        let path = file(&name);
        if std::env::var_os("PROVOST_BLESS").is_some() {
            std::fs::write(&path, &written).unwrap();
        }
        let golden = std::fs::read(&path).unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&golden), "{name}");
        seen += 1;
    }
    // The requests of the device and of the server, their responses, two faults.
    assert_eq!(seen, 8 + 8 + 20 + 20 + 2);
}

#[test]
fn every_golden_file_reads_without_a_warning() {
    for (side, name, envelope) in samples::all() {
        let golden = std::fs::read(file(&name)).unwrap();
        let parsed = read(&golden, Some("utf-8"), side, &ReadLimits::default()).unwrap();
        assert_eq!(parsed.envelope, envelope, "{name}");
        assert_eq!(parsed.warnings, [], "{name}");
    }
}

#[test]
fn the_declaration_can_be_left_out() {
    let (_, _, envelope) = samples::all().into_iter().find(|one| one.0 == Side::Acs).unwrap();
    let with = write(&envelope, &WriteStyle::default());
    let without = write(&envelope, &WriteStyle { xml_declaration: false, ..WriteStyle::default() });
    assert!(with.starts_with(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap-env:Envelope "));
    assert!(with.ends_with(&without) && without.starts_with(b"<soap-env:Envelope "));
}
