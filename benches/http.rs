//! What a fresh connection with two requests costs the server's side of HTTP,
//! beside all that a face does: `cargo bench --bench http`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and ends with a panic when something is missing"
)]

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use provost::config::LimitsConfig;
use provost::http::{Body, Door, Handler, Peer, collect_decoded};
use tokio_util::sync::CancellationToken;

/// Connections when it measures, and when it is run as a test.
const ROUNDS: [u32; 2] = [20_000, 50];

/// Answers 204 to everything.
struct Trivial;

impl Handler for Trivial {
    async fn handle(&self, _peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let limits = LimitsConfig::default();
        collect_decoded(&head.headers, body, 1 << 20, &limits).await.unwrap();
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }
}

/// Nanoseconds of CPU that this thread has used.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn client(at: SocketAddr, rounds: u32) {
    let body = "x".repeat(3400);
    let inform = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3400\r\n\r\n{body}");
    let empty = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    let mut buffer = [0; 4096];
    for _ in 0..rounds {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        for request in [inform.as_str(), empty] {
            stream.write_all(request.as_bytes()).unwrap();
            assert!(stream.read(&mut buffer).unwrap() > 0);
        }
    }
}

fn main() {
    // `cargo bench` says so; `cargo test` runs benches as well.
    let [many, few] = ROUNDS;
    let rounds = if std::env::args().any(|argument| argument == "--bench") { many } else { few };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let limits = LimitsConfig::default();
        let door = Door::bind("test", "127.0.0.1:0".parse().unwrap(), &limits, None).unwrap();
        let at = door.local_addr();
        tokio::spawn(door.serve(Arc::new(Trivial), CancellationToken::new()));
        let before = cpu();
        tokio::task::spawn_blocking(move || client(at, rounds)).await.unwrap();
        let used = cpu() - before;
        println!("{:.1} µs of CPU a connection", used as f64 / f64::from(rounds) / 1000.0);
    });
}
