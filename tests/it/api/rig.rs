//! A northbound on a free port, with everything behind it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request};
use bytes::Bytes;
use http_body_util::Full;
use provost::api::tokens::Tokens;
use provost::api::{Api, ApiDeps, Readiness, ReloadBell, ReloadResult, Reloaded};
use provost::campaign::{Campaigns, CampaignsDeps};
use provost::config::Config;
use provost::device::{
    Decision, Device, DeviceId, DeviceIdentity, EventCode, Learned, Lessons, Stranger, Vouched,
};
use provost::files::Shelf;
use provost::find::Finder;
use provost::fleet::Fleet;
use provost::gate::{Lodging, Strangers};
use provost::herald::{Hub, Pace, Webhooks, WebhooksDeps};
use provost::http::{ClientConnection, Door, Host, read_limited};
use provost::keyring::Keyring;
use provost::ledger::Ledger;
use provost::provision::{PhoneLinks, SiteLinks};
use provost::store::{Batch, Record, Store, Vault};
use provost::supply::{Bases, Supply, SupplyDeps};
use provost::time::{ManualClock, Timestamp};
use provost::trace::Traces;
use provost::wake::{Waker, WakerDeps};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The token of every rig.
pub(crate) const TOKEN: &str = "pv_a-token-of-the-tests-only-0123456789abcd";

/// The time of every rig.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_205_100_000);

pub(crate) struct Rig {
    pub(crate) data: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) strangers: Arc<Strangers>,
    pub(crate) stop: CancellationToken,
    pub(crate) address: SocketAddr,
    _stop_at_the_end: DropGuard,
}

/// What a request was answered with.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The reason phrase, if it is not the usual one.
    pub(crate) reason: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// Settings that never change.
fn reloads_nothing() -> ReloadBell {
    let (bell, mut asked): (ReloadBell, _) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            let _: Result<(), ReloadResult> = answer.send(Ok(Reloaded::default()));
        }
    });
    bell
}

impl Rig {
    pub(crate) fn open() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let vault = Vault::ephemeral();
        let store = provost::store::memory_sealed(&config.store, Arc::clone(&vault));
        Self::over(config, store, vault)
    }

    /// Ends what goes on by itself, as a server that is stopped does.
    pub(crate) async fn end(&self) {
        self.stop.cancel();
        // Each task of this thread is polled once a turn, and sees that it is to end.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Another server over what this one left.
    pub(crate) fn restart(&self) -> Self {
        Self::over(Config::default(), Arc::clone(&self.store), Arc::clone(&self.vault))
    }

    #[allow(clippy::too_many_lines, reason = "every room of the house is built once")]
    fn over(config: Config, store: Arc<dyn Store>, vault: Arc<Vault>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let waker = Waker::new(WakerDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            clock: clock.clone(),
            allow: Vec::new().into(),
            basic: false,
            udp: None,
            xmpp: None,
        });
        let waker = Arc::new(waker);
        let campaigns = Campaigns::new(CampaignsDeps {
            store: Arc::clone(&store),
            clock: clock.clone(),
            config: config.campaigns.clone().into(),
            waker: waker.clone(),
        });
        let shelf = Shelf::open(data.path(), config.files.quota).unwrap();
        let supply = Supply::new(SupplyDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            shelf: Arc::clone(&shelf),
            phone_links: PhoneLinks::new(vault.derive("phone links")),
            site_links: SiteLinks::new(vault.derive("site links")),
            clock: clock.clone(),
            phones: config.phones.clone(),
            templates: Arc::default(),
            bases: Bases {
                http: "http://phones.example.net".to_owned(),
                https: "https://phones.example.net".to_owned(),
                prefer_https: false,
            },
            acs: Arc::new(|_| None),
        });
        let supply = Arc::new(supply.unwrap());
        let limits = config.limits.clone();
        let strangers = Arc::new(Strangers::new(Arc::clone(&store), &config.admission));
        let tokens = Tokens::over(Arc::clone(&store), clock.clone(), TOKEN);
        store.accompany(Ledger::new(clock.clone()));
        let finder = Finder::new(Arc::clone(&store), clock.clone());
        let stop = CancellationToken::new();
        let (hub, webhooks) = herald(&store, &vault, &clock, &config, &stop);
        let keys = Keyring::new(Arc::clone(&store), Arc::clone(&vault));
        let api = Api::new(ApiDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            shelf,
            waker,
            campaigns,
            clock: clock.clone(),
            config: config.into(),
            data: data.path().to_owned(),
            supply,
            traces: Traces::off(Arc::clone(&store)),
            fleet: Fleet::new(Arc::clone(&store), &vault, Learned::assumed(64, 64)),
            strangers: Arc::clone(&strangers),
            finder,
            hub: Arc::clone(&hub),
            webhooks,
            keys: Arc::clone(&keys),
            tokens,
            ready: Readiness::default(),
            reload: reloads_nothing(),
        });
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let door = Door::bind("northbound", at, &limits, None).unwrap();
        let address = door.local_addr();
        let api = Arc::new(api);
        tokio::spawn(api.clone().keep_up(stop.clone()));
        tokio::spawn(door.serve(api, stop.clone()));
        Self {
            data,
            store,
            vault,
            keys,
            strangers,
            clock,
            address,
            _stop_at_the_end: stop.clone().drop_guard(),
            stop,
        }
    }

    pub(crate) async fn put(&self, record: Record) {
        self.store.commit(record.into()).await.unwrap();
    }

    pub(crate) async fn put_devices(&self, devices: impl IntoIterator<Item = Device>) {
        let mut batch = Batch::new();
        for device in devices {
            batch.put(Record::Device(Box::new(device)));
        }
        self.store.commit(batch).await.unwrap();
    }

    /// An unknown device that waits.
    pub(crate) async fn put_stranger(&self, serial: &str) {
        let device = device(serial);
        let stranger = Stranger {
            device: device.id,
            identity: device.identity,
            vouched: Vouched::Shared,
            software_version: "1.0".into(),
            address: Ipv4Addr::LOCALHOST.into(),
            first_seen: NOW,
            last_seen: NOW,
            decision: Decision::Waiting,
        };
        assert_eq!(self.strangers.wait(None, stranger).await.unwrap(), Lodging::Waits);
    }

    /// `GET` with the token; the path begins behind `/api/v1`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put_json(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let bytes = body.map(|body| body.to_string()).unwrap_or_default();
        self.raw(method, &format!("/api/v1{path}"), &[], bytes).await
    }

    /// A request with the token and further headers.
    pub(crate) async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.bare(method, path, &all, body).await
    }

    /// A request with these headers and no others.
    pub(crate) async fn bare(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.exchange(&self.address.to_string(), method, path, headers, body).await
    }

    /// A request for a host of this name.
    pub(crate) async fn named(
        &self,
        name: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.exchange(name, method, path, headers, "").await
    }

    async fn exchange(
        &self,
        name: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let host = Host::Address(self.address.ip());
        let patience = Duration::from_secs(10);
        let mut connection =
            ClientConnection::connect(&host, self.address.port(), None, patience).await.unwrap();
        let mut request = Request::builder().method(method).uri(path).header("host", name);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = connection.send(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = read_limited(body, 64 << 20).await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let reason = parts.extensions.get::<hyper::ext::ReasonPhrase>();
        Answer {
            status: parts.status.as_u16(),
            reason: reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned()),
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }
}

/// Those who tell others, at work until `stop`.
fn herald(
    store: &Arc<dyn Store>,
    vault: &Arc<Vault>,
    clock: &Arc<ManualClock>,
    config: &Config,
    stop: &CancellationToken,
) -> (Arc<Hub>, Arc<Webhooks>) {
    let hub = Hub::new(Arc::clone(store), vault.derive("event ids"), config.events.clone());
    let deps = WebhooksDeps {
        store: Arc::clone(store),
        vault: Arc::clone(vault),
        clock: clock.clone(),
        hub: Arc::clone(&hub),
        config: config.webhooks.clone().into(),
    };
    let pace = Pace { first: Duration::from_millis(2), most: Duration::from_millis(20) };
    let webhooks = Webhooks::at_pace(deps, pace).unwrap();
    tokio::spawn(Arc::clone(&hub).run(stop.clone()));
    tokio::spawn(Arc::clone(&webhooks).run(stop.clone()));
    (hub, webhooks)
}

/// A device of a serial number.
pub(crate) fn device(serial: &str) -> Device {
    let identity = DeviceIdentity::new("Example", "00D09E", "HG-100", serial).unwrap();
    Device {
        settlement: provost::device::Settlement::default(),
        id: identity.id(),
        identity,
        root: "Device.".into(),
        namespace: "urn:dslforum-org:cwmp-1-2".into(),
        first_seen: NOW,
        last_inform: NOW,
        last_boot: None,
        last_bootstrap: Some(NOW),
        last_events: vec![EventCode::Bootstrap],
        address: Some(Ipv4Addr::LOCALHOST.into()),
        connection_request_url: "".into(),
        software_version: "1.0".into(),
        hardware_version: "A".into(),
        provisioning_code: "".into(),
        inform_hash: 0,
        tree_read_at: Some(NOW),
        parameter_count: 0,
        sessions: 1,
        lessons: Lessons::default(),
    }
}

/// The id of a device of a serial number.
pub(crate) fn id(serial: &str) -> DeviceId {
    device(serial).id
}
