//! The rooms, built and wired.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::addresses::{Addresses, tell};
use super::bound::{Behind, Bound, tls_material, trust_stores};
use super::data::DataFolder;
use super::device_door::DeviceDoor;
use super::error::ServerError;
use super::herald::Herald;
use super::parts::Parts;
use super::phone_doors::PhoneDoors;
use super::provisioning;
use super::reload::LiveSettings;
use crate::api::{Readiness, ReloadResult, tokens};
use crate::config::{AuthMode, CertificateMode, Config};
use crate::device::Learned;
use crate::files::{Links, Shelf};
use crate::fleet::Fleet;
use crate::gate::{OnboardingAccount, Strangers};
use crate::http::{TlsMaterial, TrustStores};
use crate::keyring::Keyring;
use crate::ledger::Ledger;
use crate::provision::{PhoneLinks, SiteLinks, Templates};
use crate::store::{Ground, KeyPlace, Store, Vault};
use crate::supply::{AcsFor, Bases, Supply, SupplyDeps};
use crate::time::{Clock, SystemClock};
use crate::trace::Traces;
use crate::wake::{StunAccounts, StunDoor};

/// A running server.
///
/// [`Server::start`] opens the doors; [`Server::stop`] closes them, ends the
/// live sessions and closes the store.
pub struct Server {
    addresses: Addresses,
    new_onboarding: Option<OnboardingAccount>,
    pub(super) data: DataFolder,
    pub(super) store: Arc<dyn Store>,
    supply: Arc<Supply>,
    tls: Option<Arc<TlsMaterial>>,
    trust: Option<Arc<TrustStores>>,
    pub(super) live: LiveSettings,
    pub(super) ready: Readiness,
    reloads: mpsc::Receiver<oneshot::Sender<ReloadResult>>,
    pub(super) stop: CancellationToken,
    pub(super) doors: JoinSet<()>,
}

/// Puts the operator's table of intents in force.
fn install_intents(config: &Config) -> Result<(), ServerError> {
    let Some(path) = &config.datamodels.intents else { return Ok(()) };
    let table = std::fs::read_to_string(path)
        .map_err(|source| ServerError::Data { path: path.clone(), source })?;
    crate::intent::install(&table)
        .map_err(|problem| ServerError::Intents { path: path.clone(), problem })
}

impl Server {
    /// Builds all rooms over a data folder and opens the doors.
    ///
    /// # Errors
    /// [`ServerError`], in one line that says what to change; nothing is left
    /// running then.
    pub async fn start(config: Config, data: &Path) -> Result<Self, ServerError> {
        crate::metrics::began();
        let data = DataFolder::open(data)?;
        super::datamodels::install(&config.datamodels)?;
        install_intents(&config)?;
        let vault = Vault::open_at(KeyPlace::of(&config.store, data.path()))?;
        let live = LiveSettings::of(&config)?;
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
        let store = open_store(&config, &data, &vault, &clock).await?;
        let tokens = tokens::load_or_make(store.clone(), clock.clone(), data.path()).await?;
        let (onboarding, is_new) = onboarding(&config, &data, &vault)?;
        let shelf = Shelf::open(data.path(), config.files.quota)?;
        let told = provisioning::told(&config, &addresses, onboarding.clone());
        let supply = supply(&config, &store, &vault, &shelf, &clock, templates, told)?;
        let (ready, (reload, reloads)) = (Readiness::default(), mpsc::channel(1));
        let parts = Parts {
            config: &config,
            live: live.clone(),
            ready: ready.clone(),
            reload,
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
            keys: Keyring::new(store.clone(), Arc::clone(&vault)),
            vault,
        };
        parts.strangers.load().await?;
        let gate = parts.gate(onboarding.clone());
        let acs = parts.acs(gate.clone(), &addresses);
        let devices = Arc::new(DeviceDoor { acs: acs.clone(), bulk: parts.bulk(gate) });
        let fetch = Arc::new(parts.fetch());
        let stop = CancellationToken::new();
        let mut doors = JoinSet::new();
        let waker = parts.waker(parts.xmpp(&mut doors, &stop)?);
        let campaigns = parts.campaigns(&waker);
        let herald = Herald::start(&parts, &mut doors, &stop)?;
        let api = Arc::new(parts.api(tokens, waker, campaigns.clone(), herald));
        doors.spawn(api.clone().keep_up(stop.clone()));
        parts.keep_up(&mut doors, campaigns, acs, &stop);
        bound.serve(&mut doors, Behind { devices, fetch, api }, parts.lightweight(), &stop);
        phone_doors.serve(&mut doors, &supply, &stop);
        data.publish(&addresses)?;
        warn_of_risks(&config);
        tell(&addresses);
        Ok(Self {
            addresses,
            new_onboarding: onboarding.filter(|_| is_new),
            data,
            store,
            supply,
            tls,
            trust,
            live,
            ready,
            reloads,
            stop,
            doors,
        })
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

    /// Waits until somebody asks the northbound to have the settings read again; what
    /// comes of [`Server::reload`] is to be sent there.
    pub async fn reload_asked(&mut self) -> Option<oneshot::Sender<ReloadResult>> {
        self.reloads.recv().await
    }
}

/// The credential of new devices, if they have one in common, and whether this start
/// made it.
fn onboarding(
    config: &Config,
    data: &DataFolder,
    vault: &Vault,
) -> Result<(Option<OnboardingAccount>, bool), ServerError> {
    match config.cwmp.auth {
        AuthMode::Shared => {
            let (account, is_new) = data.onboarding(vault)?;
            Ok((Some(account), is_new))
        }
        AuthMode::Device | AuthMode::Open => Ok((None, false)),
    }
}

/// Which phone gets which file; `told` are the addresses that phones are told.
fn supply(
    config: &Config,
    store: &Arc<dyn Store>,
    vault: &Arc<Vault>,
    shelf: &Arc<Shelf>,
    clock: &Arc<dyn Clock>,
    templates: Arc<Templates>,
    (bases, acs): (Bases, Arc<AcsFor>),
) -> Result<Arc<Supply>, ServerError> {
    Ok(Arc::new(Supply::new(SupplyDeps {
        store: store.clone(),
        vault: vault.clone(),
        shelf: shelf.clone(),
        phone_links: PhoneLinks::new(vault.derive("phone links")),
        site_links: SiteLinks::new(vault.derive("site links")),
        clock: clock.clone(),
        phones: config.phones.clone(),
        templates,
        bases,
        acs,
    })?))
}

/// The store, with whatever goes with each commit.
async fn open_store(
    config: &Config,
    data: &DataFolder,
    vault: &Arc<Vault>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Store>, ServerError> {
    let (ground, vault) = (Ground::real(), Arc::clone(vault));
    let store = crate::store::open_sealed(&config.store, data.path(), ground, vault).await?;
    for alarm in store.health().alarms {
        warn!(store.alarm = %alarm, "the store needs a look");
    }
    let ledger = Ledger::new(clock.clone());
    ledger.load(&*store).await?;
    store.accompany(ledger);
    Ok(store)
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
    if config.metrics.listen.is_some_and(|at| !at.ip().is_loopback()) {
        warn!("metrics.open_to_network: whoever reaches metrics.listen reads the metrics");
    }
    if !config.northbound.listen.ip().is_loopback() {
        warn!(northbound = %config.northbound.listen, "northbound.plain_to_network: tokens cross the network in clear, unless a proxy with TLS stands before it");
    }
}
