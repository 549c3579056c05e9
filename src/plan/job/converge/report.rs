//! What came of it: what was applied, what could not be had, and the rows that
//! were made, so that a later session knows them.

use std::fmt;

use super::resume::Mark;
use crate::device::{FaultRecord, MAX_DRIFTS, MAX_RESULTS, Outcome, TaskResult};
use crate::param::ParamPath;
use crate::plan::context::{Context, clip, failure};
use crate::plan::gap::RowId;
use crate::plan::job::Job;

/// The most results that tell of values: the rest is for rows.
const MAX_VALUES: usize = MAX_RESULTS - 200;

/// What could not be had so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    failed: Vec<(Box<str>, u32, Box<str>)>,
    count: usize,
    put_off: bool,
}

impl Report {
    /// Something could not be had: the device's code, or 0 if it gave none.
    pub(super) fn fails(&mut self, path: &str, code: u32, why: &str) {
        self.count += 1;
        if self.failed.len() < MAX_DRIFTS {
            self.failed.push((path.into(), code, clip(why)));
        }
    }

    /// The device applies something later, or something cannot be looked up.
    pub(super) const fn is_put_off(&mut self) {
        self.put_off = true;
    }

    /// A value was applied and read back. That is recorded with whatever is
    /// recorded next.
    pub(super) fn applied(&self, name: &str, text: &str, secret: bool, job: &mut Job) {
        if job.task.results.len() < MAX_VALUES {
            let text = if secret { "***" } else { text };
            job.task.results.push(TaskResult::new(name, text));
        }
    }

    /// A row is gone.
    pub(super) fn removed(&self, row: &ParamPath, job: &mut Job) {
        if job.task.results.len() < MAX_VALUES {
            job.task.results.push(TaskResult::new(row.as_str(), "removed"));
        }
    }

    /// A row is asked for.
    pub(super) fn asks_for(&self, id: RowId, table: &ParamPath, job: &mut Job) {
        self.asks_no_more(job);
        mark(&format!("{table}{{i}}."), Mark::AskedFor(id), job);
    }

    /// The row that was asked for was not made.
    pub(super) fn asks_no_more(&self, job: &mut Job) {
        let asked = |result: &TaskResult| matches!(Mark::of(result), Some(Mark::AskedFor(_)));
        job.task.results.retain(|result| !asked(result));
        job.mark_changed();
    }

    /// The row that was asked for was made.
    pub(super) fn made(&self, id: RowId, row: &ParamPath, job: &mut Job) {
        self.asks_no_more(job);
        mark(row.as_str(), Mark::Made(id), job);
    }

    /// A row that was made is not there.
    pub(super) fn lost(&self, row: &ParamPath, job: &mut Job) {
        let is_it = |result: &TaskResult| {
            *result.name == *row.as_str() && matches!(Mark::of(result), Some(Mark::Made(_)))
        };
        job.task.results.retain(|result| !is_it(result));
        job.mark_changed();
    }

    /// Ends the task: applied only if all that is wanted is there.
    pub(super) fn close(
        &mut self,
        impossible: Vec<(Box<str>, Box<str>)>,
        job: &mut Job,
        context: &Context<'_>,
    ) {
        for (path, why) in impossible {
            self.fails(&path, 0, &why);
        }
        let outcome = match self.failed.iter().map(|(_, code, _)| *code).find(|code| *code > 0) {
            _ if self.count == 0 && self.put_off => Outcome::Accepted,
            _ if self.count == 0 => Outcome::Applied,
            code => {
                let text = match self.count {
                    1 => "one thing that is wanted could not be had".to_owned(),
                    count => format!("{count} things that are wanted could not be had"),
                };
                Outcome::Failed(FaultRecord {
                    code: code.unwrap_or_default(),
                    parameters: std::mem::take(&mut self.failed),
                    ..failure(text)
                })
            }
        };
        job.end(outcome, context);
    }
}

/// Notes a mark among the results, for which there is always room: a later
/// session depends on it.
fn mark(name: &str, mark: impl fmt::Display, job: &mut Job) {
    let results = &mut job.task.results;
    if results.len() >= MAX_RESULTS {
        let place = results.iter().position(|result| Mark::of(result).is_none()).unwrap_or(0);
        results.remove(place);
    }
    results.push(TaskResult::new(name, &mark.to_string()));
    job.mark_changed();
}
