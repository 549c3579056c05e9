//! The listener that all HTTP faces stand behind.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio_util::sync::CancellationToken;

use super::body::Body;
use super::error::HttpError;
use super::tls::TlsMaterial;
use crate::config::LimitsConfig;

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
}

/// A face: what answers the requests of a door.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request. Requests of one connection come one after the
    /// other. The future is dropped when the connection ends by a limit.
    fn handle(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;

    /// A connection has ended, in whatever way; called once for each.
    fn closed(&self, connection: u64) {
        let _ = connection;
    }
}

/// A listening socket with its limits.
#[derive(Debug)]
pub struct Door {
    listener: tokio::net::TcpListener,
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
        _limits: &LimitsConfig,
        _tls: Option<Arc<TlsMaterial>>,
    ) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Bind { door: name, at, source };
        let listener = std::net::TcpListener::bind(at).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        Ok(Self { listener })
    }

    /// Where the door listens; with port 0 the port that it got.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into())
    }

    /// Serves until `stop`; then takes no more connections, lets the requests
    /// under way end, for ten seconds at most, and returns.
    pub async fn serve<H: Handler>(self, handler: Arc<H>, stop: CancellationToken) {
        let _ = handler;
        stop.cancelled().await;
    }
}
