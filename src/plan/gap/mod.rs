//! What stands between a device and a state, found by comparing what is wanted
//! with what is known: nothing is asked here.
//!
//! - `known`: what the tree says, and what it does not say.
//! - `values`: parameters that are to have a value.
//! - `tables`: rows, told apart by their keys.
//! - `leaving`: rows that are to go because of their keys.
//! - `attributes`: what the device is to notify about.
//! - `experience`: what a run has found out beyond the tree.
//!
//! [`super::assess()`] shows a gap; the converge job closes it, and looks again
//! after each step.

mod attributes;
mod experience;
mod known;
mod leaving;
mod tables;
mod values;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(super) use self::experience::{Experience, RowId, attributes_of, parent_of};
use self::tables::{Group, Progress, Standing};
use super::written::Written;
use crate::device::{AttributeWish, Desired, Learned};
use crate::param::{ParamPath, Tree, Value};

/// What is to be done, and what cannot be.
#[derive(Debug, Default)]
pub(super) struct Gap<'a> {
    /// Parameters and tables that have to be read before anything else can be
    /// known.
    pub(super) reads: BTreeSet<ParamPath>,
    /// Rows that are to go.
    pub(super) removals: Vec<Removal>,
    /// Rows that are to be made, each after the one in which it lies.
    pub(super) additions: Vec<Addition>,
    /// Values that are to be written.
    pub(super) settings: Vec<Setting<'a>>,
    /// Attributes that are to be set.
    pub(super) notices: Vec<Notice>,
    /// What cannot be had: the path, and why.
    pub(super) impossible: Vec<(Box<str>, Box<str>)>,
    /// How many tables have to be read once the row is made in which they lie.
    pub(super) later_reads: usize,
}

/// A row that is to go.
#[derive(Debug)]
pub(super) struct Removal {
    /// The row, with its last dot.
    pub(super) row: ParamPath,
    /// What is read before, because the row goes for what it says; empty if that
    /// was done, or if it goes whatever is in it.
    pub(super) look: Vec<ParamPath>,
    /// Who wants it gone.
    pub(super) source: u16,
}

/// A row that is to be made.
#[derive(Debug)]
pub(super) struct Addition {
    /// Which one.
    pub(super) id: RowId,
    /// The table; `None` as long as the row in which it lies is not made.
    pub(super) table: Option<ParamPath>,
    /// The row's path with `{i}` in place of its number.
    pub(super) shown: Box<str>,
    /// Who wants it.
    pub(super) source: u16,
}

/// A value that is to be written.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    /// The parameter; `None` as long as its row is not made.
    pub(super) path: Option<ParamPath>,
    /// The same as text, with `{i}` in place of numbers that are not known yet.
    pub(super) shown: Box<str>,
    /// What it is to be.
    pub(super) value: Cow<'a, Value>,
    /// The value names a row that is not made yet.
    pub(super) waits: bool,
    /// What it is; `None` if that is not known.
    pub(super) found: Option<Box<str>>,
    /// It must not be shown.
    pub(super) secret: bool,
    /// The row that it belongs to, of those that are wanted.
    pub(super) row: Option<(RowId, ParamPath)>,
    /// Who wants it.
    pub(super) source: u16,
}

/// Attributes that are to be set.
#[derive(Debug)]
pub(super) struct Notice {
    /// What to set, by number.
    pub(super) wish: AttributeWish,
    /// Who wants it.
    pub(super) source: u16,
}

impl Setting<'_> {
    /// The parameter, if it can be written now.
    pub(super) fn ready(&self) -> Option<&ParamPath> {
        self.path.as_ref().filter(|_| !self.waits)
    }
}

/// A comparison that is going on.
struct Comparison<'a> {
    desired: &'a Desired,
    tree: &'a Tree,
    learned: &'a Learned,
    written: &'a Written,
    experience: &'a Experience,
    /// Whether what the device says of writing is to be believed; found out when
    /// it matters.
    honest: OnceCell<bool>,
    /// Rows by their names; `None` where two have the same.
    names: HashMap<&'a str, Option<RowId>>,
    progress: Vec<Progress>,
    /// By table, how each of its rows stands.
    standings: Vec<Vec<Standing>>,
    /// Wanted rows that are there.
    there: Vec<(RowId, ParamPath)>,
    /// Wanted rows that are not, with their paths as they are shown.
    new: Vec<(RowId, String)>,
    /// By table, what is known for the removal of its other rows.
    groups: BTreeMap<String, Group>,
    /// The keys of rows that are wanted, so that none is wanted twice.
    seen: HashSet<String>,
    gap: Gap<'a>,
}

impl<'a> Gap<'a> {
    /// Compares a state with a tree and with what a run found out.
    pub(super) fn of(
        desired: &'a Desired,
        tree: &'a Tree,
        learned: &'a Learned,
        written: &'a Written,
        experience: &'a Experience,
    ) -> Self {
        let mut comparison = Comparison {
            desired,
            tree,
            learned,
            written,
            experience,
            honest: OnceCell::new(),
            names: HashMap::new(),
            progress: Vec::new(),
            standings: Vec::new(),
            there: Vec::new(),
            new: Vec::new(),
            groups: BTreeMap::new(),
            seen: HashSet::new(),
            gap: Gap::default(),
        };
        if !desired.tables.is_empty() {
            comparison.tables();
        }
        comparison.plain_values();
        comparison.attributes();
        comparison.finish()
    }
}

impl<'a> Comparison<'a> {
    /// Leaves out what is covered by something else.
    fn finish(mut self) -> Gap<'a> {
        let gap = &mut self.gap;
        if gap.reads.iter().any(ParamPath::is_object) {
            let tables: Vec<ParamPath> =
                gap.reads.iter().filter(|path| path.is_object()).cloned().collect();
            gap.reads.retain(|path| {
                let mut above = tables.iter().filter(|table| *table != path);
                !above.any(|table| path.as_str().starts_with(table.as_str()))
            });
        }
        if !gap.removals.is_empty() {
            let rows: BTreeSet<&str> =
                gap.removals.iter().map(|removal| removal.row.as_str()).collect();
            let goes = |shown: &str| {
                shown
                    .match_indices('.')
                    .any(|(dot, _)| shown.get(..=dot).is_some_and(|object| rows.contains(object)))
            };
            let mut lost = Vec::new();
            gap.settings.retain(|setting| {
                let goes = goes(&setting.shown);
                if goes {
                    lost.push((setting.shown.clone(), "it lies in a row that is to go".into()));
                }
                !goes
            });
            gap.impossible.append(&mut lost);
            gap.reads.retain(|path| !goes(path.as_str()));
        }
        self.gap
    }

    fn never(&mut self, path: impl Into<Box<str>>, why: impl Into<Box<str>>) {
        self.gap.impossible.push((path.into(), why.into()));
    }

    /// Notes that a path has to be read; a text that is none is left out.
    fn read(&mut self, path: &str) {
        if let Ok(path) = ParamPath::parse(path) {
            self.gap.reads.insert(path);
        }
    }
}
