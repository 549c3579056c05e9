//! One connection to one server: for connection requests, simulated devices
//! and the command line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::target::Host;
use crate::class::Class;

/// The largest answer header that is taken, in bytes; hyper's least.
const MAX_HEADER: usize = 8 << 10;

/// Why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The name does not resolve.
    #[error("the name {0} does not resolve")]
    Unresolved(String),
    /// No connection came about.
    #[error("no connection to {at}: {source}")]
    Connect {
        /// Where to.
        at: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It took longer than allowed.
    #[error("no answer in time")]
    Timeout,
    /// The TLS handshake failed.
    #[error("TLS failed: {0}")]
    Tls(std::io::Error),
    /// The host cannot stand in a TLS handshake.
    #[error("{0} is no name for TLS")]
    BadName(String),
    /// The connection broke, or what came is no HTTP.
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
}

impl ClientError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::BadName(_) => Class::Invalid,
            Self::Unresolved(_)
            | Self::Connect { .. }
            | Self::Timeout
            | Self::Tls(_)
            | Self::Exchange(_) => Class::Upstream,
        }
    }
}

/// An open connection; requests go one after the other.
#[derive(Debug)]
pub struct ClientConnection {
    sender: SendRequest<Full<Bytes>>,
    /// The address of our end.
    pub local: SocketAddr,
}

impl ClientConnection {
    /// Resolves the host, connects to the first of its addresses that answers
    /// and, with `tls`, shakes hands; all within `timeout`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn connect(
        host: &Host,
        port: u16,
        tls: Option<Arc<rustls::ClientConfig>>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let attempt = async {
            let addresses = match host {
                Host::Address(address) => vec![SocketAddr::new(*address, port)],
                Host::Name(name) => tokio::net::lookup_host((&**name, port))
                    .await
                    .map_err(|_| ClientError::Unresolved(name.to_string()))?
                    .take(8)
                    .collect(),
            };
            let mut last = ClientError::Unresolved(host.to_string());
            for at in addresses {
                match Self::open(at, host, tls.clone()).await {
                    Ok(connection) => return Ok(connection),
                    Err(error) => last = error,
                }
            }
            Err(last)
        };
        tokio::time::timeout(timeout, attempt).await.map_err(|_| ClientError::Timeout)?
    }

    /// Connects to one address; `host` is the name that a certificate must
    /// carry.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn connect_to(
        at: SocketAddr,
        host: &Host,
        tls: Option<Arc<rustls::ClientConfig>>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        tokio::time::timeout(timeout, Self::open(at, host, tls))
            .await
            .map_err(|_| ClientError::Timeout)?
    }

    /// Sends a request and waits for the head of its answer. The request's URI
    /// is sent as it stands and should be a path; `Host` is the caller's to
    /// set. The body must be read before the next request.
    ///
    /// # Errors
    /// [`ClientError::Exchange`]; the connection is then of no more use.
    pub async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, ClientError> {
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Whether another request can be sent: the server has not closed the
    /// connection as far as is known.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    async fn open(
        at: SocketAddr,
        host: &Host,
        tls: Option<Arc<rustls::ClientConfig>>,
    ) -> Result<Self, ClientError> {
        let failed = |source| ClientError::Connect { at, source };
        let stream = TcpStream::connect(at).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let local = stream.local_addr().map_err(failed)?;
        let sender = match tls {
            None => start(stream).await?,
            Some(config) => {
                let name = match host {
                    Host::Address(address) => ServerName::IpAddress((*address).into()),
                    Host::Name(name) => ServerName::try_from(name.to_string())
                        .map_err(|_| ClientError::BadName(name.to_string()))?,
                };
                let connector = tokio_rustls::TlsConnector::from(config);
                start(connector.connect(name, stream).await.map_err(ClientError::Tls)?).await?
            }
        };
        Ok(Self { sender, local })
    }
}

/// Starts HTTP on a stream. The task that drives it ends with the connection,
/// which ends when the sender is dropped.
async fn start<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEADER)
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await?;
    // What goes wrong on the connection is told to whoever waits for an answer.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

/// Settings of a TLS client that trusts exactly the given authorities, in PEM,
/// and speaks TLS 1.2 and 1.3.
///
/// # Errors
/// [`rustls::Error`] when there is no certificate in the text or one is broken.
pub fn client_tls(authorities: &str) -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_bytes()) {
        let certificate = certificate.map_err(|_| {
            rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding)
        })?;
        roots.add(certificate)?;
    }
    if roots.is_empty() {
        return Err(rustls::Error::NoCertificatesPresented);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
