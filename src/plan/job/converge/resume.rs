//! Going on after a session that broke off.
//!
//! What was written is found out by comparing anew. What comparing cannot tell is
//! whose a row without its keys is: rows that were made stand among the task's
//! results, and a row that was asked for without an answer is found by the rows
//! that its table had before.

use std::collections::BTreeSet;
use std::fmt;

use super::rows::listed;
use super::{Converge, Stage};
use crate::cwmp::{CpeResponse, FaultCode};
use crate::device::{Desired, Outcome, Phase, Task, TaskResult, TaskState};
use crate::param::ParamPath;
use crate::plan::context::{Answer, Context};
use crate::plan::gap::{RowId, parent_of};
use crate::plan::job::Job;

/// What the results of a task say of a wanted row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was asked for, and no answer came.
    AskedFor(RowId),
    /// It was made.
    Made(RowId),
}

const ASKED_FOR: &str = "asked for as row ";
const MADE: &str = "made as row ";

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, id) = match self {
            Self::AskedFor(id) => (ASKED_FOR, id),
            Self::Made(id) => (MADE, id),
        };
        write!(f, "{words}{} of table {}", id.row + 1, id.table + 1)
    }
}

impl Mark {
    /// The mark that a result is, if it is one.
    pub(super) fn of(result: &TaskResult) -> Option<Self> {
        let (rest, asked) = match result.value.strip_prefix(ASKED_FOR) {
            Some(rest) => (rest, true),
            None => (result.value.strip_prefix(MADE)?, false),
        };
        let (row, table) = rest.split_once(" of table ")?;
        let place = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
        let id = RowId { table: place(table)?, row: place(row)? };
        let is_row = result.name.ends_with('.');
        is_row.then_some(if asked { Self::AskedFor(id) } else { Self::Made(id) })
    }
}

/// The device was reset: the rows that were made for a task are gone, and it
/// begins anew.
pub(in crate::plan) fn begin_anew(task: &mut Task) -> TaskState {
    task.results.retain(|result| Mark::of(result).is_none());
    task.notes.push("the device was reset since; it begins anew".into());
    TaskState::Queued
}

impl Converge {
    /// Takes up what an earlier session left.
    pub(super) fn resume(&mut self, job: &Job) {
        for result in &job.task.results {
            let Some(Mark::Made(id)) = Mark::of(result) else { continue };
            let Some(row) = ParamPath::parse(&result.name).ok().filter(|_| has(&self.desired, id))
            else {
                continue;
            };
            let rows = self.experience.made.entry(id).or_default();
            if !rows.contains(&row) {
                rows.push(row.clone());
            }
            self.experience.fresh.insert(row);
        }
        if let TaskState::Sent { phase: Phase::MakeRow { table, before }, .. } = &job.task.state {
            self.stage = Stage::Find { table: table.clone(), before: before.clone() };
        }
    }

    /// The rows that a table has after a session broke off while one was made.
    pub(super) fn after_find(&mut self, answer: Answer, job: &mut Job, context: &mut Context<'_>) {
        let Stage::Find { table, before } = std::mem::replace(&mut self.stage, Stage::Compare)
        else {
            return;
        };
        let infos = match answer {
            Ok(CpeResponse::GetParameterNames(infos)) => infos,
            Err(fault) if fault.code == FaultCode::INVALID_PARAMETER_NAME => Vec::new(),
            Ok(_) | Err(_) => {
                return self.cannot_tell(&table, "does not list its rows", job, context);
            }
        };
        let rows = listed(&table, &infos);
        let numbers: BTreeSet<u32> = rows.iter().filter_map(|row| row.parse().ok()).collect();
        if numbers.len() != rows.len() {
            return self.cannot_tell(&table, "lists its rows by alias", job, context);
        }
        let ours = |number: &u32| {
            let made = self.experience.made.values().flatten();
            made.into_iter().any(|row| {
                parent_of(row.as_str()) == table.as_str() && row.leaf() == number.to_string()
            })
        };
        let new: Vec<u32> =
            numbers.iter().copied().filter(|n| !before.contains(n) && !ours(n)).collect();
        let id = job.task.results.iter().filter_map(Mark::of).find_map(|mark| match mark {
            Mark::AskedFor(id) => Some(id).filter(|id| has(&self.desired, *id)),
            Mark::Made(_) => None,
        });
        match (&new[..], id) {
            ([], _) => {
                job.note(format!("the row of {table} that was asked for was not made").into());
                self.report.asks_no_more(job);
                job.wait_for(Phase::ReadBack, context);
                self.list_rows(&table, &rows, context);
            }
            ([number], Some(id)) if before.iter().all(|row| numbers.contains(row)) => {
                let Ok(row) = ParamPath::parse(&format!("{table}{number}.")) else { return };
                job.note(format!("{row} is the row that was asked for before").into());
                self.list_rows(&table, &rows, context);
                self.take_row(id, row, job, context);
            }
            _ => self.cannot_tell(&table, "has other rows than before", job, context),
        }
    }

    /// Nobody can tell whether the row is there: it is not asked for again.
    fn cannot_tell(&mut self, table: &ParamPath, why: &str, job: &mut Job, context: &Context<'_>) {
        self.stage = Stage::Over;
        let text = format!(
            "a row of {table} was asked for when the session broke off, and the device {why}: \
             it cannot be told whether it was made"
        );
        job.end(Outcome::Unknown(text.into()), context);
    }
}

/// Whether a state has such a row.
fn has(desired: &Desired, id: RowId) -> bool {
    desired.tables.get(id.table).is_some_and(|table| id.row < table.rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_again_among_the_results() {
        let id = RowId { table: 3, row: 0 };
        for mark in [Mark::AskedFor(id), Mark::Made(id)] {
            let result = TaskResult::new("Device.T.5.", &mark.to_string());
            assert_eq!(Mark::of(&result), Some(mark));
        }
        for (name, value) in [
            ("Device.T.5.", "removed"),
            ("Device.T.5.", "made as row 0 of table 1"),
            ("Device.T.5.X", "made as row 1 of table 1"),
            ("Device.T.5.", "made as row one of table 1"),
        ] {
            assert_eq!(Mark::of(&TaskResult::new(name, value)), None, "{name} {value}");
        }
    }
}
