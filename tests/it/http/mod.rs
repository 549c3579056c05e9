//! Tests of `http` from outside: real sockets on port 0, real openssl and curl.
//!
//! Nothing here sleeps to wait. A limit is shown by the server closing the
//! connection, which the client reads; a test that would wait for ever is a
//! limit that does not work.

mod digest;
mod hostile;
mod limits;
mod survives;
mod talk;
mod tls;
mod trust;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use provost::config::LimitsConfig;
use provost::http::{Body, Door, Handler, Peer, TlsMaterial, collect_decoded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The largest body that the echo takes.
const MAX_BODY: u64 = 100_000;

/// Answers with what it was sent, and tells which connections ended.
struct Echo {
    limits: LimitsConfig,
    closed: mpsc::UnboundedSender<u64>,
}

impl Handler for Echo {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        if head.uri.path() == "/panic" {
            panic!("asked to");
        }
        let (status, body) =
            match collect_decoded(&head.headers, body, MAX_BODY, &self.limits).await {
                Ok(body) if body.is_empty() => (StatusCode::OK, format!("{peer:?}").into()),
                Ok(body) => (StatusCode::OK, body),
                Err(error) => {
                    let status = StatusCode::from_u16(error.class().http_status()).unwrap();
                    (status, error.to_string().into())
                }
            };
        let mut answer = Response::new(Body::full(body));
        *answer.status_mut() = status;
        answer
    }

    fn closed(&self, connection: u64) {
        // The test may be over.
        let _ = self.closed.send(connection);
    }
}

/// A door that is open, with an echo behind it.
struct Open {
    at: SocketAddr,
    stop: CancellationToken,
    closed: mpsc::UnboundedReceiver<u64>,
    serving: JoinHandle<()>,
}

fn open(limits: &LimitsConfig, tls: Option<Arc<TlsMaterial>>) -> Open {
    let (sender, closed) = mpsc::unbounded_channel();
    let echo = Arc::new(Echo { limits: limits.clone(), closed: sender });
    let door = Door::bind("test", "127.0.0.1:0".parse().unwrap(), limits, tls).unwrap();
    let (at, stop) = (door.local_addr(), CancellationToken::new());
    let serving = tokio::spawn(door.serve(echo, stop.clone()));
    Open { at, stop, closed, serving }
}

/// Limits of one second, where a test waits for one to be reached.
fn short() -> LimitsConfig {
    LimitsConfig {
        tls_handshake: 1,
        first_byte: 1,
        headers: 1,
        idle: 1,
        age: 3600,
        ..LimitsConfig::default()
    }
}

/// Connects and sends some bytes.
async fn say(at: SocketAddr, text: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(text.as_ref()).await.unwrap();
    stream
}

/// Reads until the server closes; a reset counts as that.
async fn hear(mut stream: TcpStream) -> String {
    let mut heard = Vec::new();
    let _ = stream.read_to_end(&mut heard).await;
    String::from_utf8(heard).unwrap()
}

/// Reads one answer whose body has a `Content-Length`.
async fn hear_one(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                return text;
            }
        }
        assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0, "closed early: {text}");
    }
}

/// Asserts that the door answers a client that behaves.
async fn serves(at: SocketAddr) {
    let heard = hear(say(at, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await).await;
    assert!(heard.starts_with("HTTP/1.1 200"), "{heard}");
}
