//! One session, from its Inform to its end: the only place that knows both the
//! order of the protocol and the intent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::admission::Admission;
use super::backups;
use super::changes::{self, Interest, Occasion, Writes};
use super::counting::{Counted, ended_by};
use super::desiring::Desiring;
use super::diary::Diary;
use super::inventory::{self, Arrival};
use super::links::FileLinks;
use super::recording::{alarm, clone_suspected, commit_inform, confirm};
use super::redirecting;
use super::sightings::{Sightings, Told};
use super::told::find_arrival;
use super::welcome::{self, Newcomer, Reception};
use crate::config::{FleetConfig, HistoryConfig, Live};
use crate::cwmp::{
    CpeRequest, Envelope, FaultCode, Greeting, Inform, Input, Output, Session, WriteStyle,
};
use crate::device::{
    Ability, Credentials, Device, DeviceId, EventCode, Learned, Outcome, Proof, Redirection, Task,
    TaskState, WrittenValues,
};
use crate::fleet::Fleet;
use crate::gate::{AdmissionRules, Gate, Mismatch, Principal, Strangers};
use crate::metrics::SessionEnd;
use crate::param::Tree;
use crate::plan::{Evidence, Planner, settle};
use crate::store::{Batch, Change, Record, Store, StoreError, Vault};
use crate::time::Timestamp;

/// What all sessions share.
pub(super) struct Shared {
    pub(super) store: Arc<dyn Store>,
    pub(super) vault: Arc<Vault>,
    pub(super) files: FileLinks,
    pub(super) admission: Admission,
    /// What becomes of devices that nobody knows.
    pub(super) admission_rules: Live<AdmissionRules>,
    /// Those of them that wait.
    pub(super) strangers: Arc<Strangers>,
    pub(super) sightings: Sightings,
    /// The STUN server, if there is one.
    pub(super) stun: Option<super::stun::StunOffer>,
    /// Whether devices are given credentials of their own.
    pub(super) gives_credentials: bool,
    pub(super) inform_interval: u32,
    /// What is wanted of devices, and what is known of models.
    pub(super) fleet: Arc<Fleet>,
    /// `[fleet]`.
    pub(super) desires: Live<FleetConfig>,
    /// Seconds that a session may be silent.
    pub(super) silence: u32,
    /// How long a transfer or a reboot may take.
    pub(super) patience: Duration,
    /// Whether a device gets a stored file that it asks for.
    pub(super) request_download: bool,
    /// Which changes of values are remembered.
    pub(super) interest: Interest,
    /// `[history]`.
    pub(super) history: Live<HistoryConfig>,
    /// Where a browser that kicked a device is sent next; may be empty.
    pub(super) kicked_next_url: Box<str>,
    /// How much is learned of vendors' own parameters.
    pub(super) learning: super::learning::Learning,
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
    /// Another address from which a session of the same device is live.
    pub(super) rival: Option<IpAddr>,
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
    /// It is sent to another server; all that the Inform told is recorded.
    #[error("sent to {url}", url = .0.url)]
    Elsewhere(Redirection),
    /// Too many new devices; come again after these seconds.
    #[error("too many new devices in this minute, or too many Informs of this one")]
    Later(u64),
    /// It is unknown and waits: this answers its Inform, and nothing is asked.
    #[error("it waits in quarantine")]
    Waits(Vec<u8>),
    /// It is not served here; why.
    #[error("{0}")]
    Denied(Box<str>),
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
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    /// `None` only while a message is being handled.
    pub(super) session: Option<Session>,
    pub(super) work: Work,
}

/// What the session knows and has yet to record.
pub(super) struct Work {
    pub(super) device: Device,
    /// What the device can take.
    pub(super) learned: Learned,
    pub(super) own: Option<Credentials>,
    pub(super) tasks: Vec<Task>,
    /// Shared with the commits that record it.
    pub(super) tree: Option<Arc<Tree>>,
    /// The device did something after the InformResponse.
    pub(super) spoke: bool,
    pub(super) bootstrap: bool,
    /// The device was told of the STUN server, or need not be.
    pub(super) stun_offered: bool,
    pub(super) planner: Option<Planner>,
    /// RPCs were answered: the tree is to be recorded at the end.
    pub(super) tree_changed: bool,
    /// The Inform told of devices around it.
    pub(super) claims_touched: bool,
    pub(super) device_changed: bool,
    /// To be recorded with the next commit.
    pub(super) pending: Batch,
    /// What is kept of the session.
    pub(super) diary: Diary,
    /// What was written in it.
    pub(super) writes: Writes,
    /// What else may have changed values.
    pub(super) occasion: Occasion,
    /// How far it is with what profiles want.
    pub(super) desiring: Desiring,
    /// Counts it while it is live, and how it ended.
    pub(super) counted: Counted,
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
        let (inform, turn) = greet(shared.silence, envelope, now)?;
        let id = inform.device.id();
        let known = shared.store.device(&id).await?;
        let mut own = shared.store.credentials(&id).await?;
        let bootstrap = inform.has(&EventCode::Bootstrap);
        let is_new = known.is_none();
        if let Err(mismatch) = Gate::fits(&caller.principal, &id, own.as_ref(), bootstrap) {
            return Err(refused(&shared, &id, mismatch, is_new, &caller, now).await);
        }
        if !is_new {
            shared.admission.inform(&id, now).map_err(Refusal::Later)?;
        }
        let before = known.as_ref().and_then(|known| known.address);
        let arrival = Arrival { namespace: &namespace, address: caller.address, now };
        let version = known.as_ref().map(|known| known.software_version.clone());
        let was_read = known.as_ref().is_some_and(|known| known.tree_read_at.is_some());
        let mut updated = inventory::update(known, &inform, &arrival);
        let occasion = Occasion::of(version.as_deref(), &updated.device, bootstrap);
        let learned = shared.fleet.models().learned(&updated.device).await?;
        // Rows may have other numbers after a restart (Q33).
        if !learned.steady_instances && inform.has(&EventCode::Boot) {
            updated.device.tree_read_at = None;
        }

        let (own_now, device) = (own.as_ref(), &updated.device);
        let newcomer = Newcomer { inform: &inform, device, caller: &caller, own: own_now, now };
        let welcome = match welcome::receive_if(is_new, &shared, &newcomer).await? {
            Reception::Enters(with) => with,
            Reception::Waits => return Err(Refusal::Waits(write(&learned, &turn.acknowledge().1))),
        };
        let touched = updated.brings_news || bootstrap || before != Some(caller.address);
        let came = Came { updated: &updated, inform: &inform, occasion, was_read };
        let mut batch = welcome;
        let (tree, writes) = take_over(&shared, &came, &mut batch, now).await?;
        if matches!(caller.principal, Principal::Device(_)) {
            confirm(&mut own, &mut batch);
        }
        let mut tasks = shared.store.open_tasks(&id).await?;
        let evidence = Evidence {
            inform: &inform,
            software_version: &updated.device.software_version,
            patience: shared.patience,
        };
        let redirect = judge(&shared, evidence, &caller, &mut tasks, &mut batch, now).await?;
        batch.put(Record::Device(Box::new(updated.device.clone())));
        for event in updated.events {
            batch.put(Record::Event(event));
        }
        commit_inform(&shared, &id, is_new, batch, &mut tasks).await?;
        clone_suspected(&shared, &id, before, &caller, now).await;
        if let Some(to) = redirecting::sent(&*shared.store, redirect).await? {
            return Err(Refusal::Elsewhere(to));
        }
        log_inform(&updated.device, &inform, &caller);

        let (session, reply) = turn.acknowledge();
        let reply = write(&learned, &reply);
        let work = Work {
            device: updated.device,
            learned,
            own,
            tasks: tasks.into_iter().filter(|task| !task.state.is_ended()).collect(),
            tree,
            spoke: false,
            bootstrap,
            stun_offered: false,
            planner: None,
            tree_changed: false,
            claims_touched: updated.bears_on_claims,
            device_changed: false,
            pending: Batch::new(),
            writes,
            occasion,
            desiring: Desiring::new(touched),
            counted: Counted::begin(is_new, &inform),
            diary: Diary::new(now, inform.events.iter().map(|event| event.code.clone()).collect()),
        };
        let session = Some(session.patient(work.learned.silence.into()));
        Ok((Self { shared, caller, session, work }, reply))
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
        self.work.diary.heard(now);
        if !self.work.spoke {
            self.work.spoke = true;
            let words =
                "the device spoke after an InformResponse in this form, and not in the other";
            self.work.learned.confirm(&Ability::XmlDeclaration(true), words, now);
            if self.work.device.lessons.silent_after_inform > 0 {
                self.work.device.lessons.silent_after_inform = 0;
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
                self.work.diary.answered(answer.as_ref().err());
                self.work.writes.answered(answer.is_ok());
                self.take_answer(answer, now);
                self.proceed(turn, now).await
            }
            Output::Request { request, turn } => {
                let (session, reply) = match self.take_request(&request, now).await {
                    Ok(()) => {
                        self.work.diary.told(request.method(), unknown(&request), now);
                        turn.with_next_url(&self.shared.kicked_next_url).answer()
                    }
                    Err(error) => {
                        let refused = (FaultCode::ACS_RESOURCES_EXCEEDED.0, "it was not recorded");
                        self.work.diary.told(request.method(), Some(refused), now);
                        warn!(device.id = %self.work.device.id, %error, "a request of the device was not recorded");
                        turn.refuse(FaultCode::ACS_RESOURCES_EXCEEDED, "")
                    }
                };
                self.session = Some(session);
                Reply::Envelope(self.write(&reply))
            }
            Output::Refused { reply, session, .. } => {
                self.session = Some(session);
                Reply::Envelope(self.write(&reply))
            }
            // An Inform opens a session of its own; the endpoint sees to it.
            Output::Inform { turn, .. } => {
                let (session, reply) = turn.refuse(FaultCode::ACS_RETRY_REQUEST);
                self.session = Some(session);
                Reply::Envelope(self.write(&reply))
            }
            Output::End { why, lost, session } => {
                let end = if lost.is_some() { SessionEnd::Broken } else { SessionEnd::Complete };
                self.work.counted.end(end);
                self.session = Some(session);
                self.work.diary.break_off(why.words());
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
    pub(super) async fn abandon(&mut self, why: &'static str, now: Timestamp) {
        if self.is_over() {
            return;
        }
        self.session = None;
        self.work.counted.end(ended_by(why));
        self.work.diary.break_off(why);
        if !self.work.spoke {
            self.learn_silence(now);
        }
        self.give_up(now);
        self.record(now).await;
    }

    /// An envelope in the form that the device takes.
    pub(super) fn write(&self, envelope: &Envelope) -> Vec<u8> {
        write(self.work.planner.as_ref().map_or(&self.work.learned, Planner::learned), envelope)
    }

    /// Some devices drop an InformResponse that begins with an XML declaration,
    /// others need it: after two silences the other form is tried (Q55).
    fn learn_silence(&mut self, now: Timestamp) {
        let silent = &mut self.work.device.lessons.silent_after_inform;
        *silent = silent.saturating_add(1);
        if *silent >= 2 {
            *silent = 0;
            let other = !self.work.learned.xml_declaration;
            let words = if other {
                "the device was silent after two InformResponses without an XML declaration"
            } else {
                "the device was silent after two InformResponses with an XML declaration"
            };
            // Tried, and not yet shown to be better: that is known when the
            // device speaks.
            self.work.learned.teach(Ability::XmlDeclaration(other), Proof::Silence(1), words, now);
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
}

/// An Inform, and what it means for the device.
struct Came<'a> {
    updated: &'a inventory::Updated,
    inform: &'a Inform,
    occasion: Occasion,
    /// Whether the whole tree was read before.
    was_read: bool,
}

/// Takes what an Inform tells over into what is known of the device; the tree, if it
/// was needed for that, and what changed in it go into the batch.
async fn take_over(
    shared: &Shared,
    came: &Came<'_>,
    batch: &mut Batch,
    now: Timestamp,
) -> Result<(Option<Arc<Tree>>, Writes), StoreError> {
    let device = &came.updated.device;
    let id = &device.id;
    let is_reset = came.occasion == Occasion::Bootstrap;
    if is_reset {
        // It has lost what it was given.
        batch.push(Change::ForgetCompliance(id.clone()));
        batch.put(Record::Written(Box::new(WrittenValues::new(id.clone()))));
    }
    let mut writes = Writes::default();
    let backs_up = is_reset && came.was_read;
    if !came.updated.brings_news && !backs_up {
        return Ok((None, writes));
    }
    let mut known = shared.store.tree(id).await?.unwrap_or_default();
    if backs_up {
        backups::before_reset(shared, device, &known, batch, now).await?;
    }
    inventory::learn(&mut known, came.inform, now);
    let (interest, occasion) = (&shared.interest, came.occasion);
    let found = changes::found(device, &mut known, &mut writes, interest, occasion, now);
    if let Some(found) = found {
        batch.put(Record::Changes(Box::new(found)));
    }
    let known = Arc::new(known);
    batch.put(Record::Tree(id.clone(), known.clone()));
    Ok((Some(known), writes))
}

/// The sender may not speak for the device; if that is known, its history tells.
async fn refused(
    shared: &Shared,
    id: &DeviceId,
    mismatch: Mismatch,
    is_new: bool,
    caller: &Caller,
    now: Timestamp,
) -> Refusal {
    if !is_new && shared.sightings.tells(id, Told::Refused, now) {
        alarm(shared, id, &mismatch, caller, now).await;
    }
    mismatch.into()
}

/// Judges the open tasks by the Inform, and finds the redirect that waits for
/// it; what changed goes into the batch.
async fn judge(
    shared: &Shared,
    evidence: Evidence<'_>,
    caller: &Caller,
    tasks: &mut [Task],
    batch: &mut Batch,
    now: Timestamp,
) -> Result<Option<redirecting::Due>, StoreError> {
    for position in settle(tasks, evidence, now) {
        let Some(task) = tasks.get_mut(position) else { continue };
        if matches!(task.state, TaskState::Ended { outcome: Outcome::Unknown(_), .. }) {
            find_arrival(&*shared.store, task, now).await?;
        }
        batch.put(Record::Task(Box::new(task.clone())));
    }
    let redirect = redirecting::due(tasks, caller, now);
    if let Some(task) = redirect.as_ref().and_then(|due| tasks.get(due.position)) {
        batch.put(Record::Task(Box::new(task.clone())));
    }
    Ok(redirect)
}

/// Begins the session with its Inform. The caller brings Informs only.
fn greet(
    silence: u32,
    envelope: Envelope,
    now: Timestamp,
) -> Result<(Box<Inform>, Greeting), Refusal> {
    match Session::new(silence, now).handle(Input::Message(envelope), now) {
        Output::Inform { inform, turn, .. } => Ok((inform, turn)),
        Output::Refused { reply, .. } => {
            Err(Refusal::Fault(crate::cwmp::write(&reply, &WriteStyle::default())))
        }
        Output::Request { .. } | Output::Answer { .. } | Output::Ready(_) | Output::End { .. } => {
            Err(Refusal::Mismatch(Mismatch::OtherDevice))
        }
    }
}

/// The fault that a method which is not of the standard is answered with (Q53).
fn unknown(request: &CpeRequest) -> Option<(u32, &'static str)> {
    let code = FaultCode::ACS_METHOD_NOT_SUPPORTED;
    matches!(request, CpeRequest::Unknown(_)).then(|| (code.0, code.words()))
}

fn log_inform(device: &Device, inform: &Inform, caller: &Caller) {
    tracing::debug!(device.id = %device.id, peer.address = %caller.address, inform.retry = inform.retry_count,
        inform.events = ?inform.events, "inform");
}

fn write(learned: &Learned, envelope: &Envelope) -> Vec<u8> {
    crate::cwmp::write(
        envelope,
        &WriteStyle {
            xml_declaration: learned.xml_declaration,
            next_level_words: learned.next_level_words,
        },
    )
}
