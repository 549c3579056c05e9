//! What stands behind the doors, each room made of what it needs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::addresses::Addresses;
use super::data::DataFolder;
use super::error::ServerError;
use super::herald::Herald;
use super::history;
use super::reload::LiveSettings;
use crate::acs::{Acs, AcsParts, FileLinks, PhoneFolders, StunOffer};
use crate::api::{Api, ApiDeps, Readiness, ReloadBell, tokens};
use crate::campaign::{Campaigns, CampaignsDeps};
use crate::collect::{Bulk, BulkDeps, Lightweight, LightweightDeps};
use crate::config::Config;
use crate::fetch::{Fetch, FetchDeps};
use crate::files::{Links, Shelf};
use crate::find::Finder;
use crate::fleet::Fleet;
use crate::gate::{Gate, OnboardingAccount, Strangers};
use crate::keyring::Keyring;
use crate::store::{Store, Vault};
use crate::supply::Supply;
use crate::time::Clock;
use crate::trace::Traces;
use crate::wake::{StunDoor, Waker, WakerDeps, XmppAsk};

/// What the doors are made of.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) live: LiveSettings,
    pub(super) ready: Readiness,
    pub(super) reload: ReloadBell,
    pub(super) data: &'a DataFolder,
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) links: Links,
    pub(super) supply: Arc<Supply>,
    pub(super) stun: Option<Arc<StunDoor>>,
    pub(super) traces: Arc<Traces>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) strangers: Arc<Strangers>,
    pub(super) keys: Arc<Keyring>,
}

impl Parts<'_> {
    /// Judges who is calling at the doors of devices.
    pub(super) fn gate(&self, onboarding: Option<OnboardingAccount>) -> Arc<Gate> {
        let (store, vault) = (self.store.clone(), self.vault.clone());
        Arc::new(Gate::new(&self.config.cwmp, onboarding, store, vault))
    }

    pub(super) fn acs(&self, gate: Arc<Gate>, addresses: &Addresses) -> Arc<Acs> {
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
            history: self.live.history.clone(),
            files,
            gate,
            admission_rules: self.live.admission.clone(),
            strangers: self.strangers.clone(),
            traces: self.traces.clone(),
            fleet: self.fleet.clone(),
            desires: self.live.fleet.clone(),
            stun: self.stun.clone().map(|door| StunOffer {
                door,
                public_host: self.config.stun.public_host.as_str().into(),
                everywhere: self.config.stun.enable_on_devices,
            }),
        })
    }

    pub(super) fn bulk(&self, gate: Arc<Gate>) -> Bulk {
        Bulk::new(BulkDeps {
            store: self.store.clone(),
            gate,
            clock: self.clock.clone(),
            config: self.config.bulk.clone(),
            limits: self.config.limits.clone(),
        })
    }

    pub(super) fn lightweight(&self) -> Arc<Lightweight> {
        Arc::new(Lightweight::new(LightweightDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
        }))
    }

    /// Where phones under CWMP fetch their files: over TLS where there is a door,
    /// because a file over plain HTTP has no passwords in it.
    pub(super) fn phone_folders(&self) -> PhoneFolders {
        let supply = self.supply.clone();
        PhoneFolders(Arc::new(move |phone| {
            let folders = supply.folders(phone).ok()?;
            [folders.https, folders.http].into_iter().find(|folder| !folder.is_empty())
        }))
    }

    pub(super) fn fetch(&self) -> Fetch {
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
    pub(super) fn xmpp(
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
    pub(super) fn keep_up(
        &self,
        doors: &mut JoinSet<()>,
        campaigns: Arc<Campaigns>,
        acs: Arc<Acs>,
        stop: &CancellationToken,
    ) {
        doors.spawn(campaigns.run(stop.clone()));
        doors.spawn(acs.sweep(stop.clone()));
        doors.spawn(Arc::clone(&self.keys).run(stop.clone()));
        let (store, clock) = (self.store.clone(), self.clock.clone());
        doors.spawn(history::run(store, clock, self.live.history.clone(), stop.clone()));
        if let Some(stun) = self.stun.clone() {
            doors.spawn(stun.serve(stop.clone()));
        }
    }

    pub(super) fn waker(&self, xmpp: Option<Arc<dyn XmppAsk>>) -> Arc<Waker> {
        Arc::new(Waker::new(WakerDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            clock: self.clock.clone(),
            allow: self.live.allow.clone(),
            basic: self.config.cwmp.connection_request_basic,
            udp: self.stun.clone(),
            xmpp,
        }))
    }

    pub(super) fn campaigns(&self, waker: &Arc<Waker>) -> Arc<Campaigns> {
        Campaigns::new(CampaignsDeps {
            store: self.store.clone(),
            clock: self.clock.clone(),
            config: self.live.campaigns.clone(),
            waker: waker.clone(),
        })
    }

    pub(super) fn api(
        &self,
        tokens: tokens::Tokens,
        waker: Arc<Waker>,
        campaigns: Arc<Campaigns>,
        herald: Herald,
    ) -> Api {
        Api::new(ApiDeps {
            store: self.store.clone(),
            vault: self.vault.clone(),
            shelf: self.shelf.clone(),
            waker,
            campaigns,
            clock: self.clock.clone(),
            config: self.live.config.clone(),
            data: self.data.path().to_owned(),
            supply: self.supply.clone(),
            traces: self.traces.clone(),
            fleet: self.fleet.clone(),
            strangers: self.strangers.clone(),
            finder: Finder::new(self.store.clone(), self.clock.clone()),
            hub: herald.hub,
            webhooks: herald.webhooks,
            keys: self.keys.clone(),
            tokens,
            ready: self.ready.clone(),
            reload: self.reload.clone(),
        })
    }
}
