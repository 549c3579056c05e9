//! `Idempotency-Key`: a change that is asked for twice is made once.
//!
//! A record of the request is durable before the work begins, and the answer when
//! it is done; the same request with the same key is then given that answer. The
//! work goes on when whoever asked hangs up. If the server ended between the two,
//! nobody knows what came of it: that is said, and nothing is done twice.
//!
//! Uploads take no part: a file is kept by its content, so that bringing it twice
//! is the same as bringing it once.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Body as _;
use sha2::{Digest as _, Sha256};

use super::problem::{ApiError, bad_value};
use super::sheet;
use super::state::{Shared, State as Inner};
use crate::access::Principal;
use crate::http::read_limited;
use crate::ledger::{Actor, acting};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, Reply, StoreError};
use crate::time::Timestamp;

/// The header that names a request.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// The largest answer that is kept, in bytes.
const MAX_REPLY: u64 = 256 << 10;

/// Keys of one token at a time.
const MAX_KEYS: usize = 10_000;

/// Records that the sweep looks at together.
const AT_ONCE: usize = 500;

/// The status of a request whose answer is not known yet.
const OPEN: u16 = 0;

/// Headers of an answer that belong to it.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// The header that an answer which is too large or too secret to be kept leaves in its
/// place.
const LEFT_OUT: &str = "left-out";

/// What is being worked on, and how many keys each token has.
#[derive(Debug, Default)]
pub(super) struct Once {
    inner: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    /// Token and key of requests that are being worked on.
    busy: HashSet<(Box<str>, Box<str>)>,
    /// Keys by token.
    keys: HashMap<Box<str>, usize>,
}

impl Once {
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request for being worked on; `false` if it is already.
    fn take(&self, token: &str, key: &str) -> bool {
        self.lock().busy.insert((token.into(), key.into()))
    }

    fn give_back(&self, token: &str, key: &str) {
        self.lock().busy.remove(&(token.into(), key.into()));
    }

    /// Counts one key more.
    fn count(&self, token: &str) -> Result<(), ApiError> {
        let mut inside = self.lock();
        let keys = inside.keys.entry(token.into()).or_default();
        if *keys >= MAX_KEYS {
            return Err(ApiError::KeysFull(MAX_KEYS));
        }
        *keys += 1;
        Ok(())
    }

    fn discount(&self, token: &str) {
        if let Some(keys) = self.lock().keys.get_mut(token) {
            *keys = keys.saturating_sub(1);
        }
    }
}

/// A request that is being worked on, until it is dropped.
struct Busy {
    state: Shared,
    token: Box<str>,
    key: Box<str>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.once.give_back(&self.token, &self.key);
    }
}

/// Lets a request through to its handler, or gives the answer that was given to
/// it before.
pub(super) async fn pass(
    State(state): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Some(key) = key_of(&request)? else { return Ok(next.run(request).await) };
    let principal = request.extensions().get::<Principal>().ok_or(ApiError::NoToken)?;
    let token: Box<str> = (&*principal.token).into();
    if !state.once.take(&token, &key) {
        return Err(ApiError::InProgress);
    }
    let busy = Busy { state: state.clone(), token, key };
    let (parts, body) = request.into_parts();
    let body = sheet::body(&state, body).await?;
    let digest = digest(&parts.method, parts.uri.path_and_query(), &parts.headers, &body);
    if let Some(reply) = state.store().office().reply(&busy.token, &busy.key).await? {
        if !is_over(&state, &reply, state.deps.clock.now()) {
            return again(reply, digest);
        }
        forget(&state, &busy).await?;
    }
    state.once.count(&busy.token)?;
    let reply = Reply {
        token: busy.token.clone(),
        key: busy.key.clone(),
        request: digest,
        at: state.deps.clock.now(),
        status: OPEN,
        headers: Vec::new(),
        body: Vec::new(),
    };
    if let Err(error) = put(&state, reply.clone()).await {
        state.once.discount(&busy.token);
        return Err(error.into());
    }
    let actor = parts.extensions.get::<Actor>().cloned();
    let work = work(busy, reply, next, Request::from_parts(parts, Body::from(body)));
    // Goes on by itself when whoever asked hangs up.
    let working = match actor {
        Some(actor) => tokio::spawn(acting(actor, work)),
        None => tokio::spawn(work),
    };
    working.await.unwrap_or_else(|_| Err(ApiError::OutcomeUnknown))
}

/// Works on a request that was never seen, and keeps its answer.
async fn work(
    busy: Busy,
    mut reply: Reply,
    next: Next,
    request: Request,
) -> Result<Response, ApiError> {
    let response = next.run(request).await;
    let state = &busy.state;
    // Whatever says that it may be tried again did nothing.
    let retry = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if retry.contains(&response.status()) {
        forget(state, &busy).await?;
        return Ok(response);
    }
    reply.status = response.status().as_u16();
    reply.headers = kept(response.headers());
    let (parts, body) = response.into_parts();
    // What is shown once, as the text of a token is, is not kept to be shown again.
    let is_once = parts.headers.get(header::CACHE_CONTROL).is_some_and(|said| said == "no-store");
    let body = match body.size_hint().upper() {
        Some(size) if size <= MAX_REPLY && !is_once => {
            let body = read_limited(body, MAX_REPLY).await.map_err(|_| ApiError::OutcomeUnknown)?;
            reply.body = body.to_vec();
            Body::from(body)
        }
        _ => {
            reply.headers = vec![(LEFT_OUT.into(), "".into())];
            body
        }
    };
    if let Err(error) = put(state, reply).await {
        // The work is done and this answer tells so; only a repetition will not.
        tracing::warn!(%error, "an answer could not be kept for a repetition");
    }
    Ok(Response::from_parts(parts, body))
}

/// The answer to a request that was seen before.
fn again(reply: Reply, digest: [u8; 32]) -> Result<Response, ApiError> {
    if reply.request != digest {
        return Err(ApiError::KeyReused);
    }
    if reply.status == OPEN {
        return Err(ApiError::OutcomeUnknown);
    }
    if reply.headers.iter().any(|(name, _)| &**name == LEFT_OUT) {
        return Err(ApiError::ReplyLost(reply.status));
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or_default();
    let mut response = (status, Bytes::from(reply.body)).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(&*name), HeaderValue::try_from(&*value))
        {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// The key of a request that changes something, if it has one.
fn key_of(request: &Request) -> Result<Option<Box<str>>, ApiError> {
    let uploads = |path: &MatchedPath| path.as_str() == "/api/v1/files";
    let changes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if !changes || request.extensions().get::<MatchedPath>().is_some_and(uploads) {
        return Ok(None);
    }
    let mut values = request.headers().get_all(KEY).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Ok(None) };
    let text = value.as_bytes();
    let sound = more.is_none()
        && (1..=MAX_KEY).contains(&text.len())
        && text.iter().all(u8::is_ascii_graphic);
    match (sound, value.to_str()) {
        (true, Ok(key)) => Ok(Some(key.into())),
        _ => Err(bad_value(
            "Idempotency-Key",
            format!(
                "one text of 1 to {MAX_KEY} printable characters without spaces, such as a UUID"
            ),
        )),
    }
}

/// What makes a request the same: all that it is asked with.
fn digest(
    method: &Method,
    target: Option<&axum::http::uri::PathAndQuery>,
    headers: &HeaderMap,
    body: &Bytes,
) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let target = target.map(axum::http::uri::PathAndQuery::as_str).unwrap_or_default();
    let conditions = headers.get(header::IF_MATCH).map(HeaderValue::as_bytes).unwrap_or_default();
    for part in [method.as_str().as_bytes(), target.as_bytes(), conditions, body] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn kept(headers: &HeaderMap) -> Vec<(Box<str>, Box<str>)> {
    let kept = KEPT.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((name.as_str().into(), value.into()))
    });
    kept.collect()
}

async fn put(state: &Inner, reply: Reply) -> Result<(), StoreError> {
    state.store().commit(Record::Office(OfficeRecord::Reply(Box::new(reply))).into()).await
}

async fn forget(state: &Inner, busy: &Busy) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.push(Change::ForgetOffice(OfficeKey::Reply(busy.token.clone(), busy.key.clone())));
    state.store().commit(batch).await?;
    state.once.discount(&busy.token);
    Ok(())
}

/// Whether an answer has been kept for long enough.
fn is_over(state: &Inner, reply: &Reply, now: Timestamp) -> bool {
    let hours = state.deps.config.northbound.idempotency_hours;
    reply.at.after(Duration::from_secs(u64::from(hours) * 3600)) <= now
}

/// Forgets answers that were kept for long enough, and counts those that are left.
///
/// # Errors
/// What the store says.
pub(super) async fn sweep(state: &Inner) -> Result<(), StoreError> {
    let now = state.deps.clock.now();
    let mut after: Option<(Box<str>, Box<str>)> = None;
    let mut left: HashMap<Box<str>, usize> = HashMap::new();
    loop {
        let from = after.as_ref().map(|(token, key)| (&**token, &**key));
        let replies = state.store().office().replies(from, AT_ONCE).await?;
        let Some(last) = replies.last() else { break };
        after = Some((last.token.clone(), last.key.clone()));
        let mut batch = Batch::new();
        for reply in replies {
            if is_over(state, &reply, now) {
                batch.push(Change::ForgetOffice(OfficeKey::Reply(reply.token, reply.key)));
            } else {
                *left.entry(reply.token).or_default() += 1;
            }
        }
        if !batch.is_empty() {
            state.store().commit(batch).await?;
        }
    }
    state.once.lock().keys = left;
    Ok(())
}
