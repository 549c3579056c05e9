//! What a run has found out beyond what stands in the tree.

use std::collections::{BTreeMap, BTreeSet};

use crate::param::ParamPath;

/// A wanted row: the place of its table in the state, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::plan) struct RowId {
    /// Place in `Desired::tables`.
    pub(in crate::plan) table: usize,
    /// Place in `WantedTable::rows`.
    pub(in crate::plan) row: usize,
}

/// What was tried in a run and what came of it, so that nothing is tried without
/// end. The default is what is known before anything was tried.
#[derive(Debug, Default)]
pub(in crate::plan) struct Experience {
    /// Rows that were made for wanted ones.
    pub(in crate::plan) made: BTreeMap<RowId, Vec<ParamPath>>,
    /// Rows that were made and not filled yet: what is not known of them need
    /// not be read.
    pub(in crate::plan) fresh: BTreeSet<ParamPath>,
    /// What the device was asked for and does not tell, and why.
    pub(in crate::plan) untold: BTreeMap<ParamPath, Box<str>>,
    /// Values, rows that were to go, and attributes (see [`attributes_of`]) that
    /// need no more trying, whatever came of them.
    pub(in crate::plan) settled: BTreeSet<Box<str>>,
    /// Rows that are to go because of their keys, which were read in this run.
    pub(in crate::plan) looked_at: BTreeSet<ParamPath>,
    /// Tables in which no more rows can be made.
    pub(in crate::plan) closed: BTreeSet<Box<str>>,
    /// Wanted rows that are not tried any more.
    pub(in crate::plan) given_up: BTreeSet<RowId>,
    /// Tables whose rows are not what the tree says.
    pub(in crate::plan) doubted: BTreeSet<Box<str>>,
}

impl Experience {
    /// The row that was made for a wanted one in a table.
    pub(in crate::plan) fn made_in(&self, id: RowId, table: &str) -> Option<&ParamPath> {
        let mut rows = self.made.get(&id)?.iter();
        rows.find(|row| parent_of(row.as_str()) == table)
    }

    /// Whether a path lies in a row that was made and not filled yet.
    pub(in crate::plan) fn is_fresh(&self, path: &str) -> bool {
        !self.fresh.is_empty()
            && path
                .match_indices('.')
                .any(|(dot, _)| path.get(..=dot).is_some_and(|object| self.fresh.contains(object)))
    }
}

/// The name under which the attributes of a path are settled.
pub(in crate::plan) fn attributes_of(path: &ParamPath) -> Box<str> {
    format!("{path}#").into()
}

/// The object in which a path lies, with its dot: the table of a row. Empty for
/// a root.
pub(in crate::plan) fn parent_of(path: &str) -> &str {
    let inside = path.strip_suffix('.').unwrap_or(path);
    inside.rfind('.').and_then(|dot| path.get(..=dot)).unwrap_or_default()
}
