//! The northbound as a face behind a door: who is let in, and the way between
//! hyper's bodies and axum's.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::problem::ApiError;
use super::router::router;
use super::state::{ApiDeps, State};
use super::tokens::{Principal, Tokens};
use crate::http::{Body, Handler, Peer};

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
        let mut response = match admit(&self.tokens, request.headers()) {
            Ok(principal) => {
                let mut request = request.map(axum::body::Body::new);
                request.extensions_mut().insert(principal);
                match self.router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
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

/// Lets a request in, before anything of it is looked at.
fn admit(tokens: &Tokens, headers: &HeaderMap) -> Result<Principal, ApiError> {
    let principal = bearer(headers).and_then(|token| tokens.check(token));
    let principal = principal.ok_or(ApiError::NoToken)?;
    if is_foreign(headers) { Err(ApiError::ForeignOrigin) } else { Ok(principal) }
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
    fn only_the_token_opens() {
        let tokens = Tokens::of_admin("pv_right");
        let admitted = |pairs: &[(&'static str, &'static str)]| admit(&tokens, &headers(pairs));
        assert!(admitted(&[("authorization", "Bearer pv_right")]).is_ok());
        assert!(admitted(&[("authorization", "bearer  pv_right ")]).is_ok());
        for wrong in ["", "Bearer", "Bearer ", "Bearer pv_righ", "Basic pv_right", "pv_right"] {
            let refused = admitted(&[("authorization", wrong)]);
            assert!(matches!(refused, Err(ApiError::NoToken)), "{wrong}");
        }
        let twice = [("authorization", "Bearer pv_right"), ("authorization", "Bearer pv_right")];
        assert!(admitted(&twice).is_err());
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
