//! Making durable what a session has to record.

use std::net::IpAddr;
use std::sync::Arc;

use tracing::{info, warn};

use super::admission::spread;
use super::changes;
use super::driver::{Caller, Driver, Refusal, Shared, Work};
use super::sightings::Told;
use crate::device::{Credentials, DeviceId, Event, EventKind, Stage, Task};
use crate::gate::Mismatch;
use crate::plan::OnboardingResult;
use crate::store::{Batch, Change, Record, Store, StoreError};
use crate::time::Timestamp;

/// The device used its own credentials, or said that it took them.
pub(super) fn confirm(own: &mut Option<Credentials>, batch: &mut Batch) {
    if let Some(own) = own
        && own.stage == Stage::Offered
    {
        own.stage = Stage::Confirmed;
        batch.put(Record::Credentials(Box::new(own.clone())));
    }
}

/// Commits what an Inform brings. A new device enters whole or not at all: when
/// what was laid ready for it changed meanwhile, it comes again in a moment.
pub(super) async fn commit_inform(
    shared: &Shared,
    id: &DeviceId,
    is_new: bool,
    batch: Batch,
    tasks: &mut Vec<Task>,
) -> Result<(), Refusal> {
    if !is_new {
        return Ok(commit_with_tasks(&*shared.store, batch, tasks).await?);
    }
    match shared.store.commit(batch).await {
        Err(StoreError::Conflict(_)) => return Err(Refusal::Later(1 + spread(id) % 5)),
        other => other?,
    }
    shared.strangers.entered(id);
    Ok(())
}

/// Commits a batch with settled tasks. If one of them was changed meanwhile,
/// the rest is recorded and the task is read again.
async fn commit_with_tasks(
    store: &dyn Store,
    batch: Batch,
    tasks: &mut Vec<Task>,
) -> Result<(), StoreError> {
    match store.commit(batch.clone()).await {
        Err(StoreError::Conflict(_)) => {
            commit_one_by_one(store, &batch).await?;
            if let Some(first) = tasks.first() {
                *tasks = store.open_tasks(&first.device).await?;
            }
            Ok(())
        }
        other => other,
    }
}

/// Commits the changes of a refused batch one by one and lets go of those that
/// are refused again.
pub(super) async fn commit_one_by_one(store: &dyn Store, batch: &Batch) -> Result<(), StoreError> {
    for change in batch.changes() {
        let mut one = Batch::new();
        one.push(change.clone());
        match store.commit(one).await {
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Somebody claims to be a device that he is not: said in its history.
pub(super) async fn alarm(
    shared: &Shared,
    id: &DeviceId,
    mismatch: &Mismatch,
    caller: &Caller,
    now: Timestamp,
) {
    warn!(device.id = %id, peer.address = %caller.address, reason = %mismatch, "an Inform was refused");
    let text = format!("refused an Inform from {}: {mismatch}", caller.address);
    tell(shared, id, text, now).await;
}

/// The same identity at two addresses: said in the device's history, once in a
/// while (security: B3). `before` is where it last informed from.
pub(super) async fn clone_suspected(
    shared: &Shared,
    id: &DeviceId,
    before: Option<IpAddr>,
    caller: &Caller,
    now: Timestamp,
) {
    let here = caller.address;
    let back = before.is_some_and(|before| shared.sightings.moved(id, before, here, now));
    let why = match (caller.rival, before) {
        (Some(rival), _) => {
            format!("it informed from {here} while its session from {rival} was live")
        }
        (None, Some(before)) if back => {
            format!("its address went from {here} to {before} and back within minutes")
        }
        _ => return,
    };
    if !shared.sightings.tells(id, Told::Clone, now) {
        return;
    }
    warn!(device.id = %id, peer.address = %here, reason = why, "clone suspected");
    tell(shared, id, format!("clone suspected: {why}"), now).await;
}

/// Records an alarm; that it could not be is said in the log alone.
pub(super) async fn tell(shared: &Shared, id: &DeviceId, text: String, now: Timestamp) {
    let event = Event { device: id.clone(), at: now, kind: EventKind::Alarm(text.into()) };
    if let Err(error) = shared.store.commit(Record::Event(event).into()).await {
        warn!(device.id = %id, %error, "an alarm was not recorded");
    }
}

impl Driver {
    /// Moves what the planner has to tell into the pending batch.
    pub(super) fn collect(&mut self) {
        let Some(planner) = &mut self.work.planner else { return };
        for task in planner.take_changes() {
            if !self.work.desiring.hear(&task) {
                continue;
            }
            info!(device.id = %task.device, task.id = %task.id, task.action = task.action.word(),
                task.state = task.state.word(), "task");
            self.work.pending.put(Record::Task(Box::new(task)));
        }
        match planner.take_onboarding() {
            Some(OnboardingResult::Taken) => confirm(&mut self.work.own, &mut self.work.pending),
            Some(OnboardingResult::Refused(fault)) => {
                warn!(device.id = %self.work.device.id, fault.code = fault.code.0, "the device refused its own credentials");
            }
            None => {}
        }
    }

    /// Whoever waits for an outcome reads the values next: they are told together,
    /// also when the session goes on.
    pub(super) fn tell_values_with_outcomes(&mut self) {
        let Work { device, tree, tree_changed, pending, .. } = &mut self.work;
        let ended = pending.changes().iter().any(
            |change| matches!(change, Change::Put(Record::Task(task)) if task.state.is_ended()),
        );
        if let Some(tree) = tree.as_ref().filter(|_| ended && *tree_changed) {
            pending.put(Record::Tree(device.id.clone(), tree.clone()));
        }
    }

    /// Commits what is pending. `false` if a task in it was changed by somebody
    /// else: then nothing was recorded, and the others are tried on their own.
    pub(super) async fn commit_pending(&mut self) -> Result<bool, StoreError> {
        if self.work.pending.is_empty() {
            return Ok(true);
        }
        let batch = std::mem::take(&mut self.work.pending);
        match self.shared.store.commit(batch.clone()).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict(_)) => {
                commit_one_by_one(&*self.shared.store, &batch).await?;
                Ok(false)
            }
            Err(error) => {
                self.work.pending = batch;
                Err(error)
            }
        }
    }

    /// What the session found changed on the device goes into the pending batch.
    async fn collect_changes(&mut self, now: Timestamp) {
        let Work { device, tree, writes, occasion, pending, .. } = &mut self.work;
        let Some(tree) = tree.as_mut().filter(|tree| tree.has_news() || writes.took_secrets())
        else {
            return;
        };
        let (shared, tree) = (&self.shared, Arc::make_mut(tree));
        let found = changes::found(device, tree, writes, &shared.interest, *occasion, now);
        let Some(mut found) = found else { return };
        if let Err(error) = changes::name_authors(&mut found, pending, &*shared.store).await {
            warn!(device.id = %device.id, %error, "who changed values could not be looked up");
        }
        pending.put(Record::Changes(Box::new(found)));
    }

    /// The session ends: records whatever is new.
    pub(super) async fn record(&mut self, now: Timestamp) {
        self.collect();
        self.break_off_desire(now).await;
        self.collect_memory();
        if self.work.tree_changed || self.work.claims_touched {
            self.work.claims_touched = false;
            self.collect_claims(now).await;
        }
        // What the last Inform told is not what is known now: the same Inform once
        // more brings news.
        if self.work.tree.as_ref().is_some_and(|tree| tree.has_news()) {
            self.work.device.inform_hash = 0;
            self.work.device_changed = true;
        }
        self.collect_changes(now).await;
        let work = &mut self.work;
        if let Some(planner) = &work.planner {
            if planner.learned().has_news() {
                work.learned = planner.learned().clone();
            }
            if work.device.root.is_empty() && !planner.root().is_empty() {
                work.device.root = planner.root().into();
                work.device_changed = true;
            }
            if planner.surveyed() {
                work.device.tree_read_at = Some(now);
                work.device_changed = true;
                if let Some(tree) = &work.tree {
                    let learning = &self.shared.learning;
                    let heard = learning.hear(&*self.shared.store, &work.device, tree).await;
                    if let Some(record) = heard {
                        work.pending.put(record);
                    }
                }
            }
        }
        if work.tree_changed
            && let Some(tree) = &work.tree
        {
            let count = u32::try_from(tree.parameter_count()).unwrap_or(u32::MAX);
            work.device_changed |= work.device.parameter_count != count;
            work.device.parameter_count = count;
            work.pending.put(Record::Tree(work.device.id.clone(), tree.clone()));
            work.tree_changed = false;
        }
        if work.learned.has_news() {
            let own = work.learned.take_news();
            work.device.lessons.own.clone_from(&own);
            work.device_changed = true;
            match self.shared.fleet.models().hear(&work.device, own).await {
                Ok(kept) => work.device.lessons.own = kept,
                Err(error) => {
                    warn!(device.id = %work.device.id, %error, "a lesson was not recorded for the model");
                }
            }
        }
        if std::mem::take(&mut work.device_changed) {
            work.pending.put(Record::Device(Box::new(work.device.clone())));
        }
        if let Some(session) = work.diary.finish(&work.device.id, self.caller.address, now) {
            work.pending.put(Record::Session(Box::new(session)));
        }
        if let Err(error) = self.commit_pending().await {
            warn!(device.id = %self.work.device.id, %error, "the end of the session was not recorded");
        }
    }
}
