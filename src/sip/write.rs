//! Writing a message.

/// Writes one message: a first line, headers, a body with its exact length.
///
/// Control characters in values become nothing, so that a value that came from
/// outside cannot become a line of its own.
#[derive(Clone, Debug)]
pub struct Writer(String);

impl Writer {
    /// A request.
    pub fn request(method: &str, uri: &str) -> Self {
        let mut writer = Self(String::with_capacity(600));
        writer.push(method);
        writer.0.push(' ');
        writer.push(uri);
        writer.0.push_str(" SIP/2.0\r\n");
        writer
    }

    /// A response.
    pub fn response(code: u16, reason: &str) -> Self {
        let mut writer = Self(format!("SIP/2.0 {code} "));
        writer.push(reason);
        writer.0.push_str("\r\n");
        writer
    }

    /// One header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.push(name);
        self.0.push_str(": ");
        self.push(value);
        self.0.push_str("\r\n");
        self
    }

    /// The message; a body has its type named before its length.
    pub fn end(self, body: Option<(&str, &[u8])>) -> Vec<u8> {
        let (writer, body) = match body {
            Some((media, body)) => (self.header("Content-Type", media), body),
            None => (self, &[][..]),
        };
        let mut bytes = writer.header("Content-Length", &body.len().to_string()).0.into_bytes();
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        bytes
    }

    fn push(&mut self, text: &str) {
        self.0.extend(text.chars().filter(|character| !character.is_control()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::{Message, Start};

    #[test]
    fn a_message_is_written_to_the_byte() {
        let bytes = Writer::request("NOTIFY", "sip:1@192.0.2.7:5060")
            .header("Event", "check-sync;reboot=true")
            .end(Some(("application/url", b"http://a/b")));
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "NOTIFY sip:1@192.0.2.7:5060 SIP/2.0\r\nEvent: check-sync;reboot=true\r\n\
             Content-Type: application/url\r\nContent-Length: 10\r\n\r\nhttp://a/b"
        );
        let bytes = Writer::response(200, "OK").end(None);
        assert_eq!(bytes, b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back_as_one_header(value in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            let bytes = Writer::request("NOTIFY", "sip:a").header("X", &value).end(None);
            let message = Message::parse(&bytes).unwrap();
            proptest::prop_assert_eq!(message.start, Start::Request { method: "NOTIFY", uri: "sip:a" });
            let clean: String = value.chars().filter(|c| !c.is_control()).collect();
            proptest::prop_assert_eq!(message.header("X"), Some(clean.trim()));
            proptest::prop_assert_eq!(message.header("Content-Length"), Some("0"));
        }
    }
}
