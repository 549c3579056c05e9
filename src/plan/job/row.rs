//! Rows of tables: AddObject with its values, DeleteObject with a look whether
//! it is gone.

use super::{Job, Work};
use crate::cwmp::{AcsRequest, AddObject, CpeResponse, DeleteObject, FaultCode};
use crate::device::{Action, Outcome, Phase};
use crate::param::{ParamPath, Value};
use crate::plan::context::{Answer, Context, failure};
use crate::plan::writer::Writer;

impl Job {
    /// AddObject or DeleteObject.
    pub(super) fn row_request(&self) -> Result<AcsRequest, String> {
        let parameter_key: Box<str> = "".into();
        match &self.task.action {
            Action::AddObject { table, .. } => {
                Ok(AcsRequest::AddObject(AddObject { table: table.clone(), parameter_key }))
            }
            Action::DeleteObject(instance) => {
                let instance = instance.clone();
                Ok(AcsRequest::DeleteObject(DeleteObject { instance, parameter_key }))
            }
            _ => Err("it is about no row".to_owned()),
        }
    }

    pub(super) fn after_add(&mut self, answer: Answer, context: &mut Context<'_>) {
        let made = match answer {
            Ok(CpeResponse::AddObject(made)) => made,
            other => return self.fail(other, context),
        };
        let Action::AddObject { table, values } = &self.task.action else { return };
        let row = row_of(table, made.instance);
        let values = row_values(table, made.instance, values);
        let (Ok(row), Ok(values), true) = (row, values, made.instance >= 1) else {
            let text = format!("the device named {} as the new instance", made.instance);
            return self.end(Outcome::Failed(failure(text)), context);
        };
        let known = context.tree.get(row.as_str()).is_some();
        context.tree.learn_name(&row, true, context.now);
        if let Some((_, alias)) = table.split_alias()
            && let Ok(name) = ParamPath::parse(&format!("{row}Alias"))
        {
            context.tree.learn_value(&name, Value::string(alias), context.now);
        }
        self.note(format!("made {row}").into());
        if known {
            // The tree may be old, so that this is no failure (security: C3).
            self.note("the row was known already: it may be one that was there".into());
        }
        if values.is_empty() {
            let outcome = if made.status == 0 { Outcome::Applied } else { Outcome::Accepted };
            self.wait_for(Phase::Row { instance: made.instance }, context);
            self.work = Work::AddCheck(row, outcome);
            return;
        }
        self.wait_for(Phase::Row { instance: made.instance }, context);
        self.work = Work::Write(Writer::new(&values, context));
    }

    pub(super) fn after_add_check(
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

    pub(super) fn after_delete(&mut self, answer: Answer, context: &mut Context<'_>) {
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

    pub(super) fn after_delete_check(
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
            let numbered = context.tree.by_number(instance);
            context.tree.remove(instance);
            context.tree.remove(&numbered);
            context.written.forget(numbered.as_str());
            self.end(Outcome::Applied, context);
        } else {
            let text = format!("the device said that it deleted {instance}, but still has it");
            self.end(Outcome::Failed(failure(text)), context);
        }
    }
}

/// A row was made in an earlier session: its values, or a look whether it is
/// there.
pub(super) fn take_up(
    table: &ParamPath,
    instance: u32,
    values: &[(Box<str>, Value)],
    context: &Context<'_>,
) -> Work {
    match (row_of(table, instance), row_values(table, instance, values)) {
        (Ok(row), Ok(values)) if values.is_empty() => Work::AddCheck(row, Outcome::Applied),
        (Ok(_), Ok(values)) => Work::Write(Writer::new(&values, context)),
        _ => Work::Rest,
    }
}

/// A row that was made: below the table, also if it was asked for with an alias
/// (`Table.[name].`).
fn row_of(table: &ParamPath, instance: u32) -> Result<ParamPath, crate::param::PathError> {
    match table.split_alias() {
        Some((table, _)) => ParamPath::parse(&format!("{table}{instance}.")),
        None => ParamPath::parse(&format!("{table}{instance}.")),
    }
}

/// The values of a row, by their full names.
fn row_values(
    table: &ParamPath,
    instance: u32,
    values: &[(Box<str>, Value)],
) -> Result<Vec<(ParamPath, Value)>, crate::param::PathError> {
    let row = row_of(table, instance)?;
    values
        .iter()
        .map(|(leaf, value)| Ok((ParamPath::parse(&format!("{row}{leaf}"))?, value.clone())))
        .collect()
}
