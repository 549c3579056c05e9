//! What operators do with campaigns. Each change is durable before it is
//! answered, and stands in the campaign's history with who did it.

use tracing::info;

use super::work::Work;
use super::{CampaignError, Campaigns};
use crate::device::DeviceId;
use crate::rollout::{CampaignRecord, CampaignSpec, CampaignState, Place, Tally};
use crate::store::{Batch, Change};
use crate::time::Timestamp;

/// Members forgotten in one commit.
const AT_ONCE: usize = 200;

impl Campaigns {
    /// Starts a campaign. One over more devices than the settings say waits for
    /// somebody to approve it.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] unless it is a draft; what the store says.
    pub async fn start(&self, name: &str, by: &str) -> Result<CampaignRecord, CampaignError> {
        let above = u64::from(self.deps.config.approval_above);
        self.change(name, by, |record, _, now| {
            if record.state != CampaignState::Draft {
                return Err(wrong(record, "only a draft can be started"));
            }
            if record.devices() > above {
                record.state = CampaignState::NeedsApproval { by: by.into(), at: now };
                return Ok("started; it waits to be approved".to_owned());
            }
            run(record, now);
            Ok("started".to_owned())
        })
        .await
    }

    /// Approves a campaign that waits for that; it then runs.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] unless it waits; what the store says.
    pub async fn approve(
        &self,
        name: &str,
        by: &str,
        why: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        self.change(name, by, |record, _, now| {
            if !matches!(record.state, CampaignState::NeedsApproval { .. }) {
                return Err(wrong(record, "it does not wait to be approved"));
            }
            record.approved = Some((now, by.into()));
            run(record, now);
            Ok(with("approved", why))
        })
        .await
    }

    /// Holds a campaign: nothing more is asked, what was not sent is withdrawn,
    /// what was sent goes on.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] unless it runs; what the store says.
    pub async fn pause(
        &self,
        name: &str,
        by: &str,
        why: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        self.change(name, by, |record, _, _| {
            let CampaignState::Running { wave, since, .. } = record.state else {
                return Err(wrong(record, "only one that runs can be paused"));
            };
            record.state = CampaignState::Paused { wave, since, by: by.into() };
            Ok(with("paused", why))
        })
        .await
    }

    /// Lets a campaign go on that was paused or has halted. Of one that has
    /// halted, what failed until now is borne: it is judged anew.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] unless it was paused or has halted; what the
    /// store says.
    pub async fn resume(
        &self,
        name: &str,
        by: &str,
        why: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        self.change(name, by, |record, _, now| {
            let (wave, since) = match &record.state {
                CampaignState::Paused { wave, since, .. } => (*wave, *since),
                CampaignState::Halted { wave, since, .. } => {
                    record.tally = Tally::default();
                    (*wave, *since)
                }
                _ => return Err(wrong(record, "only one that is paused or halted can go on")),
            };
            record.state = CampaignState::Running { wave, since, not_before: now };
            Ok(with("resumed", why))
        })
        .await
    }

    /// Ends a campaign before its time. What it has changed stays changed.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] if it is over or was not started; what the
    /// store says.
    pub async fn stop(
        &self,
        name: &str,
        by: &str,
        why: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        self.change(name, by, |record, _, now| {
            if record.state.is_over() || !was_started(record) {
                return Err(wrong(
                    record,
                    "only one that was started and is not over can be stopped",
                ));
            }
            let why = with(&format!("stopped by {by}"), why);
            record.state = CampaignState::Stopped { at: now, why: why.as_str().into() };
            Ok(why)
        })
        .await
    }

    /// Brings the devices that were changed back to what they were before.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] if it was not started or is brought back
    /// already; [`CampaignError::NoWayBack`]; what the store says.
    pub async fn roll_back(
        &self,
        name: &str,
        by: &str,
        why: &str,
    ) -> Result<CampaignRecord, CampaignError> {
        self.change(name, by, |record, spec, now| {
            let is_back = matches!(
                record.state,
                CampaignState::RollingBack { .. } | CampaignState::RolledBack { .. }
            );
            if is_back || !was_started(record) {
                return Err(wrong(
                    record,
                    "only one that was started can be rolled back, and once",
                ));
            }
            if !spec.action.can_be_undone() {
                return Err(CampaignError::NoWayBack(spec.action.word()));
            }
            let line = with("rolled back by an operator", why);
            record.state = CampaignState::RollingBack { since: now, why: line.as_str().into() };
            Ok(line)
        })
        .await
    }

    /// Forgets a campaign with its members. Tasks stay in the history of their
    /// devices.
    ///
    /// # Errors
    /// [`CampaignError::WrongState`] while something can still happen in it; what
    /// the store says.
    pub async fn remove(&self, name: &str, by: &str) -> Result<(), CampaignError> {
        let record = self
            .change(name, by, |record, _, _| {
                let at_work = record.count(Place::AtWork) + record.count(Place::Undoing);
                let is_idle = record.state.is_over() || !was_started(record);
                if !is_idle || at_work > 0 {
                    return Err(wrong(
                        record,
                        "stop it first, and let what was sent come to an end",
                    ));
                }
                record.state = CampaignState::Removing;
                Ok("removed".to_owned())
            })
            .await?;
        self.forget_all(&record).await
    }

    /// Forgets the members, then the campaign.
    pub(super) async fn forget_all(&self, record: &CampaignRecord) -> Result<(), CampaignError> {
        self.forget_members(&record.name).await?;
        let mut batch = Batch::new();
        batch.push(Change::ForgetCampaign(record.name.clone()));
        Ok(self.deps.store.commit(batch).await?)
    }

    /// Forgets the members of a campaign, a few at a time.
    pub(super) async fn forget_members(&self, name: &str) -> Result<(), CampaignError> {
        let mut after: Option<DeviceId> = None;
        loop {
            let page = self.deps.store.fleet().members(name, after.as_ref(), AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.device.clone());
            let mut batch = Batch::new();
            for member in page {
                batch.push(Change::ForgetMember(member.campaign, member.device));
            }
            self.deps.store.commit(batch).await?;
        }
    }

    async fn change(
        &self,
        name: &str,
        by: &str,
        change: impl FnOnce(
            &mut CampaignRecord,
            &CampaignSpec,
            Timestamp,
        ) -> Result<String, CampaignError>
        + Send,
    ) -> Result<CampaignRecord, CampaignError> {
        let mut at_work = self.at_work.lock().await;
        let mut record = self.stored(name).await?;
        let spec = self.read(&record.text)?;
        let now = self.deps.clock.now();
        let line = change(&mut record, &spec, now)?;
        info!(campaign.name = %name, campaign.by = by, campaign.state = record.state.word(), "{line}");
        record.note(now, by, line);
        record.revision = record.revision.saturating_add(1);
        self.put(&record).await?;
        match at_work.get_mut(name) {
            Some(work) => work.take_record(record.clone()),
            None if Work::is_needed(&record) => {
                let work = Work::open(&self.deps, record.clone()).await?;
                at_work.insert(name.into(), work);
            }
            None => {}
        }
        self.bell.notify_one();
        Ok(record)
    }
}

fn run(record: &mut CampaignRecord, now: Timestamp) {
    record.started_at = Some(now);
    record.tally = Tally::default();
    record.state = CampaignState::Running { wave: 0, since: now, not_before: now };
}

fn was_started(record: &CampaignRecord) -> bool {
    record.started_at.is_some() || matches!(record.state, CampaignState::NeedsApproval { .. })
}

fn wrong(record: &CampaignRecord, problem: &'static str) -> CampaignError {
    CampaignError::WrongState { name: record.name.clone(), state: record.state.word(), problem }
}

fn with(what: &str, why: &str) -> String {
    if why.trim().is_empty() { what.to_owned() } else { format!("{what}: {}", why.trim()) }
}
