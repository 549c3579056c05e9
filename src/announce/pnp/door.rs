//! The socket.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::answer::{self, Sides};
use super::ask::{PnpAsk, PnpClaim};
use super::pace::Pace;
use crate::config::{PnpConfig, PnpParties};
use crate::http::HttpError;
use crate::sip::{MAX_DATAGRAM, Message, Resend, Start};
use crate::time::Clock;

/// The group that phones ask (`sip.mcast.net`).
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 1, 75);
/// How often a NOTIFY is sent until the phone has taken it.
const SENDINGS: u32 = 3;
/// Answers under way at once.
const UNDER_WAY: usize = 2_048;
/// The longest URL that is told, in bytes.
const MAX_URL: usize = 1_024;
/// How long nothing is received after the socket failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// What phones are told.
#[async_trait]
pub trait PnpUrls: Send + Sync + 'static {
    /// The URL for a phone that asks from there; `None` for one that is not
    /// known, or may not fetch from there: it gets no answer. Never called for
    /// a claim without a MAC address.
    async fn url(&self, claim: &PnpClaim, source: IpAddr) -> Option<String>;
}

/// The PnP door.
pub struct PnpDoor {
    socket: UdpSocket,
    local: SocketAddr,
    allow: Vec<IpNet>,
    generic_url: Option<Box<str>>,
    parties: PnpParties,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for PnpDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PnpDoor({})", self.local)
    }
}

/// The Call-ID of a phone that is being answered.
type Key = (SocketAddr, Box<str>);

/// What all answers share.
struct Shared {
    socket: UdpSocket,
    port: u16,
    urls: Arc<dyn PnpUrls>,
    generic_url: Option<Box<str>>,
    parties: PnpParties,
    under_way: Mutex<HashMap<Key, Arc<Notify>>>,
}

impl Shared {
    fn under_way(&self) -> MutexGuard<'_, HashMap<Key, Arc<Notify>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PnpDoor {
    /// Listens at an address and joins the group; port 0 takes any free one.
    /// Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had, or the group cannot
    /// be joined on an interface that is named.
    pub fn bind(
        at: SocketAddr,
        config: &PnpConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Bind { door: "PnP", at, source };
        let socket = listen(at, &config.interfaces).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            local,
            allow: config.allow.clone(),
            generic_url: config.generic_url.as_deref().map(Into::into),
            parties: config.parties,
            clock,
        })
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Serves until `stop`.
    pub async fn serve(self, urls: Arc<dyn PnpUrls>, stop: CancellationToken) {
        let Self { socket, local, allow, generic_url, parties, clock } = self;
        let under_way = Mutex::default();
        let port = local.port();
        let shared = Arc::new(Shared { socket, port, urls, generic_url, parties, under_way });
        let mut answers = JoinSet::new();
        let mut pace = Pace::new();
        let mut buffer = vec![0; MAX_DATAGRAM + 1];
        loop {
            while answers.try_join_next().is_some() {}
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                received = shared.socket.recv_from(&mut buffer) => received,
            };
            let (length, from) = match received {
                Ok(received) => received,
                Err(error) => {
                    warn!(%error, "the PnP door's socket failed; it is tried again");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            let datagram = buffer.get(..length).unwrap_or_default();
            if datagram.starts_with(b"SIP/2.0 ") {
                confirm(&shared, datagram, from);
                continue;
            }
            // From the cheapest check to the dearest; nothing is allocated, and
            // nothing looked up, before the last of them has passed.
            let source = from.ip().to_canonical();
            let welcome = from.port() != 0
                && PnpAsk::is_likely(datagram)
                && (allow.is_empty() || allow.iter().any(|network| network.contains(&source)))
                && pace.allows(source, clock.now());
            if !welcome {
                continue;
            }
            match PnpAsk::parse(datagram) {
                Ok(ask) => {
                    let key = (from, Box::from(ask.header("Call-ID")));
                    if let Some(taken) = Taken::take(&shared, key) {
                        answers.spawn(respond(taken, datagram.to_vec()));
                    }
                }
                Err(error) => debug!(%from, %error, "no PnP request"),
            }
        }
    }
}

/// A place among the answers under way; given back when it is dropped.
struct Taken {
    shared: Arc<Shared>,
    key: Key,
    confirmed: Arc<Notify>,
}

impl Taken {
    /// `None` if the phone is being answered already, or too many are.
    fn take(shared: &Arc<Shared>, key: Key) -> Option<Self> {
        let mut under_way = shared.under_way();
        if under_way.len() >= UNDER_WAY || under_way.contains_key(&key) {
            return None;
        }
        let confirmed = Arc::new(Notify::new());
        under_way.insert(key.clone(), Arc::clone(&confirmed));
        Some(Self { shared: Arc::clone(shared), key, confirmed })
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.shared.under_way().remove(&self.key);
    }
}

/// A phone has answered a NOTIFY, in whatever way.
fn confirm(shared: &Shared, datagram: &[u8], from: SocketAddr) {
    let Ok(message) = Message::parse(datagram) else { return };
    let is_final = matches!(message.start, Start::Response { code, .. } if code >= 200);
    let of_notify = message.sequence().is_some_and(|(_, method)| method == "NOTIFY");
    let Some(call_id) = message.header("Call-ID").filter(|_| is_final && of_notify) else { return };
    // It may answer from another port than it asked from.
    let under_way = shared.under_way();
    let found =
        under_way.iter().find(|((phone, id), _)| phone.ip() == from.ip() && **id == *call_id);
    if let Some((_, confirmed)) = found {
        confirmed.notify_one();
    }
}

/// Answers a request, whose datagram was judged to be one.
async fn respond(taken: Taken, datagram: Vec<u8>) {
    let Ok(ask) = PnpAsk::parse(&datagram) else { return };
    let (shared, phone) = (&taken.shared, taken.key.0);
    let Some(url) = url(shared, &ask.claim, phone.ip().to_canonical()).await else {
        debug!(phone.address = %phone, "a PnP request of an unknown phone");
        return;
    };
    if let Err(error) = exchange(&taken, &ask, phone, &url).await {
        warn!(phone.address = %phone, %error, "a PnP request could not be answered");
    }
}

/// What a phone is told; the URL is never logged, since it is a secret.
async fn url(shared: &Shared, claim: &PnpClaim, source: IpAddr) -> Option<String> {
    let url = match claim.mac {
        Some(_) => shared.urls.url(claim, source).await?,
        None => shared.generic_url.as_deref()?.to_owned(),
    };
    let sound =
        (1..=MAX_URL).contains(&url.len()) && url.bytes().all(|byte| byte.is_ascii_graphic());
    sound.then_some(url)
}

async fn exchange(taken: &Taken, ask: &PnpAsk<'_>, phone: SocketAddr, url: &str) -> io::Result<()> {
    let shared = &taken.shared;
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).map_err(io::Error::other)?;
    let tag = hex::encode(tag);
    let local = SocketAddr::new(local_for(phone).await?, shared.port);
    let sides = Sides { phone, local, tag: &tag, parties: shared.parties };
    let accepted = answer::accepted(ask, sides);
    let respond_to = SocketAddr::new(phone.ip(), ask.response_port().unwrap_or(phone.port()));
    shared.socket.send_to(&accepted, respond_to).await?;
    let notify = answer::notify(ask, sides, url);
    let notify_to = answer::notify_address(ask, phone);
    let mut resend = Resend::default();
    for _ in 0..SENDINGS {
        shared.socket.send_to(&notify, notify_to).await?;
        if tokio::time::timeout(resend.pause(), taken.confirmed.notified()).await.is_ok() {
            let mac = ask.claim.mac.map(|mac| mac.to_string());
            info!(phone.mac = mac, phone.address = %phone, "a phone was told its URL by PnP");
            return Ok(());
        }
    }
    debug!(phone.address = %phone, "a phone did not confirm its PnP NOTIFY");
    Ok(())
}

/// The address at which a phone reaches us: the one from which we reach it.
/// Nothing is sent for that.
async fn local_for(phone: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if phone.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        std::net::Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(phone).await?;
    Ok(socket.local_addr()?.ip())
}

fn listen(at: SocketAddr, interfaces: &[Ipv4Addr]) -> io::Result<UdpSocket> {
    // Without a runtime Tokio would panic.
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    let socket = std::net::UdpSocket::bind(at)?;
    socket.set_nonblocking(true)?;
    for interface in interfaces {
        socket.join_multicast_v4(&GROUP, interface)?;
    }
    if interfaces.is_empty()
        && let Err(error) = socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED)
    {
        warn!(%error, "the PnP door hears phones that ask it directly only: the group 224.0.1.75 could not be joined; name pnp.interfaces");
    }
    UdpSocket::from_std(socket)
}
