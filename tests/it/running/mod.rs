//! Running it: metrics, probes, reload, stop, the unit, the northbound's own TLS.

mod metrics;
mod papers;
mod reload;
mod stop;
mod tls;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Sends a request as it stands and reads until the other end closes.
async fn raw(at: SocketAddr, request: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// `GET` without a token: the status and the body.
async fn get(at: SocketAddr, path: &str) -> (u16, String) {
    let answer =
        raw(at, &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n")).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

/// The body of an answer in chunks, put together.
fn unchunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size, 16) else { return body.to_owned() };
        if size == 0 {
            break;
        }
        out.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    out
}

/// What `[metrics] listen` answers at `/metrics`.
async fn scrape(at: SocketAddr) -> String {
    let (status, body) = get(at, "/metrics").await;
    assert_eq!(status, 200, "{body}");
    if body.starts_with('#') { body } else { unchunked(&body) }
}
