//! The listener.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::data::Ports;
use super::session::{self, Client};
use crate::config::{FtpConfig, LimitsConfig};
use crate::fetch::complaint::Complaint;
use crate::files::SharedSource;
use crate::http::{Caps, HttpError, TlsMaterial, listen};
use crate::metrics::Door;

/// How long sessions may go on when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the process has no descriptors left.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// An FTP door.
pub struct FtpDoor {
    listener: TcpListener,
    local: SocketAddr,
    settings: Settings,
    caps: Arc<Caps>,
}

/// What sessions of a door need to know.
pub(super) struct Settings {
    /// Whether a connection begins with TLS.
    pub(super) implicit: bool,
    /// How TLS is spoken, if it is.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) ports: Ports,
    pub(super) passive_address: Option<Ipv4Addr>,
    pub(super) idle: Duration,
    pub(super) handshake: Duration,
    pub(super) age: Duration,
}

/// What all sessions of a door share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) source: SharedSource,
    pub(super) stop: CancellationToken,
}

impl std::fmt::Debug for FtpDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FtpDoor({})", self.local)
    }
}

impl FtpDoor {
    /// Listens at an address; port 0 takes any free one. With `implicit`, each
    /// connection begins with TLS; without `tls` there is none. Must be called
    /// inside a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had.
    pub fn bind(
        at: SocketAddr,
        config: &FtpConfig,
        limits: &LimitsConfig,
        tls: Option<&Arc<TlsMaterial>>,
        implicit: bool,
    ) -> Result<Self, HttpError> {
        let door = if implicit { "FTP over TLS" } else { "FTP" };
        let failed = |source| HttpError::Bind { door, at, source };
        let listener = listen(at).map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Ok(Self {
            listener,
            local,
            settings: Settings {
                implicit,
                tls: tls.map(|material| TlsAcceptor::from(material.server_config())),
                ports: Ports::new(config.passive_ports),
                passive_address: config.passive_address,
                idle: seconds(limits.idle),
                handshake: seconds(limits.tls_handshake),
                age: seconds(limits.age),
            },
            caps: Caps::at(Door::Ftp, limits.connections, limits.connections_per_source),
        })
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop`; then takes no more connections, lets transfers go
    /// on for five seconds at most, and returns.
    pub async fn serve(self, source: SharedSource, stop: CancellationToken) {
        let Self { listener, settings, caps, .. } = self;
        let shared = Arc::new(Shared { settings, source, stop });
        let mut complaint =
            Complaint::new("FTP", ("limits.connections", "limits.connections_per_source"));
        loop {
            let accepted = tokio::select! {
                biased;
                () = shared.stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, from)) => {
                    let address = from.ip().to_canonical();
                    match (caps.enter(address), local_of(&stream)) {
                        (Ok(place), Ok(local)) => {
                            let client = Client { address, local };
                            let shared = Arc::clone(&shared);
                            tokio::spawn(async move {
                                session::serve(&shared, stream, client).await;
                                drop(place);
                            });
                        }
                        (Err(full), _) => complaint.refused(full, address),
                        (Ok(_), Err(_)) => {}
                    }
                }
                Err(error) => {
                    complaint.failed(&error);
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
        drop(listener);
        caps.emptied(STOP_WITHIN).await;
    }
}

/// The address at which a client came in.
fn local_of(stream: &TcpStream) -> io::Result<std::net::IpAddr> {
    Ok(stream.local_addr()?.ip())
}
