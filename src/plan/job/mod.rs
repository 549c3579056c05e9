//! One task of an operator, from queued to its outcome.
//!
//! - `row`: rows of tables, made and removed.
//! - `transfer`: what a device is asked to fetch or to send.
//! - `later`: what comes later by itself: a restart, a scheduled Inform.
//! - `units`: operations on software modules.
//! - `attributes`: what a device notifies about.
//! - `diagnose`: diagnostics, from the order to their results.
//! - `wildcard`: names that stand for all rows of a table.
//! - `asked`: RPCs that end with their answer.
//! - `converge`: whatever it takes to bring the device to a state.

mod asked;
mod attributes;
mod converge;
mod diagnose;
mod later;
mod row;
mod transfer;
mod units;
mod wildcard;

pub use asked::cancel_transfer;
pub(super) use converge::begin_anew;
pub use units::MAX_OPERATIONS;

use self::attributes::Attributes;
use super::context::{Answer, Context, failure, mismatch, record_fault};
use super::planner::DownloadLink;
use super::reader::Reader;
use super::survey::Survey;
use super::writer::Writer;
use crate::cwmp::{AcsRequest, Fault, GetParameterNames};
use crate::device::{Action, MAX_RESULTS, Outcome, Phase, Task, TaskId, TaskResult, TaskState};
use crate::param::ParamPath;

/// The most notes that a task keeps.
const MAX_NOTES: usize = 64;

/// A task with the work that is left of it in this session.
#[derive(Debug)]
pub(super) struct Job {
    task: Task,
    work: Work,
    link: Option<DownloadLink>,
    /// The task changed since it was last taken for recording.
    changed: bool,
    /// The task whose transfer the device cancelled for this one.
    cancelled: Option<TaskId>,
}

/// What is being done.
#[derive(Debug)]
enum Work {
    /// Nothing was sent in this session yet.
    Begin,
    /// Reading values to be told.
    Read(Reader),
    /// Reading names and values below a path.
    Survey(Survey),
    /// Writing values.
    Write(Writer),
    /// The one RPC that the action begins with, and often ends with, is on its
    /// way: what its answer means is told by the action.
    Single,
    /// A row without values is asked for, to see that it is there.
    AddCheck(ParamPath, Outcome),
    /// The deleted instance is asked for, which has to fail.
    DeleteCheck(ParamPath),
    /// The version is read to see what a transfer brought.
    Version(Reader),
    /// The rows that wildcards stand for are asked for.
    Expand(wildcard::Expansion),
    /// A diagnostic is ordered, waited for or read.
    Diagnose(diagnose::Stage),
    /// Reading or changing attributes.
    Attributes(Box<Attributes>),
    /// The device is brought to a state.
    Converge(Box<converge::Converge>),
    /// Nothing is left to do in this session; the task may still wait for the
    /// device.
    Rest,
}

impl Job {
    /// Takes a task up where it stands.
    pub(super) fn new(task: Task, link: Option<DownloadLink>) -> Self {
        Self { task, work: Work::Begin, link, changed: false, cancelled: None }
    }

    /// The task.
    pub(super) const fn task(&self) -> &Task {
        &self.task
    }

    /// The task, if it changed since this was last called.
    pub(super) fn take_change(&mut self) -> Option<Task> {
        std::mem::take(&mut self.changed).then(|| self.task.clone())
    }

    /// The task whose transfer was cancelled for this one, told once.
    pub(super) const fn take_cancelled(&mut self) -> Option<TaskId> {
        self.cancelled.take()
    }

    /// Whether the device restarts when the session ends, so that nothing more
    /// should be asked in it.
    pub(super) const fn restarts_device(&self) -> bool {
        matches!(self.task.action, Action::Reboot | Action::FactoryReset)
            && matches!(self.task.state, TaskState::Sent { phase: Phase::Boot, .. })
    }

    /// The next request; `None` when the job rests for this session.
    pub(super) fn next(&mut self, root: &str, context: &mut Context<'_>) -> Option<AcsRequest> {
        loop {
            let request = match &mut self.work {
                Work::Begin => {
                    self.work = self.begin(root, context);
                    if matches!(self.work, Work::Single)
                        && let Some(request) = self.first_request(context)
                    {
                        return Some(request);
                    }
                    continue;
                }
                Work::Read(reader) | Work::Version(reader) => reader.next(context),
                Work::Survey(survey) => survey.next(context),
                Work::Diagnose(_) => return self.next_of_diagnostic(root, context),
                Work::Converge(_) => return self.next_of_state(context),
                Work::Expand(expansion) => expansion.next(context),
                Work::Write(writer) => writer.next(context),
                Work::Attributes(work) => work.next(context),
                Work::AddCheck(row, _) | Work::DeleteCheck(row) => {
                    let path = Some(row.clone());
                    return Some(AcsRequest::GetParameterNames(GetParameterNames {
                        path,
                        next_level: false,
                    }));
                }
                Work::Single | Work::Rest => return None,
            };
            if request.is_some() {
                return request;
            }
            self.conclude(root, context);
        }
    }

    /// Takes the answer to the last request.
    pub(super) fn answer(&mut self, answer: Answer, root: &str, context: &mut Context<'_>) {
        match &mut self.work {
            Work::Read(reader) | Work::Version(reader) => reader.answer(answer, context),
            Work::Survey(survey) => survey.answer(answer, context),
            Work::Diagnose(_) => self.answer_of_diagnostic(answer, context),
            Work::Converge(_) => self.answer_of_state(answer, context),
            Work::Expand(expansion) => expansion.answer(answer, context),
            Work::Write(writer) => writer.answer(answer, context),
            Work::Attributes(work) => work.answer(answer, context),
            Work::Single => self.after_single(answer, root, context),
            Work::AddCheck(row, outcome) => {
                let (row, outcome) = (row.clone(), outcome.clone());
                self.after_add_check(&row, outcome, &answer, context);
            }
            Work::DeleteCheck(instance) => {
                let instance = instance.clone();
                self.after_delete_check(&instance, answer, context);
            }
            Work::Begin | Work::Rest => {}
        }
    }

    /// The session broke off before the answer came.
    pub(super) fn abandon(&mut self, context: &mut Context<'_>) {
        match &mut self.work {
            Work::Single => {
                let waits_for_answer =
                    matches!(self.task.state, TaskState::Sent { phase: Phase::Response, .. });
                if waits_for_answer {
                    let why = "the session broke off before the device answered".into();
                    self.end(Outcome::Unknown(why), context);
                }
            }
            Work::Diagnose(_) => self.abandon_diagnostic(context),
            // What silence teaches is learned by the planner; what a state has come
            // to stands in its task.
            Work::Expand(_)
            | Work::Converge(_)
            | Work::Begin
            | Work::Read(_)
            | Work::Survey(_)
            | Work::Version(_)
            | Work::Write(_)
            | Work::Attributes(_)
            | Work::AddCheck(..)
            | Work::DeleteCheck(_)
            | Work::Rest => {}
        }
    }

    /// What to do, given the task and where it stands.
    fn begin(&mut self, root: &str, context: &mut Context<'_>) -> Work {
        if let TaskState::Sent { phase, .. } = &self.task.state {
            return match (phase, &self.task.action) {
                (Phase::Row { instance }, Action::AddObject { table, values }) => {
                    row::take_up(table, *instance, values, context)
                }
                (
                    Phase::ReadBack,
                    Action::Download(_) | Action::Provision(_) | Action::ScheduleDownload(..),
                ) => Work::Version(transfer::version_reader(root)),
                (Phase::Diagnostics | Phase::ReadBack, Action::Diagnose(_)) => {
                    self.begin_diagnostic(root, context)
                }
                (_, Action::Converge(_)) => self.begin_state(context),
                // It waits for what comes by itself, not for a session.
                _ => Work::Rest,
            };
        }
        match &self.task.action {
            Action::Diagnose(_) => self.begin_diagnostic(root, context),
            Action::Get(names) => read_all(names.clone(), root, context),
            Action::Set(values) => Work::Write(Writer::new(values, context)),
            Action::Refresh(path) => match path.clone().or_else(|| ParamPath::parse(root).ok()) {
                Some(path) if path.has_wildcard() => read_all(vec![path], root, context),
                Some(path) if path.is_object() => {
                    Work::Survey(Survey::new(context.tree.by_number(&path), context))
                }
                Some(path) => Work::Read(Reader::keeping(vec![path])),
                None => Work::Rest,
            },
            Action::SetAttributes(_) | Action::GetAttributes(_) => match self.attributes(context) {
                Ok(work) => Work::Attributes(Box::new(work)),
                Err(why) => {
                    self.end(Outcome::Failed(failure(why)), context);
                    Work::Rest
                }
            },
            Action::AddObject { .. }
            | Action::DeleteObject(_)
            | Action::Download(_)
            | Action::Provision(_)
            | Action::Upload(_)
            | Action::ScheduleDownload(..)
            | Action::Reboot
            | Action::FactoryReset
            | Action::ScheduleInform(_)
            | Action::ChangeDuState(_)
            | Action::GetRpcMethods
            | Action::CancelTransfer(_)
            | Action::GetQueuedTransfers
            | Action::GetAllQueuedTransfers
            | Action::SetVouchers(_)
            | Action::GetOptions(_) => Work::Single,
            Action::Converge(_) => self.begin_state(context),
            Action::Redirect(_) => Work::Rest,
        }
    }

    /// The request that the action begins with, after the task was noted as
    /// sent if it must not be repeated; `None` if it ends before that.
    fn first_request(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        let request = match &self.task.action {
            Action::AddObject { .. } | Action::DeleteObject(_) => self.row_request(),
            Action::Reboot | Action::FactoryReset | Action::ScheduleInform(_) => {
                self.later_request()
            }
            Action::ChangeDuState(_) => self.units_request(),
            action if action.is_transfer() => self.transfer_request(),
            _ => self.asked_request(),
        };
        match request {
            Ok(request) => {
                if self.task.action.once_only() {
                    self.wait_for(Phase::Response, context);
                }
                Some(request)
            }
            Err(why) => {
                self.end(Outcome::Failed(failure(why)), context);
                None
            }
        }
    }

    /// The answer to the RPC that the action began with.
    fn after_single(&mut self, answer: Answer, root: &str, context: &mut Context<'_>) {
        match &self.task.action {
            Action::AddObject { .. } => self.after_add(answer, context),
            Action::DeleteObject(_) => self.after_delete(answer, context),
            Action::Reboot | Action::FactoryReset | Action::ScheduleInform(_) => {
                self.after_later(answer, context);
            }
            Action::ChangeDuState(_) => self.after_units(answer, context),
            action if action.is_transfer() => self.after_transfer(answer, root, context),
            _ => self.after_asked(answer, context),
        }
    }

    /// The work has nothing more to ask: what came of it?
    fn conclude(&mut self, root: &str, context: &mut Context<'_>) {
        match std::mem::replace(&mut self.work, Work::Rest) {
            Work::Read(reader) => self.conclude_read(&reader, context),
            Work::Survey(survey) => match survey.fault() {
                Some(fault) => self.end(Outcome::Failed(record_fault(fault)), context),
                None => self.end(Outcome::Applied, context),
            },
            Work::Write(writer) => {
                if let Some((outcome, notes)) = writer.outcome() {
                    for note in notes {
                        self.note(note.clone());
                    }
                    self.end(outcome.clone(), context);
                }
            }
            Work::Version(_) => self.conclude_download(root, context),
            Work::Attributes(work) => self.conclude_attributes(*work, context),
            Work::Expand(expansion) => {
                let (names, cut) = expansion.names(context.tree);
                if cut {
                    self.note("the wildcards stand for more names than are read".into());
                }
                self.work = Work::Read(Reader::keeping(names));
            }
            Work::Diagnose(_)
            | Work::Converge(_)
            | Work::Begin
            | Work::Single
            | Work::AddCheck(..)
            | Work::DeleteCheck(_)
            | Work::Rest => {}
        }
    }

    fn conclude_read(&mut self, reader: &Reader, context: &Context<'_>) {
        for (name, code) in reader.missing().iter().take(MAX_NOTES) {
            self.note(format!("{name}: the device does not tell it (fault {code})").into());
        }
        let outcome = match reader.missing().first() {
            Some((_, code)) if reader.values().is_empty() => {
                Outcome::Failed(crate::device::FaultRecord {
                    code: code.0,
                    ..failure("the device told none of the parameters".to_owned())
                })
            }
            _ => Outcome::Applied,
        };
        self.end(outcome, context);
    }

    /// Ends the job on a fault, or on an answer to something else.
    fn fail(&mut self, answer: Answer, context: &Context<'_>) {
        let fault: Fault = answer.err().unwrap_or_else(mismatch);
        self.work = Work::Rest;
        self.end(Outcome::Failed(record_fault(&fault)), context);
    }

    fn wait_for(&mut self, phase: Phase, context: &Context<'_>) {
        self.task.state = TaskState::Sent { at: context.now, phase };
        self.mark_changed();
    }

    fn end(&mut self, outcome: Outcome, context: &Context<'_>) {
        self.work = Work::Rest;
        self.task.state = TaskState::Ended { at: context.now, outcome };
        self.mark_changed();
    }

    fn note(&mut self, note: Box<str>) {
        if self.task.notes.len() < MAX_NOTES {
            self.task.notes.push(note);
        }
    }

    /// One thing that came of it; what is beyond the bound is left out.
    fn result(&mut self, name: &str, value: &str) {
        if self.task.results.len() < MAX_RESULTS {
            self.task.results.push(TaskResult::new(name, value));
            self.mark_changed();
        }
    }

    /// One revision for each time that the task is recorded.
    const fn mark_changed(&mut self) {
        if !self.changed {
            self.task.revision += 1;
            self.changed = true;
        }
    }
}

/// Reading names. Wildcards go to a device that knows them, and are spelled out
/// for one that does not.
fn read_all(names: Vec<ParamPath>, root: &str, context: &Context<'_>) -> Work {
    if names.iter().any(ParamPath::has_wildcard) && !wildcard::are_known(root, context.tree) {
        Work::Expand(wildcard::Expansion::new(names))
    } else {
        Work::Read(Reader::keeping(names))
    }
}
