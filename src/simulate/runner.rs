//! Runs one simulated device over real sockets: its sessions, its fetches, its
//! timers and its door for connection requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::client::{Client, ClientAuth, ClientFailure, ClientSettings};
use super::cpe::{Cpe, Next, SimEvent};
use super::fetcher;
use super::listener::{Listener, Login, lock};
use super::stun::{Bound, StunClient, Wanted};
use super::talk::{Action, Reply, SessionFailure};
use super::xmpp::XmppSide;
use crate::class::Class;
use crate::device::EventCode;
use crate::link::LinkTarget;
use crate::time::{Clock, Timestamp};
use crate::xmpp::Jid;

/// How many events are kept for whoever watches; later ones are dropped.
const KEPT_EVENTS: usize = 1024;

/// The largest message of an ACS that is taken, in bytes.
pub(super) const MAX_MESSAGE: u64 = 16 << 20;

/// How a device is run.
#[derive(Clone, Debug)]
pub struct RunnerSettings {
    /// How it meets a challenge of the ACS.
    pub auth: ClientAuth,
    /// Whether it keeps its connection between sessions.
    pub keep_alive: bool,
    /// What it trusts when the ACS or a file server speaks TLS.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// How long it waits for a connection and for an answer.
    pub timeout: Duration,
    /// Whether it listens for connection requests, on a free port of 127.0.0.1.
    pub listen: bool,
    /// Where it can be woken through an XMPP server; the address that it tells is
    /// the blueprint's.
    pub xmpp: Option<LinkTarget>,
}

impl Default for RunnerSettings {
    fn default() -> Self {
        Self {
            auth: ClientAuth::Digest,
            keep_alive: false,
            tls: None,
            timeout: Duration::from_secs(30),
            listen: true,
            xmpp: None,
        }
    }
}

/// Why a simulated device cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No port to listen on for connection requests.
    #[error("no port to listen on for connection requests: {0}")]
    Listen(String),
    /// The URL of the ACS cannot be used.
    #[error("the ACS cannot be reached at {0}")]
    Url(String),
    /// The device stopped by itself, which it never should.
    #[error("the simulated device stopped unexpectedly")]
    Stopped,
}

impl SimError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Listen(_) => Class::Unavailable,
            Self::Url(_) => Class::Invalid,
            Self::Stopped => Class::Internal,
        }
    }
}

/// What a running device is told from outside.
enum Command {
    Raise(EventCode),
    Change(Box<str>, Box<str>),
}

/// A device that is running; dropped, it stops.
#[derive(Debug)]
pub struct SimHandle {
    events: mpsc::Receiver<SimEvent>,
    commands: mpsc::Sender<Command>,
    connection_request_url: Option<String>,
    online: mpsc::Receiver<()>,
    stop: CancellationToken,
    task: Option<JoinHandle<Cpe>>,
}

/// Starts a device; its first session follows at once if it has something to
/// tell.
///
/// # Errors
/// [`SimError::Listen`], or [`SimError::Url`] when it has no usable ACS URL.
pub async fn start(
    mut cpe: Cpe,
    settings: RunnerSettings,
    clock: Arc<dyn Clock>,
) -> Result<SimHandle, SimError> {
    let stop = CancellationToken::new();
    let (bell, rung) = mpsc::channel(1);
    let login = Login::default();
    let mut url = None;
    if settings.listen {
        let opened =
            Listener::open(Arc::clone(&login), Arc::clone(&clock), bell.clone(), stop.clone())?;
        cpe.set_connection_request_url(&opened);
        url = Some(opened);
    }
    let client_settings = ClientSettings {
        auth: settings.auth,
        tls: settings.tls.clone(),
        timeout: settings.timeout,
        body_limit: MAX_MESSAGE,
        agent: None,
    };
    let client = Client::new(cpe.acs_url(), cpe.login(), client_settings)
        .map_err(|error| SimError::Url(error.to_string()))?;
    let (on, online) = mpsc::channel(16);
    if let Some(target) = settings.xmpp.clone() {
        let allowed = cpe.own("ManagementServer.ConnReqAllowedJabberIDs");
        let allowed = allowed.split(',').filter_map(|one| Jid::parse(one.trim()).ok()).collect();
        let (login, bell, stop) = (Arc::clone(&login), bell.clone(), stop.clone());
        let side = XmppSide { target, login, allowed, bell, online: on, stop };
        tokio::spawn(side.run());
    }
    let (told, events) = mpsc::channel(KEPT_EVENTS);
    let (commands, orders) = mpsc::channel(16);
    let (stun_told, stun_tells) = mpsc::channel(16);
    let stun = StunClient::new(Arc::clone(&login), bell.clone(), stun_told);
    let runner = Runner {
        cpe,
        client,
        settings,
        clock,
        login,
        told,
        orders,
        rung,
        stun,
        stun_tells,
        _bell: bell,
        stop: stop.clone(),
    };
    let task = Some(tokio::spawn(runner.run()));
    Ok(SimHandle { events, commands, connection_request_url: url, online, stop, task })
}

impl SimHandle {
    /// The next thing that happens; `None` once the device has stopped. Events
    /// beyond 1,024 that nobody took are dropped.
    pub async fn next_event(&mut self) -> Option<SimEvent> {
        self.events.recv().await
    }

    /// Waits until something happens that `is_it` says yes to, for at most
    /// `timeout`; events before it are dropped.
    pub async fn wait_for(
        &mut self,
        timeout: Duration,
        is_it: impl Fn(&SimEvent) -> bool + Send,
    ) -> Option<SimEvent> {
        let search = async {
            while let Some(event) = self.events.recv().await {
                if is_it(&event) {
                    return Some(event);
                }
            }
            None
        };
        tokio::time::timeout(timeout, search).await.ok().flatten()
    }

    /// Where it listens for connection requests; `None` if it does not.
    pub fn connection_request_url(&self) -> Option<&str> {
        self.connection_request_url.as_deref()
    }

    /// Waits until its stream to the XMPP server has come about, once more each
    /// time; `false` if it has none.
    pub async fn xmpp_online(&mut self) -> bool {
        self.online.recv().await.is_some()
    }

    /// Makes it tell an event at once, such as `2 PERIODIC` before its time.
    pub async fn raise(&self, code: EventCode) {
        // A device that has stopped tells nothing any more.
        let _ = self.commands.send(Command::Raise(code)).await;
    }

    /// Changes a value from inside the device.
    pub async fn change(&self, path: &str, text: &str) {
        let _ = self.commands.send(Command::Change(path.into(), text.into())).await;
    }

    /// Stops the device and hands it back, as it is: switched off, to be
    /// started again later. A session that is open is broken off.
    ///
    /// # Errors
    /// [`SimError::Stopped`].
    pub async fn stop(mut self) -> Result<Cpe, SimError> {
        self.stop.cancel();
        let task = self.task.take().ok_or(SimError::Stopped)?;
        task.await.map_err(|_| SimError::Stopped)
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the task of a device holds.
struct Runner {
    cpe: Cpe,
    client: Client,
    settings: RunnerSettings,
    clock: Arc<dyn Clock>,
    login: Login,
    told: mpsc::Sender<SimEvent>,
    orders: mpsc::Receiver<Command>,
    rung: mpsc::Receiver<()>,
    stun: StunClient,
    stun_tells: mpsc::Receiver<Bound>,
    /// Keeps `rung` open when there is no listener.
    _bell: mpsc::Sender<()>,
    stop: CancellationToken,
}

impl Runner {
    async fn run(mut self) -> Cpe {
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            let stopped = tokio::select! {
                () = self.step() => false,
                () = stop.cancelled() => true,
            };
            if stopped {
                self.cpe.switched_off(self.clock.now());
            }
            self.tell();
        }
        self.cpe
    }

    /// Does the next thing; may be dropped at any point.
    async fn step(&mut self) {
        *lock(&self.login) = self.cpe.connection_request_login();
        self.stun.set(Wanted::of(&self.cpe));
        match self.cpe.next(self.clock.now()) {
            Next::Session => {
                let login = Arc::clone(&self.login);
                // New credentials count from the answer on that confirms them.
                let renew = |cpe: &Cpe| *lock(&login) = cpe.connection_request_login();
                let keep = self.settings.keep_alive;
                lead(&mut self.cpe, &mut self.client, keep, &*self.clock, renew).await;
            }
            Next::Fetch(order) => {
                let (tls, timeout) = (self.settings.tls.clone(), self.settings.timeout);
                let result = fetcher::fetch(&order, tls, timeout).await;
                let result = result.as_deref().map_err(|failure| *failure);
                self.cpe.transfer_done(result, self.clock.now());
            }
            Next::Restart => {
                self.client.forget();
                self.cpe.restarted(self.clock.now());
            }
            Next::Wait(until) => self.wait(until).await,
        }
    }

    async fn wait(&mut self, until: Option<Timestamp>) {
        let pause = async {
            match until {
                Some(until) => tokio::time::sleep(until.since(self.clock.now())).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = pause => {}
            Some(bound) = self.stun_tells.recv() => self.cpe.stun_bound(bound.address, bound.nat),
            Some(()) = self.rung.recv() => self.cpe.connection_requested(),
            Some(command) = self.orders.recv() => match command {
                Command::Raise(code) => self.cpe.raise(code, ""),
                Command::Change(path, text) => { self.cpe.change(&path, &text); }
            },
            else => self.stop.cancel(),
        }
    }

    fn tell(&mut self) {
        for event in self.cpe.take_happenings() {
            // Nobody watches, or too slowly: the device goes on.
            let _ = self.told.try_send(event);
        }
    }
}

/// One session from the Inform to its end; `after_each` is called after each
/// answer of the device.
pub(super) async fn lead(
    cpe: &mut Cpe,
    client: &mut Client,
    keep_connection: bool,
    clock: &dyn Clock,
    after_each: impl Fn(&Cpe) + Send,
) {
    if let Err(error) = client.begin(cpe.acs_url(), cpe.login(), keep_connection) {
        cpe.session_lost(failure(&error), clock.now());
        return;
    }
    let mut action = cpe.open_session(clock.now());
    loop {
        let result = match action {
            Action::Post(envelope) => client.post(Some(envelope)).await,
            Action::PostEmpty => client.post(None).await,
            Action::Close { .. } => return,
        };
        // Some devices take their time over what they are asked.
        let delay = cpe.delay();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let received = match result {
            Ok(received) => received,
            Err(error) => {
                cpe.session_lost(failure(&error), clock.now());
                return;
            }
        };
        let charset = received.charset.as_deref();
        let reply = Reply { status: received.status, charset, body: &received.body };
        action = cpe.handle_reply(reply, clock.now());
        after_each(cpe);
    }
}

fn failure(error: &ClientFailure) -> SessionFailure {
    SessionFailure::Connection(error.to_string())
}
