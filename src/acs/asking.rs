//! What the server asks in a session: the plan, and the next RPC of it.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::warn;

use super::driver::{Driver, Reply};
use super::links::link_for;
use super::onboarding;
use super::told::settle_upload;
use crate::cwmp::{Turn, Version};
use crate::device::{EventCode, TaskState};
use crate::fleet::asks_repair;
use crate::metrics::SessionEnd;
use crate::plan::{Planner, Situation, Step, Written};
use crate::store::{Record, StoreError};
use crate::time::Timestamp;

impl Driver {
    /// The ACS has the word: the next RPC, or the end.
    pub(super) async fn proceed(&mut self, turn: Turn, now: Timestamp) -> Reply {
        match self.next_request(turn.version(), now).await {
            Ok(Some(request)) => {
                let task = self.work.planner.as_ref().and_then(Planner::current_task);
                let task = task.filter(|id| self.work.desiring.is_recorded(*id));
                self.work.diary.asked(request.method(), task, now);
                self.work.writes.asked(&request, task);
                let (session, reply) = turn.request(request);
                self.session = Some(session);
                Reply::Envelope(self.write(&reply))
            }
            Ok(None) => {
                self.work.counted.end(SessionEnd::Complete);
                self.session = Some(turn.finish());
                self.record(now).await;
                Reply::Nothing
            }
            Err(error) => {
                // What cannot be recorded is not sent; the device comes again.
                warn!(device.id = %self.work.device.id, %error, "the session ends early");
                self.work.counted.end(SessionEnd::Broken);
                self.session = Some(turn.finish());
                self.work.diary.break_off("what had to be recorded could not be");
                Reply::Nothing
            }
        }
    }

    async fn next_request(
        &mut self,
        version: Version,
        now: Timestamp,
    ) -> Result<Option<crate::cwmp::AcsRequest>, StoreError> {
        if self.work.planner.is_none() {
            self.work.planner = Some(self.plan(version, now).await?);
        }
        loop {
            let step = {
                let Some(planner) = &mut self.work.planner else { return Ok(None) };
                if planner.is_idle() {
                    Step::Satisfied
                } else {
                    if self.work.tree.is_none() {
                        let known = self.shared.store.tree(&self.work.device.id).await?;
                        self.work.tree = Some(Arc::new(known.unwrap_or_default()));
                    }
                    let Some(tree) = &mut self.work.tree else { return Ok(None) };
                    planner.next(Arc::make_mut(tree), now)
                }
            };
            self.settle_changes(now).await?;
            self.collect();
            match step {
                Step::Rpc { request, record_first } => {
                    if let Some(task) = &record_first {
                        self.work.pending.put(Record::Task(task.clone()));
                    }
                    self.tell_values_with_outcomes();
                    // Outcomes are told as soon as they are known, and what
                    // must not be repeated is recorded before it leaves.
                    if self.commit_pending().await? {
                        return Ok(Some(request));
                    }
                    // Something in it was changed by somebody else: was it this
                    // task, withdrawn meanwhile?
                    let Some(task) = record_first else { return Ok(Some(request)) };
                    if self.shared.store.task(task.id).await?.as_ref() == Some(&*task) {
                        return Ok(Some(request));
                    }
                    if let Some(planner) = &mut self.work.planner {
                        planner.forget(task.id);
                    }
                }
                Step::Satisfied => {
                    self.offer_stun(now).await?;
                    if !self.take_up_new_tasks(now).await? && !self.desire(now).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Plans the session: onboarding, tasks, reading the tree.
    async fn plan(&mut self, version: Version, now: Timestamp) -> Result<Planner, StoreError> {
        let work = &mut self.work;
        // A heartbeat says only that the device is there: what can wait, waits
        // (TR-069 Annex O).
        let heartbeat = work.device.last_events.contains(&EventCode::Heartbeat);
        let survey = work.device.tree_read_at.is_none() && !heartbeat;
        let mut offer = None;
        if self.shared.gives_credentials
            && !work.device.root.is_empty()
            && onboarding::is_due(work.own.as_ref(), work.bootstrap)
        {
            let offered =
                onboarding::offer(&work.device.id, work.own.take(), &self.shared.vault, now)?;
            offer = Some(onboarding::values(
                &offered,
                &self.shared.vault,
                self.shared.inform_interval,
            )?);
            // Durable before they are sent: they go with the first commit.
            work.pending.put(Record::Credentials(Box::new(offered.clone())));
            work.own = Some(offered);
        }
        let mut tasks = std::mem::take(&mut work.tasks);
        for task in &mut tasks {
            if settle_upload(&*self.shared.store, task, now).await? {
                task.revision += 1;
                work.pending.put(Record::Task(Box::new(task.clone())));
            }
        }
        tasks.retain(|task| !task.state.is_ended());
        // What is asked for without being said is found out when all else is done.
        for task in tasks.extract_if(.., |task| asks_repair(task) && now < task.expires_at) {
            work.desiring.ask(task);
        }
        let written = if tasks.is_empty() { Written::default() } else { self.recall().await? };
        let work = &mut self.work;
        let mut links = HashMap::new();
        for task in &tasks {
            if let Some(link) =
                link_for(&*self.shared.store, &self.shared.files, &self.caller, task, now).await?
            {
                links.insert(task.id, link);
            }
        }
        let situation = Situation {
            root: work.device.root.clone(),
            learned: work.learned.clone(),
            version,
            tasks,
            links,
            onboarding: offer,
            survey,
            written,
        };
        Ok(Planner::new(situation, work.device.parameter_count > 0, now))
    }

    /// What was asked while the session ran is done in it as well.
    pub(super) async fn take_up_new_tasks(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let open = self.shared.store.open_tasks(&self.work.device.id).await?;
        let mut found = false;
        for task in open {
            let Some(planner) = &self.work.planner else { return Ok(false) };
            if planner.knows(task.id) || task.state != TaskState::Queued || planner.is_closing() {
                continue;
            }
            if asks_repair(&task) {
                if !self.work.desiring.knows(task.id) {
                    self.work.desiring.ask(task);
                }
                continue;
            }
            self.recall().await?;
            let link =
                link_for(&*self.shared.store, &self.shared.files, &self.caller, &task, now).await?;
            if let Some(planner) = &mut self.work.planner {
                planner.take_up(task, link);
                found = true;
            }
        }
        Ok(found)
    }
}
