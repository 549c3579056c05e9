//! The service that wakes devices.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::address;
use super::error::WakeError;
use super::guard::Guard;
use super::pace::Pace;
use super::recent::Recent;
use super::request::{self, Login};
use super::udp::{self, StunDoor};
use super::ways::{Attempt, WakeReport, Way, Woken, XmppAsk, XmppStanding};
use super::xmpp::shut_out;
use crate::config::Live;
use crate::device::{Device, DeviceId};
use crate::http::reaches_many;
use crate::metrics::WAKES;
use crate::param::Tree;
use crate::store::{Notice, Store, Vault};
use crate::time::{Clock, Timestamp};

/// How long a device that datagrams were sent to may take before it is asked
/// another way as well.
const BETWEEN: Duration = Duration::from_secs(3);

/// What a waker works with.
pub struct WakerDeps {
    /// Where devices and their credentials stand.
    pub store: Arc<dyn Store>,
    /// Opens the credentials.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Networks that may be reached besides each device's own address.
    pub allow: Live<Vec<IpNet>>,
    /// Whether a device may be shown the password in clear text (Basic).
    pub basic: bool,
    /// The way through NATs, if there is a STUN server.
    pub udp: Option<Arc<StunDoor>>,
    /// The way through an XMPP server, if there is one.
    pub xmpp: Option<Arc<dyn XmppAsk>>,
}

/// Sends connection requests.
pub struct Waker(Arc<Inner>);

struct Inner {
    deps: WakerDeps,
    guard: Guard,
    pace: Mutex<Pace>,
    recent: Mutex<Recent>,
    under_way: Mutex<HashMap<DeviceId, watch::Receiver<Option<WakeReport>>>>,
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waker({:?})", self.0.guard)
    }
}

impl Waker {
    /// A waker.
    pub fn new(deps: WakerDeps) -> Self {
        Self(Arc::new(Inner {
            guard: Guard::new(deps.allow.clone()),
            deps,
            pace: Mutex::default(),
            recent: Mutex::default(),
            under_way: Mutex::default(),
        }))
    }

    /// Asks a device to open a session, by the first way that leads to it:
    /// HTTP, then UDP, then XMPP. [`Woken::Agreed`] means that it agreed to;
    /// the session itself comes within 30 seconds, or rides on one under way
    /// (Q19). Whoever asks while a request to the device is under way, or
    /// before its session came, gets that one's outcome.
    ///
    /// It takes little more than two seconds a way at most.
    pub async fn report(&self, id: &DeviceId) -> WakeReport {
        let mut outcome = self.join(id);
        let told = match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone(),
            Err(_) => None,
        };
        told.unwrap_or_else(|| {
            // The task that carried it is gone: the runtime shuts down.
            let error = WakeError::Offline("the request was abandoned".to_owned());
            WakeReport::failed(self.0.deps.clock.now(), error)
        })
    }

    /// The same, without what came of each way.
    ///
    /// # Errors
    /// [`WakeError`] says in words why the device was not woken.
    pub async fn wake(&self, id: &DeviceId) -> Result<Woken, WakeError> {
        self.report(id).await.outcome
    }

    /// Waits for at most `patience` until a device that datagrams were sent to
    /// informs; any other outcome stays as it is. A device that is not heard
    /// leaves [`Woken::Sent`].
    pub async fn confirm(&self, id: &DeviceId, report: &mut WakeReport, patience: Duration) {
        if matches!(report.outcome, Ok(Woken::Sent))
            && self.0.informs(id, report.sessions, patience).await
        {
            report.outcome = Ok(Woken::Informed);
        }
    }

    /// How the way through an XMPP server stands; `None` if there is none.
    pub fn xmpp(&self) -> Option<XmppStanding> {
        self.0.deps.xmpp.as_ref().map(|xmpp| xmpp.standing())
    }

    /// Joins the request under way, or starts one. It runs as a task of its
    /// own, so that it does not end with whoever happened to ask first.
    fn join(&self, id: &DeviceId) -> watch::Receiver<Option<WakeReport>> {
        match lock(&self.0.under_way).entry(id.clone()) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let (teller, listener) = watch::channel(None);
                entry.insert(listener.clone());
                let leaving = Leaving { inner: Arc::clone(&self.0), id: id.clone() };
                tokio::spawn(async move {
                    let report = leaving.inner.wake(&leaving.id).await;
                    WAKES.one(usize::from(report.outcome.is_err()));
                    drop(leaving);
                    // Nobody may be left to hear it.
                    let _ = teller.send(Some(report));
                });
                listener
            }
        }
    }
}

/// Takes a request off the list when it is over, even by a panic.
struct Leaving {
    inner: Arc<Inner>,
    id: DeviceId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        lock(&self.inner.under_way).remove(&self.id);
    }
}

impl Inner {
    async fn wake(&self, id: &DeviceId) -> WakeReport {
        let asked_at = self.deps.clock.now();
        let device = match self.deps.store.device(id).await {
            Ok(Some(device)) => device,
            Ok(None) => return WakeReport::failed(asked_at, WakeError::Unknown),
            Err(error) => return WakeReport::failed(asked_at, error.into()),
        };
        let sessions = device.sessions;
        let pending = lock(&self.recent).pending(id, sessions, asked_at);
        if let Some((asked_at, woken)) = pending {
            return WakeReport { asked_at, tried: Vec::new(), outcome: Ok(woken), sessions };
        }
        let mut search = Search { inner: self, device, login: None, tree: None, tried: Vec::new() };
        let outcome = match search.outcome(asked_at).await {
            Ok(woken) => {
                lock(&self.recent).asked(id, sessions, asked_at, woken);
                Ok(woken)
            }
            Err(error) => Err(error),
        };
        WakeReport { asked_at, tried: search.tried, outcome, sessions }
    }

    async fn login(&self, id: &DeviceId) -> Result<Option<Login>, WakeError> {
        let Some(credentials) = self.deps.store.credentials(id).await? else {
            return Ok(None);
        };
        let vault = &self.deps.vault;
        Ok(Some(Login {
            password: vault.unseal(&credentials.connection_request_password)?,
            username: credentials.connection_request_username,
            cnonce: vault.random_hex(16),
        }))
    }

    /// Whether the device opens a session beyond its first `sessions`, within
    /// `patience`.
    async fn informs(&self, id: &DeviceId, sessions: u64, patience: Duration) -> bool {
        // Subscribed to before the first look, so that nothing is missed.
        let mut notices = self.deps.store.watch();
        let heard = async {
            loop {
                match self.deps.store.device(id).await {
                    Ok(Some(device)) if device.sessions != sessions => return true,
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return false,
                }
                loop {
                    match notices.recv().await {
                        Ok(Notice::Device(changed)) if changed == *id => break,
                        Ok(_) => {}
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => return false,
                    }
                }
            }
        };
        tokio::time::timeout(patience, heard).await.unwrap_or(false)
    }
}

/// One wake on its way from way to way.
struct Search<'a> {
    inner: &'a Inner,
    device: Device,
    login: Option<Login>,
    /// Read only when HTTP leads nowhere.
    tree: Option<Tree>,
    tried: Vec<Attempt>,
}

impl Search<'_> {
    async fn outcome(&mut self, now: Timestamp) -> Result<Woken, WakeError> {
        let (id, sessions) = (self.device.id.clone(), self.device.sessions);
        // What leads nowhere is not counted against the device.
        let target = address::target(&self.device.connection_request_url);
        let deps = &self.inner.deps;
        if target.is_ok() || deps.udp.is_some() || deps.xmpp.is_some() {
            if !lock(&self.inner.pace).allows(&id, now) {
                return Err(WakeError::Throttled);
            }
            self.login = self.inner.login(&id).await?;
        }
        let mut worst = WakeError::NoUrl;
        let mut sent = false;
        for way in [Way::Http, Way::Udp, Way::Xmpp] {
            let outcome = match way {
                Way::Http if matches!(target, Err(WakeError::NoUrl)) => None,
                Way::Http => Some(self.by_http().await),
                Way::Udp => self.by_udp(now).await.transpose(),
                // A device that datagrams led to need not be asked twice.
                Way::Xmpp if sent && self.inner.informs(&id, sessions, BETWEEN).await => {
                    return Ok(Woken::Informed);
                }
                Way::Xmpp => self.by_xmpp().await.transpose(),
            };
            let Some(outcome) = outcome else { continue };
            self.tried.push(Attempt { way, outcome: outcome.clone() });
            match outcome {
                Ok(Woken::Sent) if deps.xmpp.is_some() => sent = true,
                Ok(woken) => return Ok(woken),
                Err(error) if !error.lets_try_on() => return Err(error),
                Err(error) if error.weight() >= worst.weight() => worst = error,
                Err(_) => {}
            }
        }
        if sent { Ok(Woken::Sent) } else { Err(worst) }
    }

    async fn by_http(&self) -> Result<Woken, WakeError> {
        let target = address::target(&self.device.connection_request_url)?;
        let (caller, guard) = (self.device.address, &self.inner.guard);
        let at = address::pinned(&target.host, target.port, caller, guard).await?;
        request::ask(at, &target, self.login.as_ref(), self.inner.deps.basic).await?;
        Ok(Woken::Agreed(Way::Http))
    }

    /// `None` where there is no STUN server or the device has no binding and told
    /// no address for UDP.
    async fn by_udp(&mut self, now: Timestamp) -> Result<Option<Woken>, WakeError> {
        let Some(door) = self.inner.deps.udp.clone() else { return Ok(None) };
        let (id, caller) = (self.device.id.clone(), self.device.address);
        let to = match door.binding(&id, caller) {
            // The device has proved that it is there.
            Some(bound) if !reaches_many(bound.ip()) => bound,
            _ => {
                let Some(told) = self.reported("UDPConnectionRequestAddress").await? else {
                    return Ok(None);
                };
                let target = address::target(&format!("http://{told}/"))?;
                address::pinned(&target.host, target.port, caller, &self.inner.guard).await?
            }
        };
        let login = self.login.as_ref();
        let login = login.ok_or(WakeError::Refused("no credentials of the device are known"))?;
        let request = udp::Request {
            to,
            now,
            id: door.next_id(now),
            username: &login.username,
            password: &login.password,
            cnonce: &login.cnonce,
        };
        let datagram = request.datagram(&door.variants(&self.device.identity.product_class));
        let failed = |error| WakeError::Offline(format!("no datagram leaves for {to}: {error}"));
        door.send(datagram, to).await.map_err(failed)?;
        Ok(Some(Woken::Sent))
    }

    /// `None` where there is no XMPP server or the device has told no JID.
    async fn by_xmpp(&mut self) -> Result<Option<Woken>, WakeError> {
        let Some(xmpp) = self.inner.deps.xmpp.clone() else { return Ok(None) };
        let Some(jid) = self.reported("ConnReqJabberID").await? else { return Ok(None) };
        let login = self.login.as_ref();
        let login = login.ok_or(WakeError::Refused("no credentials of the device are known"))?;
        let outcome = xmpp.ask(&jid, &login.username, &login.password).await;
        // A device that does not allow us says the same as one that is busy or not
        // there.
        let (Err(WakeError::Offline(_) | WakeError::Busy), Some(allowed)) =
            (&outcome, self.reported("ConnReqAllowedJabberIDs").await?)
        else {
            return outcome.map(|()| Some(Woken::Agreed(Way::Xmpp)));
        };
        match (shut_out(&allowed, &xmpp.standing().address), outcome) {
            (Some(why), Err(WakeError::Offline(words))) => {
                Err(WakeError::Offline(format!("{words}; {why}")))
            }
            (Some(why), _) => Err(WakeError::Forbidden(why)),
            (None, outcome) => outcome.map(|()| Some(Woken::Agreed(Way::Xmpp))),
        }
    }

    /// What the device has told of itself below `ManagementServer.`; `None` if
    /// it is empty.
    async fn reported(&mut self, name: &str) -> Result<Option<Box<str>>, WakeError> {
        let tree = match &mut self.tree {
            Some(tree) => tree,
            none => {
                none.insert(self.inner.deps.store.tree(&self.device.id).await?.unwrap_or_default())
            }
        };
        let text = tree.text(&format!("{}ManagementServer.{name}", self.device.root));
        Ok(text.map(str::trim).filter(|text| !text.is_empty()).map(Into::into))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
