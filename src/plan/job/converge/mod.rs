//! Bringing a device to a state, whatever it takes.
//!
//! One step after the other, and after each step the state is compared anew with
//! what is known by then ([`Gap`]): what is unknown is read; rows that are to go
//! are deleted; rows that are missing are made, each after the one in which it
//! lies; then all values are written, in one message where the device takes that;
//! then the attributes; then everything is read back. A device that has it all is
//! asked nothing.
//!
//! **It ends.** Whatever was tried stands in [`Experience`] and is not tried again:
//! a name is read twice at most, a row is deleted once and made once (twice if it
//! vanished), a value is written once (twice if its row, or the row that it names,
//! was not what it was known to be). With `w` for everything that is wanted (values, attributes, tables, rows
//! and their values) and `e` for the parameters and objects that the device has, or
//! was known to have, it takes at most `32 + 32·w + 16·e` messages, whatever the
//! device says (the tests hold it to that). An honest device whose tree is known takes
//! exactly what [`crate::plan::assess()`] says.
//!
//! **No row is made twice in silence.** An AddObject is recorded with the rows that
//! its table had before, and what it made is recorded before anything else is asked.
//! After a break the next session goes on from there (`resume`).
//!
//! - `reading`: what has to be known first.
//! - `rows`: rows that go, and rows that are made.
//! - `writing`: values and attributes.
//! - `resume`: what a session that broke off left behind.
//! - `report`: what came of it all.

mod reading;
mod report;
mod resume;
mod rows;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use self::report::Report;
pub(in crate::plan) use self::resume::begin_anew;
use super::attributes::Attributes;
use super::{Job, Work};
use crate::cwmp::{AcsRequest, GetParameterNames};
use crate::device::{Action, AttributeWish, Desired, MAX_WANTED, Outcome};
use crate::param::{ParamPath, Value};
use crate::plan::context::{Answer, Context, failure};
use crate::plan::gap::{Experience, Gap, RowId};
use crate::plan::reader::Reader;
use crate::plan::survey::Survey;
use crate::plan::writer::Writer;

/// The most rows that are made before their values are written: so many are
/// without their keys at once.
const MAX_BARE: usize = 64;

/// The work of bringing a device to a state.
#[derive(Debug)]
pub(super) struct Converge {
    desired: Desired,
    stage: Stage,
    experience: Experience,
    report: Report,
    /// How often a name was read.
    reads: BTreeMap<ParamPath, u8>,
    /// Tables whose rows were doubted and read anew; each once.
    relisted: BTreeSet<Box<str>>,
    /// Wanted rows that vanished after they were made; each is made once more.
    remade: BTreeSet<RowId>,
    /// Rows that were deleted, by their tables, and not looked for yet.
    removed: BTreeMap<ParamPath, Vec<ParamPath>>,
    /// How often the rows of a table were listed after some were deleted.
    checks: BTreeMap<ParamPath, u8>,
    /// Tables that could not be read in one.
    unsure: Vec<Unsure>,
}

/// A table that could not be read in one.
#[derive(Debug)]
enum Unsure {
    /// It told nothing.
    Silent(ParamPath),
    /// It was refused, or has rows all the same.
    Refused(ParamPath),
}

/// What is being done.
#[derive(Debug)]
enum Stage {
    /// The state is to be compared with what is known.
    Compare,
    /// What is unknown is read.
    Read { reader: Reader, asked: Vec<ParamPath> },
    /// A table told nothing when it was read in one: has it no rows?
    Confirm(ParamPath),
    /// A table that cannot be read in one is read by its names.
    Survey { survey: Box<Survey>, table: ParamPath },
    /// A row is deleted.
    Remove(ParamPath),
    /// The rows of a table are listed, to see that those that were deleted are
    /// gone.
    CheckRemoved(ParamPath),
    /// A row is made.
    Make { id: RowId, table: ParamPath },
    /// The row that was made was known: it is looked at, to see whether it is
    /// another one.
    LookAt { id: RowId, row: ParamPath, reader: Reader, known: Vec<(ParamPath, Value)> },
    /// The rows of a table are listed, to see which one a broken session made.
    Find { table: ParamPath, before: Vec<u32> },
    /// Values are written and read back.
    Write { writer: Box<Writer>, written: Vec<writing::Sent> },
    /// Attributes are set and read back.
    Attributes { work: Box<Attributes>, wishes: Vec<AttributeWish> },
    /// It is over.
    Over,
}

impl Job {
    /// The work that a state begins with, or goes on with.
    pub(super) fn begin_state(&mut self, context: &mut Context<'_>) -> Work {
        let Action::Converge(desired) = &self.task.action else { return Work::Rest };
        let rows = desired.tables.iter().flat_map(|table| &table.rows);
        let wanted = desired.values.len() + desired.attributes.len() + desired.tables.len();
        if wanted.saturating_add(rows.map(|row| 1 + row.values.len()).sum()) > MAX_WANTED {
            let text = format!("more than {MAX_WANTED} things are wanted at once");
            self.end(Outcome::Failed(failure(text)), context);
            return Work::Rest;
        }
        let mut state = Converge {
            desired: (**desired).clone(),
            stage: Stage::Compare,
            experience: Experience::default(),
            report: Report::default(),
            reads: BTreeMap::new(),
            relisted: BTreeSet::new(),
            remade: BTreeSet::new(),
            removed: BTreeMap::new(),
            checks: BTreeMap::new(),
            unsure: Vec::new(),
        };
        state.resume(self);
        Work::Converge(Box::new(state))
    }

    /// The next request of a state; `None` when it is over.
    pub(super) fn next_of_state(&mut self, context: &mut Context<'_>) -> Option<AcsRequest> {
        let Work::Converge(mut state) = std::mem::replace(&mut self.work, Work::Rest) else {
            return None;
        };
        let request = state.next(self, context);
        if request.is_some() {
            self.work = Work::Converge(state);
        }
        request
    }

    /// Takes an answer for a state.
    pub(super) fn answer_of_state(&mut self, answer: Answer, context: &mut Context<'_>) {
        let Work::Converge(mut state) = std::mem::replace(&mut self.work, Work::Rest) else {
            return;
        };
        state.answer(answer, self, context);
        self.work = Work::Converge(state);
    }
}

impl Converge {
    fn next(&mut self, job: &mut Job, context: &mut Context<'_>) -> Option<AcsRequest> {
        loop {
            let request = match &mut self.stage {
                Stage::Compare => match self.step(job, context) {
                    Some(request) => return Some(request),
                    None => continue,
                },
                Stage::Read { reader, .. } | Stage::LookAt { reader, .. } => reader.next(context),
                Stage::Survey { survey, .. } => survey.next(context),
                Stage::Confirm(table) | Stage::CheckRemoved(table) | Stage::Find { table, .. } => {
                    let path = Some(table.clone());
                    let names = GetParameterNames { path, next_level: true };
                    return Some(AcsRequest::GetParameterNames(names));
                }
                Stage::Write { writer, .. } => writer.next(context),
                Stage::Attributes { work, .. } => work.next(context),
                Stage::Remove(_) | Stage::Make { .. } => None,
                Stage::Over => return None,
            };
            if request.is_some() {
                return request;
            }
            self.conclude(job, context);
        }
    }

    fn answer(&mut self, answer: Answer, job: &mut Job, context: &mut Context<'_>) {
        match &mut self.stage {
            Stage::Read { reader, .. } | Stage::LookAt { reader, .. } => {
                reader.answer(answer, context);
            }
            Stage::Survey { survey, .. } => survey.answer(answer, context),
            Stage::Write { writer, .. } => writer.answer(answer, context),
            Stage::Attributes { work, .. } => work.answer(answer, context),
            Stage::Remove(_) => self.after_remove(answer, context),
            Stage::Confirm(_) => self.after_confirm(answer, context),
            Stage::CheckRemoved(_) => self.after_check(answer, job, context),
            Stage::Make { .. } => self.after_make(answer, job, context),
            Stage::Find { .. } => self.after_find(answer, job, context),
            Stage::Compare | Stage::Over => {}
        }
    }

    /// A stage of several requests is over.
    fn conclude(&mut self, job: &mut Job, context: &mut Context<'_>) {
        match std::mem::replace(&mut self.stage, Stage::Compare) {
            Stage::Read { reader, asked } => self.after_read(&reader, &asked, context),
            Stage::Survey { survey, table } => self.after_survey(&survey, &table, context),
            Stage::LookAt { id, row, reader, known } => {
                self.after_look(id, row, &reader, &known, job, context);
            }
            Stage::Write { writer, written } => {
                self.after_writing(&writer, written, job, context);
            }
            Stage::Attributes { work, wishes } => {
                self.after_attributes(&work, &wishes, job, context);
            }
            Stage::Over => self.stage = Stage::Over,
            Stage::Compare
            | Stage::Confirm(_)
            | Stage::Remove(_)
            | Stage::CheckRemoved(_)
            | Stage::Make { .. }
            | Stage::Find { .. } => {}
        }
    }

    /// Compares, and begins with what comes first. `None` if that is a stage of
    /// several requests, or the end.
    fn step(&mut self, job: &mut Job, context: &mut Context<'_>) -> Option<AcsRequest> {
        let desired = std::mem::take(&mut self.desired);
        let request = match self.unsure.pop() {
            Some(unsure) => {
                self.begin_listing(unsure, context);
                None
            }
            None => self.step_to(&desired, job, context),
        };
        self.desired = desired;
        request
    }

    fn step_to(
        &mut self,
        desired: &Desired,
        job: &mut Job,
        context: &mut Context<'_>,
    ) -> Option<AcsRequest> {
        let experience = std::mem::take(&mut self.experience);
        let gap = Gap::of(desired, context.tree, context.learned, context.written, &experience);
        let next = self.choose(&gap, &experience, context);
        let impossible = if matches!(next, Next::End) { gap.impossible } else { Vec::new() };
        self.experience = experience;
        match next {
            Next::Read(names) => self.begin_reading(names),
            Next::Look(rows, names) => {
                self.experience.looked_at.extend(rows);
                self.begin_reading(names);
            }
            Next::Remove(row) => {
                self.stage = Stage::Remove(row.clone());
                return Some(rows::removing(row));
            }
            Next::Check(table) => self.stage = Stage::CheckRemoved(table),
            Next::Make(id, table) => return Some(self.begin_making(id, table, job, context)),
            Next::Write(values, written) => {
                let writer = Box::new(Writer::tolerant(values, context));
                self.stage = Stage::Write { writer, written };
            }
            Next::Attributes(wishes) => self.begin_attributes(wishes, context),
            Next::End => {
                self.stage = Stage::Over;
                self.tell_of_twins(desired, job, context.tree);
                self.report.close(impossible, job, context);
            }
        }
        None
    }

    /// What comes first: reading, since it may change the rest; rows that go, in
    /// whose way others may stand; rows that come; then all values at once.
    fn choose(&self, gap: &Gap<'_>, experience: &Experience, context: &Context<'_>) -> Next {
        if !gap.reads.is_empty() {
            return Next::Read(gap.reads.iter().cloned().collect());
        }
        let looked_for = gap.removals.iter().filter(|removal| !removal.look.is_empty());
        let (rows, names): (Vec<_>, Vec<_>) =
            looked_for.map(|removal| (removal.row.clone(), removal.look.clone())).unzip();
        if !rows.is_empty() {
            return Next::Look(rows, names.concat());
        }
        if let Some(removal) = gap.removals.first() {
            return Next::Remove(removal.row.clone());
        }
        if let Some(table) = self.removed.keys().next() {
            return Next::Check(table.clone());
        }
        let ready = writing::ready(gap, context.tree);
        let bare_enough = experience.fresh.len() >= MAX_BARE && !ready.is_empty();
        if !bare_enough
            && let Some((id, table)) =
                gap.additions.iter().find_map(|one| Some((one.id, one.table.clone()?)))
        {
            return Next::Make(id, table);
        }
        if !ready.is_empty() {
            let values = ready.iter().map(|sent| (sent.path.clone(), sent.value.clone())).collect();
            return Next::Write(values, ready);
        }
        let wishes: Vec<_> = gap.notices.iter().map(|notice| notice.wish.clone()).collect();
        if wishes.is_empty() { Next::End } else { Next::Attributes(wishes) }
    }
}

/// What comes next.
enum Next {
    Read(Vec<ParamPath>),
    /// These rows are to go if these names still say what they said.
    Look(Vec<ParamPath>, Vec<ParamPath>),
    Remove(ParamPath),
    Check(ParamPath),
    Make(RowId, ParamPath),
    Write(Vec<(ParamPath, Value)>, Vec<writing::Sent>),
    Attributes(Vec<AttributeWish>),
    End,
}
