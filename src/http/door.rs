//! The listener that all HTTP faces stand behind.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::caps::{Caps, Full};
use super::connection::{self, STOP_WITHIN, Shared};
use super::error::HttpError;
use super::tls::TlsMaterial;
use super::trust::{ClientCertificate, TrustStores};
use super::watched::Times;
use crate::config::LimitsConfig;
use crate::metrics;
use crate::phone::Mac;

/// Connections that may wait to be accepted; a mass reboot fills it fast. The
/// kernel takes the lesser of this and `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// How long nothing is accepted when the process has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Refusals are logged at most this often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// The number of the next connection, of any door.
static NEXT_CONNECTION: AtomicU64 = AtomicU64::new(1);

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The connection's number, unique in this process.
    pub connection: u64,
    /// The peer's address; IPv4 as IPv4, never mapped into IPv6.
    pub address: SocketAddr,
    /// The address at which the peer reached us.
    pub local: SocketAddr,
    /// Whether the connection is over TLS.
    pub tls: bool,
    /// The MAC address in the client's certificate, if it showed one that is
    /// good.
    pub certificate: Option<Mac>,
    /// The certificate that the client showed, at a door with trust stores.
    pub client: Option<Arc<ClientCertificate>>,
}

/// A face: what answers the requests of a door.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Requests of one connection come one after the
    /// other. The future is dropped when the connection ends by a limit; a
    /// peer that goes away is noticed when it is answered.
    fn handle(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// A connection has ended, in whatever way; called once for each, also for
    /// those that never sent a request.
    fn closed(&self, connection: u64) {
        let _ = connection;
    }
}

/// A listening socket with its limits.
pub struct Door {
    name: &'static str,
    listener: TcpListener,
    local: SocketAddr,
    caps: Arc<Caps>,
    times: Times,
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    trust: Option<Arc<TrustStores>>,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Door({} on {})", self.name, self.local)
    }
}

impl Door {
    /// Listens at an address; port 0 takes any free one. `name` stands in logs
    /// and errors. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had.
    pub fn bind(
        name: &'static str,
        at: SocketAddr,
        limits: &LimitsConfig,
        tls: Option<Arc<TlsMaterial>>,
    ) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Bind { door: name, at, source };
        let listener = listen(at).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        Ok(Self {
            name,
            listener,
            local,
            caps: Caps::at(
                metrics::Door::named(name),
                limits.connections,
                limits.connections_per_source,
            ),
            times: Times::new(limits),
            http: speaker(limits),
            tls: tls.map(|material| TlsAcceptor::from(material.server_config())),
            trust: None,
        })
    }

    /// The same door, but over TLS a client is asked for a certificate if
    /// `tls.client_ca` names whose are good.
    #[must_use]
    pub fn asking_for_certificates(mut self, tls: Option<&TlsMaterial>) -> Self {
        self.tls = tls.map(|material| TlsAcceptor::from(material.asking_config()));
        self
    }

    /// The same door, but over TLS a client is asked for a certificate that is
    /// good by one of these stores.
    ///
    /// # Errors
    /// [`HttpError::Tls`].
    pub fn trusting(
        mut self,
        tls: &TlsMaterial,
        stores: Arc<TrustStores>,
    ) -> Result<Self, HttpError> {
        self.tls = Some(TlsAcceptor::from(tls.trusting_config(Arc::clone(&stores))?));
        self.trust = Some(stores);
        Ok(self)
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop`; then takes no more connections, lets the requests
    /// under way end, for five seconds at most, and returns.
    pub async fn serve<H: Handler>(self, handler: Arc<H>, stop: CancellationToken) {
        let Self { name, listener, local, caps, times, http, tls, trust } = self;
        let counted = metrics::Door::named(name);
        let shared =
            Arc::new(Shared { door: name, counted, handler, http, times, tls, trust, stop });
        let mut complaint = Complaint { door: name, last: None, refused: 0 };
        let mut stopped = pin!(shared.stop.cancelled());
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stopped => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => admit(&shared, &caps, local, stream, address)
                    .unwrap_or_else(|full| complaint.refused(full, address)),
                Err(error) if is_peers(&error) => {}
                Err(error) => {
                    complaint.failed(&error);
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
        drop(listener);
        // Connections end themselves in that time; the second is for the last of them.
        caps.emptied(STOP_WITHIN + Duration::from_secs(1)).await;
    }
}

/// Starts serving a connection, unless a cap is reached: then it is closed
/// before a byte is read and before TLS.
fn admit<H: Handler>(
    shared: &Arc<Shared<H>>,
    caps: &Arc<Caps>,
    listening: SocketAddr,
    stream: TcpStream,
    address: SocketAddr,
) -> Result<(), Full> {
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let place = caps.enter(address.ip())?;
    let local = if listening.ip().is_unspecified() {
        stream.local_addr().unwrap_or(listening)
    } else {
        listening
    };
    let peer = Peer {
        connection: NEXT_CONNECTION.fetch_add(1, Ordering::Relaxed),
        address,
        local: SocketAddr::new(local.ip().to_canonical(), local.port()),
        tls: shared.tls.is_some(),
        certificate: None,
        client: None,
    };
    tokio::spawn(connection::serve(Arc::clone(shared), stream, peer, place));
    Ok(())
}

/// Listens as all doors over TCP do: at once again after a restart, without
/// Nagle's delay, with room for a mass reboot. Must be called inside a Tokio
/// runtime.
///
/// # Errors
/// When the address cannot be had, or there is no runtime.
pub fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    // Without a runtime Tokio would panic.
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Linux hands it down to accepted sockets, which saves a call on each.
    socket.set_nodelay(true)?;
    socket.bind(at)?;
    socket.listen(BACKLOG)
}

/// hyper's settings. It gets no timer: [`super::watched`] keeps the times.
fn speaker(limits: &LimitsConfig) -> http1::Builder {
    let bytes = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX).max(8 << 10);
    let mut http = http1::Builder::new();
    http.half_close(true)
        .header_read_timeout(None)
        .max_buf_size(bytes)
        .max_header_size(bytes)
        // Some devices compare header names with case.
        .title_case_headers(true);
    http
}

/// Whether a failed accept is one connection's fault, not ours.
fn is_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Tells of trouble at a door without filling the log.
struct Complaint {
    door: &'static str,
    last: Option<Instant>,
    refused: u64,
}

impl Complaint {
    fn refused(&mut self, full: Full, address: SocketAddr) {
        self.refused += 1;
        if self.is_due() {
            let cap = match full {
                Full::InAll => "limits.connections",
                Full::Source => "limits.connections_per_source",
            };
            let refused = std::mem::take(&mut self.refused);
            tracing::warn!(
                http.door = self.door, peer.address = %address, http.refused = refused, http.cap = cap,
                "connections refused: a cap is reached"
            );
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if self.is_due() {
            tracing::error!(http.door = self.door, %error, "connections cannot be accepted");
        }
    }

    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self.last.is_none_or(|last| now - last >= COMPLAIN_EVERY);
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepted_sockets_send_without_delay() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert!(accepted.nodelay().unwrap());
    }

    #[test]
    fn outside_a_runtime_a_door_is_an_error_and_no_panic() {
        assert!(listen(SocketAddr::from(([127, 0, 0, 1], 0))).is_err());
    }
}
