//! Sessions in which whatever is asked is answered.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use super::super::blueprint::Blueprint;
use super::super::client::{Client, ClientSettings};
use super::super::cpe::{Cpe, Next, SimEvent};
use super::super::fetcher;
use super::super::listener::lock;
use super::super::personality::Personality;
use super::super::runner::{MAX_MESSAGE, lead};
use super::wire::Word;
use super::{Given, LoadKind, LoadPlan, Login, serial};
use crate::device::{EventCode, Secret};
use crate::time::{Clock, SystemClock};

/// What all sessions have in common.
pub(super) struct Full {
    acs: String,
    remember: bool,
    parameters: usize,
    personality: &'static Personality,
    login: Option<Login>,
    credentials: BTreeMap<u64, Given>,
    client: ClientSettings,
    /// The devices that are between two sessions.
    resting: Mutex<HashMap<u64, Cpe>>,
}

impl Full {
    pub(super) fn new(plan: &LoadPlan) -> Self {
        Self {
            acs: plan.acs.clone(),
            remember: plan.kind == LoadKind::Tasks,
            parameters: plan.parameters,
            personality: plan.personality,
            login: plan.login.clone(),
            credentials: plan.credentials.clone(),
            client: ClientSettings {
                auth: plan.auth,
                tls: plan.tls.clone(),
                timeout: plan.timeout,
                body_limit: MAX_MESSAGE,
                agent: None,
            },
            resting: Mutex::default(),
        }
    }

    /// One session, and what the device then does by itself. `given` takes the
    /// credentials that the ACS gives.
    pub(super) async fn session(
        &self,
        device: u64,
        given: &mut BTreeMap<u64, Given>,
    ) -> Result<(), Word> {
        let rested = lock(&self.resting).remove(&device);
        let mut cpe = match rested {
            Some(cpe) => cpe,
            None => self.make(device).ok_or("serial number")?,
        };
        if self.remember {
            cpe.raise(EventCode::Periodic, "");
        }
        let before = cpe.login();
        let mut client =
            Client::new(&self.acs, before.clone(), self.client.clone()).map_err(|_| "url")?;
        lead(&mut cpe, &mut client, false, &SystemClock, |_| {}).await;
        let failure = cpe.take_happenings().into_iter().rev().find_map(|event| match event {
            SimEvent::SessionEnded { failure, .. } => Some(failure),
            _ => None,
        });
        if cpe.login() != before
            && let Some(now) = Given::of(&cpe)
        {
            given.insert(device, now);
        }
        if self.remember {
            self.settle(&mut cpe).await;
            lock(&self.resting).insert(device, cpe);
        }
        match failure.flatten() {
            None => Ok(()),
            Some(failure) => Err(failure.word()),
        }
    }

    /// Restarts and fetches what it was told to.
    async fn settle(&self, cpe: &mut Cpe) {
        loop {
            match cpe.next(SystemClock.now()) {
                Next::Restart => cpe.restarted(SystemClock.now()),
                Next::Fetch(order) => {
                    let tls = self.client.tls.as_ref().map(Arc::clone);
                    let fetched = fetcher::fetch(&order, tls, self.client.timeout).await;
                    cpe.transfer_done(
                        fetched.as_deref().map_err(|failure| *failure),
                        SystemClock.now(),
                    );
                }
                Next::Session | Next::Wait(_) => return,
            }
        }
    }

    fn make(&self, device: u64) -> Option<Cpe> {
        let blueprint = Blueprint::device2(&serial(device), self.parameters).ok()?;
        let nobody = || (Box::default(), Secret::new(""));
        let own = self.credentials.get(&device).map(|given| &given.login);
        let login = own.or(self.login.as_ref()).cloned();
        let (username, password) = login.unwrap_or_else(nobody);
        let blueprint =
            blueprint.with_acs(&self.acs, &username, password).with_personality(self.personality);
        let now = SystemClock.now();
        Some(if self.remember { Cpe::in_service(blueprint, now) } else { Cpe::new(blueprint, now) })
    }
}
