//! The cheapest HTTP client that still speaks HTTP: prepared bytes out, status,
//! cookie, challenges and length in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The most bytes of an answer's head, and of a chunk's size line.
const MAX_HEAD: usize = 16 << 10;

/// The most bytes of an answer's body.
const MAX_BODY: usize = 1 << 20;

/// What goes wrong on the wire, by the word that counts it.
pub(super) type Word = &'static str;

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// An open connection.
pub(super) struct Wire {
    stream: Stream,
    buffer: BytesMut,
    timeout: Duration,
    /// Whether the server keeps it open after the last answer.
    pub(super) open: bool,
}

/// An answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// `name=value` pairs to be sent back, joined.
    pub(super) cookie: Option<String>,
    pub(super) challenges: Vec<String>,
    pub(super) body: Vec<u8>,
    close: bool,
    length: Option<usize>,
    chunked: bool,
}

impl Wire {
    pub(super) async fn connect(
        at: SocketAddr,
        tls: Option<&(Arc<rustls::ClientConfig>, ServerName<'static>)>,
        timeout: Duration,
    ) -> Result<Self, Word> {
        let connect = async {
            let stream = TcpStream::connect(at).await.map_err(|_| "connect")?;
            stream.set_nodelay(true).map_err(|_| "connect")?;
            match tls {
                None => Ok::<_, Word>(Stream::Plain(stream)),
                Some((config, name)) => {
                    let connector = TlsConnector::from(Arc::clone(config));
                    let stream =
                        connector.connect(name.clone(), stream).await.map_err(|_| "tls")?;
                    Ok(Stream::Tls(Box::new(stream)))
                }
            }
        };
        let stream = tokio::time::timeout(timeout, connect).await.map_err(|_| "timeout")??;
        Ok(Self { stream, buffer: BytesMut::with_capacity(2048), timeout, open: true })
    }

    /// Sends a request and reads its answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Word> {
        let timeout = self.timeout;
        let exchange = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(request).await,
                Stream::Tls(stream) => stream.write_all(request).await,
            }
            .map_err(|_| "connection lost")?;
            let mut answer = self.head().await?;
            if answer.chunked {
                answer.body = self.chunks().await?;
            } else if !matches!(answer.status, 204 | 304) {
                let length = answer.length.ok_or("not HTTP")?;
                answer.body = self.take(length).await?;
            }
            self.open = !answer.close;
            Ok(answer)
        };
        tokio::time::timeout(timeout, exchange).await.map_err(|_| "timeout")?
    }

    async fn head(&mut self) -> Result<Answer, Word> {
        let mut searched = 0_usize;
        loop {
            let from = searched.saturating_sub(3);
            let end = self.buffer.get(from..).and_then(|new| find(new, b"\r\n\r\n"));
            if let Some(end) = end {
                let head = self.buffer.split_to(from + end + 4);
                return parse_head(&head).ok_or("not HTTP");
            }
            searched = self.buffer.len();
            if searched > MAX_HEAD {
                return Err("not HTTP");
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Word> {
        if length > MAX_BODY {
            return Err("answer too large");
        }
        while self.buffer.len() < length {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(length).to_vec())
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Word> {
        let mut body = Vec::new();
        loop {
            let size = loop {
                if let Some(end) = find(&self.buffer, b"\r\n") {
                    let line = self.buffer.split_to(end + 2);
                    break chunk_size(&line).ok_or("not HTTP")?;
                }
                if self.buffer.len() > MAX_HEAD {
                    return Err("not HTTP");
                }
                self.fill().await?;
            };
            if body.len().saturating_add(size) > MAX_BODY {
                return Err("answer too large");
            }
            body.extend(self.take(size).await?);
            while self.buffer.len() < 2 {
                self.fill().await?;
            }
            self.buffer.advance(2);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Word> {
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read_buf(&mut self.buffer).await,
            Stream::Tls(stream) => stream.read_buf(&mut self.buffer).await,
        };
        match read {
            Ok(0) | Err(_) => Err("connection lost"),
            Ok(_) => Ok(()),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn chunk_size(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?.trim();
    let digits = text.split(';').next()?.trim();
    usize::from_str_radix(digits, 16).ok()
}

fn parse_head(head: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let version = words.next()?;
    let status = words.next()?.parse().ok()?;
    let mut answer = Answer { status, close: version == "HTTP/1.0", ..Answer::default() };
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    for line in lines.filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            answer.length = Some(value.parse().ok()?);
        } else if name.eq_ignore_ascii_case("set-cookie") {
            let pair = value.split(';').next().unwrap_or(value);
            match &mut answer.cookie {
                Some(cookie) => {
                    cookie.push_str("; ");
                    cookie.push_str(pair);
                }
                None => answer.cookie = Some(pair.to_owned()),
            }
        } else if name.eq_ignore_ascii_case("www-authenticate") {
            answer.challenges.push(value.to_owned());
        } else if name.eq_ignore_ascii_case("connection") {
            answer.close |= value.eq_ignore_ascii_case("close");
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            answer.chunked = value.eq_ignore_ascii_case("chunked");
        }
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// Serves these bytes, cut at a place, and reads them as one answer.
    async fn read(bytes: &'static [u8], cut: usize) -> Result<Answer, Word> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let server = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4];
            stream.read_exact(&mut request).await.unwrap();
            let (first, second) = bytes.split_at(cut);
            stream.write_all(first).await.unwrap();
            stream.flush().await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(second).await.unwrap();
        };
        let client = async {
            let mut wire = Wire::connect(at, None, Duration::from_secs(10)).await.unwrap();
            wire.exchange(b"GET ").await
        };
        tokio::join!(server, client).1
    }

    #[tokio::test]
    async fn an_answer_is_read_wherever_it_is_cut() {
        const BYTES: &[u8] = b"HTTP/1.1 200 OK\r\nset-cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n\
            Content-Length: 5\r\nConnection: close\r\n\r\nhello";
        for cut in 0..BYTES.len() {
            let answer = read(BYTES, cut).await.unwrap();
            assert_eq!((answer.status, &*answer.body), (200, &b"hello"[..]));
            assert_eq!(answer.cookie.as_deref(), Some("a=b; c=d"));
            assert!(answer.close);
        }
    }

    #[tokio::test]
    async fn chunks_are_joined() {
        const BYTES: &[u8] =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n";
        for cut in 0..BYTES.len() {
            assert_eq!(read(BYTES, cut).await.unwrap().body, b"hello");
        }
    }

    #[tokio::test]
    async fn what_is_no_http_is_counted_as_such() {
        for (bytes, word) in [
            (&b"SSH-2.0\r\n\r\n"[..], "not HTTP"),
            (b"HTTP/1.1 200 OK\r\n\r\n", "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "answer too large"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "connection lost"),
            (
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                "answer too large",
            ),
            (b"", "connection lost"),
        ] {
            assert_eq!(read(bytes, 0).await.unwrap_err(), word);
        }
    }
}
