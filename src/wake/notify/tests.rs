//! A phone's side written out by hand, over loopback.

use super::*;

fn request(credentials: Option<(&str, &str)>) -> NotifyRequest {
    NotifyRequest {
        user: "10 01".into(),
        event: "check-sync;reboot=true".into(),
        credentials: credentials.map(|(user, password)| (user.into(), Secret::new(password))),
        from_uri: "sip:pbx@192.0.2.1".into(),
    }
}

/// A phone that answers each datagram by what `answer` says of its text, and
/// tells what it got.
async fn against(
    request: NotifyRequest,
    within: Duration,
    mut answer: impl FnMut(usize, &str) -> Vec<String> + Send + 'static,
) -> (NotifyOutcome, Vec<String>) {
    let phone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = phone.local_addr().unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        let mut buffer = [0; 4096];
        for number in 0.. {
            let (length, from) = phone.recv_from(&mut buffer).await.unwrap();
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            for answer in answer(number, &text) {
                phone.send_to(answer.as_bytes(), from).await.unwrap();
            }
            tell.send(text).unwrap();
        }
    });
    let outcome = notify(at, request, within).await;
    task.abort();
    let mut got = Vec::new();
    while let Ok(text) = told.try_recv() {
        got.push(text.replace(&at.to_string(), "PHONE"));
    }
    (outcome, got)
}

/// A response to a request, with what identifies it copied.
fn response(request: &str, status: &str, more: &str) -> String {
    let copied: String = request
        .split_inclusive("\r\n")
        .filter(|line| ["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|h| line.starts_with(h)))
        .collect();
    format!("SIP/2.0 {status}\r\n{copied}{more}Content-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_phone_that_agrees_is_told_once() {
    let (outcome, got) = against(request(None), NOTIFY_WITHIN, |_, text| {
        let stray = response(text, "500 stray", "").replace("CSeq: 1", "CSeq: 9");
        vec!["nonsense".into(), stray, response(text, "202 Accepted", "")]
    })
    .await;
    assert_eq!(outcome, NotifyOutcome::Accepted(202));
    let [sent] = &got[..] else { panic!("{got:?}") };
    let lines: Vec<&str> = sent.lines().collect();
    assert_eq!(lines[0], "NOTIFY sip:10%2001@PHONE SIP/2.0");
    assert!(lines[1].starts_with("Via: SIP/2.0/UDP 127.0.0.1:") && lines[1].ends_with(";rport"));
    assert!(lines[3].starts_with("From: <sip:pbx@192.0.2.1>;tag="));
    for line in [
        "To: <sip:10%2001@PHONE>",
        "CSeq: 1 NOTIFY",
        "Event: check-sync;reboot=true",
        "Content-Length: 0",
    ] {
        assert!(lines.contains(&line), "{line} in {sent}");
    }
}

#[tokio::test]
async fn a_digest_challenge_is_answered() {
    let challenge = "WWW-Authenticate: Digest realm=\"phone\", nonce=\"n\", algorithm=MD5\r\n";
    let (outcome, got) =
        against(request(Some(("anna", "secret"))), NOTIFY_WITHIN, move |n, text| {
            let status = if n == 0 { "401 Unauthorized" } else { "200 OK" };
            vec![response(text, "100 Trying", ""), response(text, status, challenge)]
        })
        .await;
    assert_eq!(outcome, NotifyOutcome::Accepted(200));
    let [first, second] = &got[..] else { panic!("{got:?}") };
    assert!(!first.contains("Authorization") && second.contains("CSeq: 2 NOTIFY"));
    let header = second.lines().find(|line| line.starts_with("Authorization: Digest ")).unwrap();
    assert!(header.contains("username=\"anna\", realm=\"phone\", nonce=\"n\""), "{header}");
    let id =
        |text: &str, name| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert_eq!(id(first, "Call-ID"), id(second, "Call-ID"));
    assert_ne!(id(first, "Via"), id(second, "Via"), "a new branch for a new transaction");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let proxy = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\"\r\n";
    for (credentials, status, expected) in [
        (None, "407 Who?", NotifyOutcome::NeedsCredentials(407)),
        (Some(("anna", "wrong")), "407 Who?", NotifyOutcome::WrongCredentials(407)),
        (None, "489 Bad Event", NotifyOutcome::Refused(489, "Bad Event".into())),
    ] {
        let (outcome, _) = against(request(credentials), NOTIFY_WITHIN, move |_, text| {
            vec![response(text, status, proxy)]
        })
        .await;
        assert_eq!(outcome, expected);
        assert!(!outcome.to_string().contains("wrong"));
    }
}

#[tokio::test]
async fn silence_and_absence_are_no_success() {
    let brief = Duration::from_millis(100);
    let (outcome, _) = against(request(None), brief, |_, _| Vec::new()).await;
    assert_eq!(outcome, NotifyOutcome::TimedOut);
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = notify(gone, request(None), NOTIFY_WITHIN).await;
    assert!(matches!(outcome, NotifyOutcome::Unreachable(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_lost_datagram_is_sent_again_as_it_was() {
    let (outcome, got) = against(request(None), AT_MOST, |number, text| {
        if number == 0 { Vec::new() } else { vec![response(text, "200 OK", "")] }
    })
    .await;
    assert_eq!(outcome, NotifyOutcome::Accepted(200));
    let [first, second] = &got[..] else { panic!("{got:?}") };
    assert_eq!(first, second);
}
