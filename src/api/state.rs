//! What the handlers work with.

use std::path::PathBuf;
use std::sync::Arc;

use super::bulk::Bulks;
use super::fleet::Makings;
use super::once::Once;
use super::running::{Readiness, ReloadBell};
use super::tokens::Tokens;
use crate::campaign::Campaigns;
use crate::config::{Config, Live};
use crate::files::Shelf;
use crate::find::Finder;
use crate::fleet::{Fleet, FleetPlanner};
use crate::gate::Strangers;
use crate::herald::{Hub, Webhooks};
use crate::keyring::Keyring;
use crate::store::{Store, Vault};
use crate::supply::Supply;
use crate::time::Clock;
use crate::trace::Traces;
use crate::wake::Waker;

/// All that the northbound needs of the house.
#[derive(Clone)]
pub struct ApiDeps {
    /// The inventory.
    pub store: Arc<dyn Store>,
    /// Seals secrets that operators hand in.
    pub vault: Arc<Vault>,
    /// Takes uploads.
    pub shelf: Arc<Shelf>,
    /// Wakes a device that was given a task.
    pub waker: Arc<Waker>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub config: Live<Config>,
    /// The data folder, for backups.
    pub data: PathBuf,
    /// The files of phones.
    pub supply: Arc<Supply>,
    /// Which devices are traced.
    pub traces: Arc<Traces>,
    /// Changes over many devices.
    pub campaigns: Arc<Campaigns>,
    /// What is wanted of devices.
    pub fleet: Arc<Fleet>,
    /// Devices that nobody knows and that wait.
    pub strangers: Arc<Strangers>,
    /// Looks for devices.
    pub finder: Finder,
    /// Tells what happened.
    pub hub: Arc<Hub>,
    /// Sends what happened elsewhere.
    pub webhooks: Arc<Webhooks>,
    /// The keys of secrets at rest.
    pub keys: Arc<Keyring>,
    /// Who is let in.
    pub tokens: Tokens,
    /// Whether requests are to be sent here.
    pub ready: Readiness,
    /// Has the settings read again.
    pub reload: ReloadBell,
}

/// What each handler is given.
pub(super) type Shared = Arc<State>;

/// The dependencies, and what the handlers share among themselves.
pub(super) struct State {
    pub(super) deps: ApiDeps,
    /// Held while a backup is written: one at a time.
    pub(super) backing_up: tokio::sync::Mutex<()>,
    /// Held while profiles are changed: one change at a time.
    pub(super) changing_profiles: tokio::sync::Mutex<()>,
    /// Held while tokens, users and tenants are changed, one at a time: what one
    /// change checks, no other takes away meanwhile.
    pub(super) changing_people: tokio::sync::Mutex<()>,
    /// Held while a webhook is made: they are counted.
    pub(super) making_webhooks: tokio::sync::Mutex<()>,
    /// Tells what changes of profiles would do.
    pub(super) planner: Arc<FleetPlanner>,
    /// Plans that are being made.
    pub(super) makings: Arc<Makings>,
    /// Requests that are to be answered once.
    pub(super) once: Once,
    /// Changes over many devices that run.
    pub(super) bulks: Bulks,
}

impl State {
    pub(super) fn new(deps: ApiDeps) -> Self {
        let planner = FleetPlanner::new(deps.fleet.clone(), deps.clock.clone());
        Self {
            deps,
            backing_up: tokio::sync::Mutex::new(()),
            changing_profiles: tokio::sync::Mutex::new(()),
            changing_people: tokio::sync::Mutex::new(()),
            making_webhooks: tokio::sync::Mutex::new(()),
            planner: Arc::new(planner),
            makings: Arc::default(),
            once: Once::default(),
            bulks: Bulks::default(),
        }
    }

    pub(super) fn store(&self) -> &dyn Store {
        &*self.deps.store
    }
}
