//! Reading one datagram.

use std::borrow::Cow;

use super::SipError;

/// The longest datagram that is read, in bytes.
pub const MAX_DATAGRAM: usize = 8192;

/// The most headers that are read.
const MAX_HEADERS: usize = 64;

/// The one-letter names of headers (RFC 3261 §7.3.3, RFC 6665 §8.4).
const COMPACT: &[(&str, &str)] = &[
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("o", "Event"),
    ("u", "Allow-Events"),
    ("k", "Supported"),
];

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// `SUBSCRIBE sip:… SIP/2.0`.
    Request {
        /// The method, as it stands.
        method: &'a str,
        /// The Request-URI, as it stands.
        uri: &'a str,
    },
    /// `SIP/2.0 200 OK`.
    Response {
        /// The status code, 100 to 699.
        code: u16,
        /// The reason; may be empty.
        reason: &'a str,
    },
}

/// A SIP message in a datagram (RFC 3261 §7).
///
/// Lenient as phones demand: lines may end with LF alone, header names have any
/// case and their short forms, lines may be folded, and a line that is no
/// header is passed over. What is needed of it is for the caller to look for.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The first line.
    pub start: Start<'a>,
    headers: Vec<(&'a str, Cow<'a, str>)>,
    /// The body: as long as Content-Length says, or the rest of the datagram.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`SipError`] for what is no SIP message, or too large a one.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, SipError> {
        if datagram.len() > MAX_DATAGRAM {
            return Err(SipError::TooLong);
        }
        // Empty lines may stand before a message (RFC 3261 §7.5).
        let blank = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let mut rest = datagram.get(blank..).unwrap_or_default();
        let first = next_line(&mut rest).ok_or(SipError::StartLine)?;
        let start = std::str::from_utf8(first).ok().and_then(read_start);
        let start = start.ok_or(SipError::StartLine)?;
        let mut headers: Vec<(&str, Cow<'_, str>)> = Vec::new();
        loop {
            let line = next_line(&mut rest).ok_or(SipError::Unended)?;
            if line.is_empty() {
                break;
            }
            // A line that is no text is no header that is needed.
            let Ok(line) = std::str::from_utf8(line) else { continue };
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = headers.last_mut() {
                    let value = value.to_mut();
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            if headers.len() == MAX_HEADERS {
                return Err(SipError::TooManyHeaders);
            }
            headers.push((name.trim_end(), Cow::Borrowed(value.trim())));
        }
        let mut message = Self { start, headers, body: rest };
        if let Some(length) = message.header("Content-Length").and_then(|text| text.parse().ok()) {
            message.body = rest.get(..length).ok_or(SipError::CutBody)?;
        }
        Ok(message)
    }

    /// The first header of this name, in its long or its short form.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All headers of this name, in their order.
    pub fn headers<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let short = COMPACT.iter().find(|(_, long)| long.eq_ignore_ascii_case(name));
        let short = short.map_or("", |(short, _)| short);
        self.headers.iter().filter_map(move |(found, value)| {
            (found.eq_ignore_ascii_case(name) || found.eq_ignore_ascii_case(short))
                .then_some(&**value)
        })
    }

    /// The number and the method in CSeq (RFC 3261 §20.16).
    pub fn sequence(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once([' ', '\t'])?;
        Some((number.parse().ok()?, method.trim()))
    }
}

/// The next line without its end; `None` if there is no end of a line.
fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr::memchr(b'\n', rest)?;
    let (line, tail) = rest.split_at(end);
    *rest = tail.get(1..).unwrap_or_default();
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

fn read_start(line: &str) -> Option<Start<'_>> {
    if let Some(status) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
        let code = code.parse().ok().filter(|code| (100..700).contains(code))?;
        return Some(Start::Response { code, reason: reason.trim() });
    }
    let (method, rest) = line.split_once(' ')?;
    let (uri, version) = rest.trim().rsplit_once(' ')?;
    let sound = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_alphabetic());
    (sound && version.eq_ignore_ascii_case("SIP/2.0"))
        .then_some(Start::Request { method, uri: uri.trim() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBSCRIBE: &str = "SUBSCRIBE sip:MAC%3a0c383e07e16c@224.0.1.75 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1;rport\r\n\
        f: <sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=1\r\n\
        To : <sip:MAC%3a0c383e07e16c@224.0.1.75>\r\n\
        CALL-ID: 1@192.0.2.7\r\n\
        CSeq: 1 SUBSCRIBE\r\n\
        Event: ua-profile;profile-type=\"device\";\r\n vendor=\"Fanvil\"\r\n\
        l: 3\r\n\r\nabcdef";

    #[test]
    fn names_in_any_case_and_form_are_found() {
        let message = Message::parse(SUBSCRIBE.as_bytes()).unwrap();
        let uri = "sip:MAC%3a0c383e07e16c@224.0.1.75";
        assert_eq!(message.start, Start::Request { method: "SUBSCRIBE", uri });
        assert_eq!(message.header("From"), Some("<sip:MAC%3a0c383e07e16c@224.0.1.75>;tag=1"));
        assert_eq!(message.header("to"), Some("<sip:MAC%3a0c383e07e16c@224.0.1.75>"));
        assert_eq!(message.header("Call-ID"), Some("1@192.0.2.7"));
        let event = "ua-profile;profile-type=\"device\"; vendor=\"Fanvil\"";
        assert_eq!(message.header("event"), Some(event));
        assert_eq!(message.sequence(), Some((1, "SUBSCRIBE")));
        assert_eq!(message.body, b"abc");
        assert_eq!(message.header("Contact"), None);
    }

    #[test]
    fn responses_and_bare_line_feeds_are_read() {
        let message = Message::parse(b"\r\n\r\nSIP/2.0 401 \nWWW-Authenticate: a\n\n").unwrap();
        assert_eq!(message.start, Start::Response { code: 401, reason: "" });
        assert_eq!(message.headers("www-authenticate").collect::<Vec<_>>(), ["a"]);
        let message = Message::parse(b"SIP/2.0 200 All is well\r\n\r\n").unwrap();
        assert_eq!(message.start, Start::Response { code: 200, reason: "All is well" });
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (text, error) in [
            ("", SipError::StartLine),
            ("\r\n\r\n", SipError::StartLine),
            ("GET / HTTP/1.1\r\n\r\n", SipError::StartLine),
            ("SIP/2.0 20 OK\r\n\r\n", SipError::StartLine),
            ("SIP/2.0 99999 OK\r\n\r\n", SipError::StartLine),
            ("NOTIFY sip:a\r\n\r\n", SipError::StartLine),
            ("NOTIFY sip:a SIP/2.0\r\nVia: x\r\n", SipError::Unended),
            ("NOTIFY sip:a SIP/2.0\r\nContent-Length: 4\r\n\r\nabc", SipError::CutBody),
        ] {
            assert_eq!(Message::parse(text.as_bytes()).unwrap_err(), error, "{text:?}");
        }
        let many = format!("NOTIFY sip:a SIP/2.0\r\n{}\r\n", "X: y\r\n".repeat(65));
        assert_eq!(Message::parse(many.as_bytes()).unwrap_err(), SipError::TooManyHeaders);
        let long = vec![b'a'; MAX_DATAGRAM + 1];
        assert_eq!(Message::parse(&long).unwrap_err(), SipError::TooLong);
    }

    #[test]
    fn a_message_cut_anywhere_is_refused_or_read_without_a_panic() {
        let head = SUBSCRIBE.find("\r\n\r\n").unwrap() + 4;
        for end in 0..SUBSCRIBE.len() {
            let read = Message::parse(&SUBSCRIBE.as_bytes()[..end]);
            assert_eq!(read.is_ok(), end >= head + 3, "{end}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let _ = Message::parse(&bytes);
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0..SUBSCRIBE.len(), byte: u8) {
            let mut bytes = SUBSCRIBE.as_bytes().to_vec();
            bytes[at] = byte;
            if let Ok(message) = Message::parse(&bytes) {
                let _ = message.sequence();
            }
        }
    }
}
