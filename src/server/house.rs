//! The rooms, built and wired.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::data::{ADDRESSES, DataFolder, NORTHBOUND_URL};
use super::device_door::DeviceDoor;
use super::error::ServerError;
use super::history;
use super::phone_doors::PhoneDoors;
use super::provisioning;
use crate::acs::{Acs, AcsParts, FileLinks, PhoneFolders, StunOffer};
use crate::api::{Api, ApiDeps, tokens};
use crate::campaign::{Campaigns, CampaignsDeps};
use crate::collect::{Bulk, BulkDeps, Lightweight, LightweightDeps, LightweightDoor};
use crate::config::{AuthMode, CertificateMode, Config, CwmpConfig, LimitsConfig, TrustConfig};
use crate::device::Learned;
use crate::fetch::{Fetch, FetchDeps};
use crate::files::{Links, Shelf};
use crate::find::Finder;
use crate::fleet::Fleet;
use crate::gate::{AdmissionRules, Gate, OnboardingAccount, Strangers};
use crate::herald::Hub;
use crate::http::{Authority, Door, Handler, TlsMaterial, TrustStores};
use crate::ledger::Ledger;
use crate::provision::{PhoneLinks, SiteLinks};
use crate::store::{Store, Vault};
use crate::supply::{Supply, SupplyDeps};
use crate::time::{Clock, SystemClock};
use crate::trace::Traces;
use crate::wake::{StunAccounts, StunDoor, Waker, WakerDeps, XmppAsk};

/// Where the doors of a server listen, with the ports that they really got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// CWMP over plain HTTP.
    pub cwmp: Option<SocketAddr>,
    /// CWMP over TLS.
    pub cwmp_tls: Option<SocketAddr>,
    /// The northbound.
    pub northbound: Option<SocketAddr>,
    /// Files and phones over plain HTTP.
    pub files: Option<SocketAddr>,
    /// The same over TLS.
    pub files_tls: Option<SocketAddr>,
    /// TFTP.
    #[serde(default)]
    pub tftp: Option<SocketAddr>,
    /// FTP, with TLS on demand.
    #[serde(default)]
    pub ftp: Option<SocketAddr>,
    /// FTP over TLS from the start.
    #[serde(default)]
    pub ftps: Option<SocketAddr>,
    /// SIP PnP.
    #[serde(default)]
    pub pnp: Option<SocketAddr>,
    /// Lightweight notifications over UDP.
    #[serde(default)]
    pub lightweight: Option<SocketAddr>,
    /// STUN.
    #[serde(default)]
    pub stun: Option<SocketAddr>,
}

/// A running server.
///
/// [`Server::start`] opens the doors; [`Server::stop`] closes them, ends the
/// live sessions and closes the store.
pub struct Server {
    addresses: Addresses,
    new_onboarding: Option<OnboardingAccount>,
    data: DataFolder,
    store: Arc<dyn Store>,
    supply: Arc<Supply>,
    tls: Option<Arc<TlsMaterial>>,
    trust: Option<Arc<TrustStores>>,
    stop: CancellationToken,
    doors: JoinSet<()>,
}

/// What the doors are made of.
struct Parts<'a> {
    config: &'a Config,
    data: &'a DataFolder,
    store: Arc<dyn Store>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    shelf: Arc<Shelf>,
    links: Links,
    supply: Arc<Supply>,
    stun: Option<Arc<StunDoor>>,
    traces: Arc<Traces>,
    fleet: Arc<Fleet>,
    strangers: Arc<Strangers>,
}

/// Puts the operator's table of intents in force.
fn install_intents(config: &Config) -> Result<(), ServerError> {
    let Some(path) = &config.datamodels.intents else { return Ok(()) };
    let table = std::fs::read_to_string(path)
        .map_err(|source| ServerError::Data { path: path.clone(), source })?;
    crate::intent::install(&table)
        .map_err(|problem| ServerError::Intents { path: path.clone(), problem })
}

/// The doors, bound and not yet serving.
#[derive(Default)]
struct Bound {
    cwmp: Option<Door>,
    cwmp_tls: Option<Door>,
    northbound: Option<Door>,
    files: Option<Door>,
    files_tls: Option<Door>,
    lightweight: Option<LightweightDoor>,
}

/// What stands behind the doors.
struct Behind {
    devices: Arc<DeviceDoor>,
    fetch: Arc<Fetch>,
    api: Arc<Api>,
}

impl Server {
    /// Builds all rooms over a data folder and opens the doors.
    ///
    /// # Errors
    /// [`ServerError`], in one line that says what to change; nothing is left
    /// running then.
    pub async fn start(config: Config, data: &Path) -> Result<Self, ServerError> {
        let data = DataFolder::open(data)?;
        super::datamodels::install(&config.datamodels)?;
        install_intents(&config)?;
        let vault = Vault::open(data.path())?;
        let admission_rules = AdmissionRules::read(&config.admission)?;
        let tls = tls_material(&config, data.path())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let templates = Arc::new(provisioning::templates(data.path())?);
        // The doors are bound before the store is opened: a taken port is told
        // at once, and a device that comes early waits instead of failing.
        let trust = trust_stores(&config.cwmp)?;
        let bound = Bound::bind(&config, tls.as_ref(), trust.as_ref())?;
        let phone_doors = PhoneDoors::bind(&config, tls.as_ref(), &clock)?;
        let stun_at =
            |at| StunDoor::bind(at, &config.stun, StunAccounts::new(&vault), clock.clone());
        let stun = config.stun.listen.map(stun_at).transpose()?;
        let mut addresses = bound.addresses(&phone_doors);
        addresses.stun = stun.as_ref().map(|door| door.local_addr());
        let store = open_store(&config, &data, &clock).await?;
        let tokens = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await?;
        let (onboarding, is_new) = match config.cwmp.auth {
            AuthMode::Shared => {
                let (account, is_new) = data.onboarding(&vault)?;
                (Some(account), is_new)
            }
            AuthMode::Device | AuthMode::Open => (None, false),
        };
        let shelf = Shelf::open(data.path(), config.files.quota)?;
        let own = provisioning::own_address();
        let supply = Arc::new(Supply::new(SupplyDeps {
            store: store.clone(),
            vault: vault.clone(),
            shelf: shelf.clone(),
            phone_links: PhoneLinks::new(vault.derive("phone links")),
            site_links: SiteLinks::new(vault.derive("site links")),
            clock: clock.clone(),
            phones: config.phones.clone(),
            templates,
            bases: provisioning::bases(&config, &addresses, own),
            acs: provisioning::acs(&config, &addresses, own, onboarding.clone()),
        })?);
        let parts = Parts {
            config: &config,
            data: &data,
            store: store.clone(),
            clock,
            shelf,
            links: Links::new(vault.derive("file links")),
            supply: supply.clone(),
            stun,
            traces: Traces::open(store.clone()).await?,
            fleet: Fleet::new(
                store.clone(),
                &vault,
                Learned::assumed(config.cwmp.read_batch, config.cwmp.write_batch),
            ),
            strangers: Arc::new(Strangers::new(store.clone(), &config.admission)),
            vault,
        };
        parts.strangers.load().await?;
        let gate = parts.gate(onboarding.clone());
        let acs = parts.acs(gate.clone(), admission_rules, &addresses);
        let devices = Arc::new(DeviceDoor { acs: acs.clone(), bulk: parts.bulk(gate) });
        let fetch = Arc::new(parts.fetch());
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        let waker = parts.waker(parts.xmpp(&mut doors, &stop)?);
        let campaigns = parts.campaigns(&waker);
        let api = Arc::new(parts.api(tokens, waker, campaigns.clone()));
        parts.keep_up(&mut doors, campaigns, acs, &stop);
        bound.serve(&mut doors, Behind { devices, fetch, api }, parts.lightweight(), &stop);
        phone_doors.serve(&mut doors, &supply, &stop);
        data.publish(&addresses)?;
        warn_of_risks(&config);
        tell(&addresses);
        let new_onboarding = onboarding.filter(|_| is_new);
        Ok(Self { addresses, new_onboarding, data, store, supply, tls, trust, stop, doors })
    }

    /// Where the doors listen.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The onboarding credential, if this start made it: to be printed once.
    pub const fn new_onboarding(&self) -> Option<&OnboardingAccount> {
        self.new_onboarding.as_ref()
    }

    /// Reads the certificates, trust stores and revocation lists again; on an error the old ones stay.
    ///
    /// # Errors
    /// [`ServerError::Http`], naming the file.
    pub fn reload_tls(&self) -> Result<(), ServerError> {
        // Each for itself: one that cannot be used holds up no other.
        let server = self.tls.as_ref().map_or(Ok(()), |tls| tls.reload());
        let clients = self.trust.as_ref().map_or(Ok(()), |trust| trust.reload());
        server?;
        Ok(clients?)
    }

    /// Reads the operator's templates again; on an error the old ones stay.
    ///
    /// # Errors
    /// [`ServerError`], naming the template and the line.
    pub fn reload_templates(&self) -> Result<(), ServerError> {
        self.supply.set_templates(provisioning::templates(self.data.path())?);
        Ok(())
    }

    /// Closes the doors, lets requests under way end, ends the live sessions
    /// and closes the store.
    ///
    /// # Errors
    /// [`ServerError::Store`] if the store could not be closed cleanly; what
    /// was acknowledged is safe nevertheless.
    pub async fn stop(mut self) -> Result<(), ServerError> {
        self.stop.cancel();
        while self.doors.join_next().await.is_some() {}
        self.data.remove(NORTHBOUND_URL);
        self.data.remove(ADDRESSES);
        self.store.close().await?;
        Ok(())
    }
}

impl Bound {
    fn bind(
        config: &Config,
        tls: Option<&Arc<TlsMaterial>>,
        trust: Option<&Arc<TrustStores>>,
    ) -> Result<Self, ServerError> {
        let bind = |name, at: Option<SocketAddr>, limits: &LimitsConfig, tls| {
            at.map(|at| Door::bind(name, at, limits, tls)).transpose()
        };
        let (limits, tls) = (&config.limits, tls.cloned());
        let mut cwmp_tls = bind("CWMP over TLS", config.cwmp.tls_listen, limits, tls.clone())?;
        if let (Some(tls), Some(trust)) = (&tls, trust) {
            cwmp_tls = cwmp_tls.map(|door| door.trusting(tls, Arc::clone(trust))).transpose()?;
        }
        let files_tls = bind("file over TLS", config.files.tls_listen, limits, tls.clone())?;
        Ok(Self {
            cwmp: bind("CWMP", config.cwmp.listen, limits, None)?,
            cwmp_tls,
            northbound: bind("northbound", Some(config.northbound.listen), limits, None)?,
            files: bind("file", config.files.listen, limits, None)?,
            files_tls: files_tls.map(|door| door.asking_for_certificates(tls.as_deref())),
            lightweight: config.lightweight.listen.map(LightweightDoor::bind).transpose()?,
        })
    }

    /// Serves what stands behind the doors until `stop`.
    fn serve(
        self,
        doors: &mut JoinSet<()>,
        behind: Behind,
        lightweight: Arc<Lightweight>,
        stop: &CancellationToken,
    ) {
        serve(doors, self.cwmp, &behind.devices, stop);
        serve(doors, self.cwmp_tls, &behind.devices, stop);
        serve(doors, self.files, &behind.fetch, stop);
        serve(doors, self.files_tls, &behind.fetch, stop);
        serve(doors, self.northbound, &behind.api, stop);
        if let Some(door) = self.lightweight {
            doors.spawn(door.serve(lightweight, stop.clone()));
        }
    }

    fn addresses(&self, phone_doors: &PhoneDoors) -> Addresses {
        let of = |door: &Option<Door>| door.as_ref().map(Door::local_addr);
        Addresses {
            cwmp: of(&self.cwmp),
            cwmp_tls: of(&self.cwmp_tls),
            northbound: of(&self.northbound),
            files: of(&self.files),
            files_tls: of(&self.files_tls),
            tftp: phone_doors.tftp(),
            ftp: phone_doors.ftp(),
            ftps: phone_doors.ftps(),
            pnp: phone_doors.pnp(),
            lightweight: self.lightweight.as_ref().map(LightweightDoor::local_addr),
            stun: None,
        }
    }
}

impl Parts<'_> {
    /// Judges who is calling at the doors of devices.
    fn gate(&self, onboarding: Option<OnboardingAccount>) -> Arc<Gate> {
        let (store, vault) = (self.store.clone(), self.vault.clone());
        Arc::new(Gate::new(&self.config.cwmp, onboarding, store, vault))
    }

    fn acs(
        &self,
        gate: Arc<Gate>,
        admission_rules: AdmissionRules,
        addresses: &Addresses,
    ) -> Arc<Acs> {
        let files = FileLinks {
            links: Arc::new(self.links.clone()),
            public_url: self.config.files.public_url.clone(),
            port: addresses.files.map(|at| at.port()),
            lifetime: Duration::from_secs(self.config.files.link_lifetime.into()),
            phones: self.phone_folders(),
        };
        Acs::new(AcsParts {
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            config: self.config.cwmp.clone(),
            limits: self.config.limits.clone(),
            history: self.config.history.clone(),
            files,
            gate,
            admission_rules,
            strangers: self.strangers.clone(),
            traces: self.traces.clone(),
            fleet: self.fleet.clone(),
            desires: self.config.fleet.clone(),
            stun: self.stun.clone().map(|door| StunOffer {
                door,
                public_host: self.config.stun.public_host.as_str().into(),
                everywhere: self.config.stun.enable_on_devices,
            }),
        })
    }

    fn bulk(&self, gate: Arc<Gate>) -> Bulk {
        Bulk::new(BulkDeps {
            store: self.store.clone(),
            gate,
            clock: self.clock.clone(),
            config: self.config.bulk.clone(),
            limits: self.config.limits.clone(),
        })
    }

    fn lightweight(&self) -> Arc<Lightweight> {
        Arc::new(Lightweight::new(LightweightDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
        }))
    }

    /// Where phones under CWMP fetch their files: over TLS where there is a door,
    /// because a file over plain HTTP has no passwords in it.
    fn phone_folders(&self) -> PhoneFolders {
        let supply = self.supply.clone();
        PhoneFolders(Arc::new(move |phone| {
            let folders = supply.folders(phone).ok()?;
            [folders.https, folders.http].into_iter().find(|folder| !folder.is_empty())
        }))
    }

    fn fetch(&self) -> Fetch {
        Fetch::new(FetchDeps {
            source: self.supply.clone(),
            store: self.store.clone(),
            vault: self.vault.clone(),
            shelf: self.shelf.clone(),
            links: self.links.clone(),
            clock: self.clock.clone(),
            max_upload: self.config.files.max_upload,
            limits: self.config.limits.clone(),
        })
    }

    /// The way to devices through an XMPP server, kept up by a task of its own.
    fn xmpp(
        &self,
        doors: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<Option<Arc<dyn XmppAsk>>, ServerError> {
        let way = super::xmpp::way(self.config, &self.vault, stop)?;
        Ok(way.map(|(way, keep)| {
            doors.spawn(keep);
            way as Arc<dyn XmppAsk>
        }))
    }

    /// What goes on by itself until `stop`.
    fn keep_up(
        &self,
        doors: &mut JoinSet<()>,
        campaigns: Arc<Campaigns>,
        acs: Arc<Acs>,
        stop: &CancellationToken,
    ) {
        doors.spawn(campaigns.run(stop.clone()));
        doors.spawn(acs.sweep(stop.clone()));
        let (store, clock) = (self.store.clone(), self.clock.clone());
        doors.spawn(history::run(store, clock, self.config.history.keep_days, stop.clone()));
        if let Some(stun) = self.stun.clone() {
            doors.spawn(stun.serve(stop.clone()));
        }
    }

    fn waker(&self, xmpp: Option<Arc<dyn XmppAsk>>) -> Arc<Waker> {
        Arc::new(Waker::new(WakerDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            allow: self.config.cwmp.connection_request_allow.clone(),
            basic: self.config.cwmp.connection_request_basic,
            udp: self.stun.clone(),
            xmpp,
        }))
    }

    fn campaigns(&self, waker: &Arc<Waker>) -> Arc<Campaigns> {
        Campaigns::new(CampaignsDeps {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config: self.config.campaigns.clone(),
            waker: waker.clone(),
        })
    }

    fn api(&self, tokens: tokens::Tokens, waker: Arc<Waker>, campaigns: Arc<Campaigns>) -> Api {
        Api::new(ApiDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            shelf: self.shelf.clone(),
            waker,
            campaigns,
            clock: self.clock.clone(),
            config: Arc::new(self.config.clone()),
            data: self.data.path().to_owned(),
            supply: self.supply.clone(),
            traces: self.traces.clone(),
            fleet: self.fleet.clone(),
            strangers: self.strangers.clone(),
            finder: Finder::new(self.store.clone()),
            hub: Hub::new(self.store.clone()),
            tokens,
        })
    }
}

/// The store, with whatever goes with each commit.
async fn open_store(
    config: &Config,
    data: &DataFolder,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, ServerError> {
    let store = crate::store::open(&config.store, data.path()).await?;
    for alarm in store.health().alarms {
        warn!(store.alarm = %alarm, "the store needs a look");
    }
    store.accompany(Ledger::new(clock.clone()));
    Ok(store)
}

/// An address that can be connected to on this machine: a door that listens
/// everywhere is reached over loopback.
pub(super) fn reachable(at: SocketAddr) -> SocketAddr {
    if at.ip().is_unspecified() { (IpAddr::V4(Ipv4Addr::LOCALHOST), at.port()).into() } else { at }
}

fn serve<H: Handler>(
    doors: &mut JoinSet<()>,
    door: Option<Door>,
    handler: &Arc<H>,
    stop: &CancellationToken,
) {
    if let Some(door) = door {
        doors.spawn(door.serve(handler.clone(), stop.clone()));
    }
}

/// Whose certificates of devices are good; `None` if they are asked for none.
fn trust_stores(config: &CwmpConfig) -> Result<Option<Arc<TrustStores>>, ServerError> {
    let required = match config.asks_for_certificates() {
        CertificateMode::Off => return Ok(None),
        CertificateMode::Optional => false,
        CertificateMode::Required => true,
    };
    let authority = |store: &TrustConfig| Authority {
        name: store.name.as_str().into(),
        ca: store.ca.clone(),
        crl: store.crl.clone(),
    };
    let stores = config.trust.iter().map(authority).collect();
    Ok(Some(TrustStores::load(stores, required)?))
}

/// The certificate, if a door needs one.
fn tls_material(config: &Config, data: &Path) -> Result<Option<Arc<TlsMaterial>>, ServerError> {
    let speaks_tls = config.cwmp.tls_listen.is_some()
        || config.files.tls_listen.is_some()
        || PhoneDoors::need_tls(config);
    Ok(speaks_tls.then(|| TlsMaterial::load_or_make(data, &config.tls)).transpose()?)
}

/// Logs where the doors listen.
fn tell(addresses: &Addresses) {
    info!(
        cwmp = addresses.cwmp.map(display),
        cwmp.tls = addresses.cwmp_tls.map(display),
        northbound = addresses.northbound.map(display),
        files = addresses.files.map(display),
        files.tls = addresses.files_tls.map(display),
        tftp = addresses.tftp.map(display),
        ftp = addresses.ftp.map(display),
        ftps = addresses.ftps.map(display),
        pnp = addresses.pnp.map(display),
        lightweight = addresses.lightweight.map(display),
        stun = addresses.stun.map(display),
        "the doors are open"
    );
}

fn warn_of_risks(config: &Config) {
    if config.cwmp.auth == AuthMode::Open {
        warn!(
            "cwmp.auth = \"open\": any device is let in without credentials; this is for a lab only"
        );
    }
    if config.cwmp.basic_over_http {
        warn!("cwmp.basic_over_http: passwords of devices cross the network in clear");
    }
    if config.cwmp.asks_for_certificates() == CertificateMode::Required
        && config.cwmp.listen.is_some()
    {
        warn!(
            "cwmp.certificates = \"required\", and yet cwmp.listen lets devices in without TLS and so without a certificate"
        );
    }
    if !config.northbound.listen.ip().is_loopback() {
        warn!(northbound = %config.northbound.listen, "the northbound is open to the network without TLS: put a proxy with TLS before it");
    }
}
