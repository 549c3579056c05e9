//! What HTTP the door speaks.

use provost::config::LimitsConfig;
use provost::http::Door;

use super::*;

const PLAIN: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let mut door = open(&LimitsConfig::default(), None);
    let mut stream = say(door.at, PLAIN).await;
    assert!(hear_one(&mut stream).await.ends_with("\r\n\r\nabc"));
    stream.write_all(PLAIN.as_bytes()).await.unwrap();
    let heard = hear_one(&mut stream).await;
    // Title case, since some devices compare names with case.
    assert!(heard.contains("\r\nContent-Length: 3\r\n"), "{heard}");
    drop(stream);
    assert!(door.closed.recv().await.is_some());
}

#[tokio::test]
async fn the_handler_is_told_who_calls() {
    let door = open(&LimitsConfig::default(), None);
    let mut stream = say(door.at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let heard = hear_one(&mut stream).await;
    let own = stream.local_addr().unwrap();
    assert!(heard.contains(&format!("address: {own}, local: {}, tls: false", door.at)), "{heard}");
}

#[tokio::test]
async fn a_dual_stack_door_shows_ipv4_as_ipv4() {
    let Ok(door) = Door::bind("test", "[::]:0".parse().unwrap(), &LimitsConfig::default(), None)
    else {
        return; // A machine without IPv6.
    };
    let at = SocketAddr::from(([127, 0, 0, 1], door.local_addr().port()));
    let (closed, _) = mpsc::unbounded_channel();
    let echo = Arc::new(Echo { limits: LimitsConfig::default(), closed });
    tokio::spawn(door.serve(echo, CancellationToken::new()));
    let mut stream = say(at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    let heard = hear_one(&mut stream).await;
    let own = stream.local_addr().unwrap();
    assert!(heard.contains(&format!("address: {own}, local: {at}")), "{heard}");
}

#[tokio::test]
async fn old_clients_are_served() {
    let door = open(&LimitsConfig::default(), None);
    // HTTP/1.0 ends the connection by itself.
    let heard = hear(say(door.at, "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc").await).await;
    assert!(heard.starts_with("HTTP/1.0 200") && heard.ends_with("abc"), "{heard}");
    // Whoever closes his side after the request still gets the answer.
    let mut stream = say(door.at, PLAIN).await;
    stream.shutdown().await.unwrap();
    assert!(hear(stream).await.ends_with("abc"));
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_gets_it_at_once() {
    let door = open(&LimitsConfig::default(), None);
    let head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    let mut stream = say(door.at, head).await;
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0);
    }
    assert_eq!(heard, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    assert!(hear_one(&mut stream).await.ends_with("abc"));
}

#[tokio::test]
async fn bodies_too_large_are_refused_before_they_are_read_and_the_answer_arrives() {
    let door = open(&LimitsConfig::default(), None);
    let announced =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\nConnection: close\r\n\r\n";
    let mut stream = say(door.at, announced).await;
    assert!(hear_one(&mut stream).await.starts_with("HTTP/1.1 413"));
    // Still sending while the answer comes: it must not be lost by a reset.
    let sent = [announced.as_bytes(), &vec![b'x'; 500_000]].concat();
    assert!(hear(say(door.at, sent).await).await.starts_with("HTTP/1.1 413"));

    let mut endless =
        say(door.at, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    while endless.write_all(chunk.as_bytes()).await.is_ok() {
        if endless.try_read(&mut [0; 12]).is_ok_and(|read| read > 0) {
            break;
        }
    }
    serves(door.at).await;
}

#[tokio::test]
async fn what_is_ambiguous_is_refused_and_ends_the_connection() {
    let door = open(&LimitsConfig::default(), None);
    for request in [
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "POST / HTTP/9.9\r\n\r\n",
        "\u{1}\u{2}\u{3}\r\n\r\n",
    ] {
        let heard = hear(say(door.at, request).await).await;
        assert!(heard.starts_with("HTTP/1.1 400"), "{request:?}: {heard}");
    }
    // With both lengths the chunks count, and what follows is no request.
    let both = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let heard = hear(say(door.at, format!("{both}GET /x HTTP/1.1\r\nHost: h\r\n\r\n")).await).await;
    assert_eq!(heard.matches("HTTP/1.1").count(), 1, "{heard}");
}

#[tokio::test]
async fn a_panic_behind_the_door_ends_one_connection_and_gives_its_place_back() {
    let limits = LimitsConfig { connections: 1, ..LimitsConfig::default() };
    let mut door = open(&limits, None);
    let heard = hear(say(door.at, "GET /panic HTTP/1.1\r\nHost: h\r\n\r\n").await).await;
    assert_eq!(heard, "");
    assert!(door.closed.recv().await.is_some());
    serves(door.at).await;
}

#[tokio::test]
async fn a_stopped_door_lets_requests_end_and_takes_no_more() {
    let door = open(&LimitsConfig::default(), None);
    let idle = say(door.at, "").await;
    let mut kept = say(door.at, PLAIN).await;
    hear_one(&mut kept).await;
    let mut busy = say(door.at, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na").await;
    // A second exchange shows that the half request was taken in before the stop.
    serves(door.at).await;
    door.stop.cancel();
    assert_eq!(hear(kept).await, "");
    busy.write_all(b"bc").await.unwrap();
    assert!(hear(busy).await.ends_with("abc"));
    assert_eq!(hear(idle).await, "");
    door.serving.await.unwrap();
    assert!(TcpStream::connect(door.at).await.is_err());
}

#[tokio::test]
async fn a_taken_port_is_told_in_one_line() {
    let door = open(&LimitsConfig::default(), None);
    let error =
        Door::bind("CWMP", door.at, &LimitsConfig::default(), None).unwrap_err().to_string();
    let expected = format!("the CWMP door cannot listen on {}: Address already in use", door.at);
    assert!(error.starts_with(&expected), "{error}");
}
