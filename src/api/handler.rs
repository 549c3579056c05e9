//! The northbound as a face behind a door: who is let in, and the way between
//! hyper's bodies and axum's.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::problem::ApiError;
use super::router::router;
use super::state::{ApiDeps, State};
use super::tokens::Tokens;
use crate::access::Principal;
use crate::http::{Body, Handler, Peer};
use crate::ledger::{Actor, acting};

/// The northbound.
#[derive(Clone)]
pub struct Api {
    router: Router,
    tokens: Tokens,
}

impl Api {
    /// The northbound over these rooms.
    pub fn new(deps: ApiDeps) -> Self {
        let tokens = deps.tokens.clone();
        Self { router: router(Arc::new(State::new(deps))), tokens }
    }
}

impl Handler for Api {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let mut response = match self.admit(request.headers()).await {
            Ok(principal) => self.answer(peer, principal, request).await,
            Err(error) => {
                tracing::debug!(peer.address = %peer.address, %error, "northbound request refused");
                error.into_response()
            }
        };
        // What devices say of themselves stands in these answers: it is never a
        // page (security: A17).
        let nosniff = HeaderValue::from_static("nosniff");
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        response.map(Body::stream)
    }
}

impl Api {
    /// Lets a request in, before anything of it is looked at.
    async fn admit(&self, headers: &HeaderMap) -> Result<Principal, ApiError> {
        let token = presented(headers).ok_or(ApiError::NoToken)?;
        let principal = self.tokens.check(&token).await?.ok_or(ApiError::NoToken)?;
        if is_foreign(headers) { Err(ApiError::ForeignOrigin) } else { Ok(principal) }
    }

    /// Answers a request of somebody who was let in, in that one's name.
    async fn answer(
        &self,
        peer: Peer,
        principal: Principal,
        request: Request<Incoming>,
    ) -> Response<axum::body::Body> {
        let id = uuid::Uuid::now_v7().as_u128();
        let (name, token) = (principal.name.clone(), principal.token.clone());
        let actor = Actor::new(name, token, Some(peer.address.ip()), id);
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(principal);
        request.extensions_mut().insert(actor.clone());
        match acting(actor, self.router.clone().oneshot(request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// The token that a request presents: as a bearer's (RFC 6750 §2.1), or as the
/// password of Basic (RFC 7617), so that a URL with credentials is enough. Two
/// such headers are none.
fn presented(headers: &HeaderMap) -> Option<String> {
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

/// Whether a browser sent this for a page of another host. Programs send no
/// `Origin`.
fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, host) {
        (Some((_, origin)), Some(host)) => !origin.eq_ignore_ascii_case(host),
        _ => true,
    }
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

    #[test]
    fn pages_of_other_hosts_are_refused_even_with_the_token() {
        for (origin, foreign) in [
            ("http://127.0.0.1:7557", false),
            ("http://127.0.0.1:1", true),
            ("https://evil.example", true),
            ("null", true),
        ] {
            let headers = headers(&[("origin", origin), ("host", "127.0.0.1:7557")]);
            assert_eq!(is_foreign(&headers), foreign, "{origin}");
        }
    }
}
