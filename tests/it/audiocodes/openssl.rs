//! What we encrypt opens with openssl, and the other way round.

use std::process::{Command, Stdio};

use provost::device::Secret;
use provost::provision::audiocodes::{KeyDigest, decrypt_cfx, encrypt_cfx};

const SECRET: &str = "a secret of the operator";
const PLAIN: &[u8] = include_bytes!("../../fixtures/audiocodes/00908F602AAC.cfg");

fn openssl(digest: KeyDigest, direction: &str, input: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in");
    std::fs::write(&file, input).unwrap();
    let password = format!("pass:{SECRET}");
    let output = Command::new("openssl")
        .args(["enc", "-des-ede3-cbc", direction, "-nosalt", "-pass", &password])
        .args(["-md", digest.word(), "-provider", "legacy", "-provider", "default"])
        .stdin(std::fs::File::open(file).unwrap())
        .stderr(Stdio::piped())
        .output()
        .expect("openssl is needed for this test: apt install openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn openssl_opens_what_we_encrypt_and_we_open_what_it_encrypts() {
    let secret = Secret::new(SECRET);
    // A length with every kind of padding: within a block, and a full block.
    for plain in [PLAIN, &PLAIN[..PLAIN.len() / 8 * 8], &PLAIN[..1]] {
        for digest in [KeyDigest::Md5, KeyDigest::Sha256] {
            let ours = encrypt_cfx(digest, &secret, plain).unwrap();
            let theirs = openssl(digest, "-e", plain);
            assert!(ours == theirs, "{}: {} bytes", digest.word(), plain.len());
            assert!(openssl(digest, "-d", &ours) == plain, "{}", digest.word());
            assert!(decrypt_cfx(digest, &secret, &theirs).unwrap() == plain, "{}", digest.word());
        }
    }
}
