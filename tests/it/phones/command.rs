//! `provost fanvil` as the shell sees it.

use std::process::{Command, Output};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const DEVICE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fanvil/device-x6.cfg");

fn provost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provost")).arg("fanvil").args(arguments).output().unwrap()
}

#[test]
fn a_file_comes_back_through_a_sealed_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, sealed, opened) = (path("key"), path("sealed"), path("opened"));
    std::fs::write(&key, KEY).unwrap();
    assert!(provost(&["encrypt", "--key-file", &key, DEVICE, &sealed]).status.success());
    assert!(provost(&["decrypt", "--key-file", &key, &sealed, &opened]).status.success());
    assert_eq!(std::fs::read(&opened).unwrap(), std::fs::read(DEVICE).unwrap());
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &folder.path().join("opened").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "a plain file holds passwords");
    let shown = String::from_utf8(provost(&["show", &opened]).stdout).unwrap();
    assert!(shown.starts_with("version 2.0000000007\n"), "{shown}");
    assert!(shown.contains("SIP CONFIG MODULE") && !shown.contains("pa:ss word"), "{shown}");
}

#[test]
fn mistakes_end_in_one_line_and_an_exit_code() {
    let short = &KEY[..62];
    for (arguments, words, code) in [
        (vec!["encrypt", "--key", short, DEVICE, "-"], "62 characters", 2),
        (vec!["encrypt", "--key", KEY, "--profile", "none", DEVICE, "-"], "profile", 2),
        (vec!["encrypt", "--key", KEY, "/nonexistent", "-"], "/nonexistent", 3),
        (vec!["decrypt", "--key", KEY, DEVICE, "-"], "multiple of 16", 6),
    ] {
        let output = provost(&arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.starts_with("error: ") && told.contains(words), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains(&KEY[..32]), "{told}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{told}");
    }
}
