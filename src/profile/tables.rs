//! Lays rows of tables over each other: rows that have the same keys are one
//! row, and the stronger profile's values count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::compiled::CompiledTable;
use super::layers::Worth;
use crate::device::{OtherRows, Wanted, WantedRow, WantedTable, WantedValue};
use crate::expr::Subject;
use crate::param::ParamPath;

/// What one profile says of one table.
#[derive(Debug)]
pub(super) struct TableClaim<'s> {
    pub(super) by: usize,
    pub(super) table: Cow<'s, str>,
    pub(super) keys: Cow<'s, [Box<str>]>,
    pub(super) others: Option<OtherRows>,
    pub(super) rows: Vec<RowClaim<'s>>,
}

/// What it says of one row.
#[derive(Debug)]
pub(super) struct RowClaim<'s> {
    pub(super) name: Cow<'s, str>,
    pub(super) absent: bool,
    pub(super) values: Vec<(Cow<'s, str>, Worth<'s>)>,
}

impl<'s> TableClaim<'s> {
    pub(super) fn of_profile(by: usize, table: &'s CompiledTable) -> Self {
        let rows = table.rows.iter().map(|row| RowClaim {
            name: Cow::Borrowed(&row.name),
            absent: row.absent,
            values: row
                .values
                .iter()
                .map(|(name, made)| (Cow::Borrowed(&**name), Worth::Made(made)))
                .collect(),
        });
        Self {
            by,
            table: Cow::Borrowed(&table.table),
            keys: Cow::Borrowed(&table.keys),
            others: table.others,
            rows: rows.collect(),
        }
    }

    pub(super) fn of_intent(by: usize, table: WantedTable) -> Self {
        let absent = table.others == OtherRows::Alone;
        let rows = table.rows.into_iter().map(|row| RowClaim {
            name: Cow::Owned(row.name.into_string()),
            absent,
            values: row
                .values
                .into_iter()
                .map(|(name, wanted)| (Cow::Owned(name.into_string()), Worth::Wanted(wanted)))
                .collect(),
        });
        Self {
            by,
            table: Cow::Owned(table.table.into_string()),
            keys: Cow::Owned(table.keys),
            // An intent that keeps other rows says nothing of them.
            others: (table.others == OtherRows::Remove).then_some(OtherRows::Remove),
            rows: rows.collect(),
        }
    }

    /// The texts of a row's keys.
    ///
    /// # Errors
    /// Why one of them cannot be computed.
    pub(super) fn keys_of(
        &self,
        row: &RowClaim<'_>,
        subject: &Subject<'_>,
    ) -> Result<Vec<Box<str>>, String> {
        let text = |key: &str| {
            let found = row.values.iter().find(|(name, _)| **name == *key);
            let (_, worth) = found.ok_or_else(|| format!("a row lacks the key {key}"))?;
            match worth.wanted(subject) {
                Ok(Wanted::Value(value)) => Ok(value.text),
                Ok(Wanted::Row(name)) => Ok(format!("@{name}").into()),
                Err(error) => Err(format!("{key}: {error}")),
            }
        };
        self.keys.iter().map(|key| text(key)).collect()
    }
}

/// Tables after they were laid over each other.
pub(super) struct Laid<'s> {
    subject: &'s Subject<'s>,
    tables: BTreeMap<Box<str>, LaidTable<'s>>,
    /// By the place of the profile.
    pub(super) problems: Vec<(usize, String)>,
    /// The parameters that values ask for.
    pub(super) reads: Vec<ParamPath>,
}

struct LaidTable<'s> {
    keys: Vec<Box<str>>,
    others: OtherRows,
    by: usize,
    rows: Vec<LaidRow<'s>>,
}

struct LaidRow<'s> {
    key: Vec<Box<str>>,
    name: Box<str>,
    by: usize,
    absent: bool,
    values: BTreeMap<Box<str>, (usize, Worth<'s>)>,
}

/// Lays tables over each other; claims come from the weakest to the strongest.
pub(super) fn lay_tables<'s>(claims: Vec<TableClaim<'s>>, subject: &'s Subject<'s>) -> Laid<'s> {
    let mut laid =
        Laid { subject, tables: BTreeMap::new(), problems: Vec::new(), reads: Vec::new() };
    for claim in claims {
        laid.lay(claim);
    }
    laid.settle_names();
    laid
}

impl<'s> Laid<'s> {
    fn lay(&mut self, claim: TableClaim<'s>) {
        let (by, subject) = (claim.by, self.subject);
        let table = self.tables.entry((*claim.table).into()).or_insert_with(|| LaidTable {
            keys: claim.keys.to_vec(),
            others: OtherRows::default(),
            by,
            rows: Vec::new(),
        });
        let same = |a: &[Box<str>], b: &[Box<str>]| {
            a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
        };
        if table.keys.is_empty() {
            table.keys = claim.keys.to_vec();
        } else if !claim.keys.is_empty() && !same(&table.keys, &claim.keys) {
            let problem = format!(
                "{}: rows are told apart by {} here and by {} in a stronger profile; these rows are not wanted",
                claim.table,
                table.keys.join(", "),
                claim.keys.join(", ")
            );
            self.problems.push((table.by, problem));
            table.keys = claim.keys.to_vec();
            table.rows.clear();
        }
        table.by = by;
        table.others = claim.others.unwrap_or(table.others);
        // All claims of a table name their keys in one order from here on.
        let ordered =
            TableClaim { keys: Cow::Owned(table.keys.clone()), rows: Vec::new(), ..claim };
        for row in claim.rows {
            match ordered.keys_of(&row, subject) {
                Ok(key) => lay_row(table, row, key, by),
                Err(problem) => self.problems.push((by, format!("{}: {problem}", ordered.table))),
            }
        }
    }

    /// Sees to it that a name stands for one row, and that tables inside rows
    /// are only wanted with them.
    fn settle_names(&mut self) {
        let mut owners: BTreeMap<Box<str>, (usize, Box<str>, usize)> = BTreeMap::new();
        for (path, table) in &self.tables {
            for (place, row) in
                table.rows.iter().enumerate().filter(|(_, row)| !row.name.is_empty())
            {
                let weaker = match owners.get(&row.name) {
                    Some((by, ..)) if *by >= row.by => Some(row.by),
                    Some((by, ..)) => Some(*by),
                    None => None,
                };
                if weaker != Some(row.by) || !owners.contains_key(&row.name) {
                    owners.insert(row.name.clone(), (row.by, path.clone(), place));
                }
                if let Some(weaker) = weaker {
                    let problem =
                        format!("two rows have the name {}; the stronger has it", row.name);
                    self.problems.push((weaker, problem));
                }
            }
        }
        for (path, table) in &mut self.tables {
            for (place, row) in table.rows.iter_mut().enumerate() {
                let is_owner =
                    owners.get(&row.name).is_some_and(|(_, of, at)| of == path && *at == place);
                if !is_owner {
                    row.name = "".into();
                }
            }
        }
        loop {
            let names = self.names();
            let before = self.tables.len();
            self.tables.retain(|path, _| match path.strip_prefix('@') {
                Some(inside) => names.contains(inside.split('.').next().unwrap_or_default()),
                None => true,
            });
            if self.tables.len() == before {
                return;
            }
        }
    }

    fn names(&self) -> BTreeSet<Box<str>> {
        let rows = self.tables.values().flat_map(|table| &table.rows);
        rows.filter(|row| !row.name.is_empty()).map(|row| row.name.clone()).collect()
    }

    /// Leaves out values that refer to rows which nobody wants.
    pub(super) fn check_references(&mut self, values: &mut Vec<WantedValue>) {
        let names = self.names();
        let problems = &mut self.problems;
        values.retain(|value| {
            let Wanted::Row(name) = &value.value else { return true };
            let known = names.contains(name);
            if !known {
                let problem = format!("{}: no row has the name {name}", value.path);
                problems.push((usize::from(value.source), problem));
            }
            known
        });
    }

    /// The tables that are wanted, with all values made.
    pub(super) fn into_wanted(self, places: &[u16]) -> Vec<WantedTable> {
        let place = |by: usize| places.get(by).copied().unwrap_or_default();
        let subject = self.subject;
        let made = |row: LaidRow<'_>| WantedRow {
            name: row.name,
            values: row
                .values
                .into_iter()
                .filter_map(|(name, (_, worth))| Some((name, worth.wanted(subject).ok()?)))
                .collect(),
        };
        let mut tables = Vec::with_capacity(self.tables.len());
        for (path, LaidTable { keys, others, by, rows }) in self.tables {
            let (absent, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.absent);
            let strongest = absent.iter().map(|row| row.by).max();
            let rows: Vec<_> = rows.into_iter().map(made).collect();
            if strongest.is_none() || !rows.is_empty() || others == OtherRows::Remove {
                let (table, keys, source) = (path.clone(), keys.clone(), place(by));
                tables.push(WantedTable { table, keys, rows, others, source });
            }
            if let Some(by) = strongest {
                let (rows, source) = (absent.into_iter().map(made).collect(), place(by));
                tables.push(WantedTable {
                    table: path,
                    keys,
                    rows,
                    others: OtherRows::Alone,
                    source,
                });
            }
        }
        tables
    }

    /// Tells which values cannot be made, and leaves them out.
    pub(super) fn check_values(&mut self) {
        let (names, subject) = (self.names(), self.subject);
        for (path, table) in &mut self.tables {
            table.rows.retain_mut(|row| {
                let mut whole = true;
                row.values.retain(|name, (by, worth)| {
                    self.reads.extend_from_slice(worth.reads());
                    let problem = match worth.wanted(subject) {
                        Ok(Wanted::Row(row)) if !names.contains(&row) => {
                            format!("no row has the name {row}")
                        }
                        Ok(_) => return true,
                        Err(problem) => problem,
                    };
                    self.problems.push((*by, format!("{path}{name}: {problem}")));
                    whole &= !table.keys.contains(name);
                    false
                });
                whole
            });
        }
    }
}

/// Lays one row over the row with the same keys, if there is one.
fn lay_row<'s>(table: &mut LaidTable<'s>, claim: RowClaim<'s>, key: Vec<Box<str>>, by: usize) {
    let values = claim.values.into_iter().map(|(name, worth)| ((*name).into(), (by, worth)));
    match table.rows.iter_mut().find(|row| row.key == key) {
        Some(row) => {
            if row.absent != claim.absent {
                // Nothing is left of what a weaker profile said of it.
                row.values.clear();
                row.name = "".into();
            }
            row.values.extend(values);
            (row.by, row.absent) = (by, claim.absent);
            if !claim.name.is_empty() {
                row.name = (*claim.name).into();
            }
        }
        None => table.rows.push(LaidRow {
            key,
            name: (*claim.name).into(),
            by,
            absent: claim.absent,
            values: values.collect(),
        }),
    }
}
