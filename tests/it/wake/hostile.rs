//! Devices that want the server to go elsewhere, or to stay for ever.

use super::*;

#[tokio::test]
async fn d01_no_request_leaves_to_where_the_device_is_not() {
    let house = House::new(&["10.0.0.0/8", "0.0.0.0/0"]);
    let listener = std::net::TcpListener::bind((LOCAL, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let caller = "203.0.113.5".parse().unwrap();
    for host in
        ["127.0.0.1", "127.255.255.254", "[::1]", "[::ffff:127.0.0.1]", "localhost", "localhost."]
    {
        let id = house.device(&format!("http://{host}:{port}/admin"), caller).await;
        let error = house.waker.wake(&id).await.unwrap_err();
        assert!(matches!(error, WakeError::Forbidden(_)), "{host}: {error}");
    }
    let error = listener.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "somebody connected");
}

#[tokio::test]
async fn d01_an_address_in_an_odd_spelling_is_none() {
    let house = House::new(&["127.0.0.0/8"]);
    for url in [
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://127.0.0.01/",
        "http://[::ffff:127.0.0.1%25lo]/",
        "http://[127.0.0.1]/",
        "http://127.0.0.1./",
    ] {
        let id = house.device(url, LOCAL).await;
        let error = house.waker.wake(&id).await.unwrap_err();
        assert!(matches!(error, WakeError::BadUrl(_)), "{url}: {error}");
    }
}

#[tokio::test]
async fn d02_d03_a_name_is_looked_up_once_and_nobody_else_is_written_to() {
    // What a name leads to is judged, and that very address is written to; the
    // request carries the name only in its Host header.
    let scripted = Scripted::new(&[OK]).await;
    let house = House::new(&[]);
    let url = format!("http://localhost:{}/wake", scripted.at.port());
    let id = house.device(&url, LOCAL).await;
    house.waker.wake(&id).await.unwrap();
    let heard = scripted.heard();
    assert!(heard[0].contains(&format!("Host: localhost:{}", scripted.at.port())), "{heard:?}");
    // Of another subscriber, of a third party: not where this one called from.
    for url in ["http://203.0.113.77:7547/", "http://192.0.2.80/search?q="] {
        let id = house.device(url, "203.0.113.5".parse().unwrap()).await;
        house.clock.advance(Duration::from_secs(60));
        let error = house.waker.wake(&id).await.unwrap_err();
        assert!(matches!(error, WakeError::Forbidden(_)), "{url}: {error}");
    }
}

#[tokio::test]
async fn d06_one_byte_at_a_time_and_one_challenge_after_the_other_end() {
    let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let endless = b"HTTP/1.1 200 OK\r\nX: ".iter().chain([b'x'].iter().cycle());
        for byte in endless.take(1000) {
            // It ends when the waker has hung up.
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let house = House::new(&[]);
    let id = house.device(&format!("http://{at}/"), LOCAL).await;
    let error = house.waker.wake(&id).await.unwrap_err();
    assert_eq!(error.to_string(), "offline: no answer in time");
    let (outcome, heard) = wake(&[CHALLENGE; 50]).await;
    assert!(matches!(outcome, Err(WakeError::Refused(_))), "{outcome:?}");
    assert_eq!(heard.len(), 2);
}

#[tokio::test]
async fn d05_no_request_leaves_to_what_is_no_plain_url() {
    let house = House::new(&["127.0.0.0/8"]);
    for url in [
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "http://user:password@127.0.0.1/",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "127.0.0.1:7547",
    ] {
        let id = house.device(url, LOCAL).await;
        let error = house.waker.wake(&id).await.unwrap_err();
        assert!(matches!(error, WakeError::BadUrl(_)), "{url}: {error}");
    }
    let id = house.device("http://0.0.0.0:7547/", LOCAL).await;
    assert!(matches!(house.waker.wake(&id).await, Err(WakeError::Forbidden(_))));
}

#[tokio::test]
async fn d04_a_redirect_is_not_followed() {
    let elsewhere = Scripted::new(&[OK]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            elsewhere.url()
        );
        let (outcome, heard) = wake(&[&answer, &answer]).await;
        assert!(matches!(outcome, Err(WakeError::BadAnswer(_))), "{outcome:?}");
        assert_eq!(heard.len(), 1);
    }
    assert!(elsewhere.heard().is_empty());
}

#[tokio::test]
async fn d06_a_tarpit_and_an_endless_answer_end() {
    // Says nothing: two seconds.
    let silent = TcpListener::bind((LOCAL, 0)).await.unwrap();
    let house = House::new(&[]);
    let id = house.device(&format!("http://{}/", silent.local_addr().unwrap()), LOCAL).await;
    let error = house.waker.wake(&id).await.unwrap_err();
    assert_eq!(error.to_string(), "offline: no answer in time");

    // A gigabyte behind a 401: left unread, and the answer goes by a fresh connection.
    let endless = CHALLENGE.replace("Content-Length: 0", "Content-Length: 1000000000");
    let endless = format!("{endless}{}", "x".repeat(100_000));
    let (outcome, _) = wake(&[&endless, OK]).await;
    assert!(outcome.is_ok(), "{outcome:?}");

    // Headers without end.
    let huge =
        format!("HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"{}", "x".repeat(1 << 20));
    let (outcome, _) = wake(&[&huge]).await;
    assert!(matches!(outcome, Err(WakeError::Offline(_))), "{outcome:?}");
}

#[tokio::test]
async fn d07_challenges_that_make_no_sense_are_told_as_such() {
    for challenge in [
        "Digest realm=\"cpe\"",
        "Digest nonce=\"a\", algorithm=ROT13",
        "Digest nonce=\"a\", qop=\"auth-int\"",
        "Negotiate",
        "\"\"\"=,,=",
    ] {
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: {challenge}\r\n\r\n"
        );
        let (outcome, heard) = wake(&[&answer, OK]).await;
        assert!(matches!(outcome, Err(WakeError::Refused(_))), "{challenge}: {outcome:?}");
        assert_eq!(heard.len(), 1);
    }
}
