//! Carries an XMPP stream over a socket: TCP, TLS and time, for
//! [`crate::xmpp::Connection`], which knows none of them.
//!
//! Both sides of a connection request use it: [`crate::wake`], and the simulated
//! devices of [`crate::simulate`].

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::class::Class;
use crate::http::Host;
use crate::time::Timestamp;
use crate::xmpp::{Connection, Event, Jid, Security, Settings, XmppError};

/// How long a connection, and a TLS handshake, may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// While so many bytes wait to be sent, nothing is read: what is asked of us is
/// answered, and the answers are not to pile up.
const MAX_WAITING: usize = 64 << 10;

/// Where an XMPP server is, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct LinkTarget {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// Whom to trust; `None` only where [`Security::Clear`] is wanted. The
    /// server's certificate must carry the domain of the account (RFC 6120
    /// §13.7.2), not the host's name.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// Who connects.
    pub settings: Settings,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The name does not resolve.
    #[error("the name {0} does not resolve")]
    Unresolved(String),
    /// No connection came about.
    #[error("no connection to the XMPP server: {0}")]
    Connect(io::Error),
    /// The TLS handshake failed.
    #[error("TLS with the XMPP server failed: {0}")]
    Tls(io::Error),
    /// The account's domain cannot stand in a TLS handshake, or nobody is trusted.
    #[error("{0} is no name for TLS")]
    BadName(String),
    /// It took too long.
    #[error("the XMPP server does not answer")]
    Timeout,
    /// The stream is over, or never came about.
    #[error(transparent)]
    Stream(#[from] XmppError),
}

impl LinkError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::BadName(_) => Class::Invalid,
            Self::Stream(error) => error.class(),
            _ => Class::Upstream,
        }
    }
}

/// What carries bytes: a TCP stream, or TLS over one.
trait Carrier: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Carrier for T {}

/// A stream that has come about.
pub struct Link {
    carrier: Box<dyn Carrier>,
    connection: Connection,
    /// The address that the server gave.
    jid: Jid,
    /// What is to be sent, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    events: VecDeque<Event>,
    began: Instant,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Link({})", self.jid)
    }
}

impl Link {
    /// Connects and goes as far as an address. `random` was never used before.
    ///
    /// # Errors
    /// [`LinkError`], after 50 seconds at most.
    pub async fn open(target: &LinkTarget, random: &[u8; 32]) -> Result<Self, LinkError> {
        let domain = target.settings.jid.domain();
        let tcp = within(connect(&target.host, target.port)).await?;
        let carrier: Box<dyn Carrier> = match target.settings.security {
            // In TLS from the first byte on.
            Security::Given => within(shake_hands(target, domain, Box::new(tcp))).await?,
            Security::StartTls | Security::Clear => Box::new(tcp),
        };
        let began = Instant::now();
        let connection = Connection::new(target.settings.clone(), random, now(began))?;
        let mut link = Self {
            carrier,
            connection,
            jid: target.settings.jid.clone(),
            out: Vec::new(),
            sent: 0,
            events: VecDeque::new(),
            began,
        };
        loop {
            match link.next().await {
                Event::Online(jid) => {
                    link.jid = jid;
                    return Ok(link);
                }
                Event::Secure => {
                    link.flush().await?;
                    // The connection has no use for a carrier meanwhile.
                    let tcp = std::mem::replace(&mut link.carrier, Box::new(tokio::io::empty()));
                    link.carrier = within(shake_hands(target, domain, tcp)).await?;
                    link.connection.secured();
                }
                Event::Ended(error) => return Err(error.into()),
                // Nothing was asked, and nobody knows the address yet.
                Event::Answered { .. } | Event::Asked(_) => {}
            }
        }
    }

    /// The address that the server gave.
    pub const fn jid(&self) -> &Jid {
        &self.jid
    }

    /// The stream, to ask and to answer; what it puts out is sent by
    /// [`Self::next`] and [`Self::flush`].
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The time of [`Connection`]s: it begins with the stream and is never set.
    pub fn now(&self) -> Timestamp {
        now(self.began)
    }

    /// What happens next. It may be dropped at any time and called again; after
    /// [`Event::Ended`] it gives nothing else.
    pub async fn next(&mut self) -> Event {
        loop {
            self.events.extend(self.connection.take_events());
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let Some(due) = self.connection.due() else {
                return Event::Ended(XmppError::Closed);
            };
            self.gather();
            let (waiting, pause) = (self.out.len() - self.sent, due.since(self.now()));
            let mut bytes = [0; 8 << 10];
            let (mut reading, mut writing) = tokio::io::split(&mut self.carrier);
            tokio::select! {
                read = reading.read(&mut bytes), if waiting < MAX_WAITING => match read {
                    Ok(count @ 1..) => {
                        let now = now(self.began);
                        self.connection.receive(bytes.get(..count).unwrap_or_default(), now);
                    }
                    Ok(0) | Err(_) => self.connection.lost(),
                },
                written = writing.write(self.out.get(self.sent..).unwrap_or_default()),
                    if waiting > 0 => match written {
                        Ok(count @ 1..) => {
                            self.sent += count;
                            // Over TLS, what was written may lie there still.
                            if self.sent == self.out.len() && writing.flush().await.is_err() {
                                self.connection.lost();
                            }
                        }
                        Ok(0) | Err(_) => self.connection.lost(),
                    },
                () = tokio::time::sleep(pause) => {
                    let now = now(self.began);
                    self.connection.tick(now);
                }
            }
        }
    }

    /// Sends all that is to be sent.
    ///
    /// # Errors
    /// [`LinkError::Stream`] when that cannot be done; the stream is then over.
    pub async fn flush(&mut self) -> Result<(), LinkError> {
        self.gather();
        let rest = self.out.get(self.sent..).unwrap_or_default();
        let written = async {
            self.carrier.write_all(rest).await?;
            self.carrier.flush().await
        };
        let written = tokio::time::timeout(CONNECT_WITHIN, written).await;
        self.out.clear();
        self.sent = 0;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                self.connection.lost();
                Err(XmppError::Closed.into())
            }
        }
    }

    /// Says goodbye, as far as that can be done.
    pub async fn close(mut self) {
        self.connection.close();
        // Who is leaving need not know whether it was heard.
        let _ = self.flush().await;
        let _ = self.carrier.shutdown().await;
    }

    /// Puts what the stream has to say behind what is waiting.
    fn gather(&mut self) {
        if self.sent == self.out.len() {
            self.out.clear();
            self.sent = 0;
        }
        self.out.extend(self.connection.take_output());
    }
}

fn now(began: Instant) -> Timestamp {
    let millis = began.elapsed().as_millis();
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

async fn within<T>(
    attempt: impl Future<Output = Result<T, LinkError>> + Send,
) -> Result<T, LinkError> {
    tokio::time::timeout(CONNECT_WITHIN, attempt).await.map_err(|_| LinkError::Timeout)?
}

async fn connect(host: &Host, port: u16) -> Result<TcpStream, LinkError> {
    let mut last = LinkError::Unresolved(host.to_string());
    let addresses: Vec<_> = match host {
        Host::Address(address) => vec![(*address, port).into()],
        Host::Name(name) => match tokio::net::lookup_host((&**name, port)).await {
            Ok(found) => found.take(MAX_ADDRESSES).collect(),
            Err(_) => return Err(last),
        },
    };
    for at in addresses {
        match TcpStream::connect(at).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(LinkError::Connect)?;
                return Ok(stream);
            }
            Err(error) => last = LinkError::Connect(error),
        }
    }
    Err(last)
}

async fn shake_hands(
    target: &LinkTarget,
    domain: &str,
    carrier: Box<dyn Carrier>,
) -> Result<Box<dyn Carrier>, LinkError> {
    let bad = || LinkError::BadName(domain.to_owned());
    let name = ServerName::try_from(domain.to_owned()).map_err(|_| bad())?;
    let config = target.tls.clone().ok_or_else(bad)?;
    let connector = tokio_rustls::TlsConnector::from(config);
    Ok(Box::new(connector.connect(name, carrier).await.map_err(LinkError::Tls)?))
}
