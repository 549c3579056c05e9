//! One connection from its acceptance to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls_pki_types::UnixTime;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::caps::Place;
use super::certificate::mac_of;
use super::door::{Handler, Peer};
use super::trust::{ClientCertificate, TrustStores};
use super::watched::{Alarm, Times, Watch, Watched};
use crate::metrics::{self, Reason};

/// How long requests under way may take when the server stops.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How long, and for how many bytes, a peer that still sends is listened to
/// after its connection was ended, so that it reads the last answer before the
/// kernel resets the connection.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 1 << 20;

/// What all connections of a door share.
pub(super) struct Shared<H> {
    pub(super) door: &'static str,
    /// As which it is counted.
    pub(super) counted: metrics::Door,
    pub(super) handler: Arc<H>,
    pub(super) http: http1::Builder,
    pub(super) times: Times,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) trust: Option<Arc<TrustStores>>,
    pub(super) stop: CancellationToken,
}

/// Tells the face that a connection has ended, in whatever way, and gives its
/// place back.
struct Ending<H: Handler> {
    shared: Arc<Shared<H>>,
    connection: u64,
    _place: Place,
}

impl<H: Handler> Drop for Ending<H> {
    fn drop(&mut self) {
        self.shared.handler.closed(self.connection);
    }
}

/// Serves an accepted connection until it ends.
pub(super) async fn serve<H: Handler>(
    shared: Arc<Shared<H>>,
    stream: TcpStream,
    peer: Peer,
    place: Place,
) {
    let address = peer.address;
    let counted = shared.counted;
    let ending = Ending { shared: Arc::clone(&shared), connection: peer.connection, _place: place };
    let ended = match &shared.tls {
        None => converse(&shared, stream, peer).await,
        Some(acceptor) => match shake_hands(acceptor, stream, shared.times.tls_handshake).await {
            Ok(stream) => match shown(&shared, &stream) {
                Ok(client) => {
                    metrics::TLS_HANDSHAKES.add(counted as usize, 0, 1);
                    let certificate = mac_of(stream.get_ref().1.peer_certificates());
                    converse(&shared, stream, Peer { certificate, client, ..peer }).await
                }
                Err(error) => {
                    counted.refused(Reason::Certificate);
                    note_certificate(shared.door, address, &error);
                    Ok(())
                }
            },
            Err(error) => {
                metrics::TLS_HANDSHAKES.add(counted as usize, 1, 1);
                match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                    Some(reason) if shared.trust.is_some() && is_about_certificate(reason) => {
                        counted.refused(Reason::Certificate);
                        note_certificate(shared.door, address, reason);
                    }
                    _ => note(shared.door, address, "TLS handshake failed", &error),
                }
                Ok(())
            }
        },
    };
    if let Err(error) = ended {
        note(shared.door, address, "connection ended", &error);
    }
    drop(ending);
}

/// The certificate that the client showed at a door with trust stores. It is
/// judged here once more, because a resumed handshake judges none, and because
/// only now somebody asks which store it is good by.
fn shown<H>(
    shared: &Shared<H>,
    stream: &tokio_rustls::server::TlsStream<TcpStream>,
) -> Result<Option<Arc<ClientCertificate>>, rustls::Error> {
    let Some(trust) = &shared.trust else { return Ok(None) };
    let Some(chain) = stream.get_ref().1.peer_certificates() else { return Ok(None) };
    trust.judge(chain, UnixTime::now()).map(|client| Some(Arc::new(client)))
}

const fn is_about_certificate(error: &rustls::Error) -> bool {
    matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
}

/// Whoever has a certificate that is not good is an operator's concern.
fn note_certificate(door: &'static str, address: SocketAddr, reason: &rustls::Error) {
    tracing::info!(http.door = door, peer.address = %address, %reason, "a client certificate was refused");
}

/// At `debug`: anybody can cause these, as often as he likes.
fn note(
    door: &'static str,
    address: SocketAddr,
    what: &'static str,
    error: &(dyn std::error::Error + 'static),
) {
    tracing::debug!(http.door = door, peer.address = %address, error, "{what}");
}

async fn shake_hands(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
    most: Duration,
) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    tokio::time::timeout(most, acceptor.accept(stream))
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Speaks HTTP on a stream until either side has had enough.
async fn converse<H, S>(shared: &Shared<H>, stream: S, peer: Peer) -> Result<(), hyper::Error>
where
    H: Handler,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let watch = Watch::start(shared.times);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&watch), shared.counted));
    let service = service_fn(|request: Request<Incoming>| {
        watch.busy();
        let answer = shared.handler.handle(peer.clone(), request);
        let (watch, counted) = (&watch, shared.counted);
        async move {
            let answer = answer.await;
            watch.answered();
            let class = usize::from(answer.status().as_u16() / 100).saturating_sub(1);
            metrics::REQUESTS.add(counted as usize, class, 1);
            Ok::<_, Infallible>(answer)
        }
    });
    let mut connection = shared.http.serve_connection(io, service);
    let mut stopped = pin!(shared.stop.cancelled());
    let mut stopping = false;
    let mut armed = watch.due();
    let mut alarm = pin!(tokio::time::sleep_until(armed));
    let ended = poll_fn(|context| {
        if !stopping && stopped.as_mut().poll(context).is_ready() {
            stopping = true;
            watch.stop_within(STOP_WITHIN);
            Pin::new(&mut connection).graceful_shutdown();
        }
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut connection).poll(context) {
                return Poll::Ready(Some(ended));
            }
            // The timer is only moved to an earlier time; one that rings too
            // early is set anew, which a short session never needs.
            let due = watch.due();
            if due < armed {
                armed = due;
                alarm.as_mut().reset(due);
            }
            let again = loop {
                if alarm.as_mut().poll(context).is_pending() {
                    break false;
                }
                match watch.rang() {
                    Alarm::Later(due) => {
                        armed = due;
                        alarm.as_mut().reset(due);
                    }
                    Alarm::LastRequest => {
                        Pin::new(&mut connection).graceful_shutdown();
                        break true;
                    }
                    Alarm::End => return Poll::Ready(None),
                }
            };
            if !again {
                return Poll::Pending;
            }
        }
    })
    .await;
    match ended {
        Some(Ok(())) if !watch.peer_closed() => {
            linger(connection.into_parts().io.into_inner()).await;
            Ok(())
        }
        Some(ended) => ended,
        None => Ok(()),
    }
}

/// Hears a peer out whose connection was closed on our side.
async fn linger<S: AsyncRead + Unpin>(stream: S) {
    let mut rest = stream.take(LINGER_BYTES);
    let drain = async {
        let mut buffer = [0; 4096];
        while rest.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
    };
    // Whether it ends by itself or by the limit is the same to us.
    let _ = tokio::time::timeout(LINGER, drain).await;
}
