//! Values and attributes: written, and read back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Converge, Stage};
use crate::cwmp::{FaultCode, Version};
use crate::device::AttributeWish;
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::plan::assess::in_words;
use crate::plan::context::Context;
use crate::plan::gap::{Gap, RowId, attributes_of, parent_of};
use crate::plan::job::Job;
use crate::plan::job::attributes::{ACTIVE, Attributes, Verdict};
use crate::plan::writer::Writer;

/// A value that is written.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) path: ParamPath,
    pub(super) value: Value,
    secret: bool,
    /// The wanted row that it belongs to.
    row: Option<(RowId, ParamPath)>,
}

/// The values of a gap that can be written now, each parameter once.
pub(super) fn ready(gap: &Gap<'_>, tree: &Tree) -> Vec<Sent> {
    let mut seen = BTreeSet::new();
    let mut ready = Vec::new();
    for setting in &gap.settings {
        let Some(path) = setting.ready().filter(|path| seen.insert(*path)) else { continue };
        let mut value = setting.value.clone().into_owned();
        if let Some((_, row)) = &setting.row
            && value.kind == ValueType::String
            && tree.value(path.as_str()).is_none()
        {
            value.kind = kind_in_others(tree, path, row).unwrap_or_default();
        }
        let (path, secret, row) = (path.clone(), setting.secret, setting.row.clone());
        ready.push(Sent { path, value, secret, row });
    }
    ready
}

/// The type of a new row's parameter, as the table's other rows have it.
fn kind_in_others(tree: &Tree, path: &ParamPath, row: &ParamPath) -> Option<ValueType> {
    let table = parent_of(row.as_str());
    let leaf = path.as_str().strip_prefix(row.as_str())?;
    let rows = tree.rows(table).into_iter();
    rows.filter_map(|other| tree.kind(&format!("{table}{other}.{leaf}")).cloned()).next()
}

impl Converge {
    pub(super) fn after_writing(
        &mut self,
        writer: &Writer,
        written: Vec<Sent>,
        job: &mut Job,
        context: &mut Context<'_>,
    ) {
        let Some(findings) = writer.findings() else { return };
        let refused: HashMap<&ParamPath, (FaultCode, &str)> =
            findings.refused.iter().map(|(path, code, text)| (path, (*code, &**text))).collect();
        let differing: HashMap<&str, &str> =
            findings.differing.iter().map(|(path, _, text)| (&**path, &**text)).collect();
        let vanished = self.vanished(&written, &refused);
        for (row, id) in &vanished {
            self.lose_row(*id, row, job, context);
        }
        let mut lost: BTreeSet<ParamPath> = vanished.keys().cloned().collect();
        for sent in &written {
            let path = &sent.path;
            if sent.row.as_ref().is_some_and(|(_, row)| vanished.contains_key(row)) {
                continue;
            }
            if let Some((code, text)) = refused.get(path) {
                lost.extend(self.after_refusal(sent, *code, text, context));
                continue;
            }
            if let Some(text) = differing.get(path.as_str()) {
                let text = format!("the device said yes and did no: it {text}");
                self.report.fails(path.as_str(), 0, &text);
            } else if findings.is_later(path) {
                self.report.is_put_off();
            } else {
                self.report.applied(sent.path.as_str(), &sent.value.text, sent.secret, job);
            }
            self.experience.settled.insert(path.as_str().into());
        }
        self.experience.fresh.clear();
        self.name_others(&lost, context.tree);
    }

    /// What names rows that are not there is to name others: it may be written once
    /// more.
    fn name_others(&mut self, lost: &BTreeSet<ParamPath>, tree: &Tree) {
        // A reference may end in a dot, and name a row in the one that is lost.
        let names = |value: &Value| {
            let named = format!("{}.", value.text.trim().trim_end_matches('.'));
            lost.iter().any(|row| named.starts_with(row.as_str()))
        };
        if !lost.is_empty() {
            self.experience.settled.retain(|path| !tree.value(path).is_some_and(names));
        }
    }

    /// Rows that were made, and none of whose parameters the device knows.
    fn vanished(
        &self,
        written: &[Sent],
        refused: &HashMap<&ParamPath, (FaultCode, &str)>,
    ) -> BTreeMap<ParamPath, RowId> {
        let mut rows: BTreeMap<ParamPath, RowId> = BTreeMap::new();
        let fresh = |row: &ParamPath| self.experience.fresh.contains(row);
        for sent in written {
            if let Some((id, row)) = sent.row.as_ref().filter(|(_, row)| fresh(row)) {
                rows.insert(row.clone(), *id);
            }
        }
        for sent in written {
            let unknown = refused
                .get(&sent.path)
                .is_some_and(|(code, _)| *code == FaultCode::INVALID_PARAMETER_NAME);
            if let Some((_, row)) = sent.row.as_ref().filter(|_| !unknown) {
                rows.remove(row);
            }
        }
        rows
    }

    /// A value was refused. If the device does not know the name, and it lies in a
    /// row, the row may have gone or have another number by now (Q33): the table
    /// is read anew, once. Returns the row that is not there.
    fn after_refusal(
        &mut self,
        sent: &Sent,
        code: FaultCode,
        text: &str,
        context: &mut Context<'_>,
    ) -> Option<ParamPath> {
        if code == FaultCode::INVALID_PARAMETER_NAME {
            let old = sent.row.as_ref().filter(|(_, row)| !self.experience.fresh.contains(row));
            if let Some((id, row)) = old {
                let table: Box<str> = parent_of(row.as_str()).into();
                if self.relisted.insert(table.clone()) || self.experience.doubted.contains(&table) {
                    context.tree.remove(row);
                    self.experience.made.remove(id);
                    self.experience.doubted.insert(table);
                    return Some(row.clone());
                }
            }
            context.tree.remove(&sent.path);
        }
        // A new row's parameter whose type nobody knew: reading it tells.
        let may_be_type = matches!(code.0, 9003 | 9006 | 9007);
        if may_be_type && sent.row.is_some() && context.tree.value(sent.path.as_str()).is_none() {
            return None;
        }
        self.report.fails(sent.path.as_str(), code.0, text);
        self.experience.settled.insert(sent.path.as_str().into());
        None
    }

    /// Sets attributes, but for those that the session's version does not have.
    pub(super) fn begin_attributes(&mut self, wishes: Vec<AttributeWish>, context: &Context<'_>) {
        let lightweight = |wish: &AttributeWish| wish.notification.is_some_and(|n| n > ACTIVE);
        let (too_new, wishes): (Vec<_>, Vec<_>) = wishes
            .into_iter()
            .partition(|wish| context.version < Version::V1_4 && lightweight(wish));
        for wish in too_new {
            let why = format!(
                "lightweight notifications (3 to 6) came with version 1.4; the device speaks {}",
                context.version
            );
            self.report.fails(wish.path.as_str(), 0, &why);
            self.experience.settled.insert(attributes_of(&wish.path));
        }
        if !wishes.is_empty() {
            let work = Box::new(Attributes::tolerant(wishes.clone()));
            self.stage = Stage::Attributes { work, wishes };
        }
    }

    pub(super) fn after_attributes(
        &mut self,
        work: &Attributes,
        wishes: &[AttributeWish],
        job: &mut Job,
        context: &mut Context<'_>,
    ) {
        for (place, wish) in wishes.iter().enumerate() {
            match work.verdict(place, wish) {
                Verdict::Refused(code, text) => self.report.fails(wish.path.as_str(), code, &text),
                Verdict::Differs(text) => {
                    let text = format!("the device said yes and did no: {text}");
                    self.report.fails(wish.path.as_str(), 0, &text);
                }
                Verdict::Untold => {
                    self.report.is_put_off();
                    context.written.note_attributes(wish);
                }
                Verdict::Set => {
                    let name = format!("{} attributes", wish.path);
                    self.report.applied(&name, &in_words(wish), false, job);
                    context.written.note_attributes(wish);
                }
            }
            self.experience.settled.insert(attributes_of(&wish.path));
        }
    }
}
