//! What must hold for any bytes whatever; the fuzz target runs the same.

use provost::device::Secret;
use provost::http::{Authorization, Challenger, DigestClient, mac_in_certificate};
use provost::time::Timestamp;

use hyper::header::HeaderValue;

/// The bytes as a challenge and as an answer to one: an answer that is written
/// fits into a header and reads back, and no answer that was made up is right.
pub(crate) fn digest(bytes: &[u8]) {
    let (now, password) = (Timestamp::from_millis(0), Secret::new("Circle Of Life"));
    if let Ok(value) = HeaderValue::from_bytes(bytes)
        && let Some(shown) = Authorization::parse(&value)
    {
        let _ = shown.username();
        if let Authorization::Digest(shown) = shown {
            let challenger = Challenger::new([7; 32], "provost");
            let verdict = challenger.verify(&shown, "POST", &password, now);
            assert_ne!(verdict, provost::http::Verdict::Right);
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let challenges: Vec<&str> = text.split('\n').collect();
    let _ = DigestClient::offers_basic(&challenges);
    let answer = DigestClient::answer(&challenges, "GET", "/", "Mufasa", &password, "c", 1);
    if let Some(answer) = answer {
        let value = HeaderValue::try_from(&answer).unwrap_or_else(|error| panic!("{error}"));
        let shown = Authorization::parse(&value).map(|shown| shown.username().to_owned());
        assert_eq!(shown.as_deref(), Some("Mufasa"), "{answer}");
        assert!(!answer.contains("Circle"), "{answer}");
    }
}

/// The bytes as a client certificate.
pub(crate) fn certificate(der: &[u8]) {
    let _ = mac_in_certificate(der);
}
