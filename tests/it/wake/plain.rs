//! Devices that can be woken, and those that say why not.

use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use provost::config::LimitsConfig;
use provost::http::{Authorization, Body, Challenger, Door, Handler, Peer, Verdict};
use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test]
async fn t18_a_device_that_asks_for_nothing_is_woken_by_one_request() {
    for answer in [OK, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] {
        let (outcome, heard) = wake(&[answer]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(heard.len(), 1);
        assert!(heard[0].starts_with("GET /wake?a=1 HTTP/1.1\r\n"), "{heard:?}");
        assert!(heard[0].contains("\r\nHost: 127.0.0.1:"), "{heard:?}");
        assert!(!heard[0].contains("Authorization"), "{heard:?}");
    }
}

#[tokio::test]
async fn q18_a_challenge_is_answered_on_the_same_connection_or_on_a_fresh_one() {
    // Q18: closed after the 401, or reset while the answer is on its way.
    let closing = CHALLENGE.replace("Content-Length: 0", "Content-Length: 0\r\nConnection: close");
    for (answers, requests) in
        [(vec![CHALLENGE, OK], 2), (vec![&closing, OK], 2), (vec![CHALLENGE, "", OK], 3)]
    {
        let (outcome, heard) = wake(&answers).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(heard.len(), requests, "{heard:?}");
        let last = heard.last().unwrap();
        assert!(last.contains("Authorization: Digest username=\"cr\""), "{last}");
        assert!(!last.contains("secret"), "{last}");
    }
}

#[tokio::test]
async fn t18_each_refusal_is_told_in_words() {
    let refused = CHALLENGE;
    let basic = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
                 WWW-Authenticate: Basic realm=\"cpe\"\r\n\r\n";
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let absent = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    for (answers, words, requests) in [
        (vec![refused, refused, refused], "refused: the device does not take", 2),
        (vec![basic, OK], "refused: the device wants the password in clear text", 1),
        (vec![busy], "busy", 1),
        (vec![refused, busy], "busy", 2),
        (vec![absent], "the device answered 404", 1),
        (vec!["rubbish\r\n\r\n"], "offline: the exchange failed", 1),
        (vec![""], "offline", 1),
    ] {
        let (outcome, heard) = wake(&answers).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.starts_with(words), "{error}");
        assert_eq!(heard.len(), requests, "{words}: {heard:?}");
    }
}

#[tokio::test]
async fn q50_basic_is_answered_only_where_it_is_allowed() {
    let basic = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
                 WWW-Authenticate: Basic realm=\"cpe\"\r\n\r\n";
    let both = CHALLENGE.replace("\r\n\r\n", "\r\nWWW-Authenticate: Basic realm=\"cpe\"\r\n\r\n");
    for (challenge, header) in [(basic, "Basic Y3I6c2VjcmV0"), (&*both, "Digest username=")] {
        let mut house = House::new(&[]);
        house.with_ways(None, None);
        let scripted = Scripted::new(&[challenge, OK]).await;
        let id = house.device(&scripted.url(), LOCAL).await;
        house.credentials(&id, "cr", "secret").await;
        house.waker.wake(&id).await.unwrap();
        let heard = scripted.heard();
        assert!(heard[1].contains(&format!("Authorization: {header}")), "{heard:?}");
    }
}

#[tokio::test]
async fn q16_a_challenge_in_any_form_is_answered_in_that_form() {
    for (offer, has, has_not) in [
        ("nonce=\"abc\"", "response=", "qop"),
        ("nonce=\"abc\"", "nonce=\"abc\"", "cnonce"),
        ("nonce=\"abc\", qop=\"auth\"", "qop=auth", "opaque"),
        ("nonce=\"abc\", algorithm=SHA-256, qop=\"auth\"", "algorithm=SHA-256", "opaque"),
        ("nonce=\"abc\", algorithm=SHA-256", "algorithm=SHA-256", "qop"),
        ("nonce=\"abc\", opaque=\"x\"", "opaque=\"x\"", "nc="),
    ] {
        let challenge = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
             WWW-Authenticate: Digest realm=\"cpe\", {offer}\r\n\r\n"
        );
        let (outcome, heard) = wake(&[&challenge, OK]).await;
        assert!(outcome.is_ok(), "{offer}: {outcome:?}");
        assert!(heard[1].contains(has) && !heard[1].contains(has_not), "{offer}: {}", heard[1]);
    }
}

#[tokio::test]
async fn t18_a_device_of_ipv6_is_woken_too() {
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let heard = request(&mut stream).await.unwrap();
        stream.write_all(OK.as_bytes()).await.unwrap();
        heard
    });
    let house = House::new(&[]);
    let id = house.device(&format!("http://{at}/wake"), at.ip()).await;
    house.waker.wake(&id).await.unwrap();
    let heard = heard.await.unwrap();
    assert!(heard.contains(&format!("Host: {at}\r\n")), "{heard}");
}

#[tokio::test]
async fn without_credentials_a_challenge_cannot_be_answered() {
    let house = House::new(&[]);
    let scripted = Scripted::new(&[CHALLENGE]).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    let error = house.waker.wake(&id).await.unwrap_err();
    assert!(matches!(error, WakeError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_device_that_is_not_there_is_offline() {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let house = House::new(&[]);
    let id = house.device(&format!("http://{at}/"), LOCAL).await;
    let error = house.waker.wake(&id).await.unwrap_err();
    assert!(matches!(error, WakeError::Offline(_)), "{error}");
    let unknown = "00D09E-2".parse().unwrap();
    assert!(matches!(house.waker.wake(&unknown).await, Err(WakeError::Unknown)));
    let silent = house.device(" ", LOCAL).await;
    assert!(matches!(house.waker.wake(&silent).await, Err(WakeError::NoUrl)));
}

#[tokio::test]
async fn those_who_ask_at_once_share_one_request() {
    let house = House::new(&[]);
    let scripted = Scripted::new(&[OK, OK]).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    let all: Vec<_> = (0..50)
        .map(|_| {
            let (waker, id) = (Arc::clone(&house.waker), id.clone());
            async move { waker.wake(&id).await }
        })
        .map(tokio::spawn)
        .collect();
    for one in all {
        one.await.unwrap().unwrap();
    }
    assert_eq!(scripted.heard().len(), 1);
}

#[tokio::test]
async fn t18_several_requests_before_one_session_are_one() {
    let house = House::new(&[]);
    let scripted = Scripted::new(&[OK; 9]).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    for _ in 0..5 {
        assert_eq!(house.waker.wake(&id).await.unwrap(), Woken::Agreed(Way::Http));
    }
    assert_eq!(scripted.heard().len(), 1);
    let report = house.waker.report(&id).await;
    assert!(report.tried.is_empty(), "{report:?}");
    // Thirty seconds without a session: it may be asked again.
    house.clock.advance(Duration::from_secs(30));
    house.waker.wake(&id).await.unwrap();
    assert_eq!(scripted.heard().len(), 2);
    // Its session came: what is wanted now wants another.
    house.clock.advance(Duration::from_secs(1));
    house.informs(&id).await;
    house.waker.wake(&id).await.unwrap();
    assert_eq!(scripted.heard().len(), 3);
}

#[tokio::test]
async fn t18_a_busy_device_may_be_asked_again_at_once() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let house = House::new(&[]);
    let scripted = Scripted::new(&[busy, OK]).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    assert!(matches!(house.waker.wake(&id).await, Err(WakeError::Busy)));
    house.waker.wake(&id).await.unwrap();
    assert_eq!(scripted.heard().len(), 2);
}

#[tokio::test]
async fn d08_a_hammered_button_wakes_ten_times() {
    let busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let house = House::new(&[]);
    let scripted = Scripted::new(&[busy; 20]).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    let mut throttled = 0;
    for _ in 0..1000 {
        match house.waker.wake(&id).await {
            Err(WakeError::Busy) => {}
            Err(WakeError::Throttled) => throttled += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((scripted.heard().len(), throttled), (10, 990));
}

/// A device with a real Digest server.
struct Guarded(Challenger);

impl Handler for Guarded {
    async fn handle(&self, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let now = Timestamp::from_millis(0);
        let mut answer = Response::new(Body::empty());
        let right = match request.headers().get(AUTHORIZATION).and_then(Authorization::parse) {
            Some(Authorization::Digest(shown)) => {
                self.0.verify(&shown, "GET", &Secret::new("secret"), now) == Verdict::Right
            }
            _ => false,
        };
        if !right {
            *answer.status_mut() = StatusCode::UNAUTHORIZED;
            for challenge in self.0.challenges(now, false, true) {
                answer.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
        }
        answer
    }
}

#[tokio::test]
async fn the_devices_own_digest_decides() {
    let limits = LimitsConfig::default();
    let door = Door::bind("device", (LOCAL, 0).into(), &limits, None).unwrap();
    let url = format!("http://localhost:{}/", door.local_addr().port());
    let guarded = Arc::new(Guarded(Challenger::new([3; 32], "cpe")));
    tokio::spawn(door.serve(guarded, CancellationToken::new()));
    let house = House::new(&[]);
    // A name: of its addresses the one that the device called from is taken.
    let id = house.device(&url, LOCAL).await;
    house.credentials(&id, "cr", "secret").await;
    house.waker.wake(&id).await.unwrap();
    house.credentials(&id, "cr", "other").await;
    house.clock.advance(Duration::from_secs(30));
    let error = house.waker.wake(&id).await.unwrap_err();
    assert!(matches!(error, WakeError::Refused(_)), "{error}");
}
