//! The door: one socket that listens, and one for each transfer.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::packet::{Packet, Refusal};
use super::terms::Willing;
use crate::config::TftpConfig;
use crate::fetch::complaint::Complaint;
use crate::files::SharedSource;
use crate::http::{Caps, Full, HttpError, Place};
use crate::metrics::Door;

mod serve;

/// Transfers in all whose client has not answered yet, and of one source.
const UNANSWERED: usize = 1024;
const UNANSWERED_PER_SOURCE: usize = 32;
/// How long transfers may go on when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long nothing is received after the socket failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// A TFTP door.
pub struct TftpDoor {
    socket: UdpSocket,
    local: SocketAddr,
    willing: Willing,
    longest: Duration,
    caps: Arc<Caps>,
    unanswered: Arc<Caps>,
}

impl std::fmt::Debug for TftpDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TftpDoor({})", self.local)
    }
}

/// What all transfers of a door share.
struct Shared {
    source: SharedSource,
    /// Transfers leave from the address that the door listens at.
    local: IpAddr,
    willing: Willing,
    longest: Duration,
    /// Clients that have not answered yet: a request that they send twice is
    /// one. Later, it is that of a client that began anew, from the same port.
    clients: Mutex<HashSet<SocketAddr>>,
    /// All transfers end at once.
    abandon: CancellationToken,
}

/// What a transfer holds while it goes on.
struct Held {
    shared: Arc<Shared>,
    client: SocketAddr,
    _place: Place,
    opening: Option<Opening>,
}

/// What a transfer holds until its client has answered.
struct Opening {
    shared: Arc<Shared>,
    client: SocketAddr,
    _place: Place,
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.shared.clients().remove(&self.client);
    }
}

impl Shared {
    fn clients(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TftpDoor {
    /// Listens at an address; port 0 takes any free one. A transfer goes on for
    /// `longest` at most. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had.
    pub fn bind(at: SocketAddr, config: &TftpConfig, longest: Duration) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Bind { door: "TFTP", at, source };
        let socket = listen(at).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            local,
            willing: Willing { block: config.max_block.into(), window: config.max_window },
            longest,
            caps: Caps::at(Door::Tftp, config.transfers, config.transfers_per_source),
            unanswered: Caps::new(UNANSWERED, UNANSWERED_PER_SOURCE),
        })
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop`; then takes no more requests, lets transfers go on
    /// for five seconds at most, and returns.
    pub async fn serve(self, source: SharedSource, stop: CancellationToken) {
        let shared = Arc::new(Shared {
            source,
            local: self.local.ip(),
            willing: self.willing,
            longest: self.longest,
            clients: Mutex::default(),
            abandon: CancellationToken::new(),
        });
        let mut transfers = JoinSet::new();
        let mut complaint = Complaint::new("TFTP", ("tftp.transfers", "tftp.transfers_per_source"));
        // Longer than any request that is taken.
        let mut buffer = [0; 1024];
        loop {
            while transfers.try_join_next().is_some() {}
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((length, client)) => {
                    let datagram = buffer.get(..length).unwrap_or_default();
                    match self.judge(&shared, datagram, client) {
                        Ok(held) => {
                            transfers.spawn(serve::transfer(held, datagram.to_vec()));
                        }
                        Err(No::Refused(refusal)) => {
                            // Lost or not: the client asks again.
                            let _ = self.socket.try_send_to(&refusal.datagram(), client);
                        }
                        Err(No::Full(full)) => complaint.refused(full, client.ip()),
                        Err(No::Silence) => {}
                    }
                }
                Err(error) => {
                    complaint.failed(&error);
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        drop(self.socket);
        let ended = async { while transfers.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(STOP_WITHIN, ended).await;
        shared.abandon.cancel();
        while transfers.join_next().await.is_some() {}
    }

    /// Whether a datagram begins a transfer. Nothing is looked up for it yet.
    fn judge(&self, shared: &Arc<Shared>, datagram: &[u8], client: SocketAddr) -> Result<Held, No> {
        match Packet::parse(datagram) {
            Ok(Packet::Read(_)) => {}
            Ok(Packet::Write) => return Err(No::Refused(Refusal::Writing)),
            // An answer to these would be answered again.
            Ok(Packet::Acknowledgement(_) | Packet::Error(_)) => return Err(No::Silence),
            Err(error) => {
                debug!(%client, %error, "no TFTP request");
                let asks = datagram.starts_with(&[0, 1]);
                return Err(if asks { No::Refused(Refusal::of(error)) } else { No::Silence });
            }
        }
        if shared.clients().contains(&client) {
            return Err(No::Silence);
        }
        let address = client.ip().to_canonical();
        let place = self.caps.enter(address).map_err(No::Full)?;
        let unanswered = self.unanswered.enter(address).map_err(No::Full)?;
        shared.clients().insert(client);
        let opening = Opening { shared: Arc::clone(shared), client, _place: unanswered };
        Ok(Held { shared: Arc::clone(shared), client, _place: place, opening: Some(opening) })
    }
}

/// Why a datagram begins no transfer.
enum No {
    Refused(Refusal),
    Full(Full),
    Silence,
}

fn listen(at: SocketAddr) -> io::Result<UdpSocket> {
    // Without a runtime Tokio would panic.
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    let socket = std::net::UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Since when, on the clock of the runtime.
fn since(began: Instant) -> Duration {
    Instant::now().saturating_duration_since(began)
}
