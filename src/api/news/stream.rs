//! `GET /events/stream`: what happens, as it happens (server-sent events).

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use serde::Deserialize;
use tokio::time::{Interval, MissedTickBehavior};
use utoipa::IntoParams;

use super::{bad_id, filter};
use crate::access::{Principal, Reach, Right};
use crate::api::extract::Query;
use crate::api::lasting::{Lasting, reached};
use crate::api::problem::{ApiError, Problem};
use crate::api::state::Shared;
use crate::herald::{Heard, Listener, Seat, gap_frame};
use crate::news::NewsFilter;

/// Events that are at hand are sent together, up to so many bytes.
const TOGETHER: usize = 32 << 10;

/// What comes first: how long a client waits before it connects again, in
/// milliseconds. It also shows that the stream has begun.
const GREETING: &[u8] = b"retry: 3000\n\n";

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct StreamQuery {
    /// Only these kinds, with commas between: `device.boot,device.offline`.
    kind: Option<String>,
    /// Only of this device.
    device: Option<String>,
    /// Only of this tenant.
    tenant: Option<String>,
    /// Only from this site.
    site: Option<String>,
    /// The id of the event after which to begin, for clients that cannot send
    /// `Last-Event-ID`; `0` for all that is kept, and from now on if not given.
    after: Option<String>,
    /// `false` ends the stream when all that had happened was told.
    follow: Option<bool>,
}

/// Tells what happens, as it happens
///
/// Server-sent events: `id`, `event` with the kind, `data` with the same JSON that
/// the list gives. With `Last-Event-ID` it begins with what was missed. What is no
/// longer kept is told by an event `gap`. The stream ends when the server stops
/// and when the token opens nothing any more.
#[utoipa::path(get, path = "/api/v1/events/stream", tag = "events",
    params(StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 400, body = Problem), (status = 429, body = Problem)))]
pub(in crate::api) async fn stream(
    State(state): State<Shared>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    Query(query): Query<StreamQuery>,
) -> Result<Response, ApiError> {
    let hub = &state.deps.hub;
    let wanted = filter(query.kind.as_deref(), query.device.as_deref(), query.tenant, query.site)?;
    let from = match (headers.get("last-event-id"), query.after.as_deref()) {
        (Some(id), _) => Some((id.to_str().unwrap_or_default(), "Last-Event-ID")),
        (None, Some(id)) => Some((id, "after")),
        (None, None) => None,
    };
    let from = match from {
        None => None,
        Some((id, field)) => {
            Some(hub.ids().behind(id, &principal.reach).ok_or_else(|| bad_id(field))?)
        }
    };
    let seat = hub.seat(&principal.token).map_err(ApiError::StreamsFull)?;
    let lasting = Lasting::of(&state, principal, &headers, Right::EventsRead)?;
    let every = Duration::from_secs(hub.config().heartbeat.into());
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = Stream {
        lasting,
        filter: wanted,
        listener: hub.listen(from).await?,
        beat,
        follow: query.follow.unwrap_or(true),
        greeted: false,
        _seat: seat,
        state,
    };
    let mut response = Body::new(Events(Some(Box::pin(Box::new(stream).chunk())))).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that gathers an answer before it hands it on would hand on nothing.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// One listener's stream.
struct Stream {
    state: Shared,
    lasting: Lasting,
    filter: NewsFilter,
    listener: Listener,
    beat: Interval,
    follow: bool,
    greeted: bool,
    _seat: Seat,
}

impl Stream {
    /// The stream, and what is to be sent next; `None` at its end.
    async fn chunk(mut self: Box<Self>) -> (Box<Self>, Option<Bytes>) {
        let bytes = self.next_bytes().await;
        (self, bytes)
    }

    async fn next_bytes(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(GREETING));
        }
        loop {
            if !self.follow && self.listener.is_up_to_date() {
                return None;
            }
            let end = self.lasting.end();
            let heard = tokio::select! {
                biased;
                _ = self.beat.tick() => None,
                () = reached(end) => None,
                // A store that cannot be read ends the stream; the client comes
                // again and goes on where it was.
                heard = self.listener.next() => Some(heard.ok()??),
            };
            let is_doubtful = heard.is_none() || self.lasting.is_doubtful();
            if is_doubtful && !self.lasting.is_let_in().await {
                return None;
            }
            let Some(heard) = heard else { return Some(self.sign_of_life()) };
            if let Some(bytes) = self.together(heard) {
                return Some(bytes);
            }
        }
    }

    /// What may be told of.
    fn reach(&self) -> &Reach {
        &self.lasting.principal().reach
    }

    /// A comment; with it an id, so that a client that is told nothing does not
    /// stay behind.
    fn sign_of_life(&self) -> Bytes {
        match self.listener.position() {
            0 => Bytes::from_static(b":\n\n"),
            next => {
                let id = self.state.deps.hub.ids().of(next - 1, self.reach());
                Bytes::from(format!(":\nid: {id}\n\n"))
            }
        }
    }

    /// What was heard, and all else that is at hand.
    fn together(&mut self, heard: Heard) -> Option<Bytes> {
        let mut first: Option<Bytes> = None;
        let mut all = BytesMut::new();
        let mut heard = Some(heard);
        while let Some(one) = heard {
            if let Some(frame) = self.frame(&one) {
                match first.take() {
                    None if all.is_empty() => first = Some(frame),
                    before => {
                        all.extend(before.into_iter().flatten());
                        all.extend_from_slice(&frame);
                    }
                }
            }
            heard = if all.len() < TOGETHER { self.listener.try_next() } else { None };
        }
        first.or_else(|| (!all.is_empty()).then(|| all.freeze()))
    }

    /// An event, if it is wanted and may be seen.
    fn frame(&self, heard: &Heard) -> Option<Bytes> {
        match heard {
            Heard::News(told) => {
                self.filter.takes(self.reach(), &told.draft).then(|| told.frame(self.reach()))
            }
            Heard::Gap { first, last } => {
                Some(gap_frame(*first, *last, self.state.deps.hub.ids(), self.reach()))
            }
        }
    }
}

type Chunk = Pin<Box<dyn Future<Output = (Box<Stream>, Option<Bytes>)> + Send>>;

/// A body that ends when the stream does.
struct Events(Option<Chunk>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(chunk) = &mut self.0 else { return Poll::Ready(None) };
        let (stream, bytes) = ready!(chunk.as_mut().poll(context));
        self.0 = bytes.is_some().then(|| Box::pin(stream.chunk()) as Chunk);
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
