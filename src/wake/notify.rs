//! Telling a phone by SIP NOTIFY that its configuration changed
//! (`Event: check-sync`), out of any dialog and over UDP.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::device::Secret;
use crate::http::DigestClient;
use crate::sip::{MAX_DATAGRAM, Message, Resend, Start, Writer};

/// How long to wait for a phone before it counts as silent.
pub const NOTIFY_WITHIN: Duration = Duration::from_secs(4);

/// The longest that [`notify`] takes, whatever it is asked (timer F of RFC 3261
/// §17.1.2.2).
const AT_MOST: Duration = Duration::from_secs(32);

/// What to tell a phone.
#[derive(Clone, Debug)]
pub struct NotifyRequest {
    /// The user that the phone registers as; may be empty.
    pub user: Box<str>,
    /// The Event header: `check-sync`, or `check-sync;reboot=true`, as the
    /// phone's vendor wants it.
    pub event: Box<str>,
    /// User and password for a phone that asks for them.
    pub credentials: Option<(Box<str>, Secret)>,
    /// Who sends it, a SIP URI: some phones compare its host with their
    /// registrar's. Empty: `sip:provost@` and our own address.
    pub from_uri: Box<str>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotifyOutcome {
    /// The phone took it, with this code of 200 to 299. Whether it then
    /// fetches is seen at the doors.
    Accepted(u16),
    /// The phone asks for credentials and none are known, or its challenge is
    /// none that can be answered.
    NeedsCredentials(u16),
    /// The phone does not take the credentials.
    WrongCredentials(u16),
    /// The phone refused, with this code and reason.
    Refused(u16, Box<str>),
    /// There is nobody at that address; why, in words.
    Unreachable(Box<str>),
    /// Nothing came back in time.
    TimedOut,
}

impl fmt::Display for NotifyOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted(code) => write!(f, "the phone took it ({code})"),
            Self::NeedsCredentials(code) => {
                write!(f, "the phone asks for credentials that are not known ({code})")
            }
            Self::WrongCredentials(code) => {
                write!(f, "the phone does not take the credentials ({code})")
            }
            Self::Refused(code, reason) => write!(f, "the phone refused: {code} {reason}"),
            Self::Unreachable(why) => write!(f, "the phone cannot be reached: {why}"),
            Self::TimedOut => f.write_str("the phone did not answer"),
        }
    }
}

/// Sends a NOTIFY to a phone and waits for what it says, `within` that time and
/// 32 seconds at most; answers one Digest challenge.
///
/// The address must be one that the phone is known to be at: one datagram of
/// some 400 bytes goes there up to four times in four seconds. The socket takes
/// answers from that address and port only.
pub async fn notify(target: SocketAddr, request: NotifyRequest, within: Duration) -> NotifyOutcome {
    let until = Instant::now() + within.min(AT_MOST);
    match Client::open(target, request).await {
        Ok(client) => client.run(until).await,
        Err(error) => NotifyOutcome::Unreachable(error.to_string().into()),
    }
}

struct Client {
    socket: UdpSocket,
    local: SocketAddr,
    uri: String,
    request: NotifyRequest,
    /// Random, for Call-ID, tag and branch.
    seed: String,
}

impl Client {
    async fn open(target: SocketAddr, request: NotifyRequest) -> io::Result<Self> {
        let any: SocketAddr = match target {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(target).await?;
        let local = socket.local_addr()?;
        let user = match &*request.user {
            "" => String::new(),
            user => format!("{}@", escaped(user)),
        };
        let seed = random()?;
        Ok(Self { socket, local, uri: format!("sip:{user}{target}"), request, seed })
    }

    async fn run(&self, until: Instant) -> NotifyOutcome {
        match self.ask(1, None, until).await {
            Ok(Answer { code, challenges, .. }) if matches!(code, 401 | 407) => {
                let Some(credentials) = self.answer(code, &challenges) else {
                    return NotifyOutcome::NeedsCredentials(code);
                };
                match self.ask(2, Some(credentials), until).await {
                    Ok(Answer { code, .. }) if matches!(code, 401 | 407) => {
                        NotifyOutcome::WrongCredentials(code)
                    }
                    Ok(answer) => answer.verdict(),
                    Err(failure) => failure,
                }
            }
            Ok(answer) => answer.verdict(),
            Err(failure) => failure,
        }
    }

    /// The header that answers a challenge.
    fn answer(&self, code: u16, challenges: &[Box<str>]) -> Option<(&'static str, String)> {
        let (user, password) = self.request.credentials.as_ref()?;
        let challenges: Vec<&str> = challenges.iter().map(|text| &**text).collect();
        let cnonce = random().ok()?;
        let value =
            DigestClient::answer(&challenges, "NOTIFY", &self.uri, user, password, &cnonce, 1)?;
        let name = if code == 401 { "Authorization" } else { "Proxy-Authorization" };
        Some((name, value))
    }

    /// One transaction: sends, sends again, and waits for the final answer.
    async fn ask(
        &self,
        sequence: u32,
        credentials: Option<(&'static str, String)>,
        until: Instant,
    ) -> Result<Answer, NotifyOutcome> {
        let datagram = self.write(sequence, credentials);
        let unreachable = |error: io::Error| NotifyOutcome::Unreachable(error.to_string().into());
        let mut resend = Resend::default();
        let mut buffer = [0; MAX_DATAGRAM];
        while Instant::now() < until {
            self.socket.send(&datagram).await.map_err(unreachable)?;
            let pause = Instant::now() + resend.pause();
            let wait = pause.min(until);
            while let Ok(received) = timeout_at(wait, self.socket.recv(&mut buffer)).await {
                let length = received.map_err(unreachable)?;
                let received = buffer.get(..length).unwrap_or_default();
                match Answer::read(received, &self.call_id(), sequence) {
                    Some(answer) if answer.code >= 200 => return Ok(answer),
                    Some(_) => resend.proceeding(),
                    None => {}
                }
            }
        }
        Err(NotifyOutcome::TimedOut)
    }

    fn write(&self, sequence: u32, credentials: Option<(&'static str, String)>) -> Vec<u8> {
        let Self { local, seed, uri, .. } = self;
        let via = format!("SIP/2.0/UDP {local};branch=z9hG4bK{seed}{sequence};rport");
        let from = match &*self.request.from_uri {
            "" => format!("<sip:provost@{local}>;tag={seed}"),
            uri => format!("<{uri}>;tag={seed}"),
        };
        let mut writer = Writer::request("NOTIFY", uri)
            .header("Via", &via)
            .header("Max-Forwards", "70")
            .header("From", &from)
            .header("To", &format!("<{uri}>"))
            .header("Call-ID", &self.call_id())
            .header("CSeq", &format!("{sequence} NOTIFY"))
            .header("Contact", &format!("<sip:provost@{local}>"))
            .header("Event", &self.request.event)
            .header("Subscription-State", "terminated;reason=noresource")
            .header("User-Agent", "Provost");
        if let Some((name, value)) = credentials {
            writer = writer.header(name, &value);
        }
        writer.end(None)
    }

    fn call_id(&self) -> String {
        format!("{}@{}", self.seed, self.local.ip())
    }
}

struct Answer {
    code: u16,
    reason: Box<str>,
    challenges: Vec<Box<str>>,
}

impl Answer {
    /// An answer to our request of this number; `None` for anything else.
    fn read(datagram: &[u8], call_id: &str, sequence: u32) -> Option<Self> {
        let message = Message::parse(datagram).ok()?;
        let Start::Response { code, reason } = message.start else { return None };
        let ours = message.header("Call-ID") == Some(call_id)
            && message.sequence().is_some_and(|(number, _)| number == sequence);
        let challenge = if code == 407 { "Proxy-Authenticate" } else { "WWW-Authenticate" };
        ours.then(|| Self {
            code,
            reason: reason.chars().filter(|c| !c.is_control()).take(100).collect(),
            challenges: message.headers(challenge).map(Into::into).collect(),
        })
    }

    fn verdict(self) -> NotifyOutcome {
        match self.code {
            200..=299 => NotifyOutcome::Accepted(self.code),
            code => NotifyOutcome::Refused(code, self.reason),
        }
    }
}

/// A user part in which everything but letters, digits and the marks of RFC
/// 3261 §25.1 is percent-encoded.
fn escaped(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn random() -> io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests;
