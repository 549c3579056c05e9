//! Rows that go, with a look whether they are gone, and rows that are made.

use std::collections::BTreeSet;

use super::{Converge, Stage};
use crate::cwmp::{AcsRequest, AddObject, CpeResponse, DeleteObject, FaultCode, ParameterInfo};
use crate::device::{Desired, Phase};
use crate::param::{ParamPath, Tree, Value};
use crate::plan::context::{Answer, Context, mismatch};
use crate::plan::gap::{RowId, parent_of};
use crate::plan::job::Job;
use crate::plan::reader::Reader;

/// The most rows that are taken from one list.
const MAX_LISTED: usize = 10_000;

/// How often rows that came while others were deleted are deleted as well.
const MAX_CHECKS: u8 = 2;

/// The request that deletes a row.
pub(super) fn removing(row: ParamPath) -> AcsRequest {
    AcsRequest::DeleteObject(DeleteObject { instance: row, parameter_key: "".into() })
}

/// The rows of a table in a list of names, by number or `[alias]`, with their
/// dots or without.
pub(super) fn listed<'i>(table: &ParamPath, infos: &'i [ParameterInfo]) -> BTreeSet<&'i str> {
    let rows = infos.iter().filter_map(|info| {
        let below = info.name.as_str().strip_prefix(table.as_str())?;
        let row = below.strip_suffix('.').unwrap_or(below);
        let is_row = !row.is_empty()
            && (row.bytes().all(|byte| byte.is_ascii_digit())
                || (row.starts_with('[') && !row.contains('.')));
        is_row.then_some(row)
    });
    rows.take(MAX_LISTED).collect()
}

impl Converge {
    pub(super) fn after_remove(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Stage::Remove(row) = std::mem::replace(&mut self.stage, Stage::Compare) else {
            return;
        };
        match answer {
            Ok(CpeResponse::DeleteObject(0)) => {
                context.tree.remove(&row);
                context.written.forget(row.as_str());
                if let Ok(table) = ParamPath::parse(parent_of(row.as_str())) {
                    self.removed.entry(table).or_default().push(row);
                }
            }
            Ok(CpeResponse::DeleteObject(_)) => {
                self.report.is_put_off();
                self.experience.settled.insert(row.as_str().into());
            }
            // It was gone already.
            Err(fault) if fault.code == FaultCode::INVALID_PARAMETER_NAME => {
                context.tree.remove(&row);
                context.written.forget(row.as_str());
            }
            other => {
                let fault = other.err().unwrap_or_else(mismatch);
                self.report.fails(row.as_str(), fault.code.0, &fault.text);
                self.experience.settled.insert(row.as_str().into());
            }
        }
    }

    /// The rows that a table has after some were deleted.
    pub(super) fn after_check(&mut self, answer: Answer, job: &mut Job, context: &mut Context<'_>) {
        let Stage::CheckRemoved(table) = std::mem::replace(&mut self.stage, Stage::Compare) else {
            return;
        };
        let gone = self.removed.remove(&table).unwrap_or_default();
        let infos = match answer {
            Ok(CpeResponse::GetParameterNames(infos)) => infos,
            Err(fault) if fault.code == FaultCode::INVALID_PARAMETER_NAME => Vec::new(),
            Ok(_) | Err(_) => {
                job.note(format!("whether rows of {table} are gone cannot be looked up").into());
                self.report.is_put_off();
                return;
            }
        };
        let rows = listed(&table, &infos);
        let known = context.tree.rows(table.as_str());
        self.list_rows(&table, &rows, context);
        let checks = self.checks.entry(table.clone()).or_insert(0);
        *checks = checks.saturating_add(1);
        if *checks >= MAX_CHECKS {
            let came = rows.iter().filter(|row| !known.iter().any(|known| *known == **row));
            for row in came {
                let row = format!("{table}{row}.");
                self.report.fails(&row, 0, "rows come as fast as they are deleted");
                self.experience.settled.insert(row.into());
            }
        }
        for row in gone {
            if rows.contains(row.leaf()) {
                let why = "the device said that it deleted it, but still has it";
                self.report.fails(row.as_str(), 0, why);
                self.experience.settled.insert(row.as_str().into());
            } else {
                self.report.removed(&row, job);
            }
        }
    }

    /// Asks for a row, after the rows that its table has were recorded.
    pub(super) fn begin_making(
        &mut self,
        id: RowId,
        table: ParamPath,
        job: &mut Job,
        context: &Context<'_>,
    ) -> AcsRequest {
        let rows = context.tree.rows(table.as_str());
        let before = rows.iter().filter_map(|row| row.parse().ok()).collect();
        self.report.asks_for(id, &table, job);
        job.wait_for(Phase::MakeRow { table: table.clone(), before }, context);
        self.stage = Stage::Make { id, table: table.clone() };
        AcsRequest::AddObject(AddObject { table, parameter_key: "".into() })
    }

    pub(super) fn after_make(&mut self, answer: Answer, job: &mut Job, context: &mut Context<'_>) {
        let Stage::Make { id, table } = std::mem::replace(&mut self.stage, Stage::Compare) else {
            return;
        };
        let made = match answer {
            Ok(CpeResponse::AddObject(made)) => made,
            other => {
                let fault = other.err().unwrap_or_else(mismatch);
                return self.cannot_make(id, &table, fault.code.0, &fault.text, job, context);
            }
        };
        if made.status != 0 {
            self.report.is_put_off();
        }
        let row = ParamPath::parse(&format!("{table}{}.", made.instance));
        let Some(row) = row.ok().filter(|_| made.instance >= 1) else {
            let why = format!("the device named {} as the new instance", made.instance);
            return self.cannot_make(id, &table, 0, &why, job, context);
        };
        if self.experience.made.values().flatten().any(|known| *known == row) {
            let why = format!("the device gave {row} a second time");
            return self.cannot_make(id, &table, 0, &why, job, context);
        }
        let known: Vec<(ParamPath, Value)> = context
            .tree
            .under(row.as_str())
            .filter_map(|(path, param)| Some((path.clone(), param.value.clone()?)))
            .collect();
        if known.is_empty() {
            self.take_row(id, row, job, context);
        } else {
            // The tree may be old, or the device gives a row that is somebody
            // else's (security: C3): what is in it tells.
            let reader = Reader::keeping(vec![row.clone()]);
            self.stage = Stage::LookAt { id, row, reader, known };
        }
    }

    /// The row that was made was known: is what was known of it still so?
    pub(super) fn after_look(
        &mut self,
        id: RowId,
        row: ParamPath,
        reader: &Reader,
        known: &[(ParamPath, Value)],
        job: &mut Job,
        context: &mut Context<'_>,
    ) {
        let told = reader.values();
        let differs = told.iter().any(|told| {
            known.iter().any(|(path, value)| *path == told.name && !value.agrees(&told.value))
        });
        if differs {
            job.note(format!("{row} took the place of a row that was known").into());
            return self.take_row(id, row, job, context);
        }
        let Ok(table) = ParamPath::parse(parent_of(row.as_str())) else { return };
        let why = if told.is_empty() {
            context.tree.remove(&row);
            format!("the device said that it made {row}, but does not tell it")
        } else {
            format!("the device gave {row} as the new row, which was there before")
        };
        self.cannot_make(id, &table, 0, &why, job, context);
    }

    /// The row is the wanted one from now on; nothing of it is known.
    pub(super) fn take_row(
        &mut self,
        id: RowId,
        row: ParamPath,
        job: &mut Job,
        context: &mut Context<'_>,
    ) {
        context.tree.remove(&row);
        context.written.forget(row.as_str());
        context.tree.learn_name(&row, true, context.now);
        self.report.made(id, &row, job);
        let instance = row.leaf().parse().unwrap_or_default();
        job.wait_for(Phase::Row { instance }, context);
        self.experience.fresh.insert(row.clone());
        self.experience.made.entry(id).or_default().push(row);
    }

    /// Rows that turned out to have the keys of one that was made: the tree was old
    /// when it was made.
    pub(super) fn tell_of_twins(&self, desired: &Desired, job: &mut Job, tree: &Tree) {
        for (id, rows) in &self.experience.made {
            let Some(keys) = desired.tables.get(id.table).map(|table| &table.keys) else {
                continue;
            };
            for made in rows {
                let table = parent_of(made.as_str());
                let is_twin = |other: &String| {
                    format!("{table}{other}.") != *made.as_str()
                        && keys.iter().all(|key| {
                            let ours = tree.value(&format!("{made}{key}"));
                            let theirs = tree.value(&format!("{table}{other}.{key}"));
                            ours.zip(theirs).is_some_and(|(ours, theirs)| ours.agrees(theirs))
                        })
                };
                if let Some(twin) = tree.rows(table).into_iter().find(is_twin) {
                    job.note(format!("{table}{twin}. has the same keys as {made}").into());
                }
            }
        }
    }

    /// No row could be made; what was refused once is not asked again.
    fn cannot_make(
        &mut self,
        id: RowId,
        table: &ParamPath,
        code: u32,
        why: &str,
        job: &mut Job,
        context: &Context<'_>,
    ) {
        self.report.fails(&format!("{table}{{i}}."), code, why);
        self.report.asks_no_more(job);
        self.experience.given_up.insert(id);
        self.experience.closed.insert(table.as_str().into());
        job.wait_for(Phase::ReadBack, context);
    }

    /// A row that was made is gone: it is made once more, and then no more.
    pub(super) fn lose_row(
        &mut self,
        id: RowId,
        row: &ParamPath,
        job: &mut Job,
        context: &mut Context<'_>,
    ) {
        if let Some(rows) = self.experience.made.get_mut(&id) {
            rows.retain(|made| made != row);
        }
        self.experience.fresh.remove(row);
        context.tree.remove(row);
        self.report.lost(row, job);
        if self.remade.insert(id) {
            job.note(format!("{row} vanished after it was made").into());
        } else {
            self.experience.given_up.insert(id);
            self.report.fails(row.as_str(), 0, "rows vanish after they are made");
        }
    }
}
