//! One transfer: asks the source, then moves the blocks.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::super::netascii;
use super::super::packet::{self, Mode, Packet, Refusal, Request};
use super::super::terms::{Terms, Willing};
use super::super::transfer::{Step, Transfer};
use super::{Held, Opening, since};
use crate::files::{Ask, Content, Found, NotFound};
use crate::phone::{DoorKind, Ended};

/// The largest file on disk that is served as netascii; a phone that wants an
/// image as text would ruin it.
const MAX_TEXT: u64 = 4 << 20;

/// IPv6 has 20 bytes more of headers than IPv4.
const IPV6_MORE: usize = 20;

/// Serves a request, whose datagram was judged to be one.
pub(super) async fn transfer(mut held: Held, datagram: Vec<u8>) {
    let Ok(Packet::Read(request)) = Packet::parse(&datagram) else { return };
    let socket = match open_socket(&held).await {
        Ok(socket) => socket,
        Err(error) => {
            debug!(client = %held.client, %error, "no socket for a transfer");
            return;
        }
    };
    let opening = held.opening.take();
    let found = match find(&held, &request).await {
        Ok(found) => found,
        Err(not_found) => {
            let refusal = match not_found {
                NotFound::Nowhere => Refusal::NotFound,
                NotFound::TooMany | NotFound::Unavailable => Refusal::Later,
            };
            let _ = socket.send(&refusal.datagram()).await;
            return;
        }
    };
    let Found { content, ticket, .. } = found;
    let ended = match Blocks::of(content, request.mode).await {
        Ok(blocks) => {
            let terms = Terms::agree(&request, blocks.size(), willing(&held));
            let going = Going { socket, blocks, terms, opening };
            let longest = held.shared.longest;
            tokio::select! {
                ended = going.run(longest) => ended,
                () = held.shared.abandon.cancelled() => Ended::Broken(0),
            }
        }
        Err(why) => {
            let _ = socket.send(&Refusal::NotFound.datagram()).await;
            Ended::Refused(why.into())
        }
    };
    // What is left is for the source alone, whose disk may be slow.
    let Held { shared, .. } = held;
    shared.source.ended(ticket, ended).await;
}

async fn open_socket(held: &Held) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((held.shared.local, 0)).await?;
    // From here on nobody else is heard, and a client that is gone is noticed.
    socket.connect(held.client).await?;
    Ok(socket)
}

/// Datagrams that fit an Ethernet frame over IPv4 are 20 bytes too long for one
/// over IPv6.
fn willing(held: &Held) -> Willing {
    let willing = held.shared.willing;
    match held.client.ip().to_canonical() {
        std::net::IpAddr::V4(_) => willing,
        std::net::IpAddr::V6(_) => {
            Willing { block: willing.block.saturating_sub(IPV6_MORE).max(8), ..willing }
        }
    }
}

/// There is no login in TFTP, so that what needs one is nowhere.
async fn find(held: &Held, request: &Request<'_>) -> Result<Found, NotFound> {
    let source = &held.shared.source;
    let ask = Ask {
        door: DoorKind::Tftp,
        source: held.client.ip().to_canonical(),
        path: request.name,
        agent: "",
        certificate: None,
        login: None,
    };
    if !source.logins(&ask).await?.is_empty() {
        return Err(NotFound::Nowhere);
    }
    source.open(&ask).await
}

/// A transfer that goes on.
struct Going {
    socket: UdpSocket,
    blocks: Blocks,
    terms: Terms,
    /// Given back as soon as the client has answered.
    opening: Option<Opening>,
}

impl Going {
    /// Moves all blocks; how that ended.
    async fn run(mut self, longest: Duration) -> Ended {
        let began = Instant::now();
        let (mut transfer, mut step) = Transfer::begin(&self.terms, self.blocks.size());
        loop {
            let sent = match step {
                Step::Done => return Ended::Whole,
                Step::GivenUp => return Ended::Broken(transfer.arrived()),
                Step::Nothing => Ok(()),
                Step::Offer => self.offer().await,
                Step::Send(blocks) => self.send(&transfer, blocks).await,
            };
            if sent.is_err() || since(began) >= longest {
                return Ended::Broken(transfer.arrived());
            }
            step = match self.receive(began + transfer.again_at()).await {
                Ok(Some(Packet::Acknowledgement(number))) => {
                    transfer.acknowledged(number, since(began))
                }
                // A client that has seen enough says so.
                Ok(Some(Packet::Error(code))) => {
                    debug!(code, "the client ended a transfer");
                    return Ended::Part(transfer.arrived());
                }
                Ok(Some(_)) => Step::Nothing,
                Ok(None) => transfer.wait_ended(since(began)),
                Err(_) => return Ended::Broken(transfer.arrived()),
            };
            if transfer.is_answered() {
                self.opening = None;
            }
        }
    }

    async fn offer(&self) -> io::Result<()> {
        let datagram = packet::option_acknowledgement(&self.terms.acknowledged);
        self.socket.send(&datagram).await.map(drop)
    }

    async fn send(
        &mut self,
        transfer: &Transfer,
        blocks: std::ops::RangeInclusive<u64>,
    ) -> io::Result<()> {
        let from = transfer.offset(*blocks.start());
        let to = transfer.offset(blocks.end() + 1);
        let bytes = self.blocks.read(from, to).await?;
        for block in blocks {
            let at = usize::try_from(transfer.offset(block) - from).unwrap_or(usize::MAX);
            let end = at.saturating_add(self.terms.block).min(bytes.len());
            let payload = bytes.get(at.min(end)..end).unwrap_or_default();
            self.socket.send(&packet::data(block, payload)).await?;
        }
        Ok(())
    }

    /// The next datagram from the client until then; what is none of TFTP comes
    /// back as one that means nothing.
    async fn receive(&self, until: Instant) -> io::Result<Option<Packet<'static>>> {
        let mut buffer = [0; 16];
        match timeout_at(until, self.socket.recv(&mut buffer)).await {
            Err(_) => Ok(None),
            Ok(received) => {
                let datagram = buffer.get(..received?).unwrap_or_default();
                Ok(Some(match Packet::parse(datagram) {
                    Ok(Packet::Acknowledgement(number)) => Packet::Acknowledgement(number),
                    Ok(Packet::Error(code)) => Packet::Error(code),
                    _ => Packet::Write,
                }))
            }
        }
    }
}

/// The bytes that blocks are cut from.
enum Blocks {
    Bytes(Bytes),
    File(File, u64),
}

impl Blocks {
    /// Text is made for the netascii mode.
    async fn of(content: Content, mode: Mode) -> Result<Self, &'static str> {
        match (content, mode) {
            (Content::Bytes(bytes), Mode::Octet) => Ok(Self::Bytes(bytes)),
            (Content::Bytes(bytes), Mode::Netascii) => {
                Ok(Self::Bytes(netascii::encode(&bytes).into()))
            }
            (Content::File(file, size), Mode::Octet) => Ok(Self::File(file, size)),
            (Content::File(file, size), Mode::Netascii) => {
                if size > MAX_TEXT {
                    return Err("a file of this size was asked for as text (netascii)");
                }
                let mut bytes = Vec::new();
                let read = file.take(size).read_to_end(&mut bytes).await;
                read.map_err(|_| "the file could not be read")?;
                Ok(Self::Bytes(netascii::encode(&bytes).into()))
            }
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, size) => *size,
        }
    }

    /// The bytes from an offset to another, as far as there are any.
    async fn read(&mut self, from: u64, to: u64) -> io::Result<Bytes> {
        let (from, to) = (from.min(self.size()), to.min(self.size()));
        let index = |offset| usize::try_from(offset).map_err(io::Error::other);
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(index(from)?..index(to)?)),
            Self::File(file, _) => {
                file.seek(io::SeekFrom::Start(from)).await?;
                let mut bytes = vec![0; index(to - from)?];
                file.read_exact(&mut bytes).await?;
                Ok(bytes.into())
            }
        }
    }
}
