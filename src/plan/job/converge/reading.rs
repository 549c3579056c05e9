//! What has to be known before anything can be done: values by name, tables whole.

use std::collections::BTreeSet;

use super::rows::listed;
use super::{Converge, Stage, Unsure};
use crate::cwmp::{CpeResponse, FaultCode};
use crate::param::{Param, ParamPath};
use crate::plan::context::{Answer, Context};
use crate::plan::gap::parent_of;
use crate::plan::reader::Reader;
use crate::plan::survey::Survey;

/// How often a name is read in one run: again only if what was told turned out
/// wrong.
const MAX_READS: u8 = 2;

impl Converge {
    /// Reads what is unknown, all in one, unless it was read often enough.
    pub(super) fn begin_reading(&mut self, names: Vec<ParamPath>) {
        let mut asked = Vec::with_capacity(names.len());
        for name in names {
            let times = self.reads.entry(name.clone()).or_insert(0);
            if *times < MAX_READS {
                *times += 1;
                asked.push(name);
            } else {
                self.never_told(name, "the device does not tell it".into());
            }
        }
        if !asked.is_empty() {
            self.stage = Stage::Read { reader: Reader::keeping(asked.clone()), asked };
        }
    }

    pub(super) fn after_read(
        &mut self,
        reader: &Reader,
        asked: &[ParamPath],
        context: &mut Context<'_>,
    ) {
        for name in asked {
            let refused = reader.missing().iter().find(|(missing, _)| missing == name);
            match refused {
                None if name.is_object() => {
                    let told = reader.values().iter().map(|value| value.name.as_str());
                    let rows: BTreeSet<&str> =
                        told.filter_map(|path| row_below(name.as_str(), path)).collect();
                    if rows.is_empty() {
                        self.unsure.push(Unsure::Silent(name.clone()));
                    } else {
                        self.take_rows(name, &rows, context);
                    }
                }
                Some(_) if name.is_object() => self.unsure.push(Unsure::Refused(name.clone())),
                None if context.tree.value(name.as_str()).is_some() => {}
                None => self.never_told(name.clone(), "the device does not tell it".into()),
                Some((_, FaultCode::INVALID_PARAMETER_NAME)) => {
                    context.tree.remove(name);
                    if self.doubts_row_of(name) {
                        continue;
                    }
                    self.never_told(name.clone(), "the device has no such parameter".into());
                }
                Some((_, code)) => {
                    let why = format!("the device does not tell it (fault {code})");
                    self.never_told(name.clone(), why.into());
                }
            }
        }
    }

    /// Reads a table that could not be read in one.
    pub(super) fn begin_listing(&mut self, unsure: Unsure, context: &Context<'_>) {
        self.stage = match unsure {
            Unsure::Silent(table) => Stage::Confirm(table),
            Unsure::Refused(table) => {
                let survey = Box::new(Survey::new(table.clone(), context));
                Stage::Survey { survey, table }
            }
        };
    }

    /// A table that told nothing: it has no rows, or does not tell them in this
    /// way.
    pub(super) fn after_confirm(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Stage::Confirm(table) = std::mem::replace(&mut self.stage, Stage::Compare) else {
            return;
        };
        match answer {
            Ok(CpeResponse::GetParameterNames(infos)) if !listed(&table, &infos).is_empty() => {
                self.unsure.push(Unsure::Refused(table));
            }
            Err(fault) if fault.code == FaultCode::INVALID_PARAMETER_NAME => {
                self.never_told(table, "the device has no such table".into());
            }
            Ok(_) | Err(_) => self.take_rows(&table, &BTreeSet::new(), context),
        }
    }

    pub(super) fn after_survey(
        &mut self,
        survey: &Survey,
        table: &ParamPath,
        context: &mut Context<'_>,
    ) {
        match survey.fault() {
            None => self.is_whole(table, context),
            Some(fault) if fault.code == FaultCode::INVALID_PARAMETER_NAME => {
                self.never_told(table.clone(), "the device has no such table".into());
            }
            Some(fault) => {
                let why = format!("the device does not list its rows (fault {})", fault.code);
                self.never_told(table.clone(), why.into());
            }
        }
    }

    /// These are the rows of a table, known by name at least; others are gone.
    pub(super) fn list_rows(
        &mut self,
        table: &ParamPath,
        rows: &BTreeSet<&str>,
        context: &mut Context<'_>,
    ) {
        self.take_rows(table, rows, context);
        for row in rows {
            if let Ok(row) = ParamPath::parse(&format!("{table}{row}."))
                && context.tree.get(row.as_str()).is_none()
            {
                context.tree.learn_name(&row, true, context.now);
            }
        }
    }

    /// These are the rows of a table; others are gone.
    pub(super) fn take_rows(
        &mut self,
        table: &ParamPath,
        rows: &BTreeSet<&str>,
        context: &mut Context<'_>,
    ) {
        for row in context.tree.rows(table.as_str()) {
            if !rows.contains(&*row)
                && let Ok(row) = ParamPath::parse(&format!("{table}{row}."))
            {
                context.tree.remove(&row);
                context.written.forget(row.as_str());
            }
        }
        self.is_whole(table, context);
    }

    /// All rows of a table are known now.
    fn is_whole(&mut self, table: &ParamPath, context: &mut Context<'_>) {
        self.experience.doubted.remove(table.as_str());
        if context.tree.get(table.as_str()).is_none() {
            let param = Param { value: None, writable: None, read_at: context.now };
            context.tree.insert(table.clone(), param);
        }
    }

    /// A parameter of a row is not there: perhaps the row is not there either, and
    /// its table is read, unless that was done.
    fn doubts_row_of(&mut self, name: &ParamPath) -> bool {
        let row = parent_of(name.as_str());
        let table = parent_of(row);
        let number = row.strip_prefix(table).and_then(|row| row.strip_suffix('.'));
        let is_row = number.is_some_and(|row| row.parse::<u32>().is_ok());
        let doubts =
            is_row && !self.reads.contains_key(table) && self.relisted.insert(table.into());
        if doubts {
            self.experience.doubted.insert(table.into());
        }
        doubts
    }

    fn never_told(&mut self, name: ParamPath, why: Box<str>) {
        self.experience.doubted.remove(name.as_str());
        self.experience.untold.insert(name, why);
    }
}

/// The row of a table in which a path lies.
fn row_below<'p>(table: &str, path: &'p str) -> Option<&'p str> {
    let (row, _) = path.strip_prefix(table)?.split_once('.')?;
    Some(row)
}
