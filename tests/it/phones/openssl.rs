//! What we encrypt opens with openssl, and the other way round.

use std::process::{Command, Stdio};

use provost::provision::fanvil::{ConfigKey, Profile, decrypt, encrypt};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const PLAIN: &[u8] = include_bytes!("../../fixtures/fanvil/device-x6.cfg");

/// Runs `openssl enc` as a profile's name says.
fn openssl(profile: Profile, direction: &str, input: &[u8]) -> Vec<u8> {
    let name = profile.name;
    let mode = if name.contains("-ecb-") { "-aes-256-ecb" } else { "-aes-256-cbc" };
    let iv = if name.contains("-key-iv-") { &KEY[..32] } else { &"0".repeat(32) };
    let mut command = Command::new("openssl");
    command.args(["enc", mode, direction, "-K", KEY]);
    if mode == "-aes-256-cbc" {
        command.args(["-iv", iv]);
    }
    let mut input = input.to_vec();
    let zero_pad = name.ends_with("-zero-pad");
    if zero_pad {
        command.arg("-nopad");
        input.resize(input.len().next_multiple_of(16), 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in");
    std::fs::write(&file, input).unwrap();
    let output = command
        .stdin(std::fs::File::open(file).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .expect("openssl is needed for this test: apt install openssl");
    assert!(output.status.success(), "{name}");
    let mut output = output.stdout;
    if zero_pad && direction == "-d" {
        output.truncate(output.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    }
    output
}

#[test]
fn openssl_opens_what_we_encrypt_and_we_open_what_it_encrypts() {
    let key = ConfigKey::parse(KEY).unwrap();
    // A length with every kind of padding: within a block, and a full block.
    for plain in [PLAIN, &PLAIN[..PLAIN.len() / 16 * 16], &PLAIN[..1]] {
        for profile in Profile::ALL {
            let ours = encrypt(profile, &key, plain);
            let theirs = openssl(profile, "-e", plain);
            assert!(ours == theirs, "{}: {} bytes", profile.name, plain.len());
            assert!(openssl(profile, "-d", &ours) == plain, "{}", profile.name);
            assert!(decrypt(profile, &key, &theirs).unwrap() == plain, "{}", profile.name);
        }
    }
}
