//! One stream to a server: bytes in, bytes and events out.

mod login;
mod online;

use std::time::Duration;

use ring::hmac;

use login::Login;
use online::Online;

use super::element::{Element, attribute};
use super::error::XmppError;
use super::jid::Jid;
use super::ns;
use super::reader::{Frame, StreamReader};
use super::request::{Answer, ConnectionRequest, Refusal};
use crate::device::Secret;
use crate::time::Timestamp;

/// How long a stream may take to come about.
const LOGIN_WITHIN: Duration = Duration::from_secs(30);

/// How a stream is kept from being read by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It begins in clear text and turns to TLS at once (RFC 6120 §5); if the
    /// server does not, nothing is shown to it.
    StartTls,
    /// It is in TLS from the first byte on (XEP-0368), or needs none: whoever
    /// made the connection has seen to it.
    Given,
    /// It stays in clear text.
    Clear,
}

/// Who connects, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account; with a resource, that one is asked for.
    pub jid: Jid,
    /// Its password, of printable ASCII characters.
    pub password: Secret,
    /// How the stream is secured.
    pub security: Security,
    /// Whether the password may be shown to the server where it offers nothing
    /// better (PLAIN); never in clear text.
    pub plain: bool,
    /// Whether connection requests are answered: on a device.
    pub wakeable: bool,
}

/// What happened on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What was put out is to be sent; then the stream is to be turned to TLS, and
    /// [`Connection::secured`] called.
    Secure,
    /// The stream has come about, under this address.
    Online(Jid),
    /// A connection request was answered.
    Answered {
        /// What [`Connection::ask`] gave for it.
        ticket: u64,
        /// What came back.
        answer: Answer,
    },
    /// A connection request came: to be answered by [`Connection::answer`].
    Asked(ConnectionRequest),
    /// The stream is over; what was put out may still be sent.
    Ended(XmppError),
}

/// Where a stream stands.
enum State {
    /// TLS is to be begun.
    Securing,
    /// It is coming about.
    Login(Login),
    /// It has come about.
    Online(Online),
    /// It is over.
    Ended,
}

/// A stream.
pub struct Connection {
    settings: Settings,
    state: State,
    reader: StreamReader,
    out: String,
    events: Vec<Event>,
    /// When it must have come about.
    deadline: Timestamp,
    /// Makes ids that nobody can guess.
    ids: Ids,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.settings.jid)
    }
}

/// Ids and nonces that differ and cannot be guessed.
struct Ids {
    key: hmac::Key,
    count: u64,
}

impl Ids {
    fn next(&mut self) -> String {
        self.count = self.count.wrapping_add(1);
        let tag = hmac::sign(&self.key, &self.count.to_be_bytes());
        hex::encode(tag.as_ref().get(..12).unwrap_or_default())
    }
}

impl Connection {
    /// A stream over a connection that was just made; its first bytes are there
    /// to be sent. `random` was never used before.
    ///
    /// # Errors
    /// [`XmppError::Password`].
    pub fn new(settings: Settings, random: &[u8; 32], now: Timestamp) -> Result<Self, XmppError> {
        // What SASLprep would leave as it is (RFC 4013).
        let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let password = settings.password.expose();
        if password.is_empty() || !password.bytes().all(plain) {
            return Err(XmppError::Password);
        }
        let secured = settings.security == Security::Given;
        let mut connection = Self {
            state: State::Login(Login::new(secured)),
            settings,
            reader: StreamReader::default(),
            out: String::new(),
            events: Vec::new(),
            deadline: now.after(LOGIN_WITHIN),
            ids: Ids { key: hmac::Key::new(hmac::HMAC_SHA256, random), count: 0 },
        };
        connection.open_stream(secured);
        Ok(connection)
    }

    /// Takes bytes that came from the server.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) {
        if matches!(self.state, State::Ended | State::Securing) {
            // What comes in clear text behind the word that TLS begins is nobody's.
            return;
        }
        if let State::Online(online) = &mut self.state {
            online.heard(now);
        }
        self.reader.feed(bytes);
        loop {
            let read = self.reader.read_frame();
            let taken = match read {
                Ok(None) => return,
                Ok(Some(frame)) => self.take(frame, now),
                Err(problem) => Err(problem.into()),
            };
            if let Err(error) = taken {
                self.end(error);
            }
            if matches!(self.state, State::Ended | State::Securing) {
                return;
            }
        }
    }

    /// The stream is in TLS now: after [`Event::Secure`].
    pub fn secured(&mut self) {
        if matches!(self.state, State::Securing) {
            self.reader = StreamReader::default();
            self.state = State::Login(Login::new(true));
            self.open_stream(true);
        }
    }

    /// The connection below the stream is gone.
    pub fn lost(&mut self) {
        self.end(XmppError::Closed);
    }

    /// Says goodbye.
    pub fn close(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.out.push_str("</stream:stream>");
            self.end(XmppError::Closed);
        }
    }

    /// Sends a connection request; an [`Event::Answered`] with the same number
    /// follows in any case, within 30 seconds. `None` while the stream has not
    /// come about, or 1,000 requests are under way.
    pub fn ask(
        &mut self,
        to: &Jid,
        username: &str,
        password: &Secret,
        now: Timestamp,
    ) -> Option<u64> {
        match &mut self.state {
            State::Online(online) => {
                let payload = ConnectionRequest::payload(username, password);
                online.ask(to, payload, &mut self.ids, &mut self.out, now)
            }
            _ => None,
        }
    }

    /// Answers a connection request.
    pub fn answer(&mut self, request: &ConnectionRequest, outcome: Result<(), Refusal>) {
        if matches!(self.state, State::Online(_)) {
            request.reply(outcome).write(&mut self.out);
        }
    }

    /// When [`Self::tick`] is to be called if nothing happens before; `None` when
    /// the stream is over.
    pub fn due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Securing | State::Login(_) => Some(self.deadline),
            State::Online(online) => Some(online.due()),
            State::Ended => None,
        }
    }

    /// Does what is due: gives up requests and streams that are silent, and asks
    /// the server whether it is still there.
    pub fn tick(&mut self, now: Timestamp) {
        let silent = match &mut self.state {
            State::Securing | State::Login(_) => now >= self.deadline,
            State::Online(online) => online.tick(
                self.settings.jid.domain(),
                &mut self.ids,
                &mut self.out,
                &mut self.events,
                now,
            ),
            State::Ended => false,
        };
        if silent {
            self.end(XmppError::Silent);
        }
    }

    /// The bytes to be sent to the server.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out).into_bytes()
    }

    /// What happened since this was last asked.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn take(&mut self, frame: Frame, now: Timestamp) -> Result<(), XmppError> {
        match frame {
            Frame::Close => Err(XmppError::Closed),
            Frame::Stanza(stanza) if stanza.is("error", ns::STREAM) => Err(stream_error(&stanza)),
            Frame::Open(header) => match &mut self.state {
                State::Login(login) => login.opened(&header),
                _ => Err(unexpected(&header)),
            },
            Frame::Stanza(stanza) => match &mut self.state {
                State::Login(login) => {
                    let step = login.take(&stanza, &self.settings, &mut self.ids, &mut self.out)?;
                    self.stepped(step, now);
                    Ok(())
                }
                State::Online(online) => {
                    let (out, events) = (&mut self.out, &mut self.events);
                    online.take(&stanza, self.settings.wakeable, &mut self.ids, out, events);
                    Ok(())
                }
                State::Securing | State::Ended => Ok(()),
            },
        }
    }

    fn stepped(&mut self, step: login::Step, now: Timestamp) {
        match step {
            login::Step::Wait => {}
            login::Step::Secure => {
                self.state = State::Securing;
                self.events.push(Event::Secure);
            }
            login::Step::Restart => {
                self.reader = StreamReader::default();
                self.open_stream(self.settings.security != Security::Clear);
            }
            login::Step::Done(jid) => {
                self.state = State::Online(Online::new(now));
                self.events.push(Event::Online(jid));
            }
        }
    }

    /// Begins a stream. Who we are is told only where nobody else can read it.
    fn open_stream(&mut self, secured: bool) {
        self.out.push_str("<?xml version=\"1.0\"?><stream:stream");
        if secured {
            attribute("from", &self.settings.jid.bare().to_string(), &mut self.out);
        }
        attribute("to", self.settings.jid.domain(), &mut self.out);
        for (name, value) in [
            ("version", "1.0"),
            ("xml:lang", "en"),
            ("xmlns", ns::CLIENT),
            ("xmlns:stream", ns::STREAM),
        ] {
            attribute(name, value, &mut self.out);
        }
        self.out.push('>');
    }

    fn end(&mut self, error: XmppError) {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return,
            State::Online(online) => online.abandon(&mut self.events),
            State::Securing | State::Login(_) => {}
        }
        if let XmppError::Xml(_) = error {
            self.out.push_str(
                "<stream:error><not-well-formed xmlns=\"urn:ietf:params:xml:ns:xmpp-streams\"/>\
                 </stream:error></stream:stream>",
            );
        }
        self.events.push(Event::Ended(error));
    }
}

/// What a stream error says (RFC 6120 §4.9).
fn stream_error(stanza: &Element) -> XmppError {
    let named = stanza.children.iter().find(|child| *child.namespace == *ns::STREAMS);
    match named.map_or("undefined-condition", |child| &*child.name) {
        "conflict" => XmppError::Conflict,
        other => XmppError::Stream(word(other)),
    }
}

fn unexpected(element: &Element) -> XmppError {
    XmppError::Unexpected(word(&element.name))
}

/// A word of the server, cut to a length that can be shown.
fn word(text: &str) -> Box<str> {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests;
