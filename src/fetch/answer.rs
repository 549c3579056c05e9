//! The answers of this door.

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::class::Class;
use crate::http::Body;

/// The one answer to every path that leads nowhere.
pub(super) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "not found\n")
}

/// The phone's source asks too often.
pub(super) fn too_many() -> Response<Body> {
    let mut response = text(StatusCode::TOO_MANY_REQUESTS, "too many requests\n");
    set(&mut response, header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// Something of ours failed; the log says what.
pub(super) fn unavailable() -> Response<Body> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "try again later\n");
    set(&mut response, header::RETRY_AFTER, HeaderValue::from_static("30"));
    response
}

/// Only these methods are possible here.
pub(super) fn only(methods: &'static str) -> Response<Body> {
    let mut response = bare(StatusCode::METHOD_NOT_ALLOWED);
    set(&mut response, header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// A file was not taken; what is left of it is not read.
pub(super) fn refused(class: Class) -> Response<Body> {
    let status =
        StatusCode::from_u16(class.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = bare_and_close(status);
    if class == Class::Unavailable {
        set(&mut response, header::RETRY_AFTER, HeaderValue::from_static("300"));
    }
    response
}

/// An answer without a body, after which the connection ends: of the request's
/// there may be more.
pub(super) fn bare_and_close(status: StatusCode) -> Response<Body> {
    let mut response = bare(status);
    set(&mut response, header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    set(&mut response, header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An answer without a body.
pub(super) fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: HeaderValue) {
    response.headers_mut().insert(name, value);
}

/// Makes an answer a 206 for these bytes of `size`.
pub(super) fn part(response: &mut Response<Body>, from: u64, length: u64, size: u64) {
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let last = from.saturating_add(length).saturating_sub(1);
    if let Ok(range) = HeaderValue::try_from(format!("bytes {from}-{last}/{size}")) {
        set(response, header::CONTENT_RANGE, range);
    }
}

/// Makes an answer a 416 for a file of `size` bytes.
pub(super) fn no_part(response: &mut Response<Body>, size: u64) {
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    set(response, header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        set(response, header::CONTENT_RANGE, range);
    }
}

/// An answer to `HEAD` is the same without its body; the length stays.
pub(super) fn without_body_for_head(
    method: &Method,
    mut response: Response<Body>,
) -> Response<Body> {
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// Whether an `If-None-Match` names this entity tag (RFC 9110 §13.1.2; the
/// comparison is the weak one).
pub(super) fn has_tag(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|listed| listed == "*" || listed.strip_prefix("W/").unwrap_or(listed) == tag)
}

fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    set(&mut response, header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
