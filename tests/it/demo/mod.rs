//! The demonstration, as a newcomer runs it.

use std::process::Command;

#[test]
fn every_step_of_the_demonstration_is_verified() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_provost")).args(["demo", "--exit"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(told.matches('✓').count(), 40, "{told}");
    assert!(!told.contains('✗'), "{told}");
}
