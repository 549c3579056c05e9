//! What became of the devices at work.

use std::collections::HashSet;

use tracing::debug;

use super::fleet::{Order, tagged};
use super::service::CampaignsDeps;
use super::work::{AT_ONCE, Work};
use crate::device::{DeviceId, Outcome, Task, TaskState};
use crate::rollout::{CampaignAction, CampaignState, Member, MemberState, Place, Seen, settle};
use crate::store::{Batch, Record, StoreError};
use crate::time::Timestamp;

impl Work {
    /// Looks at the devices of which something was told, or at all, and at those
    /// whose time has come.
    pub(super) async fn collect(
        &mut self,
        deps: &CampaignsDeps,
        heard: Option<&HashSet<DeviceId>>,
    ) -> Result<(), StoreError> {
        let now = deps.clock.now();
        let is_meant = |member: &&Member| {
            heard.is_none_or(|heard| heard.contains(&member.device))
                || member.state.due().is_some_and(|due| due <= now)
        };
        let meant: Vec<Member> = self.members.values().filter(is_meant).cloned().collect();
        for some in meant.chunks(usize::try_from(AT_ONCE).unwrap_or(1)) {
            let mut orders = Vec::new();
            let mut watched = Vec::new();
            for member in some {
                let Some(order) = self.look_at(deps, member, now).await? else { continue };
                if matches!(order.member.state, MemberState::Checking { .. }) {
                    watched.push(order.member.device.clone());
                }
                debug!(
                    campaign.name = %self.record.name, device.id = %order.member.device,
                    state = ?order.member.state, "a device of a campaign"
                );
                orders.push(order);
            }
            if !orders.is_empty() {
                self.carry_out(deps, orders).await?;
            }
            if self.wakes_for_health() {
                self.wakes.append(&mut watched);
            }
        }
        Ok(())
    }

    /// What becomes of one device; `None` if it stays as it is.
    async fn look_at(
        &self,
        deps: &CampaignsDeps,
        member: &Member,
        now: Timestamp,
    ) -> Result<Option<Order>, StoreError> {
        if let MemberState::UndoResting { until, why } = &member.state {
            let CampaignState::RollingBack { since, .. } = self.record.state else {
                let state = MemberState::NotUndone { at: now, why: why.clone() };
                return Ok(Some(order(member, Member { state, ..member.clone() }, Vec::new())));
            };
            if *until > now {
                return Ok(None);
            }
            let expires_at = now.after(self.spec.attempts.patience.duration());
            return self.order_back(deps, member.clone(), since, expires_at, now).await.map(Some);
        }
        let task = match member.state.task() {
            Some(id) => deps.store.task(id).await?,
            None => None,
        };
        let device = self.device(deps, &member.device).await?;
        let outcome = task.as_ref().and_then(|task| match &task.state {
            TaskState::Ended { outcome, .. } => Some(outcome),
            TaskState::Queued | TaskState::Sent { .. } => None,
        });
        let seen = Seen {
            outcome,
            task_is_there: task.is_some(),
            once_only: task.as_ref().is_some_and(|task| task.action.once_only()),
            sessions: device.as_ref().map(|device| device.sessions),
            software_version: device.as_ref().map_or("", |device| &device.software_version),
        };
        let Some(after) = settle(&self.spec, self.window.as_ref(), member, &seen, now) else {
            return Ok(None);
        };
        let mut records = Vec::new();
        if device.is_none() {
            records.extend(task.as_ref().and_then(|task| withdrawn(task, now)));
        }
        // It did not come for what the tag was to bring.
        let unsent = matches!(outcome, Some(Outcome::Expired));
        if unsent && matches!(member.state, MemberState::Asked { .. }) {
            records.extend(self.untagged(deps, &member.device).await?);
        }
        Ok(Some(order(member, after, records)))
    }

    async fn untagged(
        &self,
        deps: &CampaignsDeps,
        device: &DeviceId,
    ) -> Result<Option<Record>, StoreError> {
        let is_profile = matches!(self.spec.action, CampaignAction::Profile { .. });
        if !is_profile || self.device(deps, device).await?.is_none() {
            return Ok(None);
        }
        tagged(deps, device, &self.spec.tag(), false).await
    }

    /// Withdraws what was asked and not sent: the campaign does not run, and no
    /// device is to be changed behind the operator's back. What was sent goes on.
    pub(super) async fn withdraw(&mut self, deps: &CampaignsDeps) -> Result<(), StoreError> {
        if self.withdrawn {
            return Ok(());
        }
        let now = deps.clock.now();
        let asked = |member: &&Member| member.state.place() == Place::AtWork;
        let members: Vec<Member> = self.members.values().filter(asked).cloned().collect();
        for member in members {
            let mut records = Vec::new();
            match &member.state {
                MemberState::Asked { task, .. } => {
                    let task = deps.store.task(*task).await?;
                    let Some(task) = task.and_then(|task| withdrawn(&task, now)) else {
                        continue;
                    };
                    records.push(task);
                    records.extend(self.untagged(deps, &member.device).await?);
                }
                MemberState::Resting { .. } => {}
                _ => continue,
            }
            let after = Member { state: MemberState::Waiting, ..member.clone() };
            let mut record = self.record.clone();
            record.moved(member.wave, Place::AtWork, Place::Waiting);
            let mut batch = Batch::new();
            for change in records {
                batch.put(change);
            }
            batch.put(Record::Member(Box::new(after.clone())));
            match self.commit(deps, record, batch).await {
                Ok(()) => self.keep(after),
                // Its session was quicker: then it was sent.
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.withdrawn = true;
        Ok(())
    }
}

/// A task that was not sent, withdrawn.
fn withdrawn(task: &Task, now: Timestamp) -> Option<Record> {
    let is_queued = task.state == TaskState::Queued;
    let state = TaskState::Ended { at: now, outcome: Outcome::Cancelled };
    let revision = task.revision.saturating_add(1);
    is_queued.then(|| Record::Task(Box::new(Task { state, revision, ..task.clone() })))
}

fn order(before: &Member, after: Member, records: Vec<Record>) -> Order {
    let from = before.state.place();
    Order { from, member: after, records, asks: false }
}
