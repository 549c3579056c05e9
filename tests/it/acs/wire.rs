//! A device's side of HTTP, in raw bytes.

use std::net::SocketAddr;

use provost::device::Secret;
use provost::http::DigestClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
            .collect()
    }

    /// What to send back as `Cookie`.
    pub(crate) fn cookie(&self) -> String {
        let set = self.headers("set-cookie");
        set.first().expect("a cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// A connection.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) async fn connect(at: SocketAddr) -> Self {
        Self(TcpStream::connect(at).await.unwrap())
    }

    /// Connects from an address of its own, so that two devices can be told
    /// apart.
    pub(crate) async fn connect_from(source: &str, at: SocketAddr) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        Self(socket.connect(at).await.unwrap())
    }

    /// Posts as a device does.
    pub(crate) async fn post(&mut self, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let mut head =
            format!("POST / HTTP/1.1\r\nHost: acs\r\nContent-Length: {}\r\n", body.len());
        if !body.is_empty() {
            head.push_str("SOAPAction: \r\nContent-Type: text/xml; charset=utf-8\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        self.send(&[head.as_bytes(), body].concat()).await
    }

    /// Posts with the least that HTTP asks for.
    pub(crate) async fn post_bare(&mut self, body: &[u8]) -> Answer {
        let head =
            format!("POST / HTTP/1.1\r\nHost: acs\r\nContent-Length: {}\r\n\r\n", body.len());
        self.send(&[head.as_bytes(), body].concat()).await
    }

    /// Sends bytes as they are and reads one answer.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Answer {
        self.0.write_all(bytes).await.unwrap();
        let mut got = Vec::new();
        let end = loop {
            if let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            let mut buffer = [0; 4096];
            let count = self.0.read(&mut buffer).await.unwrap();
            assert!(count > 0, "closed before an answer came");
            got.extend_from_slice(&buffer[..count]);
        };
        let head = String::from_utf8(got[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: got[end..].to_vec() };
        let length =
            answer.headers("content-length").first().map_or(0, |length| length.parse().unwrap());
        while answer.body.len() < length {
            let mut buffer = vec![0; length - answer.body.len()];
            let count = self.0.read(&mut buffer).await.unwrap();
            assert!(count > 0, "the body is cut");
            answer.body.extend_from_slice(&buffer[..count]);
        }
        answer
    }
}

/// Sends bytes as they are and reads until the server closes; a reset counts as
/// that.
pub(crate) async fn hear(at: SocketAddr, bytes: &[u8]) -> String {
    let (mut reader, mut writer) = TcpStream::connect(at).await.unwrap().into_split();
    let bytes = bytes.to_vec();
    // The server need not take it all.
    let sending = tokio::spawn(async move {
        let _ = writer.write_all(&bytes).await;
        writer
    });
    let mut heard = Vec::new();
    let _ = reader.read_to_end(&mut heard).await;
    drop(sending.await);
    String::from_utf8_lossy(&heard).into_owned()
}

/// The Digest answer to these challenges.
pub(crate) fn authorize(challenges: &[String], user: &str, password: &Secret) -> String {
    let challenges: Vec<&str> = challenges.iter().map(String::as_str).collect();
    DigestClient::answer(&challenges, "POST", "/", user, password, "0a4f113b", 1).unwrap()
}
