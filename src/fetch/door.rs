//! The door itself: which path means what.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};

use super::answer;
use super::receiving::Receiving;
use crate::config::LimitsConfig;
use crate::files::{Links, SharedSource, Shelf};
use crate::http::{Body, Challenger, Handler, Peer};
use crate::store::{Store, Vault};
use crate::time::Clock;

/// The realm under which the file door asks for credentials.
const REALM: &str = "Provost files";

/// What the door is built from.
#[derive(Clone)]
pub struct FetchDeps {
    /// Where phones' files come from.
    pub source: SharedSource,
    /// Knows which tasks wait for a file.
    pub store: Arc<dyn Store>,
    /// Derives the key of the door's nonces.
    pub vault: Arc<Vault>,
    /// The files for devices.
    pub shelf: Arc<Shelf>,
    /// Checks their links; made of the same secret where links are made.
    pub links: Links,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The largest file that a device may send, in bytes.
    pub max_upload: u64,
    /// `[limits]`, for what devices send.
    pub limits: LimitsConfig,
}

/// The phone's and the file door; serves behind a [`crate::http::Door`].
pub struct Fetch {
    pub(super) deps: FetchDeps,
    pub(super) challenger: Challenger,
    pub(super) receiving: Receiving,
}

impl Fetch {
    /// Builds the door.
    pub fn new(deps: FetchDeps) -> Self {
        let challenger = Challenger::new(deps.vault.derive("file door nonces"), REALM);
        Self { deps, challenger, receiving: Receiving::default() }
    }

    /// Answers a request for a file; its body, if it has one, is of no interest.
    pub async fn answer(&self, peer: &Peer, request: &Parts) -> Response<Body> {
        if request.method != Method::GET && request.method != Method::HEAD {
            return answer::only("GET, HEAD");
        }
        let mut segments = segments(request);
        let response = match (segments.next(), segments.next(), segments.next(), segments.next()) {
            (Some("f"), Some(token), Some(_), None) => self.firmware(peer, request, token).await,
            _ => self.phone(peer, request).await,
        };
        answer::without_body_for_head(&request.method, response)
    }

    /// The uniform 404. Why is for the log alone.
    pub(super) fn nowhere(peer: &Peer, why: &'static str) -> Response<Body> {
        let source = peer.address.ip();
        tracing::debug!(peer.address = %source, reason = why, "a request led nowhere");
        answer::not_found()
    }
}

impl Handler for Fetch {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let (request, body) = request.into_parts();
        let mut segments = segments(&request);
        match (segments.next(), segments.next(), segments.next_back()) {
            (Some("u"), Some(token), name) => {
                self.receive(&peer, &request, token, name.unwrap_or_default(), body).await
            }
            _ => self.answer(&peer, &request).await,
        }
    }
}

/// The parts of a request's path.
fn segments(request: &Parts) -> impl DoubleEndedIterator<Item = &str> {
    request.uri.path().split('/').filter(|segment| !segment.is_empty())
}
