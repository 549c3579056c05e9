//! The control connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The longest line that is taken, in bytes.
const MAX_LINE: usize = 2048;
/// How long a client may take to take an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A control connection, plain or over TLS.
pub(super) struct Wire {
    stream: Stream,
    /// What was received and not read yet.
    buffer: Vec<u8>,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed.
    Lost,
}

/// Why there is no line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoLine {
    /// The client closed the connection, or it failed.
    Closed,
    /// The client said nothing for too long.
    Silence,
    /// The line is too long.
    TooLong,
}

impl Wire {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream: Stream::Plain(stream), buffer: Vec::new() }
    }

    /// Whether it is over TLS.
    pub(super) const fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// The next line with its end, within this time.
    pub(super) async fn line(&mut self, within: Duration) -> Result<Vec<u8>, NoLine> {
        timeout(within, self.read_line()).await.unwrap_or(Err(NoLine::Silence))
    }

    async fn read_line(&mut self) -> Result<Vec<u8>, NoLine> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                return Ok(self.buffer.drain(..=end).collect());
            }
            if self.buffer.len() > MAX_LINE {
                return Err(NoLine::TooLong);
            }
            let mut chunk = [0; 512];
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut chunk).await,
                Stream::Tls(stream) => stream.read(&mut chunk).await,
                Stream::Lost => Ok(0),
            };
            match read {
                Ok(0) | Err(_) => return Err(NoLine::Closed),
                Ok(length) => {
                    self.buffer.extend_from_slice(chunk.get(..length).unwrap_or_default());
                }
            }
        }
    }

    /// Sends an answer: a line, or several with their ends between them.
    pub(super) async fn say(&mut self, answer: &str) -> io::Result<()> {
        let line = format!("{answer}\r\n");
        let sent = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.write_all(line.as_bytes()).await,
                Stream::Tls(stream) => {
                    stream.write_all(line.as_bytes()).await?;
                    stream.flush().await
                }
                Stream::Lost => Err(io::ErrorKind::NotConnected.into()),
            }
        };
        timeout(ANSWER_WITHIN, sent).await?
    }

    /// Goes over to TLS. What came before the handshake must have been read:
    /// else somebody on the way could put commands into the protected part.
    pub(super) async fn secure(&mut self, tls: &TlsAcceptor, within: Duration) -> io::Result<()> {
        if !self.buffer.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        match std::mem::replace(&mut self.stream, Stream::Lost) {
            Stream::Plain(stream) => {
                let secured = timeout(within, tls.accept(stream)).await??;
                self.stream = Stream::Tls(Box::new(secured));
                Ok(())
            }
            other => {
                self.stream = other;
                Ok(())
            }
        }
    }

    /// Ends it politely.
    pub(super) async fn close(mut self) {
        let closed = async {
            match &mut self.stream {
                Stream::Plain(stream) => stream.shutdown().await,
                Stream::Tls(stream) => stream.shutdown().await,
                Stream::Lost => Ok(()),
            }
        };
        // Whoever has gone already needs no farewell.
        let _ = timeout(Duration::from_secs(1), closed).await;
    }
}
