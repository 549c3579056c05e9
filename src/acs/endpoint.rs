//! HTTP in, HTTP out: which session a message is for, and whether its sender
//! may speak in it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, HOST, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::admission::{Admission, spread};
use super::answers::{
    COOKIE, charset_of, elsewhere, empty, host_name, later, new_cookie, plain, read_cookie,
    refuse_body, with_cookie, xml,
};
use super::changes::Interest;
use super::counting::{count_denied, count_refused};
use super::driver::{Caller, Driver, Refusal, Reply, Shared};
use super::identity;
use super::links::FileLinks;
use super::lobby::Lobby;
use super::recording::tell;
use super::sessions::{Live, Sessions};
use super::sightings::{Sightings, Told};
use super::stun::StunOffer;
use crate::config::{self, CwmpConfig, FleetConfig, HistoryConfig, IdentityRule, LimitsConfig};
use crate::cwmp::{CpeRequest, Envelope, Input, Message, ReadLimits, Side};
use crate::device::{DeviceId, TraceDirection};
use crate::fleet::Fleet;
use crate::gate::{AdmissionRules, Denied, Gate, Principal, Strangers};
use crate::http::{Body, Handler, Peer, collect, collect_decoded, cookie};
use crate::metrics::{Door, Reason};
use crate::store::{Store, Vault};
use crate::time::{Clock, Timestamp};
use crate::trace::{self, Traces};

/// What is read of a body whose sender has not shown who it is.
const MAX_UNKNOWN_BODY: u64 = 256 << 10;

/// After how many seconds at least a device comes again that began a session while
/// the server stopped.
const AFTER_STOP: u64 = 30;

/// Why a session ends when its device begins another.
pub(super) const SUPERSEDED: &str = "the device began another session";

/// What came from a device, and when.
#[derive(Clone, Copy)]
struct Came<'a> {
    body: &'a [u8],
    headers: &'a HeaderMap,
    at: Timestamp,
}

/// What the door is built from.
pub struct AcsParts {
    /// The inventory.
    pub store: Arc<dyn Store>,
    /// Opens and seals credentials.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// `[cwmp]`.
    pub config: CwmpConfig,
    /// `[limits]`.
    pub limits: LimitsConfig,
    /// `[history]`.
    pub history: config::Live<HistoryConfig>,
    /// Where devices fetch files.
    pub files: FileLinks,
    /// Judges who is calling.
    pub gate: Arc<Gate>,
    /// What becomes of devices that nobody knows.
    pub admission_rules: config::Live<AdmissionRules>,
    /// Those of them that wait.
    pub strangers: Arc<Strangers>,
    /// Which devices are traced.
    pub traces: Arc<Traces>,
    /// What is wanted of devices, and what is known of models.
    pub fleet: Arc<Fleet>,
    /// `[fleet]`.
    pub desires: config::Live<FleetConfig>,
    /// The STUN server of which devices are told, if there is one.
    pub stun: Option<StunOffer>,
}

/// The device's door.
///
/// Give it to [`crate::http::Door::serve`], and run [`Acs::sweep`] beside it.
pub struct Acs {
    pub(super) shared: Arc<Shared>,
    pub(super) sessions: Sessions,
    lobby: Lobby,
    pub(super) clock: Arc<dyn Clock>,
    gate: Arc<Gate>,
    traces: Arc<Traces>,
    limits: LimitsConfig,
    max_body: u64,
    read_limits: ReadLimits,
    identity_rules: Vec<IdentityRule>,
    /// The server stops: no session is begun any more.
    pub(super) stopping: AtomicBool,
}

impl Acs {
    /// Builds the door.
    pub fn new(parts: AcsParts) -> Arc<Self> {
        let AcsParts {
            store,
            vault,
            clock,
            config,
            limits,
            history,
            files,
            gate,
            admission_rules,
            strangers,
            traces,
            fleet,
            desires,
            stun,
        } = parts;
        let shared = Arc::new(Shared {
            store,
            vault,
            files,
            admission: Admission::new(
                config.max_sessions,
                config.new_devices_per_minute,
                config.informs_per_minute,
            ),
            admission_rules,
            strangers,
            sightings: Sightings::default(),
            stun,
            gives_credentials: config.gives_credentials(),
            inform_interval: config.inform_interval,
            fleet,
            desires,
            silence: config.session_timeout,
            patience: Duration::from_secs(config.transfer_timeout.into()),
            request_download: config.request_download,
            interest: Interest::new(history.clone()),
            history,
            kicked_next_url: config.kicked_next_url.as_str().into(),
            learning: super::learning::Learning::new(),
        });
        let max_bytes = usize::try_from(config.max_body).unwrap_or(usize::MAX);
        let read_limits = ReadLimits { bytes: max_bytes, ..ReadLimits::default() };
        let sessions = Sessions::default();
        Arc::new(Self {
            shared,
            sessions,
            lobby: Lobby::default(),
            clock,
            gate,
            traces,
            limits,
            max_body: config.max_body,
            read_limits,
            identity_rules: config.identity,
            stopping: AtomicBool::new(false),
        })
    }

    /// Gives up silent sessions and overdue tasks, until `stop`; then ends the
    /// sessions that are live.
    pub async fn sweep(self: Arc<Self>, stop: CancellationToken) {
        super::sweep::run(&self, stop).await;
    }

    async fn serve(
        &self,
        peer: Peer,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Response<Body>> {
        if request.method() != Method::POST {
            let mut response =
                plain(StatusCode::METHOD_NOT_ALLOWED, "CPEs speak to this address by POST\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return Err(response);
        }
        let now = self.clock.now();
        let (parts, body) = request.into_parts();
        let known = self.session_of(&parts.headers, peer.connection);
        let proven = known
            .as_ref()
            .filter(|live| live.is_on(peer.connection))
            .map(|live| live.principal.clone());
        let principal = match proven {
            Some(principal) => principal,
            None => match self.gate.identify(&parts.headers, "POST", &peer, now).await {
                Ok(principal) => principal,
                Err(denied) => {
                    count_denied(&denied, peer.tls);
                    return Err(self.deny(&denied, &peer, body, now).await);
                }
            },
        };
        let body = match collect_decoded(&parts.headers, body, self.max_body, &self.limits).await {
            Ok(body) => body,
            Err(error) => {
                Door::cwmp(peer.tls).refused(error.reason());
                return Err(refuse_body(&error));
            }
        };
        let now = self.clock.now();
        let input = if body.iter().all(u8::is_ascii_whitespace) {
            Input::Empty
        } else {
            let Some(envelope) = self.read(&body, &parts.headers, &peer) else {
                Door::cwmp(peer.tls).refused(Reason::Malformed);
                let live = known.filter(|live| self.may_speak(live, &principal, &peer));
                if let Some(live) = &live {
                    let came = Came { body: &body, headers: &parts.headers, at: now };
                    self.trace(live, came, None).await;
                }
                self.break_off(live, now).await;
                return Err(plain(StatusCode::BAD_REQUEST, "not a CWMP message\n"));
            };
            if matches!(envelope.message, Message::CpeRequest(CpeRequest::Inform(_))) {
                let host = parts.headers.get(HOST).and_then(host_name);
                let address = peer.address.ip();
                let caller = Caller { principal, address, local: peer.local, host, rival: None };
                let came = Came { body: &body, headers: &parts.headers, at: now };
                return self.open(envelope, caller, &peer, came).await;
            }
            Input::Message(envelope)
        };
        // Only now: an Inform needs no session, and the search by circumstance
        // looks at all that are live.
        let live = known.filter(|live| self.may_speak(live, &principal, &peer)).or_else(|| {
            self.session_by_circumstance(&parts.headers, &principal, peer.address.ip(), now)
        });
        match (live, input) {
            (Some(live), input) => {
                let came = Came { body: &body, headers: &parts.headers, at: now };
                Ok(self.converse(&live, input, &peer, came).await)
            }
            // A device that ends its session once more, or never began one
            // (Q20, Q45).
            (None, Input::Empty) => {
                cookie(&parts.headers, COOKIE)
                    .filter_map(read_cookie)
                    .for_each(|cookie| self.lobby.left(&cookie));
                Ok(empty(StatusCode::NO_CONTENT))
            }
            (None, Input::Message(_)) => {
                Err(plain(StatusCode::BAD_REQUEST, "no session: begin with an Inform\n"))
            }
        }
    }

    /// Ends the session of a device that sends what cannot be read: what was
    /// asked of it is judged at once (security: A14).
    async fn break_off(&self, live: Option<Arc<Live>>, now: Timestamp) {
        if let Some(live) = live
            && self.sessions.close(&live.cookie)
        {
            live.driver.lock().await.abandon("the device sent what is no message", now).await;
        }
    }

    /// The session that cookie or connection name.
    fn session_of(&self, headers: &HeaderMap, connection: u64) -> Option<Arc<Live>> {
        cookie(headers, COOKIE)
            .filter_map(read_cookie)
            .find_map(|cookie| self.sessions.by_cookie(&cookie))
            .or_else(|| self.sessions.by_connection(connection))
    }

    /// For devices that return no cookie and open a connection for each
    /// message: by who they are and where they are (Q21). Not for those that
    /// return one of a session that is over: the session that lives now is
    /// another's who says he is the same (security: B3).
    fn session_by_circumstance(
        &self,
        headers: &HeaderMap,
        principal: &Principal,
        address: IpAddr,
        now: Timestamp,
    ) -> Option<Arc<Live>> {
        if cookie(headers, COOKIE).any(|cookie| read_cookie(cookie).is_some())
            || self.lobby.is_near(address, now)
        {
            return None;
        }
        let live = match principal {
            Principal::Device(id) => {
                self.sessions.by_device(id).filter(|live| live.address == address)
            }
            Principal::Anyone | Principal::Onboarding | Principal::Certified(_) => {
                self.sessions.only_from(address)
            }
        };
        live.filter(|live| live.principal == *principal)
    }

    /// Whether a cookie may be used by whoever sent it: a guessed or stolen one
    /// is worth nothing (security: B4).
    fn may_speak(&self, live: &Live, principal: &Principal, peer: &Peer) -> bool {
        live.principal == *principal
            && (live.is_on(peer.connection)
                || matches!(principal, Principal::Device(_) | Principal::Certified(_))
                || live.address == peer.address.ip())
    }

    fn read(&self, body: &[u8], headers: &HeaderMap, peer: &Peer) -> Option<Envelope> {
        let charset =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(charset_of);
        match crate::cwmp::read(body, charset, Side::Cpe, &self.read_limits) {
            Ok(parsed) => {
                if !parsed.warnings.is_empty() {
                    debug!(peer.address = %peer.address, message.warnings = ?parsed.warnings, "an odd message");
                }
                let mut envelope = parsed.envelope;
                if let Message::CpeRequest(CpeRequest::Inform(inform)) = &mut envelope.message {
                    identity::apply(&self.identity_rules, inform);
                }
                Some(envelope)
            }
            Err(error) => {
                info!(peer.address = %peer.address, %error, "not a CWMP message");
                None
            }
        }
    }

    /// An Inform: a session begins, or begins anew (Q49).
    async fn open(
        &self,
        envelope: Envelope,
        mut caller: Caller,
        peer: &Peer,
        came: Came<'_>,
    ) -> Result<Response<Body>, Response<Body>> {
        let now = came.at;
        let Message::CpeRequest(CpeRequest::Inform(inform)) = &envelope.message else {
            return Err(plain(StatusCode::BAD_REQUEST, "not an Inform\n"));
        };
        let device = inform.device.id();
        if self.stopping.load(Ordering::Acquire) {
            Door::cwmp(peer.tls).refused(Reason::Stopping);
            return Err(later(AFTER_STOP + spread(&device) % AFTER_STOP));
        }
        if let Err(seconds) = self.shared.admission.session(self.sessions.len(), spread(&device)) {
            Door::cwmp(peer.tls).refused(Reason::Sessions);
            return Err(later(seconds));
        }
        // Only who may speak for the device may end its session: the driver
        // checks that first, and the old session is given up by the one that
        // takes its place.
        let principal = caller.principal.clone();
        let address = caller.address;
        let before = self.sessions.by_device(&device);
        caller.rival =
            before.as_ref().map(|live| live.address).filter(|other| *other != caller.address);
        let before = before.filter(|live| live.principal == principal);
        if let Some(before) = before
            && self.sessions.close(&before.cookie)
        {
            before.driver.lock().await.abandon(SUPERSEDED, now).await;
        }
        let opened = Driver::open(self.shared.clone(), envelope, caller, now).await;
        let _ = opened.as_ref().inspect_err(|refusal| count_refused(refusal, peer.tls));
        match opened {
            Ok((driver, reply)) => {
                let Some(cookie) = new_cookie() else {
                    return Err(plain(StatusCode::INTERNAL_SERVER_ERROR, "no randomness\n"));
                };
                let live = Arc::new(Live::new(
                    cookie,
                    device,
                    principal,
                    address,
                    driver,
                    peer.connection,
                    now,
                ));
                if let Some(superseded) = self.sessions.open(live.clone(), peer.connection) {
                    superseded.driver.lock().await.abandon(SUPERSEDED, now).await;
                }
                self.trace(&live, came, Some(&reply)).await;
                Ok(with_cookie(xml(reply), &cookie))
            }
            Err(Refusal::Waits(reply)) => {
                // A cookie of no session: what it sends next is nobody else's.
                let Some(cookie) = new_cookie() else {
                    return Err(plain(StatusCode::INTERNAL_SERVER_ERROR, "no randomness\n"));
                };
                self.lobby.answered(cookie, address, now);
                self.sessions.part(peer.connection);
                debug!(device.id = %device, peer.address = %peer.address, "unknown, and waits");
                Ok(with_cookie(xml(reply), &cookie))
            }
            Err(Refusal::Denied(why)) => {
                info!(device.id = %device, peer.address = %peer.address, reason = %why, "refused");
                Err(plain(StatusCode::FORBIDDEN, "this device is not served here\n"))
            }
            Err(Refusal::Fault(reply)) => Ok(xml(reply)),
            Err(Refusal::Elsewhere(redirection)) => Ok(elsewhere(&redirection)),
            Err(Refusal::Later(seconds)) => Err(later(seconds)),
            Err(Refusal::Mismatch(mismatch)) => {
                info!(device.id = %device, peer.address = %peer.address, reason = %mismatch, "refused");
                Err(plain(StatusCode::FORBIDDEN, "these credentials are not this device's\n"))
            }
            Err(Refusal::Store(error)) => {
                warn!(device.id = %device, %error, "an Inform cannot be recorded");
                Err(later(30 + spread(&device) % 60))
            }
        }
    }

    async fn converse(
        &self,
        live: &Arc<Live>,
        input: Input,
        peer: &Peer,
        came: Came<'_>,
    ) -> Response<Body> {
        let now = came.at;
        let (reply, over, timeout) = {
            let mut driver = live.driver.lock().await;
            let reply = driver.handle(input, now).await;
            (reply, driver.is_over(), driver.timeout())
        };
        if over {
            self.sessions.close(&live.cookie);
        } else {
            self.sessions.heard(live, peer.connection, timeout, now);
        }
        let said: &[u8] = match &reply {
            Reply::Envelope(bytes) => bytes,
            Reply::Nothing => &[],
        };
        self.trace(live, came, Some(said)).await;
        match reply {
            Reply::Envelope(bytes) => xml(bytes),
            Reply::Nothing => empty(StatusCode::NO_CONTENT),
        }
    }

    /// Says in the history of a device that is known that somebody was refused
    /// who had to do with it.
    async fn alarm(&self, id: &DeviceId, denied: &Denied, peer: &Peer, now: Timestamp) {
        let known = matches!(self.shared.store.device(id).await, Ok(Some(_)));
        if known && self.shared.sightings.tells(id, Told::Refused, now) {
            let text = format!("refused a caller from {}: {denied}", peer.address.ip());
            tell(&self.shared, id, text, now).await;
        }
    }

    /// Records what came and what goes back, if the device is traced.
    async fn trace(&self, live: &Live, came: Came<'_>, reply: Option<&[u8]>) {
        if !self.traces.is_on(&live.device, came.at) {
            return;
        }
        let content_type = came.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let message = trace::Message {
            direction: TraceDirection::FromDevice,
            at: came.at,
            body: came.body,
            charset: content_type.and_then(charset_of),
        };
        let reply = reply.map(|body| trace::Message {
            direction: TraceDirection::ToDevice,
            at: self.clock.now(),
            body,
            charset: None,
        });
        let messages: Vec<trace::Message<'_>> = std::iter::once(message).chain(reply).collect();
        self.traces.record(&live.device, live.began_at, came.at, &messages).await;
    }

    /// The answer to whoever did not show who it is.
    async fn deny(
        &self,
        denied: &Denied,
        peer: &Peer,
        body: Incoming,
        now: Timestamp,
    ) -> Response<Body> {
        let stale = match denied {
            Denied::Missing => false,
            Denied::Stale => true,
            Denied::Wrong | Denied::BasicInClear => {
                info!(peer.address = %peer.address, reason = %denied, "refused");
                false
            }
            Denied::TooMany => {
                debug!(peer.address = %peer.address, reason = %denied, "refused");
                return later(60);
            }
            Denied::Certificate(_) | Denied::OtherCredentials { .. } => {
                warn!(peer.address = %peer.address, reason = %denied, "refused");
                if let Some(id) = denied.alarms() {
                    self.alarm(id, denied, peer, now).await;
                }
                return plain(StatusCode::FORBIDDEN, "this certificate does not fit\n");
            }
            Denied::Store(error) => {
                warn!(peer.address = %peer.address, %error, "credentials cannot be looked up");
                return later(30);
            }
        };
        // The connection goes on only when the body has been read.
        let read = collect(body, MAX_UNKNOWN_BODY, &self.limits).await;
        let mut response = empty(StatusCode::UNAUTHORIZED);
        for challenge in self.gate.challenges(stale, peer.tls, now) {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        if read.is_err() {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl Handler for Acs {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        self.serve(peer, request).await.unwrap_or_else(|refusal| refusal)
    }
}
