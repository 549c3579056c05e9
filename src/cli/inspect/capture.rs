//! Captured HTTP: headers apart from body.

use std::borrow::Cow;

/// What a file turned out to be.
pub(super) enum Capture<'a> {
    /// HTTP with a body.
    Body { body: Cow<'a, [u8]>, charset: Option<String> },
    /// No HTTP: the file is the body.
    Bare,
    /// HTTP that is empty by right: an empty POST, a 204.
    Empty,
    /// An HTTP request that no CWMP message travels in; its first line.
    OtherRequest(String),
    /// Headers that promise a body of so many bytes that is not there.
    MissingBody(u64),
    /// A body in a content coding, which is not decoded here.
    Encoded(String),
}

/// Takes a file apart.
pub(super) fn split(bytes: &[u8]) -> Capture<'_> {
    let Some((head, rest)) = head_and_rest(bytes) else { return Capture::Bare };
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let is_response = first.starts_with("HTTP/1.");
    if !is_response && !first.trim_end().ends_with("HTTP/1.1") && !first.ends_with("HTTP/1.0") {
        return Capture::Bare;
    }
    if !is_response && !first.starts_with("POST ") {
        return Capture::OtherRequest(first.chars().take(120).collect());
    }
    let header = |name: &str| {
        let mut headers = head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = headers.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim())
    };
    if let Some(coding) = header("content-encoding").filter(|one| *one != "identity") {
        return Capture::Encoded(coding.to_owned());
    }
    let promised = header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    if rest.is_empty() {
        return if promised == 0 { Capture::Empty } else { Capture::MissingBody(promised) };
    }
    let chunked = header("transfer-encoding")
        .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
    let body = if chunked { Cow::Owned(unchunked(rest)) } else { Cow::Borrowed(rest) };
    Capture::Body { body, charset: header("content-type").and_then(charset) }
}

/// The headers as text and what follows the blank line; `None` if the file does
/// not begin like HTTP.
fn head_and_rest(bytes: &[u8]) -> Option<(&str, &[u8])> {
    // Headers of CWMP are short; beyond this nothing is worth a search.
    let window = bytes.get(..bytes.len().min(64 << 10))?;
    if window.first().is_none_or(|&b| !b.is_ascii_uppercase()) {
        return None;
    }
    let end = |blank: &[u8]| window.windows(blank.len()).position(|part| part == blank);
    let (at, blank) = match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(long), Some(short)) if short < long => (short, 2),
        (Some(long), _) => (long, 4),
        (None, Some(short)) => (short, 2),
        (None, None) => (window.len(), 0),
    };
    let head = std::str::from_utf8(bytes.get(..at)?).ok()?;
    Some((head, bytes.get(at + blank..)?))
}

/// The charset of a `Content-Type`.
fn charset(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|part| part.split_once('='));
    let (_, value) = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// Joins chunks (RFC 9112 §7.1) as far as they go.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.iter().position(|&b| b == b'\n') {
        let size = rest.get(..end).and_then(|line| std::str::from_utf8(line).ok());
        let size = size.and_then(|line| line.split(';').next());
        let size = size.and_then(|hex| usize::from_str_radix(hex.trim(), 16).ok()).unwrap_or(0);
        let data = rest.get(end + 1..).unwrap_or_default();
        let Some(chunk) = data.get(..size).filter(|chunk| !chunk.is_empty()) else { break };
        body.extend_from_slice(chunk);
        let after = data.get(size..).unwrap_or_default();
        rest = after.strip_prefix(b"\r\n").or(after.strip_prefix(b"\n")).unwrap_or(after);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_taken_apart() {
        let of = |bytes: &[u8]| match split(bytes) {
            Capture::Body { body, charset } => {
                let charset = charset.unwrap_or_default();
                format!("body {} {charset}", String::from_utf8_lossy(&body))
            }
            Capture::Bare => "bare".to_owned(),
            Capture::Empty => "empty".to_owned(),
            Capture::OtherRequest(line) => format!("other {line}"),
            Capture::MissingBody(length) => format!("missing {length}"),
            Capture::Encoded(coding) => format!("encoded {coding}"),
        };
        assert_eq!(of(b"<a/>"), "bare");
        assert_eq!(of(b""), "bare");
        assert_eq!(of(b"Hello\n\nworld"), "bare");
        assert_eq!(of(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), "empty");
        assert_eq!(of(b"POST / HTTP/1.1\nContent-Length: 5\n\n"), "missing 5");
        assert_eq!(of(b"HTTP/1.1 204 No Content\r\n\r\n"), "empty");
        assert_eq!(of(b"GET /x HTTP/1.1\r\n\r\n"), "other GET /x HTTP/1.1");
        assert_eq!(of(b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\nx"), "encoded gzip");
        assert_eq!(
            of(b"POST / HTTP/1.1\r\ncontent-type: text/xml; Charset=\"latin1\"\r\n\r\n<a/>"),
            "body <a/> latin1"
        );
        let chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\n<a/\r\n1\r\n>\r\n0\r\n\r\n";
        assert_eq!(of(chunked), "body <a/> ");
    }

    #[test]
    fn lying_chunks_end_the_body() {
        assert_eq!(unchunked(b"ffffffffffffffff\r\n<a/>"), b"");
        assert_eq!(unchunked(b"4\r\n<a/>\r\nzz\r\n"), b"<a/>");
    }
}
