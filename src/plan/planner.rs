//! The order of the jobs of one session.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::context::{Answer, Context};
use super::exchange::Exchange;
use super::job::Job;
use super::survey::Survey;
use super::writer::Writer;
use super::written::Written;
use crate::cwmp::{AcsRequest, CpeResponse, Fault, Version};
use crate::device::{Action, DiagnosticKind, Learned, Outcome, Secret, Task, TaskId, TaskState};
use crate::param::{ParamPath, Tree, Value};
use crate::time::Timestamp;

/// The most RPCs that one session is given; what is left waits for the next.
const MAX_RPCS: u32 = 50_000;

/// What a device needs to fetch a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadLink {
    /// The file's URL, without user information.
    pub url: Box<str>,
    /// The user name that the file door wants.
    pub username: Box<str>,
    /// The password that it wants.
    pub password: Secret,
}

/// What is set on a device that is new, or was reset: its own credentials, and
/// how often it is to inform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onboarding {
    /// `ManagementServer.Username`.
    pub username: Box<str>,
    /// `ManagementServer.Password`.
    pub password: Secret,
    /// `ManagementServer.ConnectionRequestUsername`.
    pub connection_request_username: Box<str>,
    /// `ManagementServer.ConnectionRequestPassword`.
    pub connection_request_password: Secret,
    /// Seconds for `PeriodicInformInterval`; 0 leaves it alone.
    pub inform_interval: u32,
}

/// How far the onboarding came in this session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnboardingResult {
    /// The device took the credentials.
    Taken,
    /// The device refused them, with this fault.
    Refused(Fault),
}

/// What a session begins with.
#[derive(Clone, Debug)]
pub struct Situation {
    /// The root object with its dot; empty if the device never named a parameter.
    pub root: Box<str>,
    /// What the device can take.
    pub learned: Learned,
    /// The tasks that are not ended, oldest first.
    pub tasks: Vec<Task>,
    /// The version of the protocol that the session speaks.
    pub version: Version,
    /// Where the files of Download tasks can be fetched, and where those of
    /// Upload tasks are to be sent.
    pub links: HashMap<TaskId, DownloadLink>,
    /// What to set on a new device.
    pub onboarding: Option<Onboarding>,
    /// Whether the whole tree is to be read.
    pub survey: bool,
    /// What was written to the device that it does not tell again.
    pub written: Written,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send this request. If `record_first` is there, its being sent must be
    /// durable before the bytes leave, since it must never be repeated in
    /// silence.
    Rpc {
        /// The request.
        request: AcsRequest,
        /// The task to record before sending.
        record_first: Option<Box<Task>>,
    },
    /// Nothing is left to ask in this session.
    Satisfied,
}

/// One session's plan.
///
/// Call [`Planner::next`] for a step; send its request; bring the answer to
/// [`Planner::answer`]; collect what changed with [`Planner::take_changes`] and
/// record it. If the session breaks off, call [`Planner::abandon`].
#[derive(Debug)]
pub struct Planner {
    root: Box<str>,
    learned: Learned,
    written: Written,
    current: Option<Work>,
    waiting: VecDeque<Work>,
    changes: Vec<Task>,
    version: Version,
    /// Tasks whose transfers were cancelled, each with the task that asked.
    cancelled: Vec<(TaskId, TaskId)>,
    /// Every task that this session has dealt with.
    met: Vec<TaskId>,
    /// The diagnostics that are dealt with or run.
    running: Vec<DiagnosticKind>,
    onboarding: Option<OnboardingResult>,
    surveyed: bool,
    rpcs: u32,
    /// The request that is on its way.
    exchange: Option<Exchange>,
    closing: bool,
}

#[derive(Debug)]
enum Work {
    Onboard(Box<Onboard>),
    Survey(Option<Survey>),
    Job(Box<Job>),
}

/// Handing over credentials: both directions in one atomic write.
#[derive(Debug)]
struct Onboard {
    wanted: Onboarding,
    writer: Option<Writer>,
}

impl Planner {
    /// Plans a session. Tasks whose deadline passed before they were sent are
    /// ended as expired at once.
    ///
    /// Credentials go first, so that whatever follows is already protected; a
    /// device that was never read is read before its tasks, which then know
    /// the types; otherwise the tasks come before a mere re-reading.
    pub fn new(situation: Situation, tree_is_known: bool, now: Timestamp) -> Self {
        let Situation { root, learned, version, tasks, mut links, onboarding, survey, written } =
            situation;
        let mut waiting = VecDeque::new();
        let mut changes = Vec::new();
        let met = tasks.iter().map(|task| task.id).collect();
        if let Some(wanted) = onboarding.filter(|_| !root.is_empty()) {
            waiting.push_back(Work::Onboard(Box::new(Onboard { wanted, writer: None })));
        }
        if survey && !tree_is_known {
            waiting.push_back(Work::Survey(None));
        }
        let mut running = Vec::new();
        for mut task in tasks {
            if task.state == TaskState::Queued && task.expires_at <= now {
                task.state = TaskState::Ended { at: now, outcome: Outcome::Expired };
                task.revision += 1;
                changes.push(task);
            } else if !task.state.is_ended() && !runs_already(&mut running, &task) {
                let link = links.remove(&task.id);
                waiting.push_back(Work::Job(Box::new(Job::new(task, link))));
            }
        }
        if survey && tree_is_known {
            waiting.push_back(Work::Survey(None));
        }
        Self {
            root,
            learned,
            written,
            current: None,
            waiting,
            changes,
            version,
            cancelled: Vec::new(),
            met,
            running,
            onboarding: None,
            surveyed: false,
            rpcs: 0,
            exchange: None,
            closing: false,
        }
    }

    /// Whether there is anything at all to do; if not, the tree need not even
    /// be loaded.
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    /// What to do next.
    pub fn next(&mut self, tree: &mut Tree, now: Timestamp) -> Step {
        loop {
            let Some(mut work) = self.current.take().or_else(|| self.take_waiting()) else {
                return Step::Satisfied;
            };
            let request = self.request_of(&mut work, tree, now);
            let changed = match &mut work {
                Work::Job(job) => job.take_change(),
                Work::Onboard(_) | Work::Survey(_) => None,
            };
            let Some(request) = request else {
                self.changes.extend(changed);
                self.finish(work);
                continue;
            };
            self.current = Some(work);
            self.rpcs += 1;
            self.exchange = Some(Exchange::of(&request, now));
            return Step::Rpc { request, record_first: changed.map(Box::new) };
        }
    }

    /// Takes the answer to the last request.
    pub fn answer(&mut self, answer: Result<CpeResponse, Fault>, tree: &mut Tree, now: Timestamp) {
        if let Some(exchange) = self.exchange.take() {
            exchange.answered(&answer, &mut self.learned, now);
        }
        let Some(mut work) = self.current.take() else { return };
        let mut context = Context {
            tree,
            learned: &mut self.learned,
            written: &mut self.written,
            version: self.version,
            now,
        };
        match &mut work {
            Work::Job(job) => {
                job.answer(answer, &self.root, &mut context);
                self.changes.extend(job.take_change());
                let by = job.task().id;
                self.cancelled.extend(job.take_cancelled().map(|id| (id, by)));
            }
            Work::Onboard(onboard) => onboard.answer(answer, &mut context),
            Work::Survey(Some(survey)) => {
                survey.answer(answer, &mut context);
                if self.root.is_empty()
                    && let Some(root) = survey.root()
                {
                    self.root = root.into();
                }
            }
            Work::Survey(None) => {}
        }
        self.current = Some(work);
    }

    /// The session broke off: what was sent and not answered is judged, the
    /// rest waits.
    pub fn abandon(&mut self, tree: &mut Tree, now: Timestamp) {
        if let Some(exchange) = self.exchange.take() {
            exchange.silence(&mut self.learned, now);
        }
        let Some(mut work) = self.current.take() else { return };
        let mut context = Context {
            tree,
            learned: &mut self.learned,
            written: &mut self.written,
            version: self.version,
            now,
        };
        if let Work::Job(job) = &mut work {
            job.abandon(&mut context);
            self.changes.extend(job.take_change());
        }
        self.waiting.clear();
    }

    /// The task that the last request belongs to, if it belongs to any.
    pub fn current_task(&self) -> Option<TaskId> {
        match self.current.as_ref()? {
            Work::Job(job) => Some(job.task().id),
            Work::Onboard(_) | Work::Survey(_) => None,
        }
    }

    /// A task was withdrawn or changed by somebody else: it is let go of.
    pub fn forget(&mut self, id: TaskId) {
        let is_it = |work: &Work| matches!(work, Work::Job(job) if job.task().id == id);
        if self.current.as_ref().is_some_and(is_it) {
            self.current = None;
        }
        self.waiting.retain(|work| !is_it(work));
        self.changes.retain(|task| task.id != id);
    }

    /// A task that came up while the session runs is done in it as well.
    pub fn take_up(&mut self, task: Task, link: Option<DownloadLink>) {
        self.met.push(task.id);
        if runs_already(&mut self.running, &task) {
            return;
        }
        self.waiting.push_back(Work::Job(Box::new(Job::new(task, link))));
    }

    /// Whether a task is already in the plan of this session, done or not.
    pub fn knows(&self, id: TaskId) -> bool {
        self.met.contains(&id)
    }

    /// Whether the device restarts after this session, so that nothing more is
    /// asked in it.
    pub const fn is_closing(&self) -> bool {
        self.closing
    }

    /// Tasks that changed since this was last called, to be recorded.
    pub fn take_changes(&mut self) -> Vec<Task> {
        std::mem::take(&mut self.changes)
    }

    /// The same, to be completed by whoever knows what the planner cannot.
    pub fn changes_mut(&mut self) -> &mut [Task] {
        &mut self.changes
    }

    /// Tasks whose transfers the device cancelled since this was last called,
    /// each with the task that asked for it.
    pub fn take_cancelled(&mut self) -> Vec<(TaskId, TaskId)> {
        std::mem::take(&mut self.cancelled)
    }

    /// What was learned of the device so far.
    pub const fn learned(&self) -> &Learned {
        &self.learned
    }

    /// What is known to have been written, from now on: for whoever looks that up
    /// only when it is needed.
    pub fn know_written(&mut self, written: Written) {
        self.written = written;
    }

    /// What is known to have been written.
    pub const fn written(&self) -> &Written {
        &self.written
    }

    /// What was written that cannot be read, by digest, to be recorded; `None` if
    /// nothing changed since this was last called.
    pub fn take_written(&mut self) -> Option<BTreeMap<Box<str>, u64>> {
        self.written.take_news()
    }

    /// The root object with its dot; empty if it is not known.
    pub const fn root(&self) -> &str {
        &self.root
    }

    /// Whether the whole tree was read in this session.
    pub const fn surveyed(&self) -> bool {
        self.surveyed
    }

    /// How the onboarding ended, told once.
    pub const fn take_onboarding(&mut self) -> Option<OnboardingResult> {
        self.onboarding.take()
    }

    fn take_waiting(&mut self) -> Option<Work> {
        if self.closing || self.rpcs >= MAX_RPCS { None } else { self.waiting.pop_front() }
    }

    fn request_of(
        &mut self,
        work: &mut Work,
        tree: &mut Tree,
        now: Timestamp,
    ) -> Option<AcsRequest> {
        if self.rpcs >= MAX_RPCS {
            return None;
        }
        let mut context = Context {
            tree,
            learned: &mut self.learned,
            written: &mut self.written,
            version: self.version,
            now,
        };
        match work {
            Work::Job(job) => job.next(&self.root, &mut context),
            Work::Onboard(onboard) => onboard.next(&self.root, &mut context),
            Work::Survey(survey) => {
                if survey.is_none() {
                    *survey = Some(match root_of(&self.root) {
                        Some(root) => Survey::new(root, &context),
                        None => Survey::of_unknown_root(&context),
                    });
                }
                survey.as_mut()?.next(&mut context)
            }
        }
    }

    /// A piece of work has nothing more to ask.
    fn finish(&mut self, work: Work) {
        match work {
            Work::Job(job) => self.closing |= job.restarts_device(),
            Work::Onboard(onboard) => self.onboarding = Some(onboard.result()),
            Work::Survey(survey) => {
                self.surveyed |= survey.is_some_and(|survey| survey.fault().is_none());
            }
        }
    }
}

impl Onboard {
    fn next(&mut self, root: &str, context: &mut Context<'_>) -> Option<AcsRequest> {
        if self.writer.is_none() {
            self.writer = Some(Writer::without_read_back(&self.values(root), context));
        }
        self.writer.as_mut()?.next(context)
    }

    fn answer(&mut self, answer: Answer, context: &mut Context<'_>) {
        if let Some(writer) = &mut self.writer {
            writer.answer(answer, context);
        }
    }

    fn values(&self, root: &str) -> Vec<(ParamPath, Value)> {
        let wanted = &self.wanted;
        let mut values = vec![
            ("Username", Value::string(wanted.username.clone())),
            ("Password", Value::string(wanted.password.expose())),
            (
                "ConnectionRequestUsername",
                Value::string(wanted.connection_request_username.clone()),
            ),
            (
                "ConnectionRequestPassword",
                Value::string(wanted.connection_request_password.expose()),
            ),
        ];
        if wanted.inform_interval > 0 {
            values.push(("PeriodicInformEnable", Value::boolean(true)));
            values.push(("PeriodicInformInterval", Value::unsigned(wanted.inform_interval)));
        }
        values
            .into_iter()
            .filter_map(|(leaf, value)| {
                Some((ParamPath::parse(&format!("{root}ManagementServer.{leaf}")).ok()?, value))
            })
            .collect()
    }

    fn result(&self) -> OnboardingResult {
        let outcome = self.writer.as_ref().and_then(Writer::outcome);
        match outcome {
            Some((Outcome::Failed(fault), _)) => OnboardingResult::Refused(Fault {
                code: crate::cwmp::FaultCode(fault.code),
                text: fault.text.clone(),
                parameters: Vec::new(),
            }),
            _ => OnboardingResult::Taken,
        }
    }
}

/// Whether the same diagnostic already runs on the device for another task: its
/// inputs stand in the same object, so that this one waits for a later session.
fn runs_already(running: &mut Vec<DiagnosticKind>, task: &Task) -> bool {
    let Action::Diagnose(diagnostic) = &task.action else { return false };
    let runs = task.state == TaskState::Queued && running.contains(&diagnostic.kind);
    if !runs {
        running.push(diagnostic.kind);
    }
    runs
}

/// The root object as a path.
fn root_of(root: &str) -> Option<ParamPath> {
    ParamPath::parse(root).ok().filter(ParamPath::is_object)
}
