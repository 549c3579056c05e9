//! HTTP answers of the device's door, and small things read from its requests:
//! cookies, charsets, hosts.

use http::header::{CONNECTION, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::sessions::Cookie;
use crate::device::Redirection;
use crate::http::{Body, BodyError};

/// The name of the session cookie.
pub(super) const COOKIE: &str = "session";

/// What was sent cannot be taken; the connection does not go on.
pub(super) fn refuse_body(error: &BodyError) -> Response<Body> {
    let status =
        StatusCode::from_u16(error.class().http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = plain(status, "the body was not taken\n");
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Go to another server with the same message (TR-069 §3.4.2).
pub(super) fn elsewhere(to: &Redirection) -> Response<Body> {
    let status = if to.status == 302 { StatusCode::FOUND } else { StatusCode::TEMPORARY_REDIRECT };
    let mut response = empty(status);
    if let Ok(location) = HeaderValue::try_from(&*to.url) {
        response.headers_mut().insert(LOCATION, location);
    }
    // What follows belongs to another server.
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Come again after these seconds.
pub(super) fn later(seconds: u64) -> Response<Body> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "come again later\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// 200 with an envelope.
pub(super) fn xml(bytes: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::full(bytes));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}

/// A status with a line of text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A status without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer that sets the session cookie.
pub(super) fn with_cookie(mut response: Response<Body>, cookie: &Cookie) -> Response<Body> {
    let value = format!("{COOKIE}={}; Path=/", hex::encode(cookie));
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

/// A cookie that nobody guesses; `None` if the machine gives no random numbers.
pub(super) fn new_cookie() -> Option<Cookie> {
    let mut cookie = Cookie::default();
    getrandom::fill(&mut cookie).ok()?;
    Some(cookie)
}

/// A cookie from its text.
pub(super) fn read_cookie(text: &str) -> Option<Cookie> {
    let mut cookie = Cookie::default();
    hex::decode_to_slice(text, &mut cookie).ok()?;
    Some(cookie)
}

/// The charset of a Content-Type.
pub(super) fn charset_of(content_type: &str) -> Option<&str> {
    let (_, parameters) = content_type.split_once(';')?;
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// The host of a Host header, when it is one: it comes from the device, and
/// goes back to it in a URL.
pub(super) fn host_name(value: &HeaderValue) -> Option<Box<str>> {
    let text = value.to_str().ok()?;
    let host = if text.starts_with('[') {
        text.get(..=text.find(']')?)?
    } else {
        text.split(':').next().unwrap_or(text)
    };
    let sound = !host.is_empty()
        && host.len() <= 253
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    sound.then(|| host.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_taken_only_when_it_is_one() {
        let host = |text: &'static str| host_name(&HeaderValue::from_static(text));
        assert_eq!(host("acs.example.net:7547").as_deref(), Some("acs.example.net"));
        assert_eq!(host("[::1]:7547").as_deref(), Some("[::1]"));
        assert_eq!(host("192.0.2.1").as_deref(), Some("192.0.2.1"));
        for bad in ["", ":80", "a b", "a/b", "user@host", "[::1"] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_charset_is_found_in_any_spelling() {
        assert_eq!(charset_of("text/xml; charset=utf-8"), Some("utf-8"));
        assert_eq!(charset_of("text/xml;Charset=\"ISO-8859-1\""), Some("ISO-8859-1"));
        assert_eq!(charset_of("text/xml"), None);
    }
}
