//! The door itself: which path means what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};

use super::answer;
use super::cache::Cache;
use super::phone::Mark;
use super::throttle::Throttle;
use crate::config::PhonesConfig;
use crate::files::{Links, Shelf};
use crate::http::{Body, Challenger, Handler, Peer};
use crate::phone::Mac;
use crate::provision::PhoneLinks;
use crate::provision::fanvil::{CipherError, Profile};
use crate::store::{Store, Vault};
use crate::time::Clock;

/// The realm under which the file door asks for credentials.
const REALM: &str = "Provost files";

/// What the door is built from.
#[derive(Clone)]
pub struct FetchDeps {
    /// The inventory.
    pub store: Arc<dyn Store>,
    /// Opens the secrets of phones; also derives the door's own keys.
    pub vault: Arc<Vault>,
    /// The files for devices.
    pub shelf: Arc<Shelf>,
    /// Checks their links; made of the same secret where links are made.
    pub links: Links,
    /// Checks the tokens of phones; made of the same secret where URLs are
    /// made.
    pub phone_links: PhoneLinks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings for phones.
    pub phones: PhonesConfig,
}

/// The phone's and the file door; serves behind a [`crate::http::Door`].
pub struct Fetch {
    pub(super) deps: FetchDeps,
    pub(super) profile: Profile,
    /// What fingerprints of bodies are keyed with.
    pub(super) fingerprint_key: [u8; 32],
    pub(super) challenger: Challenger,
    pub(super) throttle: Throttle,
    pub(super) cache: Cache,
    /// What was last recorded of each phone's files.
    pub(super) marks: Mutex<HashMap<(Mac, bool), Mark>>,
}

impl Fetch {
    /// Builds the door.
    ///
    /// # Errors
    /// [`CipherError::UnknownProfile`] if `phones.fanvil_encryption` names none.
    pub fn new(deps: FetchDeps) -> Result<Self, CipherError> {
        Ok(Self {
            profile: Profile::named(&deps.phones.fanvil_encryption)?,
            fingerprint_key: deps.vault.derive("phone file fingerprints"),
            challenger: Challenger::new(deps.vault.derive("file door nonces"), REALM),
            throttle: Throttle::new(deps.phones.requests_per_minute),
            cache: Cache::new(deps.store.watch()),
            marks: Mutex::new(HashMap::new()),
            deps,
        })
    }

    /// Answers a request; its body, if it has one, is of no interest here.
    pub async fn answer(&self, peer: &Peer, request: &Parts) -> Response<Body> {
        let response = self.route(peer, request).await;
        answer::without_body_for_head(&request.method, response)
    }

    async fn route(&self, peer: &Peer, request: &Parts) -> Response<Body> {
        if request.method != Method::GET && request.method != Method::HEAD {
            return answer::wrong_method();
        }
        let mut segments = request.uri.path().split('/').filter(|segment| !segment.is_empty());
        let path = (segments.next(), segments.next(), segments.next(), segments.next());
        match path {
            (Some("f"), Some(token), Some(_), None) => self.firmware(peer, request, token).await,
            (Some("p"), Some(token), Some(name), None) => {
                self.phone(peer, request, token, name).await
            }
            _ => self.nowhere(peer, "no such path"),
        }
    }

    /// The uniform 404. Why is for the log alone.
    pub(super) fn nowhere(&self, peer: &Peer, why: &'static str) -> Response<Body> {
        let source = peer.address.ip();
        tracing::debug!(peer.address = %source, reason = why, "a request led nowhere");
        if let Some(count) = self.throttle.missed(source, self.deps.clock.now()) {
            tracing::warn!(
                peer.address = %source,
                requests = count,
                "many requests that lead nowhere: somebody may be trying addresses"
            );
        }
        answer::not_found()
    }
}

impl Handler for Fetch {
    async fn handle(&self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let (request, _) = request.into_parts();
        self.answer(&peer, &request).await
    }
}
