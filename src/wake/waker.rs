//! The service that wakes devices.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use tokio::sync::watch;

use super::error::WakeError;
use super::guard::Guard;
use super::pace::Pace;
use super::request::{self, IN_ALL, Login};
use crate::device::{Device, DeviceId};
use crate::http::{Host, Target};
use crate::store::{Store, Vault};
use crate::time::Clock;

/// The most addresses of a name that are looked at.
const MAX_ADDRESSES: usize = 8;

/// Sends connection requests.
pub struct Waker(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    guard: Guard,
    pace: Mutex<Pace>,
    under_way: Mutex<HashMap<DeviceId, watch::Receiver<Option<Outcome>>>>,
}

type Outcome = Result<(), WakeError>;

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Waker({:?})", self.0.guard)
    }
}

impl Waker {
    /// A waker that may reach, besides each device's own address, the `allow`
    /// networks.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        allow: Vec<IpNet>,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            vault,
            clock,
            guard: Guard::new(allow),
            pace: Mutex::default(),
            under_way: Mutex::default(),
        }))
    }

    /// Asks a device to open a session. `Ok` means that it agreed to; the
    /// session itself comes within 30 seconds, or rides on one under way
    /// (Q19). Whoever asks while a request to the device is under way gets
    /// that one's outcome.
    ///
    /// # Errors
    /// [`WakeError`] says in words why it was not woken. It takes little more
    /// than two seconds at most.
    pub async fn wake(&self, id: &DeviceId) -> Outcome {
        let mut outcome = self.join(id);
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            // The task that carried it is gone: the runtime shuts down.
            Err(_) => Err(WakeError::Offline("the request was abandoned".to_owned())),
        }
    }

    /// Joins the request under way, or starts one. It runs as a task of its
    /// own, so that it does not end with whoever happened to ask first.
    fn join(&self, id: &DeviceId) -> watch::Receiver<Option<Outcome>> {
        match lock(&self.0.under_way).entry(id.clone()) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                let (teller, listener) = watch::channel(None);
                entry.insert(listener.clone());
                let leaving = Leaving { inner: Arc::clone(&self.0), id: id.clone() };
                tokio::spawn(async move {
                    let outcome = leaving.inner.wake(&leaving.id).await;
                    drop(leaving);
                    // Nobody may be left to hear it.
                    let _ = teller.send(Some(outcome));
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
    async fn wake(&self, id: &DeviceId) -> Outcome {
        let device = self.store.device(id).await?.ok_or(WakeError::Unknown)?;
        let target = target(&device)?;
        if !lock(&self.pace).allows(id, self.clock.now()) {
            return Err(WakeError::Throttled);
        }
        let login = self.login(id).await?;
        let at = self.address(&target, device.address).await?;
        request::ask(at, &target, login.as_ref()).await
    }

    async fn login(&self, id: &DeviceId) -> Result<Option<Login>, WakeError> {
        let Some(credentials) = self.store.credentials(id).await? else {
            return Ok(None);
        };
        Ok(Some(Login {
            password: self.vault.unseal(&credentials.connection_request_password)?,
            username: credentials.connection_request_username,
            cnonce: self.vault.random_hex(16),
        }))
    }

    /// The one address to which the request goes. A name is resolved here and
    /// never again, so that it cannot turn into another address after it was
    /// judged.
    async fn address(
        &self,
        target: &Target,
        caller: Option<IpAddr>,
    ) -> Result<SocketAddr, WakeError> {
        let addresses = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => resolve(name, target.port).await?,
        };
        addresses
            .iter()
            .find(|address| self.guard.allows(**address, caller))
            .map(|address| SocketAddr::new(*address, target.port))
            .ok_or_else(|| {
                WakeError::Forbidden(format!(
                    "the device wants to be woken at {}, which is neither where it called from nor \
                     in cwmp.connection_request_allow",
                    target.host
                ))
            })
    }
}

async fn resolve(name: &str, port: u16) -> Result<Vec<IpAddr>, WakeError> {
    let failed = || WakeError::Offline(format!("the name {name} does not resolve"));
    let found = tokio::time::timeout(IN_ALL, tokio::net::lookup_host((name, port)))
        .await
        .map_err(|_| failed())?
        .map_err(|_| failed())?;
    Ok(found.map(|address| address.ip()).take(MAX_ADDRESSES).collect())
}

/// What the device reported, if a connection request may go there at all.
fn target(device: &Device) -> Result<Target, WakeError> {
    let url = device.connection_request_url.trim();
    if url.is_empty() {
        return Err(WakeError::NoUrl);
    }
    let target = Target::parse(url).map_err(|error| WakeError::BadUrl(error.to_string()))?;
    if target.tls {
        // TR-069 §3.2.2 knows plain HTTP only.
        return Err(WakeError::BadUrl("it is https, not http".to_owned()));
    }
    Ok(target)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
