//! Lightweight notifications over UDP (TR-069 Annex M).
//!
//! A datagram is believed when it is signed with the password of the device that
//! it names, and is newer than the last one of that device. Nothing is ever
//! answered, so that nothing can be learned from here and nobody else be hit by
//! answers; what is dropped is counted, and told in the log once a minute.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::kept::{Came, kept};
use super::pace::Pace;
use crate::cwmp::{LightweightDatagram, LightweightError, LightweightNotification};
use crate::device::{DeviceId, DeviceIdentity, ReportSource};
use crate::http::HttpError;
use crate::store::{Record, Store, StoreError, Vault};
use crate::time::{Clock, Timestamp};

/// The largest datagram that is taken, in bytes.
const MAX_DATAGRAM: usize = 16 << 10;
/// Datagrams that are being taken at once.
const AT_ONCE: usize = 64;
/// Datagrams a minute, and at once, of one source: many devices may stand behind
/// one address.
const OF_ONE_SOURCE: (u32, u32) = (600, 200);
/// How far a device's clock may be ahead of ours: one that is further would have
/// everything dropped that it sends after its clock was set right.
const AHEAD: Duration = Duration::from_secs(86_400);
/// Texts of one second that are remembered of a device.
const MAX_CNONCES: usize = 32;
/// Devices of which the last notification is remembered; of others it is read
/// from the store.
const MAX_DEVICES: usize = 100_000;
/// How many reports are looked through for the last notification.
const LOOKED_THROUGH: usize = 100;
/// How often it is told what was dropped.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// How long nothing is received after the socket failed.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// How long those that are being taken may go on when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// What the door is built from.
#[derive(Clone)]
pub struct LightweightDeps {
    /// Where reports go.
    pub store: Arc<dyn Store>,
    /// Opens the devices' passwords.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a datagram is dropped.
#[derive(Debug, thiserror::Error)]
pub enum Dropped {
    /// Too many come, from this source or in all.
    #[error("too many come")]
    TooMany,
    /// It is no notification.
    #[error(transparent)]
    NotOne(#[from] LightweightError),
    /// The device is not known, or has no credentials of its own to sign with.
    #[error("the device is not known, or has no password of its own")]
    Unknown,
    /// It is not signed with the device's password.
    #[error("the signature is wrong")]
    Unsigned,
    /// It came before, or is older than the last one that came.
    #[error("it is not newer than the last one")]
    Replayed,
    /// It says nothing of when it was made, or a time that has yet to come.
    #[error("it does not say when it was made, or a time to come")]
    Time,
    /// It could not be recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes notifications.
pub struct Lightweight {
    deps: LightweightDeps,
    pace: Pace<IpAddr>,
    last: Mutex<HashMap<DeviceId, Heard>>,
    taken: AtomicU64,
    dropped: AtomicU64,
}

/// The last notification of a device.
#[derive(Debug, Default)]
struct Heard {
    at: Timestamp,
    /// The random texts of that second; `None` if they were not kept.
    cnonces: Option<Vec<Box<str>>>,
}

impl Heard {
    /// Takes note of a notification; whether it is newer than what was heard. A
    /// device may notify several times in a second.
    fn takes(&mut self, at: Timestamp, cnonce: &str) -> bool {
        if at > self.at {
            *self = Self { at, cnonces: Some(vec![cnonce.into()]) };
            return true;
        }
        match &mut self.cnonces {
            Some(known) if at == self.at && known.len() < MAX_CNONCES => {
                let is_new = known.iter().all(|one| **one != *cnonce);
                if is_new {
                    known.push(cnonce.into());
                }
                is_new
            }
            _ => false,
        }
    }
}

impl Lightweight {
    /// Takes notifications for the devices of a store.
    pub fn new(deps: LightweightDeps) -> Self {
        let (per_minute, burst) = OF_ONE_SOURCE;
        Self {
            deps,
            pace: Pace::new(per_minute, burst),
            last: Mutex::default(),
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    /// How many datagrams were taken, and how many dropped, since the start.
    pub fn counts(&self) -> (u64, u64) {
        (self.taken.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }

    /// Takes a datagram, or drops it; both are counted.
    ///
    /// # Errors
    /// [`Dropped`] says why.
    pub async fn take(&self, source: IpAddr, datagram: &[u8]) -> Result<(), Dropped> {
        let taken = self.judge(source, datagram).await;
        let counter = if taken.is_ok() { &self.taken } else { &self.dropped };
        counter.fetch_add(1, Ordering::Relaxed);
        taken
    }

    async fn judge(&self, source: IpAddr, datagram: &[u8]) -> Result<(), Dropped> {
        let now = self.deps.clock.now();
        if !self.pace.takes(source_of(source), now) {
            return Err(Dropped::TooMany);
        }
        let split = LightweightDatagram::split(datagram)?;
        let read = split.read()?;
        let identity = DeviceIdentity::new("", &read.oui, &read.product_class, &read.serial_number);
        let id = identity.map_err(|_| Dropped::Unknown)?.id();
        let store = &self.deps.store;
        let own = store.credentials(&id).await?.ok_or(Dropped::Unknown)?;
        let is_its_user = read.username.is_empty() || read.username == own.username;
        if !is_its_user || !split.is_signed_with(&self.deps.vault.unseal(&own.password)?) {
            return Err(Dropped::Unsigned);
        }
        if store.device(&id).await?.is_none() {
            return Err(Dropped::Unknown);
        }
        let made_at = read.made_at.filter(|at| *at <= now.after(AHEAD)).ok_or(Dropped::Time)?;
        if !self.is_new(&id, made_at, &read.cnonce).await? {
            return Err(Dropped::Replayed);
        }
        let LightweightNotification { parameters: values, left_out, .. } = read;
        let source = ReportSource::LightweightNotification;
        let came = Came { source, collected_at: Some(made_at), values, left_out };
        store.commit(Record::Report(Box::new(kept(&id, came, now))).into()).await?;
        debug!(device.id = %id, "a lightweight notification");
        Ok(())
    }

    /// Whether a notification is newer than the last one of its device; after a
    /// start, than the last one that is among its reports.
    async fn is_new(
        &self,
        id: &DeviceId,
        made_at: Timestamp,
        cnonce: &str,
    ) -> Result<bool, StoreError> {
        if let Some(heard) = self.lock().get_mut(id) {
            return Ok(heard.takes(made_at, cnonce));
        }
        let reports = self.deps.store.reports(id, LOOKED_THROUGH).await?;
        let last = reports
            .iter()
            .filter(|report| report.source == ReportSource::LightweightNotification)
            .filter_map(|report| report.collected_at)
            .max();
        let mut heard = self.lock();
        if heard.len() >= MAX_DEVICES {
            heard.clear();
        }
        // Another of this device may have been first meanwhile.
        let stored = last.map(|at| Heard { at, cnonces: None });
        let known = heard.entry(id.clone()).or_insert_with(|| {
            stored.unwrap_or(Heard { at: Timestamp::from_millis(i64::MIN), cnonces: None })
        });
        Ok(known.takes(made_at, cnonce))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DeviceId, Heard>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The socket.
#[derive(Debug)]
pub struct LightweightDoor {
    socket: UdpSocket,
    local: SocketAddr,
}

impl LightweightDoor {
    /// Listens at an address; port 0 takes any free one. Must be called inside a
    /// Tokio runtime.
    ///
    /// # Errors
    /// [`HttpError::Bind`] when the address cannot be had.
    pub fn bind(at: SocketAddr) -> Result<Self, HttpError> {
        let failed = |source| HttpError::Bind { door: "lightweight notification", at, source };
        // Without a runtime Tokio would panic.
        tokio::runtime::Handle::try_current().map_err(|e| failed(std::io::Error::other(e)))?;
        let socket = std::net::UdpSocket::bind(at).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        let socket = UdpSocket::from_std(socket).map_err(failed)?;
        let local = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, local })
    }

    /// Where the door listens; with port 0 the port that it got.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Takes datagrams until `stop`, so many at once at most; what comes beyond
    /// them is dropped.
    pub async fn serve(self, takes: Arc<Lightweight>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut told = tokio::time::interval(TELL_EVERY);
        let mut before = 0;
        // One byte more, so that what is too large shows.
        let mut buffer = vec![0; MAX_DATAGRAM + 1];
        loop {
            let received = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                received = self.socket.recv_from(&mut buffer) => received,
                _ = told.tick() => {
                    let (taken, dropped) = takes.counts();
                    if dropped > before {
                        info!(lightweight.taken = taken, lightweight.dropped = dropped,
                            "lightweight notifications were dropped");
                    }
                    before = dropped;
                    continue;
                }
            };
            let (length, from) = match received {
                Ok(received) => received,
                Err(error) => {
                    warn!(%error, "the door for lightweight notifications cannot receive");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            let source = from.ip().to_canonical();
            let datagram = buffer.get(..length).filter(|datagram| datagram.len() <= MAX_DATAGRAM);
            let place = Arc::clone(&places).try_acquire_owned();
            let (Some(datagram), Ok(place)) = (datagram, place) else {
                takes.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let (takes, datagram) = (Arc::clone(&takes), datagram.to_vec());
            tokio::spawn(async move {
                if let Err(dropped) = takes.take(source, &datagram).await {
                    debug!(peer.address = %source, reason = %dropped, "a datagram was dropped");
                }
                drop(place);
            });
        }
        let all = places.acquire_many(u32::try_from(AT_ONCE).unwrap_or(u32::MAX));
        // What is not recorded by then is lost, as datagrams may be.
        let _ = tokio::time::timeout(STOP_WITHIN, all).await;
    }
}

/// What counts as one source: an IPv4 address or an IPv6 /64.
fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}
