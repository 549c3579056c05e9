//! Diagnostics: ordered with one write, waited for, read (TR-143, TR-181
//! `IP.Diagnostics.`).

use std::collections::VecDeque;

use super::{Job, Work};
use crate::cwmp::{
    AcsRequest, CpeResponse, GetParameterNames, GetParameterValues, ParameterValue,
    SetParameterValues,
};
use crate::device::{Action, Diagnostic, MAX_RESULTS, Outcome, Phase, TaskResult, TaskState};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::plan::context::{Answer, Context, failure};
use crate::plan::reader::Reader;
use crate::schema::{DiagnosticObject, DiagnosticState, Schema, figures};

/// The longest value of a result, in characters.
const MAX_VALUE: usize = 1024;

/// The most names below a diagnostic that are taken note of.
const MAX_NAMES: usize = 100;

const STATE: &str = "DiagnosticsState";

/// How far a diagnostic has come in this session.
#[derive(Debug)]
pub(super) enum Stage {
    /// The tree does not show the object: the places where it can be are asked
    /// for, one after the other.
    Probe { left: VecDeque<&'static DiagnosticObject> },
    /// Inputs and `Requested` are written; `bare` without what the operator did
    /// not ask for.
    Order { object: &'static DiagnosticObject, bare: bool },
    /// The device came without saying that the diagnostic is complete: some
    /// never say it.
    Look { object: &'static DiagnosticObject },
    /// State and results are read, all in one.
    Read { object: &'static DiagnosticObject },
    /// They are read by name, because the device does not tell them in one.
    ReadByName { object: &'static DiagnosticObject, reader: Box<Reader>, rows: bool },
}

impl Job {
    /// What there is to do for a diagnostic, given where the task stands.
    pub(super) fn begin_diagnostic(&mut self, root: &str, context: &Context<'_>) -> Work {
        let Action::Diagnose(Diagnostic { kind, .. }) = self.task.action else { return Work::Rest };
        let shown = || DiagnosticObject::places(kind, root).find(|at| is_shown(at, context.tree));
        let object = || shown().or_else(|| DiagnosticObject::places(kind, root).next());
        match &self.task.state {
            TaskState::Queued => match shown() {
                Some(object) => Work::Diagnose(Stage::Order { object, bare: false }),
                None => Work::Diagnose(Stage::Probe {
                    left: DiagnosticObject::places(kind, root).collect(),
                }),
            },
            TaskState::Sent { phase: Phase::Diagnostics, .. } => {
                object().map_or(Work::Rest, |object| Work::Diagnose(Stage::Look { object }))
            }
            TaskState::Sent { phase: Phase::ReadBack, .. } => {
                object().map_or(Work::Rest, |object| Work::Diagnose(Stage::Read { object }))
            }
            TaskState::Sent { .. } | TaskState::Ended { .. } => Work::Rest,
        }
    }

    /// The next request of a diagnostic; `None` when it rests or has ended.
    pub(super) fn next_of_diagnostic(
        &mut self,
        root: &str,
        context: &mut Context<'_>,
    ) -> Option<AcsRequest> {
        loop {
            let Work::Diagnose(stage) = &mut self.work else { return None };
            match stage {
                Stage::Probe { left } => match left.front() {
                    Some(object) => {
                        let path = ParamPath::parse(&object.path()).ok();
                        let names = GetParameterNames { path, next_level: true };
                        return Some(AcsRequest::GetParameterNames(names));
                    }
                    None => {
                        self.lacks_object(root, context);
                        return None;
                    }
                },
                Stage::Order { object, bare } => {
                    let values = values(&self.task.action, object, *bare, context.tree);
                    self.wait_for(Phase::Response, context);
                    return Some(AcsRequest::SetParameterValues(SetParameterValues {
                        values,
                        parameter_key: "".into(),
                    }));
                }
                Stage::Look { object } => return Some(read(&format!("{}{STATE}", object.path()))),
                Stage::Read { object } => return Some(read(&object.path())),
                Stage::ReadByName { reader, .. } => {
                    let request = reader.next(context);
                    if request.is_some() {
                        return request;
                    }
                    self.after_names(context);
                }
            }
        }
    }

    /// The answer to the last request of a diagnostic.
    pub(super) fn answer_of_diagnostic(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Work::Diagnose(stage) = &mut self.work else { return };
        match stage {
            Stage::Probe { left } => {
                let Some(object) = left.pop_front() else { return };
                if let Ok(CpeResponse::GetParameterNames(infos)) = answer {
                    let below = object.path();
                    let found = infos.iter().filter(|info| info.name.as_str().starts_with(&below));
                    for info in found.take(MAX_NAMES) {
                        context.tree.learn_name(&info.name, info.writable, context.now);
                    }
                    if is_shown(object, context.tree) {
                        *stage = Stage::Order { object, bare: false };
                    }
                }
            }
            Stage::Order { object, bare } => match answer {
                Ok(CpeResponse::SetParameterValues(_)) => {
                    self.wait_for(Phase::Diagnostics, context);
                    self.work = Work::Rest;
                }
                // A fault means that nothing was written: once more, without
                // what the operator did not ask for.
                Err(_) if !*bare && object.inputs.iter().any(|input| input.default.is_some()) => {
                    *bare = true;
                }
                other => self.fail(other, context),
            },
            Stage::Look { object } => {
                let object = *object;
                let told = match &answer {
                    Ok(CpeResponse::GetParameterValues(values)) => {
                        text(values, &format!("{}{STATE}", object.path()))
                    }
                    _ => None,
                };
                self.work = match told.map(DiagnosticState::parse) {
                    Some(DiagnosticState::Requested) | None => Work::Rest,
                    Some(_) => Work::Diagnose(Stage::Read { object }),
                };
            }
            Stage::Read { object } => {
                let object = *object;
                match answer {
                    Ok(CpeResponse::GetParameterValues(values)) if !values.is_empty() => {
                        self.conclude_diagnostic(object, &values, context);
                    }
                    _ => {
                        let names = std::iter::once(STATE)
                            .chain(object.results.iter().map(|(name, _)| *name));
                        let reader = Reader::keeping(below(object, names));
                        let reader = Box::new(reader);
                        *stage = Stage::ReadByName { object, reader, rows: false };
                    }
                }
            }
            Stage::ReadByName { reader, .. } => reader.answer(answer, context),
        }
    }

    /// The session broke off in the middle of a diagnostic.
    pub(super) fn abandon_diagnostic(&mut self, context: &Context<'_>) {
        if let Work::Diagnose(Stage::Order { .. }) = self.work
            && matches!(self.task.state, TaskState::Sent { phase: Phase::Response, .. })
        {
            let why = "the session broke off before the device answered".into();
            self.end(Outcome::Unknown(why), context);
        }
    }

    /// A round of reading by name is over: the rows come after their counters.
    fn after_names(&mut self, context: &mut Context<'_>) {
        let Work::Diagnose(Stage::ReadByName { object, reader, rows }) = &mut self.work else {
            return;
        };
        let object = *object;
        if *rows {
            let values = reader.values().to_vec();
            return self.conclude_diagnostic(object, &values, context);
        }
        let path = object.path();
        let mut names: Vec<String> = Vec::new();
        for table in object.tables {
            let count = text(reader.values(), &format!("{path}{}", table.counter));
            let count: usize = count.and_then(|count| count.trim().parse().ok()).unwrap_or(0);
            for row in 1..=count.min(MAX_RESULTS) {
                if names.len() >= MAX_RESULTS {
                    break;
                }
                let columns = table.columns.iter();
                names.extend(columns.map(|(column, _)| format!("{}{row}.{column}", table.name)));
            }
        }
        if names.is_empty() {
            let values = reader.values().to_vec();
            return self.conclude_diagnostic(object, &values, context);
        }
        let told = reader.values().iter().map(|value| value.name.clone());
        let all = told.chain(below(object, names.iter().map(String::as_str)));
        **reader = Reader::keeping(all.collect());
        *rows = true;
    }

    /// State and results are here: what came of it?
    fn conclude_diagnostic(
        &mut self,
        object: &'static DiagnosticObject,
        values: &[ParameterValue],
        context: &mut Context<'_>,
    ) {
        self.work = Work::Rest;
        let path = object.path();
        let Some(state) = text(values, &format!("{path}{STATE}")) else {
            let text = "the device does not tell the state of the diagnostic".to_owned();
            return self.end(Outcome::Failed(failure(text)), context);
        };
        let parsed = DiagnosticState::parse(state);
        let outcome = match parsed {
            // It is another diagnostic that is complete.
            DiagnosticState::Requested => {
                if let TaskState::Sent { at, phase: Phase::ReadBack } = self.task.state {
                    self.task.state = TaskState::Sent { at, phase: Phase::Diagnostics };
                    self.mark_changed();
                }
                return;
            }
            DiagnosticState::Complete => Outcome::Applied,
            DiagnosticState::Error(word) => {
                let word: String = word.chars().take(64).collect();
                Outcome::Failed(failure(format!("{} ({word})", parsed.words())))
            }
            DiagnosticState::None | DiagnosticState::Canceled => {
                return self.end(Outcome::Failed(failure(parsed.words().to_owned())), context);
            }
        };
        self.keep_results(object, values, context);
        self.end(outcome, context);
    }

    /// Puts what the device told, and what follows from it, with the task.
    fn keep_results(
        &mut self,
        object: &DiagnosticObject,
        values: &[ParameterValue],
        context: &mut Context<'_>,
    ) {
        let path = object.path();
        let (mut rows, mut left_out) = (Vec::new(), 0_usize);
        self.task.results.clear();
        for value in values {
            let Some(name) = value.name.as_str().strip_prefix(&path) else { continue };
            let is_row = name.contains('.');
            let is_input = name == STATE || object.input(name).is_some();
            // Rows change with every run: they stand with the task, not in the tree.
            if !is_row {
                context.learn(&value.name, &value.value);
            }
            if is_input || name.is_empty() || Schema::core().is_secret(&value.name) {
                continue;
            }
            let result = TaskResult { name: name.into(), value: clip(&value.value.text) };
            if self.task.results.len() + rows.len() >= MAX_RESULTS - MAX_FIGURES {
                left_out += 1;
            } else if is_row {
                rows.push(result);
            } else {
                self.task.results.push(result);
            }
        }
        let found = figures(object.kind, |name| text(values, &format!("{path}{name}")));
        self.task.results.extend(found.into_iter().take(MAX_FIGURES).map(|figure| TaskResult {
            name: figure.name.into(),
            value: figure.value.to_string().into(),
        }));
        // Rows by their number, not by its text; columns as the data model has them.
        rows.sort_by_cached_key(|row| place(object, &row.name));
        self.task.results.append(&mut rows);
        if left_out > 0 {
            self.note(format!("the device told {left_out} results more than are kept").into());
        }
    }

    fn lacks_object(&mut self, root: &str, context: &Context<'_>) {
        let Action::Diagnose(diagnostic) = &self.task.action else { return };
        let word = diagnostic.kind.word();
        let lacking: Vec<String> =
            DiagnosticObject::places(diagnostic.kind, root).map(DiagnosticObject::path).collect();
        let text = if lacking.is_empty() {
            format!("this device has no {word} diagnostic: its data model knows none")
        } else {
            let lacking = lacking.join(" and ");
            format!("this device has no {word} diagnostic: its data model lacks {lacking}")
        };
        self.end(Outcome::Failed(failure(text)), context);
    }
}

/// Where a cell stands: its table, its row, its column.
fn place(object: &DiagnosticObject, name: &str) -> (usize, u64, usize) {
    let mut segments = name.splitn(3, '.');
    let (table, row, column) = (segments.next(), segments.next(), segments.next());
    let same = |known: &str| table == Some(known.trim_end_matches('.'));
    let at = object.tables.iter().position(|known| same(known.name));
    let columns = at.and_then(|at| object.tables.get(at)).map_or(&[][..], |table| table.columns);
    let at_column = columns.iter().position(|(known, _)| column == Some(known));
    (
        at.unwrap_or(usize::MAX),
        row.and_then(|row| row.parse().ok()).unwrap_or(u64::MAX),
        at_column.unwrap_or(usize::MAX),
    )
}

/// Room that is kept for what follows by arithmetic.
const MAX_FIGURES: usize = 10;

/// Whether the tree has anything below the object.
fn is_shown(object: &DiagnosticObject, tree: &Tree) -> bool {
    let path = object.path();
    tree.under(&path).any(|(known, _)| known.as_str().len() > path.len())
}

/// What is written: what the operator chose, what is usual where the device
/// shows it, and the request last.
fn values(
    action: &Action,
    object: &DiagnosticObject,
    bare: bool,
    tree: &Tree,
) -> Vec<ParameterValue> {
    let Action::Diagnose(Diagnostic { inputs, .. }) = action else { return Vec::new() };
    let path = object.path();
    let mut values = Vec::new();
    let mut put = |name: &str, text: &str, kind: ValueType| {
        let Ok(name) = ParamPath::parse(&format!("{path}{name}")) else { return };
        let kind = tree.kind(name.as_str()).cloned().unwrap_or(kind);
        let value = match (&kind, Value::string(text).as_bool()) {
            (ValueType::Boolean, Some(on)) => Value::boolean(on),
            _ => Value::new(text, kind),
        };
        values.push(ParameterValue { name, value });
    };
    for input in object.inputs {
        let chosen = inputs.iter().find(|(name, _)| **name == *input.name).map(|(_, text)| &**text);
        let shown = || {
            let known = tree.get(&format!("{path}{}", input.name));
            known.is_some_and(|param| param.writable != Some(false))
        };
        let usual = || input.default.filter(|_| !bare && shown());
        if let Some(text) = chosen.or_else(usual) {
            put(input.name, text, input.form.value_type());
        }
    }
    put(STATE, "Requested", ValueType::String);
    values
}

/// Names below the object as paths.
fn below<'a>(object: &DiagnosticObject, names: impl Iterator<Item = &'a str>) -> Vec<ParamPath> {
    let path = object.path();
    names.filter_map(|name| ParamPath::parse(&format!("{path}{name}")).ok()).collect()
}

fn read(path: &str) -> AcsRequest {
    let names = ParamPath::parse(path).into_iter().collect();
    AcsRequest::GetParameterValues(GetParameterValues { names })
}

/// The text of a value by its name.
fn text<'a>(values: &'a [ParameterValue], name: &str) -> Option<&'a str> {
    values.iter().find(|value| value.name.as_str() == name).map(|value| &*value.value.text)
}

fn clip(text: &str) -> Box<str> {
    text.chars().take(MAX_VALUE).collect()
}
