//! One session, from its Inform to its end: the only place that knows both the
//! order of the protocol and the intent.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::admission::{Admission, spread};
use super::gate::{Gate, Mismatch, Principal};
use super::inventory::{self, Arrival};
use super::links::{FileLinks, link_for};
use super::onboarding;
use super::recording::{alarm, commit_one_by_one, commit_with_tasks, confirm};
use crate::cwmp::{
    CpeRequest, Envelope, FaultCode, Inform, Input, Output, Session, TransferComplete, Turn,
    WriteStyle,
};
use crate::device::{
    Credentials, Device, Event, EventCode, EventKind, Learned, Task, TaskId, TaskState,
};
use crate::param::Tree;
use crate::plan::{Evidence, OnboardingResult, Planner, Situation, Step, settle, settle_transfer};
use crate::store::{Batch, Record, Store, StoreError, Vault};
use crate::time::Timestamp;

/// What all sessions share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) files: FileLinks,
    pub(super) admission: Admission,
    /// Whether devices are given credentials of their own.
    pub(super) gives_credentials: bool,
    pub(super) inform_interval: u32,
    /// What is assumed of a device that was never met.
    pub(super) assumed: Learned,
    /// Seconds that a session may be silent.
    pub(super) silence: u32,
    /// How long a transfer or a reboot may take.
    pub(super) patience: Duration,
}

/// Who sent an Inform, and how it came.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    pub(super) address: IpAddr,
    /// Our own end of the connection.
    pub(super) local: SocketAddr,
    /// The host name or address under which the device reached us.
    pub(super) host: Option<Box<str>>,
}

/// Why an Inform opens no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The protocol itself demands a fault (no version in common).
    #[error("no version of the protocol in common")]
    Fault(Vec<u8>),
    /// The credentials do not fit the device.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// Too many new devices; come again after these seconds.
    #[error("too many new devices in this minute")]
    Later(u64),
    /// Its being acknowledged could not be made durable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What goes back to the device.
#[derive(Debug)]
pub(super) enum Reply {
    /// HTTP 200 with this envelope.
    Envelope(Vec<u8>),
    /// HTTP 204: nothing more in this session.
    Nothing,
}

/// One live session.
///
/// [`Driver::open`] takes the Inform; then [`Driver::handle`] each further
/// message; [`Driver::abandon`] when the device falls silent or the session is
/// superseded.
pub(super) struct Driver {
    shared: Arc<Shared>,
    caller: Caller,
    /// `None` only while a message is being handled.
    session: Option<Session>,
    work: Work,
}

/// What the session knows and has yet to record.
struct Work {
    device: Device,
    own: Option<Credentials>,
    tasks: Vec<Task>,
    /// Shared with the commits that record it.
    tree: Option<Arc<Tree>>,
    /// The device did something after the InformResponse.
    spoke: bool,
    bootstrap: bool,
    planner: Option<Planner>,
    /// RPCs were answered: the tree is to be recorded at the end.
    tree_changed: bool,
    device_changed: bool,
    /// To be recorded with the next commit.
    pending: Batch,
}

impl Driver {
    /// Takes an Inform: checks who may speak for the device, brings the
    /// inventory up to date, makes that durable, and acknowledges.
    pub(super) async fn open(
        shared: Arc<Shared>,
        envelope: Envelope,
        caller: Caller,
        now: Timestamp,
    ) -> Result<(Self, Vec<u8>), Refusal> {
        let namespace = envelope.namespace.clone();
        let (inform, turn) =
            match Session::new(shared.silence, now).handle(Input::Message(envelope), now) {
                Output::Inform { inform, turn, .. } => (inform, turn),
                Output::Refused { reply, .. } => {
                    return Err(Refusal::Fault(crate::cwmp::write(&reply, &WriteStyle::default())));
                }
                // The caller brings Informs only.
                Output::Request { .. }
                | Output::Answer { .. }
                | Output::Ready(_)
                | Output::End { .. } => {
                    return Err(Refusal::Mismatch(Mismatch::OtherDevice));
                }
            };
        let id = inform.device.id();
        let known = shared.store.device(&id).await?;
        let mut own = shared.store.credentials(&id).await?;
        let bootstrap = inform.has(&EventCode::Bootstrap);
        if let Err(mismatch) = Gate::fits(&caller.principal, &id, own.as_ref(), bootstrap) {
            if known.is_some() {
                alarm(&shared, &id, &mismatch, &caller, now).await;
            }
            return Err(mismatch.into());
        }
        if known.is_none() {
            shared.admission.new_device(spread(&id), now).map_err(Refusal::Later)?;
        }
        let arrival = Arrival { namespace: &namespace, address: caller.address, now };
        let updated = inventory::update(known, &inform, &arrival, &shared.assumed);

        let mut batch = Batch::new();
        let mut tree = None;
        if updated.brings_news {
            let mut known = shared.store.tree(&id).await?.unwrap_or_default();
            inventory::learn(&mut known, &inform, now);
            let known = tree.insert(Arc::new(known));
            batch.put(Record::Tree(id.clone(), known.clone()));
        }
        if matches!(caller.principal, Principal::Device(_)) {
            confirm(&mut own, &mut batch);
        }
        let mut tasks = shared.store.open_tasks(&id).await?;
        let evidence = Evidence {
            inform: &inform,
            software_version: &updated.device.software_version,
            patience: shared.patience,
        };
        for position in settle(&mut tasks, evidence, now) {
            batch.put(Record::Task(Box::new(tasks[position].clone())));
        }
        batch.put(Record::Device(Box::new(updated.device.clone())));
        for event in updated.events {
            batch.put(Record::Event(event));
        }
        commit_with_tasks(&*shared.store, batch, &mut tasks).await?;
        tasks.retain(|task| !task.state.is_ended());
        log_inform(&updated.device, &inform, &caller);

        let (session, reply) = turn.acknowledge();
        let reply = write(&updated.device, &reply);
        let work = Work {
            device: updated.device,
            own,
            tasks,
            tree,
            spoke: false,
            bootstrap,
            planner: None,
            tree_changed: false,
            device_changed: false,
            pending: Batch::new(),
        };
        Ok((Self { shared, caller, session: Some(session), work }, reply))
    }

    /// How long the device may be silent.
    pub(super) fn timeout(&self) -> Duration {
        self.session.as_ref().map_or(Duration::ZERO, Session::silence)
    }

    /// Whether nothing more is to come.
    pub(super) fn is_over(&self) -> bool {
        self.session.as_ref().is_none_or(Session::is_ended)
    }

    /// Takes the next message of the device.
    pub(super) async fn handle(&mut self, input: Input, now: Timestamp) -> Reply {
        let Some(session) = self.session.take() else { return Reply::Nothing };
        if !self.work.spoke {
            self.work.spoke = true;
            if self.work.device.learned.silent_after_inform > 0 {
                self.work.device.learned.silent_after_inform = 0;
                self.work.device_changed = true;
            }
        }
        match session.handle(input, now) {
            Output::Ready(turn) => self.proceed(turn, now).await,
            Output::Answer { method, answer, turn } => {
                if let Err(fault) = &answer {
                    info!(device.id = %self.work.device.id, rpc.method = %method, fault.code = fault.code.0,
                        fault.text = %fault.text, "the device answered with a fault");
                }
                self.take_answer(answer, now);
                self.proceed(turn, now).await
            }
            Output::Request { request, turn } => {
                let (session, reply) = match self.take_request(&request, now).await {
                    Ok(()) => turn.answer(),
                    Err(error) => {
                        warn!(device.id = %self.work.device.id, %error, "a request of the device was not recorded");
                        turn.refuse(FaultCode::ACS_RESOURCES_EXCEEDED, "")
                    }
                };
                self.session = Some(session);
                Reply::Envelope(write(&self.work.device, &reply))
            }
            Output::Refused { reply, session, .. } => {
                self.session = Some(session);
                Reply::Envelope(write(&self.work.device, &reply))
            }
            // An Inform opens a session of its own; the endpoint sees to it.
            Output::Inform { turn, .. } => {
                let (session, reply) = turn.refuse(FaultCode::ACS_RETRY_REQUEST);
                self.session = Some(session);
                Reply::Envelope(write(&self.work.device, &reply))
            }
            Output::End { why, lost, session } => {
                self.session = Some(session);
                if lost.is_some() {
                    warn!(device.id = %self.work.device.id, session.end = why.words(), "the session broke off");
                    self.give_up(now);
                }
                self.record(now).await;
                Reply::Nothing
            }
        }
    }

    /// The device fell silent, came anew, or the server stops.
    pub(super) async fn abandon(&mut self, now: Timestamp) {
        if self.is_over() {
            return;
        }
        self.session = None;
        if !self.work.spoke {
            self.learn_silence();
        }
        self.give_up(now);
        self.record(now).await;
    }

    /// Some devices drop an InformResponse that begins with an XML declaration,
    /// others need it: after two silences the other form is tried (Q55).
    fn learn_silence(&mut self) {
        let learned = &mut self.work.device.learned;
        learned.silent_after_inform += 1;
        if learned.silent_after_inform >= 2 {
            learned.silent_after_inform = 0;
            learned.xml_declaration = !learned.xml_declaration;
        }
        self.work.device_changed = true;
    }

    fn give_up(&mut self, now: Timestamp) {
        if let (Some(planner), Some(tree)) = (&mut self.work.planner, &mut self.work.tree) {
            planner.abandon(Arc::make_mut(tree), now);
        }
    }

    fn take_answer(
        &mut self,
        answer: Result<crate::cwmp::CpeResponse, crate::cwmp::Fault>,
        now: Timestamp,
    ) {
        if let (Some(planner), Some(tree)) = (&mut self.work.planner, &mut self.work.tree) {
            planner.answer(answer, Arc::make_mut(tree), now);
            self.work.tree_changed = true;
        }
    }

    /// A request of the device: what it tells is durable before it is answered.
    async fn take_request(
        &mut self,
        request: &CpeRequest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let told = match request {
            CpeRequest::TransferComplete(complete) => {
                return self.take_transfer(complete, now).await;
            }
            // In words, and without the URLs, which may hold passwords.
            CpeRequest::AutonomousTransferComplete(complete) => {
                let way = if complete.is_download { "fetched" } else { "sent" };
                format!(
                    "{way} a file of type {:?} on its own: fault {} {}",
                    complete.file_type, complete.fault_code, complete.fault_string
                )
            }
            CpeRequest::RequestDownload(wanted) => {
                format!("asked for a file of type {:?}", wanted.file_type)
            }
            CpeRequest::DuStateChangeComplete(change) => {
                format!("changed {} deployment units as asked", change.results.len())
            }
            CpeRequest::AutonomousDuStateChangeComplete(change) => {
                format!("changed {} deployment units on its own", change.results.len())
            }
            CpeRequest::Inform(_)
            | CpeRequest::GetRpcMethods
            | CpeRequest::Kicked(_)
            | CpeRequest::Unknown(_) => {
                return Ok(());
            }
        };
        let kind = EventKind::Told(told.chars().take(1024).collect());
        let event = Event { device: self.work.device.id.clone(), at: now, kind };
        self.shared.store.commit(Record::Event(event).into()).await
    }

    async fn take_transfer(
        &mut self,
        complete: &TransferComplete,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The session's own view may be old, and a task that was given up as
        // unknown is no longer among the open ones: the store knows them all.
        let mut tasks = self.shared.store.open_tasks(&self.work.device.id).await?;
        if let Ok(id) = complete.command_key.trim().parse::<TaskId>()
            && !tasks.iter().any(|task| task.id == id)
            && let Some(task) = self.shared.store.task(id).await?
            && task.device == self.work.device.id
        {
            tasks.push(task);
        }
        let fault = complete.fault_code.0;
        let Some(position) = settle_transfer(&mut tasks, complete, now) else {
            info!(device.id = %self.work.device.id, fault.code = fault, "a TransferComplete that belongs to no open task");
            return Ok(());
        };
        let task = tasks.swap_remove(position);
        info!(device.id = %task.device, task.id = %task.id, fault.code = fault, "transfer complete");
        self.shared.store.commit(Record::Task(Box::new(task.clone())).into()).await?;
        self.work.tasks.retain(|known| known.id != task.id);
        match &mut self.work.planner {
            Some(planner) => {
                planner.forget(task.id);
                planner.take_up(task, None);
            }
            None => self.work.tasks.push(task),
        }
        Ok(())
    }

    /// The ACS has the word: the next RPC, or the end.
    async fn proceed(&mut self, turn: Turn, now: Timestamp) -> Reply {
        match self.next_request(now).await {
            Ok(Some(request)) => {
                let (session, reply) = turn.request(request);
                self.session = Some(session);
                Reply::Envelope(write(&self.work.device, &reply))
            }
            Ok(None) => {
                self.session = Some(turn.finish());
                self.record(now).await;
                Reply::Nothing
            }
            Err(error) => {
                // What cannot be recorded is not sent; the device comes again.
                warn!(device.id = %self.work.device.id, %error, "the session ends early");
                self.session = Some(turn.finish());
                Reply::Nothing
            }
        }
    }

    async fn next_request(
        &mut self,
        now: Timestamp,
    ) -> Result<Option<crate::cwmp::AcsRequest>, StoreError> {
        if self.work.planner.is_none() {
            self.work.planner = Some(self.plan(now).await?);
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
            self.collect();
            match step {
                Step::Rpc { request, record_first } => {
                    if let Some(task) = &record_first {
                        self.work.pending.put(Record::Task(task.clone()));
                    }
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
                    if !self.take_up_new_tasks(now).await? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Plans the session: onboarding, tasks, reading the tree.
    async fn plan(&mut self, now: Timestamp) -> Result<Planner, StoreError> {
        let work = &mut self.work;
        let survey = work.device.tree_read_at.is_none() && !work.device.root.is_empty();
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
        let tasks = std::mem::take(&mut work.tasks);
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
            learned: work.device.learned.clone(),
            tasks,
            links,
            onboarding: offer,
            survey,
        };
        Ok(Planner::new(situation, work.device.parameter_count > 0, now))
    }

    /// What was asked while the session ran is done in it as well.
    async fn take_up_new_tasks(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let open = self.shared.store.open_tasks(&self.work.device.id).await?;
        let mut found = false;
        for task in open {
            let Some(planner) = &self.work.planner else { return Ok(false) };
            if planner.knows(task.id) || task.state != TaskState::Queued || planner.is_closing() {
                continue;
            }
            let link =
                link_for(&*self.shared.store, &self.shared.files, &self.caller, &task, now).await?;
            if let Some(planner) = &mut self.work.planner {
                planner.take_up(task, link);
                found = true;
            }
        }
        Ok(found)
    }

    /// Moves what the planner has to tell into the pending batch.
    fn collect(&mut self) {
        let Some(planner) = &mut self.work.planner else { return };
        for task in planner.take_changes() {
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

    /// Commits what is pending. `false` if a task in it was changed by somebody
    /// else: then nothing was recorded, and the others are tried on their own.
    async fn commit_pending(&mut self) -> Result<bool, StoreError> {
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

    /// The session ends: records whatever is new.
    async fn record(&mut self, now: Timestamp) {
        self.collect();
        let work = &mut self.work;
        if let Some(planner) = &work.planner {
            if *planner.learned() != work.device.learned {
                work.device.learned = planner.learned().clone();
                work.device_changed = true;
            }
            if planner.surveyed() {
                work.device.tree_read_at = Some(now);
                work.device_changed = true;
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
        if std::mem::take(&mut work.device_changed) {
            work.pending.put(Record::Device(Box::new(work.device.clone())));
        }
        if let Err(error) = self.commit_pending().await {
            warn!(device.id = %self.work.device.id, %error, "the end of the session was not recorded");
        }
    }
}

fn log_inform(device: &Device, inform: &Inform, caller: &Caller) {
    tracing::debug!(device.id = %device.id, peer.address = %caller.address, inform.retry = inform.retry_count,
        inform.events = ?inform.events, "inform");
}

fn write(device: &Device, envelope: &Envelope) -> Vec<u8> {
    crate::cwmp::write(envelope, &WriteStyle { xml_declaration: device.learned.xml_declaration })
}
