//! `/healthz`, `/readyz`, `/metrics` and `/api/v1/reload`: the process, for those who
//! keep it running.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::problem::{ApiError, Problem};
use super::state::{Shared, State as Inner};
use crate::http::{Body, Handler, Peer};
use crate::metrics::{self, Door, gauge};
use crate::store::StoreError;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What settings were read again, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reloaded {
    /// Keys that changed and are in force.
    pub applied: Vec<String>,
    /// Keys that changed and are not in force before the server is started anew.
    pub needs_restart: Vec<String>,
    /// Files that were read again and cannot be used: what they held before stays.
    pub problems: Vec<String>,
}

/// What came of reading the settings again; `Err` says what is wrong with them, and
/// nothing was changed.
pub type ReloadResult = Result<Reloaded, String>;

/// Asks whoever runs the server to read the settings again.
pub type ReloadBell = mpsc::Sender<oneshot::Sender<ReloadResult>>;

/// Whether requests are to be sent here.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    stopping: CancellationToken,
}

impl Readiness {
    /// From now on the server stops.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Whether the server stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.is_cancelled()
    }

    /// Waits until the server stops: for answers that would go on without an end.
    pub async fn stopped(&self) {
        self.stopping.cancelled().await;
    }
}

/// Says that the process is up
#[utoipa::path(get, path = "/healthz", tag = "server", security(()),
    responses((status = 200, body = String, content_type = "text/plain", description = "It is")))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether requests are to be sent here
#[utoipa::path(get, path = "/readyz", tag = "server", security(()),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "They are"),
        (status = 503, body = String, content_type = "text/plain", description = "They are not; why"),
    ))]
pub(super) async fn readyz(State(state): State<Shared>) -> Response {
    match unready(&state) {
        None => "ready\n".into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

/// Why requests are not to be sent here: in words that tell nobody anything.
fn unready(state: &Inner) -> Option<&'static str> {
    if state.deps.ready.is_stopping() {
        return Some("the server stops\n");
    }
    (!state.store().health().writable).then_some("the store cannot be written\n")
}

/// Everything that is counted, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "server",
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "Text format 0.0.4"),
        (status = 401, body = Problem),
        (status = 500, body = Problem),
    ))]
pub(super) async fn metrics(State(state): State<Shared>) -> Result<Response, ApiError> {
    measure(&state).await
}

async fn measure(state: &Inner) -> Result<Response, ApiError> {
    let mut text = metrics::render();
    look(state, &mut text).await?;
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
    Ok(response)
}

/// Appends what is looked at and not counted.
async fn look(state: &Inner, out: &mut String) -> Result<(), ApiError> {
    let health = state.store().health();
    let truth = |is: bool| f64::from(u8::from(is));
    let help = "Whether the store takes commits; 0 is read-only.";
    gauge(out, "provost_store_writable", help, truth(health.writable));
    let help = "What an operator should look at in the store; see the health.";
    gauge(out, "provost_store_alarms", help, health.alarms.len() as f64);
    gauge(out, "provost_devices", "Devices known.", health.devices as f64);
    let help = "Bytes in the journal since the last snapshot.";
    gauge(out, "provost_journal_bytes", help, health.journal_bytes as f64);
    let quarantine = state.deps.strangers.occupancy();
    let help = "Unknown devices that wait.";
    gauge(out, "provost_quarantine_waiting", help, quarantine.waiting as f64);
    let help = "Unknown devices that may wait.";
    gauge(out, "provost_quarantine_cap", help, quarantine.cap as f64);
    let campaigns = state.store().fleet().campaigns().await?;
    let of = |words: &[&str]| {
        campaigns.iter().filter(|one| words.contains(&one.state.word())).count() as f64
    };
    let help = "Campaigns that ask devices or bring them back.";
    gauge(out, "provost_campaigns_active", help, of(&["running", "rolling_back"]));
    let help = "Campaigns that wait for somebody: to be approved, or after too much failed.";
    gauge(out, "provost_campaigns_waiting", help, of(&["needs_approval", "halted", "paused"]));
    let help = "Listeners of the event stream.";
    gauge(out, "provost_event_listeners", help, state.deps.hub.listeners().into());
    if let Some(xmpp) = state.deps.waker.xmpp() {
        let help = "Whether the XMPP server can be reached.";
        gauge(out, "provost_xmpp_connected", help, truth(xmpp.problem.is_none()));
    }
    let help = "Whether requests are to be sent here, as /readyz tells.";
    gauge(out, "provost_ready", help, truth(unready(state).is_none()));
    Ok(())
}

/// Reads the settings, certificates and templates again
#[utoipa::path(post, path = "/api/v1/reload", tag = "server",
    responses(
        (status = 200, body = Reloaded),
        (status = 400, body = Problem, description = "The settings cannot be used: nothing was changed"),
        (status = 401, body = Problem),
        (status = 503, body = Problem),
    ))]
pub(super) async fn reload(State(state): State<Shared>) -> Result<axum::Json<Reloaded>, ApiError> {
    let (asked, answered) = oneshot::channel();
    state.deps.reload.send(asked).await.map_err(|_| ApiError::NobodyReloads)?;
    let result = answered.await.map_err(|_| ApiError::NobodyReloads)?;
    let told = result.map_err(|problem| ApiError::Malformed { what: "configuration", problem })?;
    Ok(axum::Json(told))
}

/// Marks an answer that was counted by its route.
#[derive(Clone, Copy)]
struct ByRoute;

/// Counts a request by its route; stands around every route of the table.
pub(super) async fn count(request: Request, next: Next) -> Response {
    let method = method(request.method());
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        metrics::route_answered(method, route.as_str(), response.status().as_u16());
        metrics::NORTHBOUND_SECONDS.took(0, began.elapsed());
        response.extensions_mut().insert(ByRoute);
    }
    response
}

/// Counts an answer as it goes out: one that no route gave, and why somebody was
/// turned away.
pub(super) fn count_answer<B>(peer: &Peer, response: &axum::http::Response<B>) {
    if response.extensions().get::<ByRoute>().is_none() {
        metrics::route_answered("other", "none", response.status().as_u16());
    }
    if let Some(reason) = response.extensions().get::<metrics::Reason>() {
        Door::northbound(peer.tls).refused(*reason);
    }
}

/// An answer with why somebody was turned away, for [`count_answer`].
pub(super) fn marked(mut response: Response, reason: Option<metrics::Reason>) -> Response {
    if let Some(reason) = reason {
        response.extensions_mut().insert(reason);
    }
    response
}

/// A method as a label: of those that the table has.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

impl ApiError {
    /// As which refusal it is counted, if it is one.
    pub(super) const fn reason(&self) -> Option<metrics::Reason> {
        Some(match self {
            Self::NoToken => metrics::Reason::Credentials,
            Self::ForeignOrigin | Self::WrongHost(_) => metrics::Reason::Origin,
            Self::NoRight(_) | Self::BeyondOwn(_) => metrics::Reason::NoRight,
            Self::TooManyBadTokens(_) | Self::QueueFull(_) | Self::PlansFull(_) => {
                metrics::Reason::Throttled
            }
            Self::TooLarge { .. } => metrics::Reason::TooLarge,
            Self::BodyStalled => metrics::Reason::TooSlow,
            Self::Store(StoreError::ReadOnly(_) | StoreError::Io(_)) => metrics::Reason::Store,
            Self::Store(StoreError::Closed) => metrics::Reason::Stopping,
            _ => return None,
        })
    }
}

/// A door for Prometheus and for probes alone: it asks for no token.
pub struct Probes {
    pub(super) state: Shared,
}

impl Handler for Probes {
    async fn handle(
        &self,
        _peer: Peer,
        request: axum::http::Request<Incoming>,
    ) -> axum::http::Response<Body> {
        let response = match (request.method(), request.uri().path()) {
            (&Method::GET, "/metrics") => {
                measure(&self.state).await.unwrap_or_else(|error| error.into_response())
            }
            (&Method::GET, "/healthz") => healthz().await.into_response(),
            (&Method::GET, "/readyz") => readyz(State(self.state.clone())).await,
            _ => StatusCode::NOT_FOUND.into_response(),
        };
        response.map(Body::stream)
    }
}
