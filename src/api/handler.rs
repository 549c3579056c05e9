//! The northbound as a face behind a door: who is let in, and the way between
//! hyper's bodies and axum's.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::doorman::{BadTokens, Verdict};
use super::genieacs;
use super::host;
use super::problem::ApiError;
use super::router::{open_paths, router};
use super::running::{self, Probes};
use super::state::{ApiDeps, Shared, State};
use super::tokens::{Tokens, named_id};
use super::{bulk, once};
use crate::access::Principal;
use crate::config::{Config, Live};
use crate::http::{Body, Handler, Peer};
use crate::ledger::{Actor, acting};
use crate::time::Clock;

/// The header that names a request, as it stands in the audit too.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How often answers of former requests are looked through.
const SWEEP: Duration = Duration::from_secs(600);

/// The northbound.
#[derive(Clone)]
pub struct Api {
    router: Router,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    /// For `northbound.hosts`.
    config: Live<Config>,
    /// What needs no token.
    open: Arc<[&'static str]>,
    bad_tokens: Arc<BadTokens>,
    state: Shared,
}

impl Api {
    /// The northbound over these rooms.
    pub fn new(deps: ApiDeps) -> Self {
        let state = Arc::new(State::new(deps));
        let deps = &state.deps;
        Self {
            tokens: deps.tokens.clone(),
            clock: Arc::clone(&deps.clock),
            config: deps.config.clone(),
            open: open_paths().into(),
            bad_tokens: Arc::default(),
            router: router(Arc::clone(&state)),
            state,
        }
    }

    /// What goes on by itself until `stop`: changes over many devices, also those
    /// that a former run of the server left, and forgetting answers that were kept
    /// for long enough.
    pub async fn keep_up(self: Arc<Self>, stop: CancellationToken) {
        let sweep = async {
            loop {
                if let Err(error) = once::sweep(&self.state).await {
                    tracing::warn!(%error, "answers of former requests were not swept");
                }
                tokio::time::sleep(SWEEP).await;
            }
        };
        let bulks = bulk::keep_up(self.state.clone(), stop.clone());
        tokio::select! {
            () = bulks => {}
            () = sweep => {}
        }
    }

    /// A door for Prometheus and for probes alone, which asks for no token.
    pub fn probes(&self) -> Probes {
        Probes { state: self.state.clone() }
    }
}

impl Handler for Api {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let id = Uuid::now_v7();
        let mut response = match self.admit(&peer, &request).await {
            Ok(principal) => self.answer(&peer, id, principal, request).await,
            Err(error) => {
                tracing::debug!(peer.address = %peer.address, %error, "northbound request refused");
                error.into_response()
            }
        };
        running::count_answer(&peer, &response);
        let headers = response.headers_mut();
        // What devices say of themselves stands in these answers: it is never a
        // page (security: A17).
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            headers.insert(REQUEST_ID, id);
        }
        response.map(Body::stream)
    }
}

impl Api {
    /// Lets a request in, before anything of it is looked at: `None` for one that
    /// asks for what needs no token.
    async fn admit(
        &self,
        peer: &Peer,
        request: &Request<Incoming>,
    ) -> Result<Option<Principal>, ApiError> {
        let headers = request.headers();
        host::check(request.uri(), headers, peer.local.ip(), &self.config.northbound.hosts)?;
        let token = presented(headers);
        let principal = match &token {
            Some(token) => self.tokens.check(token).await?,
            None => None,
        };
        let Some(principal) = principal else {
            if self.open.contains(&request.uri().path()) {
                return Ok(None);
            }
            return Err(token.map_or(ApiError::NoToken, |token| self.turn_away(peer, &token)));
        };
        // Whoever has a good token is told of nothing that others tried.
        self.tokens.note(&principal, peer.address.ip());
        if host::is_foreign(headers) { Err(ApiError::ForeignOrigin) } else { Ok(Some(principal)) }
    }

    /// What whoever presents a bad token is told.
    fn turn_away(&self, peer: &Peer, token: &str) -> ApiError {
        match self.bad_tokens.count(peer.address.ip(), self.clock.now()) {
            Verdict::First => {
                let id = named_id(token);
                tracing::warn!(
                    peer.address = %peer.address, token.id = id,
                    "a token that opens nothing was presented; more from there are not told"
                );
                ApiError::NoToken
            }
            Verdict::Again => ApiError::NoToken,
            Verdict::TooMany(wait) => ApiError::TooManyBadTokens(wait),
        }
    }

    /// Answers a request that was let in, in the name of whoever sent it.
    async fn answer(
        &self,
        peer: &Peer,
        id: Uuid,
        principal: Option<Principal>,
        request: Request<Incoming>,
    ) -> Response<axum::body::Body> {
        let mut request = request.map(axum::body::Body::new);
        if let Some(uri) = genieacs::trimmed(request.uri()) {
            *request.uri_mut() = uri;
        }
        let router = self.router.clone();
        let Some(principal) = principal else {
            return router.oneshot(request).await.unwrap_or_else(|never| match never {});
        };
        let (name, token) = (principal.name.clone(), principal.token.clone());
        let actor = Actor::new(name, token, Some(peer.address.ip()), id.as_u128());
        request.extensions_mut().insert(principal);
        request.extensions_mut().insert(actor.clone());
        acting(actor, router.oneshot(request)).await.unwrap_or_else(|never| match never {})
    }
}

/// The token that a request presents: as a bearer's (RFC 6750 §2.1), or as the
/// password of Basic (RFC 7617), so that a URL with credentials is enough. Two
/// such headers are none.
pub(super) fn presented(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// The token of `Authorization: Bearer <token>` (RFC 6750 §2.1); two such
/// headers are none.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_a_token_is_taken_as_one() {
        let token = |value: &'static str| presented(&headers(&[("authorization", value)]));
        for right in [
            "Bearer pv_right",
            "bearer  pv_right ",
            "Basic OnB2X3JpZ2h0",
            "basic YW55Ym9keTpwdl9yaWdodA==",
        ] {
            assert_eq!(token(right).as_deref(), Some("pv_right"), "{right}");
        }
        for wrong in ["", "Bearer", "Basic pv_right", "Basic ", "pv_right", "Digest pv_right"] {
            assert_eq!(token(wrong), None, "{wrong}");
        }
        let twice = [("authorization", "Bearer pv_right"), ("authorization", "Bearer pv_right")];
        assert_eq!(presented(&headers(&twice)), None);
    }
}
