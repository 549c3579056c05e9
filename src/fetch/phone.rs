//! Files for phones, in HTTP's words.

use std::borrow::Cow;
use std::io::SeekFrom;
use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use tokio::io::AsyncSeekExt as _;

use super::answer::{self, set};
use super::counted::Counted;
use super::door::Fetch;
use super::range::{Wanted, wanted};
use crate::files::{Ask, Content, Found, NotFound};
use crate::http::{Body, Peer, Verdict};
use crate::phone::{DoorKind, Ended};

impl Fetch {
    /// Answers a phone.
    pub(super) async fn phone(&self, peer: &Peer, request: &Parts) -> Response<Body> {
        let Some(path) = decoded(request.uri.path()) else {
            return Self::nowhere(peer, "a percent sign that stands for nothing");
        };
        let agent = request.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let mut ask = Ask {
            door: if peer.tls { DoorKind::Https } else { DoorKind::Http },
            source: peer.address.ip(),
            path: &path,
            agent: agent.unwrap_or_default(),
            certificate: peer.certificate,
            login: None,
        };
        let source = &self.deps.source;
        let logins = match source.logins(&ask).await {
            Ok(logins) => logins,
            Err(why) => return refused(why),
        };
        if !logins.is_empty() {
            match self.logged_in(request, &logins) {
                Ok(user) => ask.login = Some(user),
                // Over plain HTTP nobody is invited to send a shared password in
                // clear; who knows nothing else may still do so unasked.
                Err(verdict) => return self.challenge(verdict == Verdict::Stale, peer.tls),
            }
        }
        match source.open(&ask).await {
            Ok(found) => self.respond(request, found).await,
            Err(why) => refused(why),
        }
    }

    async fn respond(&self, request: &Parts, found: Found) -> Response<Body> {
        let mut response = answer::bare(StatusCode::OK);
        if let Ok(tag) = HeaderValue::try_from(&*found.tag) {
            set(&mut response, header::ETAG, tag);
        }
        set(&mut response, header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        set(&mut response, header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let Found { content, media, tag, ticket, .. } = found;
        let source = Arc::clone(&self.deps.source);
        if answer::has_tag(&request.headers, &tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            let head = request.method == Method::HEAD;
            source.ended(ticket, if head { Ended::Part(0) } else { Ended::Unchanged }).await;
            return response;
        }
        set(&mut response, header::CONTENT_TYPE, HeaderValue::from_static(media));
        let size = content.size();
        let (from, length, part) = match wanted(&request.headers, size, &tag) {
            Wanted::Whole => (0, size, false),
            Wanted::Part { from, length } => {
                answer::part(&mut response, from, length, size);
                (from, length, true)
            }
            Wanted::Nothing => {
                answer::no_part(&mut response, size);
                source.ended(ticket, Ended::Part(0)).await;
                return response;
            }
        };
        set(&mut response, header::CONTENT_LENGTH, HeaderValue::from(length));
        if request.method == Method::HEAD {
            source.ended(ticket, Ended::Part(0)).await;
            return response;
        }
        let body = match content {
            Content::Bytes(bytes) => Body::full(part_of(&bytes, from, length)),
            Content::File(mut file, _) => {
                if let Err(error) = file.seek(SeekFrom::Start(from)).await {
                    tracing::error!(%error, "a file cannot be served");
                    source.ended(ticket, Ended::Broken(0)).await;
                    return answer::unavailable();
                }
                Body::file(file, length)
            }
        };
        *response.body_mut() = Body::stream(Counted::new(body, length, part, source, ticket));
        response
    }
}

fn refused(why: NotFound) -> Response<Body> {
    match why {
        NotFound::Nowhere => answer::not_found(),
        NotFound::TooMany => answer::too_many(),
        NotFound::Unavailable => answer::unavailable(),
    }
}

/// A path with its percent signs decoded once; `None` if one stands for no byte,
/// or the bytes are no UTF-8.
fn decoded(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let mut byte = [0];
        hex::decode_to_slice(digits, &mut byte).ok()?;
        bytes.extend_from_slice(&byte);
        rest = after;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// A part that lies within the bytes; else nothing.
fn part_of(bytes: &Bytes, from: u64, length: u64) -> Bytes {
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len() - from);
    bytes.slice(from..from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_signs_are_decoded_once() {
        for (path, plain) in [
            ("/a.cfg", Some("/a.cfg")),
            ("/%61.cfg", Some("/a.cfg")),
            ("/%2541", Some("/%41")),
            ("/%2e%2E%2f", Some("/../")),
            ("/%00", Some("/\0")),
            ("/%C3%BC", Some("/ü")),
            ("/%FF", None),
            ("/%", None),
            ("/%4", None),
            ("/%zz", None),
        ] {
            assert_eq!(decoded(path).as_deref(), plain, "{path}");
        }
    }
}
