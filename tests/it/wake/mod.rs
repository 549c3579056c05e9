//! Tests of `wake` from outside: real sockets, devices that behave and devices
//! that do not.

mod hostile;
mod plain;
mod udp;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use provost::config::{StoreConfig, StunConfig};
use provost::device::{Credentials, Device, DeviceId, DeviceIdentity, Secret, Stage};
use provost::param::{ParamPath, Value};
use provost::store::{self, Batch, Record, Store, Vault};
use provost::time::{Clock, ManualClock, Timestamp};
use provost::wake::{StunDoor, WakeError, Waker, WakerDeps, Way, Woken, XmppAsk};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::stun::Stun;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A store, a vault and a waker over them.
struct House {
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<ManualClock>,
    waker: Arc<Waker>,
}

impl House {
    fn new(allow: &[&str]) -> Self {
        let store = store::memory(&StoreConfig::default());
        let vault = Vault::ephemeral();
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_205_100_000)));
        let allow: Vec<_> = allow.iter().map(|network| network.parse().unwrap()).collect();
        let deps = WakerDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            allow: allow.into(),
            basic: false,
            udp: None,
            xmpp: None,
        };
        let waker = Arc::new(Waker::new(deps));
        Self { store, vault, clock, waker }
    }

    /// Gives the waker other ways than HTTP.
    fn with_ways(&mut self, udp: Option<Arc<StunDoor>>, xmpp: Option<Arc<dyn XmppAsk>>) {
        self.waker = Arc::new(Waker::new(WakerDeps {
            store: Arc::clone(&self.store),
            vault: Arc::clone(&self.vault),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            allow: Vec::new().into(),
            basic: true,
            udp,
            xmpp,
        }));
    }

    /// Gives the waker a STUN server.
    fn with_stun(&mut self, config: &StunConfig) -> Stun {
        let stun = Stun::with_clock(config, &self.vault, Arc::clone(&self.clock));
        self.with_ways(Some(Arc::clone(&stun.door)), None);
        stun
    }

    /// What the device has told below `ManagementServer.`.
    async fn tells(&self, id: &DeviceId, name: &str, text: &str) {
        let mut tree = self.store.tree(id).await.unwrap().unwrap_or_default();
        let path = ParamPath::parse(&format!("Device.ManagementServer.{name}")).unwrap();
        tree.learn_value(&path, Value::string(text), self.clock.now());
        self.store.commit(Batch::from(Record::Tree(id.clone(), Arc::new(tree)))).await.unwrap();
    }

    /// Puts a device into the store that called from `address`.
    async fn device(&self, url: &str, address: IpAddr) -> DeviceId {
        let identity = DeviceIdentity::new("Provost", "00D09E", "", "1").unwrap();
        let (id, now) = (identity.id(), Timestamp::from_millis(1_795_205_100_000));
        let device = Device {
            root: "Device.".into(),
            namespace: "urn:dslforum-org:cwmp-1-0".into(),
            address: Some(address),
            connection_request_url: url.into(),
            software_version: "1".into(),
            hardware_version: "1".into(),
            sessions: 1,
            ..Device::new(identity, now)
        };
        self.store.commit(Batch::from(Record::Device(Box::new(device)))).await.unwrap();
        id
    }

    /// The device informs now.
    async fn informs(&self, id: &DeviceId) {
        let mut device = self.store.device(id).await.unwrap().unwrap();
        device.last_inform = self.clock.now();
        device.sessions += 1;
        self.store.commit(Batch::from(Record::Device(Box::new(device)))).await.unwrap();
    }

    /// Gives the device credentials.
    async fn credentials(&self, id: &DeviceId, username: &str, password: &str) {
        let sealed = self.vault.seal(&Secret::new(password));
        let credentials = Credentials {
            device: id.clone(),
            username: "acs".into(),
            password: sealed.clone(),
            connection_request_username: username.into(),
            connection_request_password: sealed,
            stage: Stage::Confirmed,
            made_at: Timestamp::from_millis(0),
            offers: 0,
        };
        self.store.commit(Batch::from(Record::Credentials(Box::new(credentials)))).await.unwrap();
    }
}

/// A device that answers request after request with the next of its answers,
/// closes where the answer says so, and resets where it is empty.
#[derive(Clone)]
struct Scripted {
    at: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn new(answers: &[&str]) -> Self {
        let listener = TcpListener::bind((LOCAL, 0)).await.unwrap();
        let this = Self { at: listener.local_addr().unwrap(), heard: Arc::default() };
        let heard = Arc::clone(&this.heard);
        let mut answers: std::collections::VecDeque<String> =
            answers.iter().map(|answer| (*answer).to_owned()).collect();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                while let Some(request) = request(&mut stream).await {
                    heard.lock().unwrap().push(request);
                    let answer = answers.pop_front().unwrap_or_default();
                    let _ = stream.write_all(answer.as_bytes()).await;
                    if answer.is_empty() || answer.contains("Connection: close") {
                        break;
                    }
                }
            }
        });
        this
    }

    fn url(&self) -> String {
        format!("http://{}/wake?a=1", self.at)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// Reads the head of a request.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut heard).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(heard).ok()
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const CHALLENGE: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\
    WWW-Authenticate: Digest realm=\"cpe\", nonce=\"abc\", qop=\"auth\"\r\n\r\n";

/// One wake of a scripted device with credentials; what came of it, and what
/// the device heard.
async fn wake(answers: &[&str]) -> (Result<Woken, WakeError>, Vec<String>) {
    let house = House::new(&[]);
    let scripted = Scripted::new(answers).await;
    let id = house.device(&scripted.url(), LOCAL).await;
    house.credentials(&id, "cr", "secret").await;
    let outcome = house.waker.wake(&id).await;
    (outcome, scripted.heard())
}
