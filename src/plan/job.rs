//! One task of an operator, from queued to its outcome.

use super::context::{Answer, Context, failure, mismatch, record_fault};
use super::planner::DownloadLink;
use super::reader::Reader;
use super::survey::Survey;
use super::writer::Writer;
use crate::cwmp::{
    AcsRequest, AddObject, CpeResponse, DeleteObject, Download, Fault, FaultCode,
    GetParameterNames, Reboot,
};
use crate::device::{Action, Outcome, Phase, Task, TaskState};
use crate::param::{ParamPath, Value};

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
    /// AddObject is on its way.
    Add,
    /// A row without values is asked for, to see that it is there.
    AddCheck(ParamPath, Outcome),
    /// DeleteObject is on its way.
    Delete,
    /// The deleted instance is asked for, which has to fail.
    DeleteCheck(ParamPath),
    /// Download is on its way.
    Download,
    /// The version is read to see what a transfer brought.
    Version(Reader),
    /// Reboot or FactoryReset is on its way.
    Restart,
    /// GetRPCMethods is on its way.
    Methods,
    /// Nothing is left to do in this session; the task may still wait for the
    /// device.
    Rest,
}

impl Job {
    /// Takes a task up where it stands.
    pub(super) fn new(task: Task, link: Option<DownloadLink>) -> Self {
        Self { task, work: Work::Begin, link, changed: false }
    }

    /// The task.
    pub(super) const fn task(&self) -> &Task {
        &self.task
    }

    /// The task, if it changed since this was last called.
    pub(super) fn take_change(&mut self) -> Option<Task> {
        std::mem::take(&mut self.changed).then(|| self.task.clone())
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
                    if let Some(request) = self.first_request(context) {
                        return Some(request);
                    }
                    continue;
                }
                Work::Read(reader) | Work::Version(reader) => reader.next(context),
                Work::Survey(survey) => survey.next(context),
                Work::Write(writer) => writer.next(context),
                Work::AddCheck(row, _) | Work::DeleteCheck(row) => {
                    let path = Some(row.clone());
                    return Some(AcsRequest::GetParameterNames(GetParameterNames {
                        path,
                        next_level: false,
                    }));
                }
                Work::Add
                | Work::Delete
                | Work::Download
                | Work::Restart
                | Work::Methods
                | Work::Rest => {
                    return None;
                }
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
            Work::Write(writer) => writer.answer(answer, context),
            Work::Add => self.after_add(answer, context),
            Work::AddCheck(row, outcome) => {
                let (row, outcome) = (row.clone(), outcome.clone());
                self.after_add_check(&row, outcome, &answer, context);
            }
            Work::Delete => self.after_delete(answer, context),
            Work::DeleteCheck(instance) => {
                let instance = instance.clone();
                self.after_delete_check(&instance, answer, context);
            }
            Work::Download => self.after_download(answer, root, context),
            Work::Restart => self.after_restart(answer, context),
            Work::Methods => self.after_methods(answer, context),
            Work::Begin | Work::Rest => {}
        }
    }

    /// The session broke off before the answer came.
    pub(super) fn abandon(&mut self, context: &mut Context<'_>) {
        match &mut self.work {
            // Silence is how some devices say that a batch was too large (Q30).
            Work::Read(_) | Work::Survey(_) | Work::Version(_) => {
                context.learned.read_batch = (context.learned.read_batch / 2).max(1);
            }
            Work::Add | Work::Download | Work::Restart => {
                let waits_for_answer =
                    matches!(self.task.state, TaskState::Sent { phase: Phase::Response, .. });
                if waits_for_answer {
                    let why = "the session broke off before the device answered".into();
                    self.end(Outcome::Unknown(why), context);
                }
            }
            Work::Begin
            | Work::Write(_)
            | Work::AddCheck(..)
            | Work::Delete
            | Work::DeleteCheck(_)
            | Work::Methods
            | Work::Rest => {}
        }
    }

    /// What to do, given the task and where it stands.
    fn begin(&mut self, root: &str, context: &mut Context<'_>) -> Work {
        if let TaskState::Sent { phase, .. } = &self.task.state {
            return match (phase, &self.task.action) {
                (Phase::Row { instance }, Action::AddObject { table, values }) => {
                    take_up_row(table, *instance, values, context)
                }
                (Phase::ReadBack, Action::Download(_) | Action::Provision(_)) => {
                    Work::Version(version_reader(root))
                }
                // It waits for a transfer or a boot, not for a session.
                _ => Work::Rest,
            };
        }
        match &self.task.action {
            Action::Get(names) => Work::Read(Reader::keeping(names.clone())),
            Action::Set(values) => Work::Write(Writer::new(values, context)),
            Action::Refresh(path) => match path.clone().or_else(|| ParamPath::parse(root).ok()) {
                Some(path) if path.is_object() => Work::Survey(Survey::new(path, context)),
                Some(path) => Work::Read(Reader::keeping(vec![path])),
                None => Work::Rest,
            },
            Action::AddObject { .. } => Work::Add,
            Action::DeleteObject(_) => Work::Delete,
            Action::Download(_) | Action::Provision(_) => Work::Download,
            Action::Reboot | Action::FactoryReset => Work::Restart,
            Action::GetRpcMethods => Work::Methods,
            Action::SetAttributes(_)
            | Action::GetAttributes(_)
            | Action::Upload(_)
            | Action::ScheduleInform(_)
            | Action::ScheduleDownload(..)
            | Action::CancelTransfer(_)
            | Action::GetQueuedTransfers
            | Action::GetAllQueuedTransfers
            | Action::ChangeDuState(_)
            | Action::SetVouchers(_)
            | Action::GetOptions(_)
            | Action::Diagnose(_)
            | Action::Redirect(_) => Work::Rest,
        }
    }

    /// The request that work of a single RPC begins with, after the task was
    /// noted as sent if it must not be repeated.
    fn first_request(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        let key: Box<str> = self.task.command_key().into();
        let parameter_key: Box<str> = "".into();
        let request = match (&self.work, &self.task.action) {
            (Work::Add, Action::AddObject { table, .. }) => {
                AcsRequest::AddObject(AddObject { table: table.clone(), parameter_key })
            }
            (Work::Delete, Action::DeleteObject(instance)) => {
                AcsRequest::DeleteObject(DeleteObject { instance: instance.clone(), parameter_key })
            }
            (Work::Download, action) => match &self.link {
                Some(link) => AcsRequest::Download(Box::new(download(action, link, key))),
                None => {
                    let why = match action {
                        Action::Provision(_) => {
                            "the phone is unknown or disabled, or the server has no door for phones"
                        }
                        _ => "the file is no longer stored, or the server has no door for files",
                    };
                    self.end(Outcome::Failed(failure(why.to_owned())), context);
                    return None;
                }
            },
            (Work::Restart, Action::Reboot) => AcsRequest::Reboot(Reboot { command_key: key }),
            (Work::Restart, Action::FactoryReset) => AcsRequest::FactoryReset,
            (Work::Methods, _) => AcsRequest::GetRpcMethods,
            _ => return None,
        };
        if self.task.action.once_only() {
            self.wait_for(Phase::Response, context);
        }
        Some(request)
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
            Work::Begin
            | Work::Add
            | Work::AddCheck(..)
            | Work::Delete
            | Work::DeleteCheck(_)
            | Work::Download
            | Work::Restart
            | Work::Methods
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

    fn after_add(&mut self, answer: Answer, context: &mut Context<'_>) {
        let made = match answer {
            Ok(CpeResponse::AddObject(made)) => made,
            other => return self.fail(other, context),
        };
        let Action::AddObject { table, values } = &self.task.action else { return };
        let row = ParamPath::parse(&format!("{table}{}.", made.instance));
        let values = row_values(table, made.instance, values);
        let (Ok(row), Ok(values), true) = (row, values, made.instance >= 1) else {
            let text = format!("the device named {} as the new instance", made.instance);
            return self.end(Outcome::Failed(failure(text)), context);
        };
        context.tree.learn_name(&row, true, context.now);
        self.note(format!("made {row}").into());
        if values.is_empty() {
            let outcome = if made.status == 0 { Outcome::Applied } else { Outcome::Accepted };
            self.wait_for(Phase::Row { instance: made.instance }, context);
            self.work = Work::AddCheck(row, outcome);
            return;
        }
        self.wait_for(Phase::Row { instance: made.instance }, context);
        self.work = Work::Write(Writer::new(&values, context));
    }

    fn after_add_check(
        &mut self,
        row: &ParamPath,
        outcome: Outcome,
        answer: &Answer,
        context: &Context<'_>,
    ) {
        match answer {
            Ok(CpeResponse::GetParameterNames(infos)) if !infos.is_empty() => {
                self.end(outcome, context)
            }
            _ => {
                let text = format!("the device said that it made {row}, but does not have it");
                self.end(Outcome::Failed(failure(text)), context);
            }
        }
    }

    fn after_delete(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Action::DeleteObject(instance) = self.task.action.clone() else { return };
        match answer {
            Ok(CpeResponse::DeleteObject(0)) => self.work = Work::DeleteCheck(instance),
            Ok(CpeResponse::DeleteObject(_)) => {
                self.work = Work::Rest;
                self.end(Outcome::Accepted, context);
            }
            other => self.fail(other, context),
        }
    }

    fn after_delete_check(
        &mut self,
        instance: &ParamPath,
        answer: Answer,
        context: &mut Context<'_>,
    ) {
        self.work = Work::Rest;
        let gone = match &answer {
            Err(fault) => fault.code == FaultCode::INVALID_PARAMETER_NAME,
            Ok(CpeResponse::GetParameterNames(infos)) => infos.is_empty(),
            Ok(_) => false,
        };
        if gone {
            context.tree.remove(instance);
            self.end(Outcome::Applied, context);
        } else {
            let text = format!("the device said that it deleted {instance}, but still has it");
            self.end(Outcome::Failed(failure(text)), context);
        }
    }

    fn after_download(&mut self, answer: Answer, root: &str, context: &mut Context<'_>) {
        match answer {
            Ok(CpeResponse::Download(response)) if response.status == 0 => {
                self.note("the device had the file and applied it at once".into());
                self.wait_for(Phase::ReadBack, context);
                self.work = Work::Version(version_reader(root));
            }
            Ok(CpeResponse::Download(_)) => {
                self.wait_for(Phase::Transfer, context);
                self.work = Work::Rest;
            }
            other => self.fail(other, context),
        }
    }

    /// The version was read: is it the one that the file was to bring?
    fn conclude_download(&mut self, root: &str, context: &Context<'_>) {
        let version = match &self.task.action {
            Action::Download(file) => file.version.as_ref(),
            _ => None,
        };
        let found =
            context.tree.text(&format!("{root}DeviceInfo.SoftwareVersion")).unwrap_or_default();
        let outcome = match version {
            Some(wanted) if **wanted == *found => Outcome::Applied,
            Some(wanted) => Outcome::Failed(failure(format!(
                "the transfer is complete, but the device runs {found:?} and not {wanted:?}"
            ))),
            // Without a version there is nothing to compare: the device said
            // that it is done, and that is all that is known.
            None => Outcome::Accepted,
        };
        let note = format!("the device runs software version {found}");
        self.note(note.into());
        self.end(outcome, context);
    }

    fn after_restart(&mut self, answer: Answer, context: &Context<'_>) {
        match answer {
            Ok(CpeResponse::Reboot | CpeResponse::FactoryReset) => {
                self.wait_for(Phase::Boot, context);
                self.work = Work::Rest;
            }
            other => self.fail(other, context),
        }
    }

    fn after_methods(&mut self, answer: Answer, context: &mut Context<'_>) {
        self.work = Work::Rest;
        match answer {
            Ok(CpeResponse::GetRpcMethods(response)) => {
                let methods: Vec<Box<str>> = response.methods.into_iter().take(MAX_NOTES).collect();
                for method in &methods {
                    self.note(method.clone());
                }
                context.learned.methods = methods;
                self.end(Outcome::Applied, context);
            }
            other => self.fail(other, context),
        }
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

    /// One revision for each time that the task is recorded.
    const fn mark_changed(&mut self) {
        if !self.changed {
            self.task.revision += 1;
            self.changed = true;
        }
    }
}

/// A row was made in an earlier session: its values, or a look whether it is
/// there.
fn take_up_row(
    table: &ParamPath,
    instance: u32,
    values: &[(Box<str>, Value)],
    context: &Context<'_>,
) -> Work {
    let row = ParamPath::parse(&format!("{table}{instance}."));
    match (row, row_values(table, instance, values)) {
        (Ok(row), Ok(values)) if values.is_empty() => Work::AddCheck(row, Outcome::Applied),
        (Ok(_), Ok(values)) => Work::Write(Writer::new(&values, context)),
        _ => Work::Rest,
    }
}

/// The values of a row, by their full names.
fn row_values(
    table: &ParamPath,
    instance: u32,
    values: &[(Box<str>, Value)],
) -> Result<Vec<(ParamPath, Value)>, crate::param::PathError> {
    values
        .iter()
        .map(|(leaf, value)| {
            Ok((ParamPath::parse(&format!("{table}{instance}.{leaf}"))?, value.clone()))
        })
        .collect()
}

fn download(action: &Action, link: &DownloadLink, command_key: Box<str>) -> Download {
    // How large a file is that is made when it is fetched is not known before:
    // TR-069 §A.3.2.8 has 0 for that.
    let (file_type, file_size) = match action {
        Action::Download(file) => (file.file_type.clone(), file.size),
        Action::Provision(file) => (file.file_type.clone(), 0),
        _ => ("".into(), 0),
    };
    Download {
        command_key,
        file_type,
        url: link.url.clone(),
        username: link.username.clone(),
        password: link.password.clone(),
        file_size,
        target_file_name: "".into(),
        delay_seconds: 0,
    }
}

fn version_reader(root: &str) -> Reader {
    let names = ParamPath::parse(&format!("{root}DeviceInfo.SoftwareVersion"));
    Reader::new(names.into_iter().collect())
}
