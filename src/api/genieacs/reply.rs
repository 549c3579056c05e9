//! Answers as the clients of this dialect read them: status, reason phrase, text.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;

use super::super::problem::ApiError;
use super::node::Node;
use super::query::QueryError;
use crate::find::FindError;
use crate::store::StoreError;

/// The reason once more: HTTP/2, and what stands in between, lose the phrase.
pub(super) const REASON: HeaderName = HeaderName::from_static("x-reason");

/// What is to be said of an answer that the client need not read.
pub(super) const NOTE: HeaderName = HeaderName::from_static("x-provost-note");

/// How many documents there are in all.
const TOTAL: HeaderName = HeaderName::from_static("total");

/// The longest phrase, in bytes.
const MAX_PHRASE: usize = 200;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// 400, with what is wrong.
    #[error("{0}")]
    Bad(String),
    /// There is no such device, or it is another's.
    #[error("No such device")]
    NoDevice,
    /// There is no such task, or it is another's.
    #[error("Task not found")]
    NoTask,
    /// There is nothing of that name.
    #[error("404 Not Found")]
    Nothing,
    /// An id may mean two devices.
    #[error("this id may mean {0} or {1}; write it with each % as %25")]
    Ambiguous(String, String),
    /// A task has left for the device.
    #[error("Device is in session")]
    InSession,
    /// Something that this dialect has no word for.
    #[error(transparent)]
    Other(#[from] ApiError),
}

impl Refusal {
    /// 400, with what is wrong.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::Bad(why.into())
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<FindError> for Refusal {
    fn from(error: FindError) -> Self {
        Self::Other(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::NoDevice | Self::NoTask | Self::Nothing => StatusCode::NOT_FOUND,
            Self::Ambiguous(..) => StatusCode::CONFLICT,
            Self::InSession => StatusCode::SERVICE_UNAVAILABLE,
            // With what to do about it, as everywhere in the house.
            Self::Other(_) => {
                let Self::Other(error) = self else {
                    return StatusCode::BAD_REQUEST.into_response();
                };
                return error.into_response();
            }
        };
        text(status, self.to_string())
    }
}

/// An answer that is a text.
pub(super) fn text(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// 200 without a word.
pub(super) fn empty() -> Response {
    StatusCode::OK.into_response()
}

/// An answer with a phrase of its own in place of the usual one.
pub(super) fn with_reason(mut response: Response, phrase: &str) -> Response {
    let plain: String = phrase
        .chars()
        .map(|letter| if matches!(letter, ' '..='~') { letter } else { ' ' })
        .take(MAX_PHRASE)
        .collect();
    if let Ok(value) = HeaderValue::from_str(plain.trim()) {
        response.headers_mut().insert(REASON, value);
    }
    if let Ok(phrase) = ReasonPhrase::try_from(plain.trim().as_bytes()) {
        response.extensions_mut().insert(phrase);
    }
    response
}

/// The same with a note.
pub(super) fn with_note(mut response: Response, note: &str) -> Response {
    let plain: String =
        note.chars().map(|letter| if matches!(letter, ' '..='~') { letter } else { '?' }).collect();
    if let Ok(value) = HeaderValue::from_str(&plain) {
        response.headers_mut().insert(NOTE, value);
    }
    response
}

/// One document.
pub(super) fn json(status: StatusCode, document: &Node) -> Response {
    (status, axum::Json(document)).into_response()
}

/// A list of documents at hand; of a `HEAD` no more than how many there are.
pub(super) fn list(total: u64, documents: &[Node]) -> Response {
    let mut text = String::from("[\n");
    for (place, document) in documents.iter().enumerate() {
        if place > 0 {
            text.push_str(",\n");
        }
        // A document is made of what JSON can say.
        text.push_str(&serde_json::to_string(document).unwrap_or_default());
    }
    text.push_str("\n]");
    listed(total, Body::from(text))
}

/// A list whose body is made elsewhere.
pub(super) fn listed(total: u64, body: Body) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(TOTAL, HeaderValue::from(total));
    response
}
