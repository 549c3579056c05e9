//! A phone and file door on a free port, with everything behind it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use provost::config::{LimitsConfig, PhonesConfig, StoreConfig, TlsConfig};
use provost::device::{Secret, TaskId};
use provost::fetch::{Fetch, FetchDeps};
use provost::files::{Link, Links, Shelf};
use provost::http::{Door, TlsMaterial};
use provost::phone::{Account, Mac, Phone, Site, Transport, Vendor};
use provost::provision::{PhoneLinks, SiteLinks};
use provost::store::{Record, Store, Vault};
use provost::supply::{Bases, Supply, SupplyDeps};
use provost::time::{Clock as _, ManualClock, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The largest file that a device may send.
pub(crate) const MAX_UPLOAD: u64 = 4 << 20;

pub(crate) struct Rig {
    pub(crate) data: tempfile::TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) address: SocketAddr,
    links: Links,
    phone_links: PhoneLinks,
    site_links: SiteLinks,
    pub(crate) supply: Arc<Supply>,
    fetch: Arc<Fetch>,
    stop: CancellationToken,
    _stop_at_the_end: DropGuard,
}

impl Rig {
    pub(crate) async fn open() -> Self {
        Self::with(PhonesConfig::default()).await
    }

    pub(crate) async fn with(phones: PhonesConfig) -> Self {
        Self::over(provost::store::memory(&StoreConfig::default()), phones)
    }

    /// Over a store of the test's own.
    pub(crate) fn over(store: Arc<dyn Store>, phones: PhonesConfig) -> Self {
        let data = tempfile::tempdir().unwrap();
        let vault = Vault::ephemeral();
        let shelf = Shelf::open(data.path(), 1 << 30).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_205_100_000)));
        let links = Links::new(vault.derive("links"));
        let phone_links = PhoneLinks::new(vault.derive("phone links"));
        let site_links = SiteLinks::new(vault.derive("site links"));
        let supply = Supply::new(SupplyDeps {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            shelf: Arc::clone(&shelf),
            phone_links: phone_links.clone(),
            site_links: site_links.clone(),
            clock: clock.clone(),
            phones,
            templates: Arc::default(),
            bases: Bases {
                http: "http://p.example".to_owned(),
                https: "https://p.example".to_owned(),
                prefer_https: false,
            },
            acs: Arc::new(|_| None),
        });
        let supply = Arc::new(supply.unwrap());
        let fetch = Arc::new(Fetch::new(FetchDeps {
            source: supply.clone(),
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            shelf: Arc::clone(&shelf),
            links: links.clone(),
            clock: clock.clone(),
            max_upload: MAX_UPLOAD,
            limits: LimitsConfig::default(),
        }));
        let stop = CancellationToken::new();
        let address = serve(&fetch, None, &stop);
        let guard = stop.clone().drop_guard();
        Self {
            data,
            store,
            vault,
            shelf,
            clock,
            address,
            links,
            phone_links,
            site_links,
            supply,
            fetch,
            stop,
            _stop_at_the_end: guard,
        }
    }

    /// A second door to the same, over TLS.
    pub(crate) fn open_tls(&self) -> (SocketAddr, Arc<TlsMaterial>) {
        self.open_asking(Vec::new())
    }

    /// The same, at which certificates of these authorities are good.
    pub(crate) fn open_asking(&self, client_ca: Vec<PathBuf>) -> (SocketAddr, Arc<TlsMaterial>) {
        let tls = TlsConfig { client_ca, ..TlsConfig::default() };
        let tls = TlsMaterial::load_or_make(self.data.path(), &tls).unwrap();
        (serve(&self.fetch, Some(Arc::clone(&tls)), &self.stop), tls)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn link(&self, sha256: &str, life: Duration) -> Link {
        self.links.make(sha256, "image.bin", self.clock.now().after(life)).unwrap()
    }

    /// A link by which the file that a task asks for can be sent.
    pub(crate) fn upload_link(&self, task: TaskId, life: Duration) -> Link {
        self.links.make_upload(task, "config", self.clock.now().after(life)).unwrap()
    }

    /// The folder of a phone whose own token is this.
    pub(crate) fn folder(&self, mac: Mac, own: &str) -> String {
        self.phone_links.path(mac, &Secret::new(own))
    }

    /// The folder of all phones of a site.
    pub(crate) fn site_folder(&self, site: &str) -> String {
        self.site_links.path(site)
    }

    /// What is recorded behind an answer: waits until it is what it is to be,
    /// and fails when ten seconds have not brought it.
    pub(crate) async fn eventually<T>(&self, found: impl AsyncFn(&dyn Store) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(found) = found(&*self.store).await {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("it never came")
    }

    pub(crate) async fn put(&self, record: Record) {
        self.store.commit(record.into()).await.unwrap();
    }

    pub(crate) async fn put_phone(&self, phone: Phone) {
        self.put(Record::Phone(Box::new(phone))).await;
    }

    pub(crate) async fn put_site(&self, site: Site) {
        self.put(Record::Site(Box::new(site))).await;
    }

    /// A phone at the site `hq` with one account, of the token `own`.
    pub(crate) fn phone(&self, mac: &str, revision: u32) -> Phone {
        let account = Account {
            line: 1,
            user: "1001".into(),
            auth_user: "".into(),
            password: self.vault.seal(&Secret::new("canary-sip")),
            display_name: "Anna".into(),
            server: "pbx.example.net".into(),
            port: 5060,
            transport: Transport::Udp,
            outbound_proxy: "".into(),
            voicemail: "".into(),
            label: "".into(),
        };
        let token = self.vault.seal(&Secret::new("own"));
        Phone {
            revision,
            accounts: vec![account],
            settings: [("PHONE/Menu Password".into(), "canary-menu".into())].into(),
            ..Phone::new(mac.parse().unwrap(), Vendor::Fanvil, "X6", "hq", token)
        }
    }

    /// The site `hq`, with a setting that is a secret and one that is none.
    pub(crate) fn site(revision: u32) -> Site {
        let settings = [
            ("AUTOUPDATE/Flash Mode".into(), "1".into()),
            ("MMI/Account1 Password".into(), "canary-admin".into()),
        ];
        Site { name: "hq".into(), revision, settings: settings.into(), ..Site::default() }
    }
}

fn serve(
    fetch: &Arc<Fetch>,
    tls: Option<Arc<TlsMaterial>>,
    stop: &CancellationToken,
) -> SocketAddr {
    let at = (Ipv4Addr::LOCALHOST, 0).into();
    let door = Door::bind("files", at, &LimitsConfig::default(), tls.clone()).unwrap();
    let door = door.asking_for_certificates(tls.as_deref());
    let address = door.local_addr();
    tokio::spawn(door.serve(Arc::clone(fetch), stop.clone()));
    address
}

/// What curl writes, headers (`-D -`) included if asked for.
pub(crate) async fn curl(arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new("curl");
    command.args(["-s", "--noproxy", "*", "--path-as-is", "--max-time", "30"]).args(arguments);
    let output = command.output().await.expect("curl is needed for this test: apt install curl");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The whole answer to one request on a connection of its own, but its date.
pub(crate) async fn raw(at: SocketAddr, method: &str, path: &str, headers: &[&str]) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    let mut socket = tokio::net::TcpStream::connect(at).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let lines = answer.split_inclusive("\r\n");
    lines.filter(|line| !line.to_ascii_lowercase().starts_with("date:")).collect()
}
