//! Digest as devices do it (T4), computed here from the standard's formula and
//! shown to the real server.

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::inform;
use super::wire::Wire;
use crate::lab::Lab;

/// How a device writes its answer.
#[derive(Clone, Copy)]
struct Form {
    name: &'static str,
    /// What it hashes with: `MD5` or `SHA-256`, with `-sess` or without.
    algorithm: &'static str,
    /// What it says of that; `None` says nothing.
    said: Option<&'static str>,
    qop: Option<&'static str>,
    nc: &'static str,
    uri: &'static str,
}

const PLAIN: Form = Form {
    name: "MD5 with qop",
    algorithm: "MD5",
    said: Some("MD5"),
    qop: Some("auth"),
    nc: "00000001",
    uri: "/",
};

const FORMS: &[Form] = &[
    PLAIN,
    Form { name: "MD5-sess", algorithm: "MD5-sess", said: Some("MD5-sess"), ..PLAIN },
    Form { name: "SHA-256", algorithm: "SHA-256", said: Some("SHA-256"), ..PLAIN },
    Form { name: "no qop (RFC 2069)", qop: None, ..PLAIN },
    Form { name: "no algorithm", said: None, ..PLAIN },
    Form { name: "a quoted algorithm", said: Some("\"MD5\""), ..PLAIN },
    Form { name: "a lower-case algorithm", said: Some("md5"), ..PLAIN },
    Form { name: "a quoted qop", qop: Some("\"auth\""), ..PLAIN },
    Form { name: "an absolute uri", uri: "http://acs.example.net:7547/cwmp", ..PLAIN },
    Form { name: "the uri of another path", uri: "/elsewhere", ..PLAIN },
    Form { name: "an nc of its own", nc: "7", ..PLAIN },
];

fn hash(algorithm: &str, text: &str) -> String {
    if algorithm.starts_with("MD5") {
        hex::encode(Md5::digest(text.as_bytes()))
    } else {
        hex::encode(Sha256::digest(text.as_bytes()))
    }
}

fn answer(form: Form, nonce: &str, user: &str, password: &str) -> String {
    let Form { algorithm, nc, uri, .. } = form;
    let mut secret = hash(algorithm, &format!("{user}:provost:{password}"));
    if algorithm.ends_with("-sess") {
        secret = hash(algorithm, &format!("{secret}:{nonce}:c0ffee"));
    }
    let request = hash(algorithm, &format!("POST:{uri}"));
    let response = match form.qop {
        Some(_) => hash(algorithm, &format!("{secret}:{nonce}:{nc}:c0ffee:auth:{request}")),
        None => hash(algorithm, &format!("{secret}:{nonce}:{request}")),
    };
    let mut text = format!(
        "Digest username=\"{user}\", realm=\"provost\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\""
    );
    if let Some(said) = form.said {
        text.push_str(&format!(", algorithm={said}"));
    }
    if let Some(qop) = form.qop {
        text.push_str(&format!(", qop={qop}, nc={nc}, cnonce=\"c0ffee\""));
    } else if algorithm.ends_with("-sess") {
        text.push_str(", cnonce=\"c0ffee\"");
    }
    text
}

fn nonce_of(challenge: &str) -> String {
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn t04_every_form_of_digest_is_taken_over_new_connections_too() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (user, password) = lab.onboarding();
    let (_, body) = inform("T4");
    for (number, form) in FORMS.iter().enumerate() {
        let mut wire = Wire::connect(at).await;
        let challenges = wire.post(&body, &[]).await.headers("www-authenticate");
        let nonce = nonce_of(&challenges[0]);
        let right = answer(*form, &nonce, &user, password.expose());
        let header = [("Authorization", right.as_str())];
        assert_eq!(wire.post(&body, &header).await.status, 200, "{}", form.name);
        // The same answer once more, on a connection of its own: nc does not grow,
        // the nonce is used again.
        let mut other = Wire::connect(at).await;
        assert_eq!(other.post(&body, &header).await.status, 200, "{} again", form.name);
        let wrong = answer(*form, &nonce, &user, "wrong");
        // From elsewhere, since after ten of these an address is not judged.
        let mut third = Wire::connect_from(&format!("127.0.1.{}", 1 + number), at).await;
        let refused = third.post(&body, &[("Authorization", &wrong)]).await;
        assert_eq!(refused.status, 401, "{}", form.name);
    }
}

#[tokio::test]
async fn t04_a_stale_nonce_is_told_from_a_wrong_password() {
    let lab = Lab::start().await;
    let mut wire = Wire::connect(lab.addresses().cwmp.unwrap()).await;
    let (user, password) = lab.onboarding();
    let (_, body) = inform("STALE");
    let old = answer(PLAIN, &"0".repeat(44), &user, password.expose());
    let stale = wire.post(&body, &[("Authorization", &old)]).await;
    assert_eq!(stale.status, 401);
    let challenges = stale.headers("www-authenticate");
    assert!(challenges.iter().all(|one| one.contains("stale=true")), "{challenges:?}");
    let fresh = answer(PLAIN, &nonce_of(&challenges[0]), &user, password.expose());
    assert_eq!(wire.post(&body, &[("Authorization", &fresh)]).await.status, 200);
    let wrong = answer(PLAIN, &nonce_of(&challenges[0]), &user, "wrong");
    let mut other = Wire::connect(lab.addresses().cwmp.unwrap()).await;
    let refused = other.post(&body, &[("Authorization", &wrong)]).await;
    assert!(!refused.headers("www-authenticate")[0].contains("stale"));
}

#[tokio::test]
async fn t04_a_challenge_may_come_in_the_midst_of_a_session() {
    let lab = Lab::start().await;
    let at = lab.addresses().cwmp.unwrap();
    let (user, password) = lab.onboarding();
    let mut wire = Wire::connect(at).await;
    let (_, body) = inform("MIDST");
    let challenges = wire.post(&body, &[]).await.headers("www-authenticate");
    let right = answer(PLAIN, &nonce_of(&challenges[0]), &user, password.expose());
    let cookie = wire.post(&body, &[("Authorization", &right)]).await.cookie();
    // The empty message on a new connection, without credentials and then with.
    let mut next = Wire::connect(at).await;
    let asked = next.post(b"", &[("Cookie", &cookie)]).await;
    assert_eq!(asked.status, 401);
    let nonce = nonce_of(&asked.headers("www-authenticate")[0]);
    let right = answer(PLAIN, &nonce, &user, password.expose());
    let headers = [("Cookie", cookie.as_str()), ("Authorization", right.as_str())];
    assert_eq!(next.post(b"", &headers).await.status, 200);
}
