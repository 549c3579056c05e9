//! `ETag` and `If-None-Match` (RFC 9110 §8.8, §13.1.2): what people edit is told
//! with its revision, and not again to whoever has it.
//!
//! The tag of a record is `"<revision>-<digest of the answer>"`: an answer may tell
//! more than the record (when a device last informed), and a tag stands for the
//! very bytes. `If-Match` looks at the revision alone.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::Body as _;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::problem::ApiError;
use crate::http::read_limited;

/// The largest answer that is looked at, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// What is looked for in an answer.
#[derive(Deserialize)]
struct Revised {
    /// Of what people edit.
    revision: Option<Value>,
    /// Of profiles, whose every revision is kept.
    version: Option<Value>,
}

/// Adds the tag to the answer of a `GET` for one revisioned record, and answers
/// 304 to whoever has it already.
pub(super) async fn pass(request: Request, next: Next) -> Result<Response, ApiError> {
    let single = request.extensions().get::<MatchedPath>().is_some_and(|path| {
        let path = path.as_str();
        path.contains('{') || path.ends_with("/layers/global") || path.ends_with("/models/model")
    });
    if !single || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(next.run(request).await);
    }
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if response.status() != StatusCode::OK || !is_small_json(&response) {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let bytes = read_limited(body, MAX_ANSWER)
        .await
        .map_err(|_| ApiError::TooLarge { limit: MAX_ANSWER })?;
    if let Some(tag) = tag(&bytes) {
        let is_known = known.is_some_and(|known| is_named(&known, &tag));
        if let Ok(value) = HeaderValue::try_from(tag) {
            parts.headers.insert(header::ETAG, value);
        }
        if is_known {
            return Ok(not_modified(&parts.headers));
        }
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn is_small_json(response: &Response) -> bool {
    let json = response.headers().get(header::CONTENT_TYPE);
    json.is_some_and(|kind| kind.as_bytes() == b"application/json")
        && response.body().size_hint().upper().is_some_and(|size| size <= MAX_ANSWER)
}

/// The tag of an answer; `None` if it is about nothing that has a revision.
fn tag(answer: &Bytes) -> Option<String> {
    let revised: Revised = serde_json::from_slice(answer).ok()?;
    let revision = revised.revision.or(revised.version)?.as_u64()?;
    let digest = hex::encode(Sha256::digest(answer));
    Some(format!("\"{revision}-{}\"", digest.get(..16)?))
}

/// Whether a tag is among those of `If-None-Match`, or all are.
fn is_named(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    let mut known = known.split(',').map(|one| one.trim().trim_start_matches("W/"));
    known.any(|one| one == "*" || one == tag)
}

fn not_modified(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    if let Some(tag) = headers.get(header::ETAG) {
        response.headers_mut().insert(header::ETAG, tag.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_stands_for_the_revision_and_the_bytes() {
        let one = tag(&Bytes::from_static(b"{\"revision\": 3, \"last\": 1}")).unwrap();
        let two = tag(&Bytes::from_static(b"{\"revision\": 3, \"last\": 2}")).unwrap();
        assert!(one.starts_with("\"3-") && two.starts_with("\"3-"));
        assert_ne!(one, two);
        assert!(tag(&Bytes::from_static(b"{\"version\": 2}")).unwrap().starts_with("\"2-"));
        assert_eq!(tag(&Bytes::from_static(b"{\"version\": \"1.0\"}")), None);
        assert_eq!(tag(&Bytes::from_static(b"{\"items\": []}")), None);
        assert_eq!(tag(&Bytes::from_static(b"[]")), None);
    }

    #[test]
    fn a_tag_is_found_among_others() {
        let named = |known: &'static str| is_named(&HeaderValue::from_static(known), "\"3-ab\"");
        assert!(
            named("\"3-ab\"") && named("W/\"3-ab\"") && named("\"1-x\", \"3-ab\"") && named("*")
        );
        assert!(!named("\"3\"") && !named("") && !named("\"3-abc\""));
    }
}
