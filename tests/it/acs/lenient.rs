//! HTTP as devices speak it: odd, but meant well. Raw bytes at the real server.

use std::net::SocketAddr;

use super::wire::{Wire, hear};
use super::{inform, open_lab};

/// Posts with these lines in the head and a body of this length.
async fn post(at: SocketAddr, lines: &str, body: &[u8]) -> u16 {
    let head = format!("POST / HTTP/1.1\r\n{lines}Content-Length: {}\r\n\r\n", body.len());
    Wire::connect(at).await.send(&[head.as_bytes(), body].concat()).await.status
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:X};ext=1\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\nTrailer: x\r\n\r\n");
    bytes
}

#[tokio::test]
async fn q26_chunks_of_any_size_and_latin_1_are_taken() {
    let (lab, at) = open_lab().await;
    let (_, body) = inform("Q26");
    for size in [1, 7, 1000, 100_000] {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let bytes = [head.as_slice(), &chunked(&body, size)].concat();
        assert_eq!(Wire::connect(at).await.send(&bytes).await.status, 200, "{size}");
    }
    // The charset of the header counts before that of the declaration.
    let text = String::from_utf8(body).unwrap().replace(">Provost Simulation<", ">M\u{fc}ller<");
    let latin = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
    let lines = "Host: a\r\nContent-Type: text/xml; charset=ISO-8859-1\r\n";
    assert_eq!(post(at, lines, &latin).await, 200);
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    assert!(devices.to_string().contains("M\u{fc}ller"), "{devices}");
}

#[tokio::test]
async fn a11_the_declaration_counts_where_the_header_is_silent() {
    let (lab, at) = open_lab().await;
    let text = String::from_utf8(inform("DECL").1).unwrap();
    let text = text.replace("encoding=\"UTF-8\"", "encoding=\"iso-8859-1\"");
    let text = text.replace(">Provost Simulation<", ">\u{c5}\u{df}<");
    let latin = encoding_rs::WINDOWS_1252.encode(&text);
    assert_eq!(post(at, "Host: a\r\nContent-Type: text/xml\r\n", &latin.0).await, 200);
    let (_, devices) = lab.call("GET", "/api/v1/devices", "").await;
    assert!(devices.to_string().contains("\u{c5}\u{df}"), "{devices}");
}

#[tokio::test]
async fn q25_a_device_that_waits_for_100_continue_is_told_at_once() {
    let (_lab, at) = open_lab().await;
    let (_, body) = inform("Q25");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut wire = Wire::connect(at).await;
    assert_eq!(wire.send(head.as_bytes()).await.status, 100);
    assert_eq!(wire.send(&body).await.status, 200);
}

#[tokio::test]
async fn q59_blanks_a_byte_order_mark_and_padding_are_skipped() {
    let (_lab, at) = open_lab().await;
    let (_, body) = inform("Q59");
    for (name, before, after) in [
        ("blanks", &b" \r\n\t"[..], &b"\r\n \n"[..]),
        ("a byte order mark", b"\xef\xbb\xbf", b""),
        ("NUL padding", b"", &[0; 64]),
        ("all of it", b"\xef\xbb\xbf\r\n", b"\0\0\r\n"),
    ] {
        let whole = [before, &body, after].concat();
        assert_eq!(post(at, "Host: a\r\n", &whole).await, 200, "{name}");
    }
}

#[tokio::test]
async fn t12_every_message_may_come_on_a_connection_of_its_own_by_http_1_0_or_close() {
    let (_lab, at) = open_lab().await;
    for (version, connection) in
        [("1.0", ""), ("1.1", "Connection: close\r\n"), ("1.0", "Connection: Keep-Alive\r\n")]
    {
        let (_, body) = inform(&format!("OLD{version}"));
        let head = |length: usize, more: &str| {
            format!(
                "POST / HTTP/{version}\r\nHost: a\r\n{connection}{more}Content-Length: {length}\r\n\r\n"
            )
        };
        let bytes = [head(body.len(), "").as_bytes(), &body].concat();
        let answer = Wire::connect(at).await.send(&bytes).await;
        assert_eq!(answer.status, 200, "{version} {connection}");
        assert_eq!(answer.headers("content-length").len(), 1, "no chunks for old clients");
        let cookie = format!("Cookie: {}\r\n", answer.cookie());
        let next = Wire::connect(at).await.send(head(0, &cookie).as_bytes()).await;
        assert_eq!(next.status, 200, "{version} {connection}");
    }
    // Without keep-alive the connection ends by itself.
    let (_, body) = inform("CLOSE");
    let head = format!("POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
    let heard = hear(at, &[head.as_bytes(), &body].concat()).await;
    assert!(heard.contains("InformResponse"), "{heard}");
}

#[tokio::test]
async fn hosts_that_are_wrong_and_targets_that_are_absolute_are_taken() {
    let (_lab, at) = open_lab().await;
    let (_, body) = inform("HOST");
    for lines in ["Host: elsewhere.example:1\r\n", "Host: \r\n", "Host: a b\r\n", ""] {
        assert_eq!(post(at, lines, &body).await, 200, "{lines:?}");
    }
    let head = format!(
        "POST http://acs.example.net:9999/some/path HTTP/1.1\r\nHost: other\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let answer = Wire::connect(at).await.send(&[head.as_bytes(), &body].concat()).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn t12_a_cookie_with_attributes_several_and_none_lead_to_the_session() {
    let (_lab, at) = open_lab().await;
    let (_, body) = inform("T12");
    for form in [
        "Cookie: {}; Path=/; HttpOnly\r\n",
        "Cookie: a=b\r\nCookie: {}\r\n",
        "Cookie: {}, other=1\r\nCookie: session=\r\n",
        "Cookie: session=\"{}\"\r\n",
        "",
    ] {
        let cookie = Wire::connect(at).await.post(&body, &[]).await.cookie();
        let value = cookie.split('=').nth(1).unwrap();
        let line = if form.contains("\"{}\"") {
            form.replace("{}", value)
        } else {
            form.replace("{}", &cookie)
        };
        assert_eq!(post(at, &format!("Host: a\r\n{line}"), b"").await, 200, "{form:?}");
    }
    // A cookie of a session that is over leads nowhere, and is no error.
    let stale = Wire::connect(at).await.post(&body, &[]).await.cookie();
    assert_eq!(Wire::connect(at).await.post(&body, &[]).await.status, 200);
    assert_eq!(post(at, &format!("Host: a\r\nCookie: {stale}\r\n"), b"").await, 204);
}
