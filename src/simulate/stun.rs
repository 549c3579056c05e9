//! The UDP side of a simulated device (TR-069 Annex G): it binds at its STUN
//! server, and is woken by datagrams to that very port.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ring::hmac;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::cpe::Cpe;
use super::listener::{Login, lock};
use super::model::{Check, Parameter};
use crate::device::Secret;
use crate::http::Target;
use crate::param::{Value, ValueType};
use crate::stun::{Kind, MAX_MESSAGE, Message, Padding, Transaction, Writer};

/// How long an answer is waited for before the request is sent again.
const AGAIN: Duration = Duration::from_millis(500);

/// The parameters below `ManagementServer.` that a device with STUN has more.
pub(super) fn parameters() -> Vec<(&'static str, Parameter)> {
    let text = || Parameter::writable(Value::string(""), Check::Length(256));
    let unsigned =
        |number, most| Parameter::writable(Value::unsigned(number), Check::Range(0, most));
    let longest = Value::new("-1", ValueType::Int);
    vec![
        ("UDPConnectionRequestAddress", Parameter::fixed(Value::string(""))),
        ("NATDetected", Parameter::fixed(Value::boolean(false))),
        ("STUNEnable", Parameter::writable(Value::boolean(false), Check::Any)),
        ("STUNServerAddress", text()),
        ("STUNServerPort", unsigned(3478, 65_535)),
        ("STUNUsername", text()),
        ("STUNPassword", Parameter::secret("")),
        ("STUNMaximumKeepAlivePeriod", Parameter::writable(longest, Check::Range(-1, 1 << 31))),
        ("STUNMinimumKeepAlivePeriod", unsigned(30, 1 << 31)),
    ]
}

/// How the STUN server sees the device.
pub(super) struct Bound {
    /// Where datagrams reach it.
    pub(super) address: SocketAddr,
    /// Whether that is not its own address.
    pub(super) nat: bool,
}

/// How a device is to use STUN.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    host: Box<str>,
    port: u16,
    username: Box<str>,
    password: Secret,
    keep_alive: Duration,
}

impl Wanted {
    /// What the device's parameters say; `None` if STUN is off.
    pub(super) fn of(cpe: &Cpe) -> Option<Self> {
        let own = |name: &str| cpe.own(&format!("ManagementServer.{name}"));
        if !matches!(own("STUNEnable"), "1" | "true") {
            return None;
        }
        let host = match own("STUNServerAddress") {
            // Empty: the ACS itself.
            "" => Target::parse(cpe.acs_url()).ok()?.host.to_string().into(),
            host => host.into(),
        };
        let seconds = own("STUNMinimumKeepAlivePeriod").parse().unwrap_or(30_u64);
        Some(Self {
            host,
            port: own("STUNServerPort").parse().ok()?,
            username: own("STUNUsername").into(),
            password: Secret::new(own("STUNPassword")),
            keep_alive: Duration::from_secs(seconds.max(1)),
        })
    }
}

/// Keeps one client running, as the device's parameters want it.
pub(super) struct StunClient {
    login: Login,
    bell: mpsc::Sender<()>,
    told: mpsc::Sender<Bound>,
    wanted: Option<Wanted>,
    running: Option<DropGuard>,
}

impl StunClient {
    pub(super) const fn new(
        login: Login,
        bell: mpsc::Sender<()>,
        told: mpsc::Sender<Bound>,
    ) -> Self {
        Self { login, bell, told, wanted: None, running: None }
    }

    /// Starts, stops or restarts the client if something has changed.
    pub(super) fn set(&mut self, wanted: Option<Wanted>) {
        if self.wanted == wanted {
            return;
        }
        self.wanted.clone_from(&wanted);
        self.running = wanted.map(|wanted| {
            let stop = CancellationToken::new();
            let mut binding = Binding {
                wanted,
                login: self.login.clone(),
                bell: self.bell.clone(),
                told: self.told.clone(),
                signed: false,
                transaction: None,
                last_id: 0,
            };
            let stopped = stop.clone();
            tokio::spawn(async move {
                // Without a socket or a server it is not woken by UDP, as a
                // real one would not be.
                let _ = stopped.run_until_cancelled(binding.run()).await;
            });
            stop.drop_guard()
        });
    }
}

/// One client on one port.
struct Binding {
    wanted: Wanted,
    login: Login,
    bell: mpsc::Sender<()>,
    told: mpsc::Sender<Bound>,
    /// The server has asked for the password.
    signed: bool,
    /// The request that is not answered yet.
    transaction: Option<Transaction>,
    last_id: u32,
}

impl Binding {
    async fn run(&mut self) -> std::io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        let at = (&*self.wanted.host, self.wanted.port);
        let server = tokio::net::lookup_host(at).await?.find(SocketAddr::is_ipv4);
        let server = server.ok_or(std::io::ErrorKind::NotFound)?;
        // The address from which datagrams to the server leave.
        let probe = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
        probe.connect(server).await?;
        let own = SocketAddr::new(probe.local_addr()?.ip(), socket.local_addr()?.port());
        let mut buffer = [0; MAX_MESSAGE];
        self.send(&socket, server).await;
        loop {
            let pause = if self.transaction.is_some() { AGAIN } else { self.wanted.keep_alive };
            tokio::select! {
                () = tokio::time::sleep(pause) => self.send(&socket, server).await,
                received = socket.recv_from(&mut buffer) => {
                    let Ok((length, _)) = received else { continue };
                    let datagram = buffer.get(..length).unwrap_or_default();
                    if self.take(datagram, own).await {
                        self.send(&socket, server).await;
                    }
                }
            }
        }
    }

    async fn send(&mut self, socket: &UdpSocket, server: SocketAddr) {
        let transaction =
            *self.transaction.get_or_insert_with(|| Transaction(*uuid::Uuid::new_v4().as_bytes()));
        let request = Writer::new(Kind::Request, transaction).connection_request_binding();
        let request = if self.signed {
            let password = self.wanted.password.expose().as_bytes();
            request.username(&self.wanted.username).sign(password, Padding::To64)
        } else {
            request.finish()
        };
        // Lost or not: it is sent again.
        let _ = socket.send_to(&request, server).await;
    }

    /// Takes a datagram; whether another request is to be sent at once.
    async fn take(&mut self, datagram: &[u8], own: SocketAddr) -> bool {
        if datagram.starts_with(b"GET ") {
            if self.is_request(datagram) {
                // A full bell has rung already: one session serves all.
                let _ = self.bell.try_send(());
            }
            return false;
        }
        let Ok(message) = Message::parse(datagram) else { return false };
        if Some(message.transaction) != self.transaction {
            return false;
        }
        self.transaction = None;
        match (message.kind, message.error_code(), message.mapped_address()) {
            (Kind::Error, Some(401), _) if !self.signed => {
                self.signed = true;
                true
            }
            (Kind::Response, _, Some(address)) => {
                let _ = self.told.send(Bound { address, nat: address != own }).await;
                false
            }
            _ => false,
        }
    }

    /// Whether a datagram is a connection request that was not taken yet.
    fn is_request(&mut self, datagram: &[u8]) -> bool {
        let Some((username, password)) = lock(&self.login).clone() else { return false };
        let Some(asked) = Asked::parse(datagram) else { return false };
        let right = asked.username == *username && asked.is_signed(&password);
        if !right || asked.id <= self.last_id {
            return false;
        }
        self.last_id = asked.id;
        true
    }
}

/// What a UDP connection request says.
struct Asked {
    stamp: String,
    id: u32,
    username: String,
    cnonce: String,
    signature: String,
}

impl Asked {
    fn parse(datagram: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        let uri = text.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
        let query = uri.split_once('?')?.1;
        let argument = |name: &str| {
            let pair = query.split('&').filter_map(|pair| pair.split_once('='));
            pair.into_iter().find_map(|(key, value)| (key == name).then(|| decoded(value)))?
        };
        Some(Self {
            stamp: argument("ts")?,
            id: argument("id")?.parse().ok()?,
            username: argument("un")?,
            cnonce: argument("cn")?,
            signature: argument("sig")?,
        })
    }

    fn is_signed(&self, password: &Secret) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
        let text = format!("{}{}{}{}", self.stamp, self.id, self.username, self.cnonce);
        let shown = hex::decode(&self.signature).unwrap_or_default();
        hmac::verify(&key, text.as_bytes(), &shown).is_ok()
    }
}

/// A value of a query without its percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let (digits, after) = after.split_first_chunk::<2>()?;
            bytes.extend(hex::decode(digits).ok()?);
            rest = after;
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t18_the_vector_of_annex_g_is_let_in() {
        let signature = "d52183fc01c45664f5642048fb203c14930990c1";
        let datagram = |signature: &str| {
            format!(
                "GET http://203.0.113.7:41000?ts=1700000000&id=77&un=cr%55ser&cn=4f1c9a7be0d3&sig=\
                 {signature} HTTP/1.1\r\nHost: 203.0.113.7:41000\r\n\r\n"
            )
        };
        for signature in [signature.to_owned(), signature.to_uppercase()] {
            let asked = Asked::parse(datagram(&signature).as_bytes()).unwrap();
            assert_eq!((asked.id, &*asked.username), (77, "crUser"));
            assert!(asked.is_signed(&Secret::new("crPass")));
            assert!(!asked.is_signed(&Secret::new("other")));
        }
        let asked = Asked::parse(datagram("00").as_bytes()).unwrap();
        assert!(!asked.is_signed(&Secret::new("crPass")));
        assert!(Asked::parse(b"GET http://a?ts=1&id=x&un=u&cn=c&sig=s HTTP/1.1").is_none());
    }
}
