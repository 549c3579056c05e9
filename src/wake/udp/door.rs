//! The socket at which devices bind, and from which they are woken: a NAT lets
//! in what comes from where the device has sent to (Q51).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::accounts::StunAccounts;
use super::bindings::Bindings;
use super::rate::Rate;
use crate::config::StunConfig;
use crate::device::DeviceId;
use crate::http::HttpError;
use crate::stun::{Answer, Asked, MAX_MESSAGE, Message, answer, classify, refusal};
use crate::time::{Clock, Timestamp};
use crate::wake::waker::lock;

/// How long nothing is received after the socket failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Before the second and the third time that a datagram is sent.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(900)];

/// The STUN server and sender of UDP connection requests.
pub struct StunDoor {
    socket: UdpSocket,
    local: SocketAddr,
    config: StunConfig,
    accounts: StunAccounts,
    clock: Arc<dyn Clock>,
    bindings: Mutex<Bindings>,
    rate: Mutex<Rate>,
    last_id: AtomicU32,
}

impl fmt::Debug for StunDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StunDoor({})", self.local)
    }
}

impl StunDoor {
    /// Listens at an address; port 0 takes any free one. Must be called inside
    /// a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had.
    pub fn bind(
        at: SocketAddr,
        config: &StunConfig,
        accounts: StunAccounts,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, HttpError> {
        let listen = || {
            // Without a runtime Tokio would panic.
            tokio::runtime::Handle::try_current().map_err(std::io::Error::other)?;
            let socket = std::net::UdpSocket::bind(at)?;
            socket.set_nonblocking(true)?;
            let socket = UdpSocket::from_std(socket)?;
            let local = socket.local_addr()?;
            Ok((socket, local))
        };
        let (socket, local) =
            listen().map_err(|source| HttpError::Bind { door: "STUN", at, source })?;
        Ok(Arc::new(Self {
            socket,
            local,
            config: config.clone(),
            accounts,
            clock,
            bindings: Mutex::default(),
            rate: Mutex::default(),
            last_id: AtomicU32::new(0),
        }))
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What devices show here.
    pub const fn accounts(&self) -> &StunAccounts {
        &self.accounts
    }

    /// Answers until `stop`.
    pub async fn serve(self: Arc<Self>, stop: CancellationToken) {
        let mut buffer = [0; MAX_MESSAGE + 1];
        loop {
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                received = self.socket.recv_from(&mut buffer) => received,
            };
            match received {
                Ok((length, client)) => {
                    let datagram = buffer.get(..length).unwrap_or_default();
                    if let Some(answer) = self.answer(datagram, client) {
                        // Lost or not: the client asks again.
                        let _ = self.socket.try_send_to(&answer.datagram, answer.to);
                    }
                }
                Err(error) => {
                    debug!(%error, "the STUN door received nothing");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    /// Where a device is bound, if it is: at the address that it calls from,
    /// else where it was seen last.
    pub fn binding(&self, id: &DeviceId, caller: Option<IpAddr>) -> Option<SocketAddr> {
        lock(&self.bindings).of(id, caller, self.clock.now())
    }

    /// Sends a datagram three times, since any may be lost; the device takes
    /// it once.
    ///
    /// # Errors
    /// The system's, when not even the first could be sent.
    pub(crate) async fn send(
        self: &Arc<Self>,
        datagram: Vec<u8>,
        to: SocketAddr,
    ) -> std::io::Result<()> {
        let to = self.on_the_wire(to);
        self.socket.send_to(&datagram, to).await?;
        let door = Arc::clone(self);
        tokio::spawn(async move {
            for pause in PAUSES {
                tokio::time::sleep(pause).await;
                let _ = door.socket.send_to(&datagram, to).await;
            }
        });
        Ok(())
    }

    /// The id of a new request: it grows, also from start to start.
    pub(crate) fn next_id(&self, now: Timestamp) -> u32 {
        // Modulo 2^32 until the year 2106, as the device's own clock.
        let seconds = u32::try_from(now.as_secs().rem_euclid(1 << 32)).unwrap_or_default();
        let next = |last: u32| Some(last.saturating_add(1).max(seconds));
        self.last_id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
            .and_then(next)
            .unwrap_or(seconds)
    }

    /// In what a model's datagrams differ.
    pub(crate) fn variants(
        &self,
        product_class: &str,
    ) -> std::collections::BTreeSet<crate::config::UdpVariant> {
        self.config.variants.get(product_class).cloned().unwrap_or_default()
    }

    fn answer(&self, datagram: &[u8], client: SocketAddr) -> Option<Answer> {
        let now = self.clock.now();
        if !lock(&self.rate).allows(client.ip(), now) {
            return None;
        }
        let request = Message::parse(datagram).ok()?;
        let most = if self.config.answer_short { MAX_MESSAGE } else { datagram.len() };
        let refused = |code, unknown: &[u16]| {
            refusal(request.transaction, code, unknown, client, datagram.len())
        };
        let server = (!self.local.ip().is_unspecified()).then_some(self.local);
        match classify(&request, client) {
            Asked::Nothing => None,
            Asked::Refused(code, unknown) => refused(code, &unknown),
            Asked::Plain => answer(&request, client, server, None, most),
            Asked::Signed(username) => {
                let proven = username.parse::<DeviceId>().ok().and_then(|id| {
                    let password = self.accounts.password(&id);
                    let padding = request.verify(password.expose().as_bytes())?;
                    Some((id, password, padding))
                });
                let Some((id, password, padding)) = proven else {
                    debug!(%client, "a STUN request with a wrong MESSAGE-INTEGRITY");
                    return refused(431, &[]);
                };
                let told = answer(
                    &request,
                    client,
                    server,
                    Some((password.expose().as_bytes(), padding)),
                    most,
                )?;
                if request.is_connection_request_binding() && told.to == client {
                    self.bound(&id, client, now);
                }
                Some(told)
            }
        }
    }

    fn bound(&self, id: &DeviceId, client: SocketAddr, now: Timestamp) {
        let at = SocketAddr::new(client.ip().to_canonical(), client.port());
        if lock(&self.bindings).record(id, at, now) {
            debug!(device.id = %id, %client, "bound for UDP connection requests");
        }
    }

    /// A socket of IPv6 writes to IPv4 in the form of IPv6.
    fn on_the_wire(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.local.is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), to.port())
            }
            _ => to,
        }
    }
}
