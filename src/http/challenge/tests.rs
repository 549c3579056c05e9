//! Tests of the server side of Digest: the vectors of the RFCs, tampering, stale nonces.

use proptest::prelude::*;

use super::super::answer::{DigestClient, Offer};
use super::super::authorization::Authorization;
use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

fn challenger() -> Challenger {
    Challenger::new([7; 32], "Provost")
}

fn read(value: &str) -> DigestAnswer {
    match Authorization::parse(&HeaderValue::try_from(value).unwrap()) {
        Some(Authorization::Digest(answer)) => answer,
        other => panic!("{value} is read as {other:?}"),
    }
}

/// What a client with this password answers to the first challenge.
fn answered(challenger: &Challenger, password: &str) -> String {
    let challenges = challenger.challenges(NOW, false, false);
    let first = challenges[0].to_str().unwrap();
    DigestClient::answer(&[first], "POST", "/acs", "u", &Secret::new(password), "c", 1).unwrap()
}

#[test]
fn challenges_read_as_they_should() {
    let challenger = Challenger::new([7; 32], "a \"b\\\r\nc");
    let texts: Vec<_> = challenger
        .challenges(Timestamp::from_millis(0x0123_4567_89ab), true, true)
        .iter()
        .map(|value| value.to_str().unwrap().to_owned())
        .collect();
    let nonce = texts[0].split("nonce=\"").nth(1).unwrap().get(..44).unwrap();
    assert!(nonce.starts_with("0123456789ab"), "the time is readable, the rest is a code");
    assert_eq!(
        texts,
        [
            format!(
                "Digest realm=\"a bc\", qop=\"auth\", nonce=\"{nonce}\", algorithm=MD5, stale=true"
            ),
            format!(
                "Digest realm=\"a bc\", qop=\"auth\", nonce=\"{nonce}\", algorithm=SHA-256, stale=true"
            ),
            "Basic realm=\"a bc\"".to_owned(),
        ]
    );
}

#[test]
fn the_right_password_is_right_for_five_minutes_and_then_stale() {
    let challenger = challenger();
    let answer = read(&answered(&challenger, "secret"));
    let judge = |password, now| challenger.verify(&answer, "POST", &Secret::new(password), now);
    for (after, verdict) in [
        (0, Verdict::Right),
        (300, Verdict::Right),
        (301, Verdict::Stale),
        (86_400, Verdict::Stale),
    ] {
        let now = NOW.after(Duration::from_secs(after));
        assert_eq!(judge("secret", now), verdict, "{after}");
        assert_eq!(judge("Secret", now), Verdict::Wrong, "{after}");
    }
    let set_back = |seconds: i64| Timestamp::from_millis(NOW.as_millis() - seconds * 1000);
    assert_eq!(judge("secret", set_back(60)), Verdict::Right);
    assert_eq!(judge("secret", set_back(61)), Verdict::Stale);
    // Q58: the same answer again, on whatever connection (Q17).
    assert_eq!(judge("secret", NOW), Verdict::Right);
}

#[test]
fn a_nonce_of_somebody_else_is_stale_and_a_forged_one_too() {
    let theirs = Challenger::new([8; 32], "Provost");
    let answer = read(&answered(&theirs, "secret"));
    let verdict = challenger().verify(&answer, "POST", &Secret::new("secret"), NOW);
    assert_eq!(verdict, Verdict::Stale);
    for nonce in ["", "0", "zzzzzzzzzzzz", "ffffffffffff", "ä234567890ab"] {
        let challenge = format!("Digest realm=\"Provost\", nonce=\"{nonce}\", qop=\"auth\"");
        let password = Secret::new("secret");
        let text =
            DigestClient::answer(&[&challenge], "POST", "/", "u", &password, "c", 1).unwrap();
        let verdict = challenger().verify(&read(&text), "POST", &password, NOW);
        assert_eq!(verdict, Verdict::Stale, "{nonce}");
    }
}

#[test]
fn nothing_in_an_answer_can_be_changed() {
    let challenger = challenger();
    let text = answered(&challenger, "secret");
    let secret = Secret::new("secret");
    assert_eq!(challenger.verify(&read(&text), "POST", &secret, NOW), Verdict::Right);
    assert_eq!(challenger.verify(&read(&text), "GET", &secret, NOW), Verdict::Wrong);
    for (from, to) in [
        ("username=\"u\"", "username=\"v\""),
        ("uri=\"/acs\"", "uri=\"/acs2\""),
        ("nc=00000001", "nc=00000002"),
        ("cnonce=\"c\"", "cnonce=\"d\""),
        ("algorithm=MD5", "algorithm=MD5-sess"),
        ("algorithm=MD5", "algorithm=SHA-256"),
        ("qop=auth", "qop=auth-int"),
        ("qop=auth", "qop=\"\""),
        ("response=\"", "response=\"0"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let verdict = challenger.verify(&read(&changed), "POST", &secret, NOW);
        assert_eq!(verdict, Verdict::Wrong, "{from} -> {to}");
    }
}

#[test]
fn a_client_that_knows_sha_256_uses_it_and_an_old_one_takes_the_first() {
    let challenges = challenger().challenges(NOW, false, false);
    let texts: Vec<_> = challenges.iter().map(|value| value.to_str().unwrap()).collect();
    let password = Secret::new("p");
    let strong = DigestClient::answer(&texts, "GET", "/", "u", &password, "c", 1).unwrap();
    assert_eq!(read(&strong).algorithm, Algorithm::Sha256);
    assert_eq!(challenger().verify(&read(&strong), "GET", &password, NOW), Verdict::Right);
    // Some do not say which algorithm they used; the length tells.
    let silent = strong.replace(", algorithm=SHA-256", "");
    assert_eq!(challenger().verify(&read(&silent), "GET", &password, NOW), Verdict::Right);
    let old = DigestClient::answer(&texts[..1], "GET", "/", "u", &password, "c", 1).unwrap();
    assert_eq!(read(&old).algorithm, Algorithm::Md5);
}

fn text() -> impl Strategy<Value = String> {
    "[ !-~äß€]{0,24}"
}

proptest! {
    #[test]
    fn what_the_client_answers_the_server_takes(
        username in text(),
        password in text(),
        wrong in text(),
        target in "/[!-~]{0,40}",
        cnonce in text(),
        nc in 0_u32..,
        algorithm in prop::sample::select(vec!["", "MD5", "MD5-sess", "SHA-256", "SHA-256-sess"]),
        qop in prop::sample::select(vec!["", ", qop=\"auth\"", ", qop=\"auth-int,auth\""]),
        late in 0_u64..300,
    ) {
        let challenger = challenger();
        let nonce = challenger.nonce(NOW);
        let algorithm = match algorithm {
            "" => String::new(),
            name => format!(", algorithm={name}"),
        };
        let challenge = format!("Digest realm=\"Provost\", nonce=\"{nonce}\"{qop}{algorithm}");
        let offer = Offer::strongest(&[&challenge]).unwrap();
        let secret = Secret::new(password.as_str());
        let value = offer.answer("POST", &target, &username, &secret, &cnonce, nc);
        let answer = read(&value);
        prop_assert_eq!(&*answer.username, username.as_str());
        prop_assert_eq!(&*answer.uri, target.as_str());
        let now = NOW.after(Duration::from_secs(late));
        prop_assert_eq!(challenger.verify(&answer, "POST", &secret, now), Verdict::Right);
        if wrong != password {
            let verdict = challenger.verify(&answer, "POST", &Secret::new(wrong), now);
            prop_assert_eq!(verdict, Verdict::Wrong);
        }
    }
}
