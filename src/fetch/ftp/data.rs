//! Passive data connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::config::PortRange;
use crate::files::Content;
use crate::phone::Ended;

/// How long a client may take to open its data connection.
const OPEN_WITHIN: Duration = Duration::from_secs(15);
/// How long a client may take no byte at all.
const STALLED: Duration = Duration::from_secs(30);
/// How much is read and sent at once, in bytes.
const CHUNK: usize = 64 << 10;

/// The ports for data connections, one after the other.
#[derive(Debug)]
pub(super) struct Ports {
    range: Option<PortRange>,
    next: AtomicU32,
}

impl Ports {
    pub(super) const fn new(range: Option<PortRange>) -> Self {
        Self { range, next: AtomicU32::new(0) }
    }

    /// Listens for one data connection at the address at which the control
    /// connection came in.
    pub(super) fn listen(&self, local: IpAddr) -> io::Result<TcpListener> {
        let Some(range) = self.range else {
            return open(SocketAddr::new(local, 0));
        };
        let count = u32::from(range.last - range.first) + 1;
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let mut failure = io::Error::from(io::ErrorKind::AddrInUse);
        for step in 0..count {
            let offset = start.wrapping_add(step) % count;
            let port = range.first.saturating_add(u16::try_from(offset).unwrap_or(0));
            match open(SocketAddr::new(local, port)) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

fn open(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Connections that ended a moment ago do not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(4)
}

/// The connection of this client, and of nobody else who finds the port.
pub(super) async fn accept(listener: &TcpListener, client: IpAddr) -> io::Result<TcpStream> {
    let ours = async {
        loop {
            let (stream, from) = listener.accept().await?;
            if from.ip().to_canonical() == client {
                return Ok(stream);
            }
        }
    };
    timeout(OPEN_WITHIN, ours).await?
}

/// Sends a file from an offset on and ends the connection; how that ended.
pub(super) async fn send<W>(stream: &mut W, content: Content, from: u64) -> Ended
where
    W: AsyncWrite + Unpin + Send,
{
    let mut sent = 0;
    match pour(stream, content, from, &mut sent).await {
        Ok(()) if from == 0 => Ended::Whole,
        Ok(()) => Ended::Part(sent),
        Err(error) => match error.kind() {
            // The client has seen enough.
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => Ended::Part(sent),
            _ => Ended::Broken(sent),
        },
    }
}

async fn pour<W>(stream: &mut W, content: Content, from: u64, sent: &mut u64) -> io::Result<()>
where
    W: AsyncWrite + Unpin + Send,
{
    match content {
        Content::Bytes(bytes) => {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
            let mut rest = bytes.slice(from..);
            while !rest.is_empty() {
                let chunk: Bytes = rest.split_to(rest.len().min(CHUNK));
                put(stream, &chunk, sent).await?;
            }
        }
        Content::File(mut file, size) => {
            file.seek(io::SeekFrom::Start(from)).await?;
            let mut left = size.saturating_sub(from);
            let mut buffer = vec![0; CHUNK];
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
                let read = file.read(buffer.get_mut(..most).unwrap_or_default()).await?;
                if read == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                put(stream, buffer.get(..read).unwrap_or_default(), sent).await?;
                left -= read as u64;
            }
        }
    }
    timeout(STALLED, stream.shutdown()).await?
}

/// Sends bytes; every thirty seconds some must go.
async fn put<W>(stream: &mut W, mut bytes: &[u8], sent: &mut u64) -> io::Result<()>
where
    W: AsyncWrite + Unpin + Send,
{
    while !bytes.is_empty() {
        let written = timeout(STALLED, stream.write(bytes)).await??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *sent += written as u64;
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
