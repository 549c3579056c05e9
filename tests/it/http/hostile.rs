//! Challenges and answers of Digest that were cut, or of which a byte is another.

use super::survives::{certificate, digest};

const SOUND: &[&str] = &[
    "Digest realm=\"cpe\", nonce=\"abc\", qop=\"auth\", opaque=\"o\", algorithm=SHA-256",
    "Basic realm=\"a\", Digest realm=\"r\\\"\", nonce=\"n\", algorithm=MD5-sess, stale=true",
    "Digest username=\"acs\", realm=\"provost\", nonce=\"0000000000000000abcd\", uri=\"/\", \
     response=\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"",
    "Basic dXNlcjpwYXNz",
];

#[test]
fn every_challenge_and_answer_survives_cuts_and_damage() {
    for sound in SOUND {
        let mut bytes = sound.as_bytes().to_vec();
        for end in 0..=bytes.len() {
            digest(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            let right = bytes[at];
            for wrong in [0, b'\n', b'"', b'\\', b',', b'=', 0xff, right ^ 1, right ^ 0x20] {
                bytes[at] = wrong;
                digest(&bytes);
            }
            bytes[at] = right;
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        digest(&bytes);
        certificate(&bytes);
    }
}
