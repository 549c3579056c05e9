//! One campaign at work.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tracing::info;

use super::CampaignError;
use super::fleet::{self, Order};
use super::service::CampaignsDeps;
use crate::device::{DeviceId, DownloadFile};
use crate::rollout::{
    CampaignAction, CampaignRecord, CampaignSpec, CampaignState, Contact, Member, MemberState,
    Pace, PaceSpec, Place, Step, Tally, Window, advance,
};
use crate::store::{Batch, Record, StoreError};
use crate::time::Timestamp;

/// Members read in one go.
pub(super) const PAGE: usize = 500;

/// Devices in one commit.
pub(super) const AT_ONCE: u32 = 50;

/// How long it waits when counts and members do not agree.
const LATER: Duration = Duration::from_secs(30);

/// A campaign in which something can happen by itself.
pub(super) struct Work {
    pub(super) record: CampaignRecord,
    pub(super) spec: CampaignSpec,
    pub(super) window: Option<Window>,
    /// The firmware that it brings.
    pub(super) file: Option<DownloadFile>,
    pace: Pace,
    /// The devices at work.
    pub(super) members: HashMap<DeviceId, Member>,
    /// The last member that was looked at for its turn.
    cursor: Option<DeviceId>,
    /// Devices to be woken.
    pub(super) wakes: Vec<DeviceId>,
    /// Whether what was not sent is withdrawn, since it does not run.
    pub(super) withdrawn: bool,
}

impl Work {
    /// Whether something can happen in a campaign by itself.
    pub(super) fn is_needed(record: &CampaignRecord) -> bool {
        match record.state {
            CampaignState::Running { .. }
            | CampaignState::RollingBack { .. }
            | CampaignState::Halted { .. } => true,
            CampaignState::Gathering
            | CampaignState::Draft
            | CampaignState::NeedsApproval { .. }
            | CampaignState::Removing => false,
            CampaignState::Paused { .. }
            | CampaignState::RolledBack { .. }
            | CampaignState::Stopped { .. }
            | CampaignState::Finished { .. } => {
                record.count(Place::AtWork) + record.count(Place::Undoing) > 0
            }
        }
    }

    /// Takes a campaign up as it is stored.
    pub(super) async fn open(
        deps: &CampaignsDeps,
        record: CampaignRecord,
    ) -> Result<Self, CampaignError> {
        let spec = CampaignSpec::parse(&record.text, PaceSpec::default())?;
        let window = spec.window()?;
        let file = fleet::firmware(deps, &record.tenant, &spec).await?;
        let mut members = HashMap::new();
        let expected = record.count(Place::AtWork) + record.count(Place::Undoing);
        let mut after: Option<DeviceId> = None;
        while members.len() as u64 != expected {
            let page = deps.store.fleet().members(&record.name, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.device.clone());
            let at_work = page.into_iter().filter(|member| member.state.place().is_at_work());
            members.extend(at_work.map(|member| (member.device.clone(), member)));
            tokio::task::yield_now().await;
        }
        let pace = Pace::new(deps.clock.now());
        let (cursor, wakes, withdrawn) = (None, Vec::new(), false);
        Ok(Self { record, spec, window, file, pace, members, cursor, wakes, withdrawn })
    }

    /// Where it stands.
    pub(super) const fn record(&self) -> &CampaignRecord {
        &self.record
    }

    /// An operator changed it.
    pub(super) fn take_record(&mut self, record: CampaignRecord) {
        self.record = record;
        self.cursor = None;
        self.withdrawn = false;
    }

    /// The devices that are to be woken now.
    pub(super) fn take_wakes(&mut self) -> Vec<DeviceId> {
        std::mem::take(&mut self.wakes)
    }

    /// Goes on as far as it goes now. `heard` are the devices of which something
    /// was told; all are looked at if that is not known. Tells when to look again.
    pub(super) async fn carry_on(
        &mut self,
        deps: &CampaignsDeps,
        heard: Option<&HashSet<DeviceId>>,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.collect(deps, heard).await?;
        loop {
            if !matches!(self.record.state, CampaignState::Running { .. }) {
                self.withdraw(deps).await?;
            }
            let now = deps.clock.now();
            let window = self.window.as_ref();
            let done = match advance(&self.spec, window, &self.record, &mut self.pace, now) {
                Step::Idle(until) => return Ok(until.into_iter().chain(self.next_due()).min()),
                Step::Become(state, line) => {
                    self.enter(deps, state, &line, now).await?;
                    continue;
                }
                Step::Ask { wave, began, most, expires_at } => {
                    let fits = |member: &Member| {
                        member.wave == wave && member.state == MemberState::Waiting
                    };
                    let ask = Ask { back: false, began, expires_at, now };
                    self.ask_some(deps, most, &fits, ask).await?
                }
                Step::Undo { began, most, expires_at } => {
                    let fits = |member: &Member| member.state.place().is_changed();
                    let ask = Ask { back: true, began, expires_at, now };
                    self.ask_some(deps, most, &fits, ask).await?
                }
            };
            if done == 0 {
                // The counts say that there are more than are found.
                return Ok(Some(now.after(LATER)));
            }
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.members.values().filter_map(|member| member.state.due()).min()
    }

    /// The campaign changes its state by itself.
    async fn enter(
        &mut self,
        deps: &CampaignsDeps,
        state: CampaignState,
        line: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut record = self.record.clone();
        if let (CampaignState::Running { wave: before, .. }, CampaignState::Running { wave, .. }) =
            (&record.state, &state)
            && before != wave
        {
            record.tally = Tally::default();
        }
        info!(campaign.name = %record.name, campaign.state = state.word(), "{line}");
        record.state = state;
        record.note(now, "provost", line);
        self.commit(deps, record, Batch::new()).await?;
        self.cursor = None;
        self.withdrawn = false;
        Ok(())
    }

    /// Makes changes durable together with the campaign's new record.
    pub(super) async fn commit(
        &mut self,
        deps: &CampaignsDeps,
        mut record: CampaignRecord,
        mut batch: Batch,
    ) -> Result<(), StoreError> {
        record.revision = self.record.revision.saturating_add(1);
        batch.put(Record::Campaign(Box::new(record.clone())));
        deps.store.commit(batch).await?;
        self.record = record;
        Ok(())
    }

    /// Asks the next devices that fit; returns how many were dealt with.
    async fn ask_some(
        &mut self,
        deps: &CampaignsDeps,
        most: u32,
        fits: &(dyn Fn(&Member) -> bool + Sync),
        ask: Ask,
    ) -> Result<u32, StoreError> {
        let next = self.next_members(deps, most.min(AT_ONCE), fits).await?;
        let mut orders = Vec::with_capacity(next.len());
        for member in next {
            let order = if ask.back {
                self.order_back(deps, member, ask.began, ask.expires_at, ask.now).await?
            } else {
                self.order(deps, member, ask.began, ask.expires_at, ask.now).await?
            };
            orders.push(order);
        }
        let done = u32::try_from(orders.len()).unwrap_or(u32::MAX);
        if done > 0 {
            let asked = self.carry_out(deps, orders).await?;
            self.pace.take(asked);
        }
        Ok(done)
    }

    /// Makes orders durable; only then are their devices woken. Returns how many
    /// devices are asked something.
    pub(super) async fn carry_out(
        &mut self,
        deps: &CampaignsDeps,
        orders: Vec<Order>,
    ) -> Result<u32, StoreError> {
        let mut record = self.record.clone();
        let mut batch = Batch::new();
        for order in &orders {
            record.moved(order.member.wave, order.from, order.member.state.place());
            for change in &order.records {
                batch.put(change.clone());
            }
            batch.put(Record::Member(Box::new(order.member.clone())));
        }
        self.commit(deps, record, batch).await?;
        let mut asked = 0;
        for order in orders {
            asked += u32::from(order.asks);
            if order.asks && self.wakes_for_work() {
                self.wakes.push(order.member.device.clone());
            }
            self.keep(order.member);
        }
        Ok(asked)
    }

    /// Remembers a device as long as it is at work.
    pub(super) fn keep(&mut self, member: Member) {
        if member.state.place().is_at_work() {
            self.members.insert(member.device.clone(), member);
        } else {
            self.members.remove(&member.device);
        }
    }

    fn wakes_for_work(&self) -> bool {
        self.spec.contact == Contact::Wake
    }

    /// Whether a device is woken to show that it is well. One that went to another
    /// server must not be called back.
    pub(super) fn wakes_for_health(&self) -> bool {
        self.wakes_for_work() && !matches!(self.spec.action, CampaignAction::Migrate { .. })
    }

    /// The next members that fit, from where it looked last, once around.
    async fn next_members(
        &mut self,
        deps: &CampaignsDeps,
        most: u32,
        fits: &(dyn Fn(&Member) -> bool + Sync),
    ) -> Result<Vec<Member>, StoreError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut found: Vec<Member> = Vec::new();
        let mut from_the_front = self.cursor.is_none();
        loop {
            let after = self.cursor.as_ref();
            let page = deps.store.fleet().members(&self.record.name, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            for member in page {
                self.cursor = Some(member.device.clone());
                if fits(&member) && !found.iter().any(|one| one.device == member.device) {
                    found.push(member);
                    if found.len() >= most {
                        return Ok(found);
                    }
                }
            }
            if is_last {
                self.cursor = None;
                if from_the_front || !found.is_empty() {
                    return Ok(found);
                }
                from_the_front = true;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// How devices are asked.
#[derive(Clone, Copy)]
struct Ask {
    /// Whether they are brought back.
    back: bool,
    began: Timestamp,
    expires_at: Timestamp,
    now: Timestamp,
}
