//! The files for systemd and Prometheus, by their own tools.

use std::path::PathBuf;
use std::process::Command;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

#[test]
fn prometheus_takes_the_alerts_and_they_ring_when_they_should() {
    let folder = docs().join("prometheus");
    runs(Command::new("promtool").args(["check", "rules", "alerts.yml"]).current_dir(&folder));
    runs(Command::new("promtool").args(["test", "rules", "alerts.test.yml"]).current_dir(&folder));
    let config = ["check", "config", "--syntax-only", "provost.yml"];
    runs(Command::new("promtool").args(config).current_dir(&folder));
}

#[test]
fn systemd_takes_the_unit_and_finds_it_hardened() {
    let unit = std::fs::read_to_string(docs().join("systemd/provost.service")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.service");
    // systemd looks whether the program is there.
    let here = unit.replace("/usr/local/bin/provost", env!("CARGO_BIN_EXE_provost"));
    std::fs::write(&path, here).unwrap();
    let said = runs(Command::new("systemd-analyze").arg("verify").arg(&path));
    assert!(said.trim().is_empty(), "{said}");
    // In tenths; 10.0 is a service that may do anything.
    let mut analyze = Command::new("systemd-analyze");
    runs(analyze.args(["security", "--offline=true", "--threshold=20"]).arg(&path));
}
