//! What profiles want of the device, in a session: looked at when something may have
//! changed, compared with what is known, and given to the planner.
//!
//! A device that has what is wanted of it has a mark in its hot record, and as long
//! as that holds nothing is loaded here. What is left to be done about a device is
//! recorded by `settling`; which parameters are read again is for `freshness`;
//! firmware and tags are for `upgrading` and `tagging`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::admission::spread;
use super::driver::Driver;
use super::settling::Found;
use crate::device::{
    Action, Compliance, Desired, Drift, EventCode, EventKind, Labels, Outcome, Settlement, Task,
    TaskId, TaskState, WrittenValues,
};
use crate::expr::Subject;
use crate::fleet::{Bounds, Deed};
use crate::param::{ParamPath, is_match};
use crate::phone::Phone;
use crate::plan::{Planner, Written};
use crate::profile::{Drifting, ProfileSet, Resolved};
use crate::store::{Change, Record, StoreError, phone_of};
use crate::time::Timestamp;

/// Attempts in one session: each holds what was refused for good, and the rest is
/// tried without it.
const MAX_ATTEMPTS: u32 = 3;

/// Readings in one session: what is read may let other rules match, which ask for
/// more.
pub(super) const MAX_READINGS: u32 = 3;

/// How long a task that is made here may wait.
const DEADLINE: Duration = Duration::from_secs(86_400);

/// How far a session is with what profiles want.
#[derive(Default)]
pub(super) struct Desiring {
    /// Repairs that operators asked for and that are not begun.
    asked: Vec<Task>,
    /// Something changed by which rules find the device.
    touched: bool,
    case: Option<Box<Case>>,
    under_way: Option<UnderWay>,
    /// Tasks that only read, and are no matter of record.
    unrecorded: Vec<TaskId>,
    /// What is remembered of the device beyond its tree, once it was loaded.
    memory: Option<WrittenValues>,
    memory_changed: bool,
    over: bool,
}

/// What was loaded of the device, and what was found out in this session.
pub(super) struct Case {
    pub(super) set: Arc<ProfileSet>,
    pub(super) labels: Labels,
    pub(super) phone: Option<Phone>,
    /// As it is stored.
    pub(super) stored: Option<Compliance>,
    /// As it is to be stored.
    pub(super) compliance: Compliance,
    /// An operator asked for the repair.
    pub(super) asked: bool,
    pub(super) readings: u32,
    pub(super) attempts: u32,
    /// The last attempt held something, so that the rest may pass.
    pub(super) again: bool,
    /// The attempt that just ended: what was to be repaired, and how it ended.
    pub(super) tried: Option<(Vec<Drift>, Option<Outcome>)>,
    /// The tags that the device had in this session.
    pub(super) tags_seen: Vec<BTreeSet<Box<str>>>,
    /// What else is to be told.
    pub(super) problems: Vec<Box<str>>,
    /// Lines for the device's history.
    pub(super) events: Vec<EventKind>,
}

/// What was given to the planner.
struct UnderWay {
    tasks: Vec<(TaskId, Option<Outcome>)>,
    what: What,
}

enum What {
    /// These are read.
    Reading { asked: Vec<ParamPath>, since: Timestamp },
    /// These are repaired.
    Attempt(Vec<Drift>),
}

impl Desiring {
    /// Of a session that begins with an Inform. `touched` says whether that told
    /// anything by which rules may find the device otherwise than before.
    pub(super) fn new(touched: bool) -> Self {
        Self { touched, ..Self::default() }
    }

    /// An operator asked for the repair: it is looked at once more, if need be.
    pub(super) fn ask(&mut self, task: Task) {
        self.over = false;
        match &mut self.case {
            Some(case) if self.under_way.is_some() => case.asked = true,
            _ => self.case = None,
        }
        self.asked.push(task);
    }

    /// Whether a repair that was asked for is already noted.
    pub(super) fn knows(&self, id: TaskId) -> bool {
        self.asked.iter().any(|task| task.id == id)
    }

    /// Takes note of how a task ended. `false` if it is no matter of record.
    pub(super) fn hear(&mut self, task: &Task) -> bool {
        if let TaskState::Ended { outcome, .. } = &task.state
            && let Some(under_way) = &mut self.under_way
        {
            for (id, ended) in &mut under_way.tasks {
                if *id == task.id {
                    *ended = Some(outcome.clone());
                }
            }
        }
        self.is_recorded(task.id)
    }

    /// Whether a task is a matter of record.
    pub(super) fn is_recorded(&self, id: TaskId) -> bool {
        !self.unrecorded.contains(&id)
    }

    /// What is remembered of the device, to be changed.
    pub(super) fn memory_mut(&mut self) -> Option<&mut WrittenValues> {
        self.memory_changed = true;
        self.memory.as_mut()
    }

    /// What is remembered of the device.
    pub(super) const fn memory(&self) -> Option<&WrittenValues> {
        self.memory.as_ref()
    }

    /// The repairs that operators asked for and that nothing was needed for.
    pub(super) fn take_asked(&mut self) -> Vec<Task> {
        std::mem::take(&mut self.asked)
    }

    /// What is remembered, if that is to be recorded; `digests` are those that
    /// changed.
    pub(super) fn take_memory(
        &mut self,
        digests: Option<std::collections::BTreeMap<Box<str>, u64>>,
    ) -> Option<WrittenValues> {
        let memory = self.memory.as_mut()?;
        if let Some(digests) = digests {
            memory.digests = digests;
            self.memory_changed = true;
        }
        std::mem::take(&mut self.memory_changed).then(|| memory.clone())
    }
}

impl Driver {
    /// Takes up what profiles want. `true` if there is something to ask of the
    /// device.
    pub(super) async fn desire(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        if self.work.desiring.over || !self.may_ask() {
            return Ok(false);
        }
        if self.work.desiring.case.is_none() && !self.open_case(now).await? {
            self.work.desiring.over = true;
            return Ok(false);
        }
        let Some(mut case) = self.work.desiring.case.take() else { return Ok(false) };
        let begun = self.look(&mut case, now).await?;
        self.work.desiring.case = Some(case);
        if begun {
            return Ok(true);
        }
        self.work.desiring.over = true;
        // A Download that was asked for meanwhile.
        self.take_up_new_tasks(now).await
    }

    /// The session broke off: an attempt that was under way is judged.
    pub(super) async fn break_off_desire(&mut self, now: Timestamp) {
        let desiring = &mut self.work.desiring;
        let is_attempt =
            desiring.under_way.as_ref().is_some_and(|one| matches!(one.what, What::Attempt(_)));
        let case = desiring.case.take().filter(|_| is_attempt && !desiring.over);
        desiring.over = true;
        let Some(mut case) = case else { return };
        self.take_stock(&mut case);
        let resolved = self.resolve(&case, now);
        let found = self.compare(&mut case, &resolved, now);
        self.settle_case(&mut case, &resolved, &found, now);
    }

    /// What was written and what is known beside the tree: loaded before anything
    /// is written.
    pub(super) async fn recall(&mut self) -> Result<Written, StoreError> {
        let digest = self.shared.fleet.digest().clone();
        let desiring = &mut self.work.desiring;
        if desiring.memory.is_none() {
            let id = &self.work.device.id;
            let known = self.shared.store.fleet().written(id).await?;
            let known = known.unwrap_or_else(|| WrittenValues::new(id.clone()));
            if let Some(planner) = &mut self.work.planner {
                planner.know_written(Written::new(known.digests.clone(), digest.clone()));
            }
            desiring.memory = Some(known);
        }
        let known = desiring.memory.as_ref().map(|memory| memory.digests.clone());
        Ok(Written::new(known.unwrap_or_default(), digest))
    }

    /// Within which bounds the device is asked again.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds::from(&*self.shared.desires)
    }

    /// A heartbeat says only that the device is there: what can wait, waits (TR-069
    /// Annex O).
    fn may_ask(&self) -> bool {
        let heartbeat = self.work.device.last_events.contains(&EventCode::Heartbeat);
        !heartbeat && self.work.planner.as_ref().is_some_and(|planner| !planner.is_closing())
    }

    /// Loads what is needed to look at the device; `false` if there is no need.
    async fn open_case(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let asked = !self.work.desiring.asked.is_empty();
        if !self.shared.desires.enabled {
            self.end_asked(Err("what profiles want is switched off: fleet.enabled"), now);
            return Ok(false);
        }
        let fleet = self.shared.fleet.clone();
        let set = fleet.profiles().current().await?;
        let mark = self.work.device.settlement;
        if set.is_empty() {
            if mark != Settlement::default() {
                self.work.device.settlement = Settlement::default();
                self.work.device_changed = true;
                let id = self.work.device.id.clone();
                self.work.pending.push(Change::ForgetCompliance(id));
            }
            self.end_asked(Ok("no profile is in force"), now);
            return Ok(false);
        }
        let store = self.shared.store.clone();
        let touched = asked || self.work.desiring.touched || self.work.tree_changed;
        let may_hold = !touched && mark.profiles == set.fingerprint() && now < mark.due;
        let labels = store.labels(&self.work.device.id).await?.unwrap_or_default();
        if may_hold && labels.revision == mark.labels {
            return Ok(false);
        }
        self.recall().await?;
        let work = &mut self.work;
        if work.tree.is_none() {
            work.tree = Some(Arc::new(store.tree(&work.device.id).await?.unwrap_or_default()));
        }
        let root = work.planner.as_ref().map_or("", Planner::root);
        if work.device.root.is_empty() && !root.is_empty() {
            work.device.root = root.into();
            work.device_changed = true;
        }
        if work.planner.as_ref().is_some_and(Planner::surveyed) {
            work.device.tree_read_at = Some(now);
            work.device_changed = true;
            if let Some(memory) = &mut work.desiring.memory {
                work.desiring.memory_changed |= !memory.absent.is_empty();
                memory.absent.clear();
            }
        }
        let phone = match set.asks().phone {
            true => phone_of(&*store, &work.device, &labels).await?,
            false => None,
        };
        let stored = store.fleet().compliance(&work.device.id).await?;
        let compliance = stored.clone().unwrap_or_else(|| Compliance {
            device: work.device.id.clone(),
            at: now,
            drifts: Vec::new(),
            attempts: 0,
            retry_at: None,
            why: "".into(),
            task: None,
            software_version: work.device.software_version.clone(),
            firmware: None,
        });
        work.desiring.case = Some(Box::new(Case {
            set,
            tags_seen: vec![labels.tags.clone()],
            labels,
            phone,
            stored,
            compliance,
            asked,
            readings: 0,
            attempts: 0,
            again: false,
            tried: None,
            problems: Vec::new(),
            events: Vec::new(),
        }));
        Ok(true)
    }

    /// Looks at the device once: `true` if something was given to the planner.
    async fn look(&mut self, case: &mut Case, now: Timestamp) -> Result<bool, StoreError> {
        if !self.take_stock(case) {
            return Ok(false);
        }
        let mut resolved = self.resolve(case, now);
        while self.set_tags(case, &resolved).await? {
            resolved = self.resolve(case, now);
        }
        if case.readings < MAX_READINGS {
            let wanted = self.to_be_read(&resolved, now);
            if self.begin_reading(case, wanted, now) {
                return Ok(true);
            }
        }
        let mut found = self.compare(case, &resolved, now);
        let only_told = resolved.drifting == Drifting::Report && !case.asked;
        if only_told && case.readings < MAX_READINGS {
            let unknown = found.unknown.clone();
            if self.begin_reading(case, unknown, now) {
                return Ok(true);
            }
        }
        if self.begin_attempt(case, &resolved, &found, now) {
            return Ok(true);
        }
        self.upgrade(case, &resolved, &mut found, now).await?;
        self.settle_case(case, &resolved, &found, now);
        Ok(false)
    }

    /// What profiles want of the device as it is known now.
    fn resolve(&self, case: &Case, now: Timestamp) -> Resolved {
        case.set.resolve(&Subject {
            device: &self.work.device,
            labels: &case.labels,
            tree: self.work.tree.as_deref(),
            phone: case.phone.as_ref(),
            now,
        })
    }

    /// Takes over how what was under way ended; `false` if it did not, because the
    /// session has no more to give.
    fn take_stock(&mut self, case: &mut Case) -> bool {
        let Some(under_way) = self.work.desiring.under_way.take() else { return true };
        let ended = under_way.tasks.iter().all(|(_, outcome)| outcome.is_some());
        match under_way.what {
            What::Reading { asked, since } => self.note_absent(&asked, since),
            What::Attempt(drifts) => {
                let outcome = under_way.tasks.into_iter().next().and_then(|(_, outcome)| outcome);
                case.tried = Some((drifts, outcome));
                // What was just tried is compared whatever became of it.
                return true;
            }
        }
        ended
    }

    /// Gives a reading to the planner; `false` if there is nothing to read.
    fn begin_reading(&mut self, case: &mut Case, wanted: Vec<ParamPath>, now: Timestamp) -> bool {
        let Some(planner) = &mut self.work.planner else { return false };
        if wanted.is_empty() {
            return false;
        }
        case.readings += 1;
        let (objects, names): (Vec<_>, Vec<_>) =
            wanted.iter().cloned().partition(ParamPath::is_object);
        let mut actions: Vec<Action> =
            objects.into_iter().map(|object| Action::Refresh(Some(object))).collect();
        if !names.is_empty() {
            actions.push(Action::Get(names));
        }
        let mut tasks = Vec::new();
        for action in actions {
            let task = new_task(&self.work.device.id, action, "profiles".into(), now);
            tasks.push((task.id, None));
            self.work.desiring.unrecorded.push(task.id);
            planner.take_up(task, None);
        }
        let what = What::Reading { asked: wanted, since: now };
        self.work.desiring.under_way = Some(UnderWay { tasks, what });
        true
    }

    /// Gives an attempt to the planner; `false` if there is none to be made.
    fn begin_attempt(
        &mut self,
        case: &mut Case,
        resolved: &Resolved,
        found: &Found,
        now: Timestamp,
    ) -> bool {
        let drifts: Vec<Drift> = found.with(Deed::Repair).cloned().collect();
        if (drifts.is_empty() && found.unknown.is_empty()) || !self.is_time(case, found, now) {
            return false;
        }
        let desired = restricted(&resolved.desired, found, self.work.desiring.memory());
        if desired.is_empty() {
            return false;
        }
        let action = Action::Converge(Box::new(desired));
        // The task of the operator who asked for it, so that it tells the outcome.
        let task = match self.work.desiring.asked.pop() {
            Some(asked) => Task { action, ..asked },
            None => {
                let by = author(&drifts);
                new_task(&self.work.device.id, action, by, now)
            }
        };
        let Some(planner) = &mut self.work.planner else { return false };
        case.attempts += 1;
        case.again = false;
        case.compliance.task = Some(task.id);
        let tasks = vec![(task.id, None)];
        planner.take_up(task, None);
        self.work.desiring.under_way = Some(UnderWay { tasks, what: What::Attempt(drifts) });
        true
    }

    /// Whether it may be tried now.
    fn is_time(&self, case: &Case, found: &Found, now: Timestamp) -> bool {
        if case.attempts > 0 {
            return case.again && case.attempts < MAX_ATTEMPTS;
        }
        let waits = case.compliance.retry_at.is_some_and(|at| now < at);
        !waits || case.asked || !found.same || found.has_new_repair
    }

    /// Ends what operators asked for, and what nothing had to be asked of the
    /// device for.
    pub(super) fn end_asked(&mut self, how: Result<&str, &str>, now: Timestamp) {
        for mut task in self.work.desiring.take_asked() {
            let outcome = match how {
                Ok(note) => {
                    task.notes.push(note.into());
                    Outcome::Applied
                }
                Err(why) => Outcome::Failed(crate::device::FaultRecord {
                    code: 0,
                    text: why.chars().take(256).collect(),
                    parameters: Vec::new(),
                }),
            };
            task.state = TaskState::Ended { at: now, outcome };
            task.revision += 1;
            self.work.pending.put(Record::Task(Box::new(task)));
        }
    }

    /// A number that differs between devices.
    pub(super) fn spread(&self) -> u64 {
        spread(&self.work.device.id)
    }
}

/// A task that is recorded when something came of it: its first record has
/// revision 1.
pub(super) fn new_task(
    device: &crate::device::DeviceId,
    action: Action,
    by: Box<str>,
    now: Timestamp,
) -> Task {
    Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        device: device.clone(),
        revision: 0,
        action,
        created_at: now,
        created_by: by,
        expires_at: now.after(DEADLINE),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    }
}

/// Who asks for a repair, in words: the profile, if it is one.
fn author(drifts: &[Drift]) -> Box<str> {
    let names: BTreeSet<&str> = drifts.iter().map(|drift| &*drift.source.name).collect();
    match names.first() {
        Some(name) if names.len() == 1 => format!("profile {name}").into(),
        _ => "profiles".into(),
    }
}

/// What is wanted, without what is left as it is and what the device does not have.
fn restricted(desired: &Desired, found: &Found, memory: Option<&WrittenValues>) -> Desired {
    let absent = memory.map(|memory| &memory.absent);
    let left: Vec<&str> = found
        .drifts
        .iter()
        .filter(|(_, deed)| *deed != Deed::Repair)
        .map(|(drift, _)| &*drift.path)
        .collect();
    let mut desired = desired.clone();
    let stays = |path: &ParamPath| {
        let text = path.as_str();
        !left.iter().any(|left| *left == text || (path.has_wildcard() && is_match(text, left)))
            && !absent.is_some_and(|absent| absent.contains(text))
    };
    desired.values.retain(|one| stays(&one.path));
    desired.attributes.retain(|one| stays(&one.wish.path));
    desired.tables.retain(|one| !left.iter().any(|left| left.starts_with(&*one.table)));
    desired
}
