//! Rows of tables: which of those that are wanted are there, told apart by their
//! keys, which are to be made, and which are to go.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::known::{Listing, lacks};
use super::values::{Aim, Spot, agrees, names_rows};
use super::{Addition, Comparison, Removal, RowId, Setting};
use crate::device::{OtherRows, Wanted, WantedRow, WantedTable};
use crate::param::{ParamPath, Value};
use crate::schema::Schema;

/// The deepest that rows lie in wanted rows, or refer to each other by keys.
const MAX_DEPTH: usize = 32;

const CIRCLE: &str = "rows refer to each other in a circle";

/// How a wanted row stands.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// It is there.
    There(ParamPath),
    /// It is to be made; its path with `{i}`.
    New(String),
    /// Something has to be read first.
    Unread,
    /// It cannot be had, and why.
    Never(Box<str>),
}

/// How far a table was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    Begun,
    Done,
}

/// What is known for the removal of a table's rows.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Rows that are to go because of their keys.
    pub(super) leaving: Vec<Removal>,
    /// Who wants the others gone, if anybody does.
    source: Option<u16>,
    /// Rows that are wanted.
    kept: BTreeSet<ParamPath>,
    /// It cannot be told which rows are wanted.
    blocked: bool,
}

/// Where a table stands.
pub(super) enum Place {
    There(String),
    New(String),
    Unread,
    Never(Box<str>),
}

/// A row of the device, by its keys.
pub(super) struct KnownRow<'a> {
    pub(super) row: String,
    pub(super) keys: Vec<Key<'a>>,
    taken: bool,
}

pub(super) enum Key<'a> {
    Is(&'a Value),
    Unread(String),
    Absent,
}

/// How a row of the device compares with a wanted one.
#[derive(PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    Perhaps,
    No,
}

impl<'a> Comparison<'a> {
    /// Looks at all tables, each after those that it depends on, then at the
    /// values of their rows.
    pub(super) fn tables(&mut self) {
        let desired = self.desired;
        self.progress = vec![Progress::Open; desired.tables.len()];
        self.standings = vec![Vec::new(); desired.tables.len()];
        for (table, wanted) in desired.tables.iter().enumerate() {
            for (row, named) in wanted.rows.iter().enumerate().filter(|(_, r)| !r.name.is_empty()) {
                let id = RowId { table, row };
                self.names.entry(&*named.name).and_modify(|id| *id = None).or_insert(Some(id));
            }
        }
        for table in 0..desired.tables.len() {
            self.look_at(table, 0);
        }
        self.row_values();
        self.removals();
    }

    /// The wanted row of an id.
    pub(super) fn wanted_row(&self, id: RowId) -> Option<&'a WantedRow> {
        self.desired.tables.get(id.table)?.rows.get(id.row)
    }

    /// How the row with a name stands.
    pub(super) fn standing(&self, name: &str) -> Standing {
        let id = match self.names.get(name) {
            None => return Standing::Never(format!("no row is named {name}").into()),
            Some(None) => return Standing::Never(format!("two rows are named {name}").into()),
            Some(Some(id)) => *id,
        };
        if self.progress.get(id.table) != Some(&Progress::Done) {
            return Standing::Never(CIRCLE.into());
        }
        let standing = self.standings.get(id.table).and_then(|rows| rows.get(id.row));
        standing.cloned().unwrap_or(Standing::Unread)
    }

    /// Looks at the table in which a named row lies.
    fn look_at_named(&mut self, name: &str, depth: usize) {
        if let Some(Some(id)) = self.names.get(name) {
            self.look_at(id.table, depth + 1);
        }
    }

    fn look_at(&mut self, table: usize, depth: usize) {
        let Some(wanted) = self.desired.tables.get(table) else { return };
        if self.progress.get(table) != Some(&Progress::Open) || depth > MAX_DEPTH {
            return;
        }
        self.mark(table, Progress::Begun);
        for row in &wanted.rows {
            for (leaf, value) in &row.values {
                if let Wanted::Row(name) = value
                    && wanted.keys.contains(leaf)
                {
                    self.look_at_named(name, depth);
                }
            }
        }
        let mut places = self.places(wanted, depth);
        let standings = if wanted.others == OtherRows::Alone {
            self.leave(wanted, places);
            vec![Standing::Never("it is to go".into()); wanted.rows.len()]
        } else if places.len() == 1 {
            let place = places.pop().unwrap_or(Place::Unread);
            self.stand(table, wanted, place)
        } else {
            for place in places {
                let _ = self.stand(table, wanted, place);
            }
            let why = "its name stands for rows of several tables, or of none";
            vec![Standing::Never(why.into()); wanted.rows.len()]
        };
        if let Some(place) = self.standings.get_mut(table) {
            *place = standings;
        }
        self.mark(table, Progress::Done);
    }

    fn mark(&mut self, table: usize, progress: Progress) {
        if let Some(place) = self.progress.get_mut(table) {
            *place = progress;
        }
    }

    /// Where a table stands: below the root, in a wanted row, or in several rows.
    fn places(&mut self, wanted: &'a WantedTable, depth: usize) -> Vec<Place> {
        let text = &*wanted.table;
        if let Some((name, below)) = text.strip_prefix('@').and_then(|text| text.split_once('.')) {
            self.look_at_named(name, depth);
            return vec![match self.standing(name) {
                Standing::There(row) => Place::There(format!("{row}{below}")),
                Standing::New(row) => Place::New(format!("{row}{below}")),
                Standing::Unread => Place::Unread,
                Standing::Never(why) => {
                    Place::Never(format!("the row {name} in which it lies: {why}").into())
                }
            }];
        }
        match ParamPath::parse(text) {
            Ok(path) if names_rows(text) => {
                self.spread(&path).into_iter().map(Place::There).collect()
            }
            Ok(path) if path.is_object() => vec![Place::There(text.to_owned())],
            Ok(_) => vec![Place::Never("a table ends in a dot".into())],
            Err(error) => vec![Place::Never(error.to_string().into())],
        }
    }

    /// How the rows of a table stand in one place.
    fn stand(&mut self, table: usize, wanted: &'a WantedTable, place: Place) -> Vec<Standing> {
        let removes = wanted.others == OtherRows::Remove;
        let path = match place {
            Place::There(path) => path,
            Place::New(path) => {
                self.gap.later_reads += usize::from(removes);
                let rows = 0..wanted.rows.len();
                return rows.map(|row| self.add(RowId { table, row }, None, &path)).collect();
            }
            Place::Unread => return vec![Standing::Unread; wanted.rows.len()],
            Place::Never(why) => {
                if !wanted.rows.is_empty() {
                    self.never(wanted.table.clone(), why.clone());
                }
                return vec![Standing::Never(why); wanted.rows.len()];
            }
        };
        let listing = self.listing(&path, removes);
        match &listing {
            Listing::Never(why) => {
                if !wanted.rows.is_empty() {
                    self.never(path, why.clone());
                }
                return vec![Standing::Never(why.clone()); wanted.rows.len()];
            }
            Listing::Unread if removes => self.read(&path),
            Listing::Unread | Listing::Whole => {}
        }
        let mut known =
            if wanted.rows.is_empty() { Vec::new() } else { self.known_rows(&path, &wanted.keys) };
        self.reserve_made(table, wanted, &path, &mut known);
        let mut standings = Vec::with_capacity(wanted.rows.len());
        let mut blocked = listing == Listing::Unread;
        for row in 0..wanted.rows.len() {
            let id = RowId { table, row };
            let standing = match self.find(id, wanted, &path, &mut known) {
                Err(why) => {
                    blocked = true;
                    self.never(format!("{path}{{i}}."), why.clone());
                    Standing::Never(why)
                }
                Ok(Standing::New(_)) if listing == Listing::Unread => {
                    self.read(&path);
                    Standing::Unread
                }
                Ok(Standing::New(_)) => self.add(id, Some(&path), &path),
                Ok(standing) => standing,
            };
            blocked |= matches!(standing, Standing::Unread);
            if let Standing::There(row) = &standing {
                self.there.push((id, row.clone()));
            }
            standings.push(standing);
        }
        let group = self.groups.entry(path).or_default();
        group.blocked |= blocked;
        group.source = group.source.or(removes.then_some(wanted.source));
        group.kept.extend(standings.iter().filter_map(|standing| match standing {
            Standing::There(row) => Some(row.clone()),
            _ => None,
        }));
        standings
    }

    /// Rows that were made for wanted ones are nobody else's.
    fn reserve_made(
        &self,
        table: usize,
        wanted: &WantedTable,
        path: &str,
        known: &mut [KnownRow<'_>],
    ) {
        if self.experience.made.is_empty() {
            return;
        }
        let made: BTreeSet<&str> = (0..wanted.rows.len())
            .filter_map(|row| self.experience.made_in(RowId { table, row }, path))
            .map(ParamPath::as_str)
            .collect();
        known.iter_mut().for_each(|row| row.taken |= made.contains(row.row.as_str()));
    }

    /// Finds the row of the device that is a wanted one.
    ///
    /// # Errors
    /// Why that cannot be told at all.
    fn find(
        &mut self,
        id: RowId,
        wanted: &'a WantedTable,
        table: &str,
        known: &mut [KnownRow<'a>],
    ) -> Result<Standing, Box<str>> {
        let Some(row) = wanted.rows.get(id.row) else { return Ok(Standing::Unread) };
        let keys = self.keys_of(row, wanted);
        if let Ok(Some(keys)) = &keys
            && !self.seen.insert(format!("{table}\u{1f}{}", in_text(keys)))
        {
            return Err("another row with the same keys is wanted".into());
        }
        if let Some(row) = self.experience.made_in(id, table) {
            return Ok(Standing::There(row.clone()));
        }
        let Some(keys) = keys? else { return Ok(Standing::Unread) };
        // It refers to a row that is not made: none that is there can be it.
        if keys.iter().any(|key| key.waits) {
            return Ok(Standing::New(String::new()));
        }
        let mut perhaps = false;
        for row in known.iter_mut().filter(|row| !row.taken) {
            match compare(&keys, &row.keys) {
                Match::Yes => {
                    row.taken = true;
                    if let Ok(path) = ParamPath::parse(&row.row) {
                        return Ok(Standing::There(path));
                    }
                }
                Match::Perhaps => perhaps = true,
                Match::No => {}
            }
        }
        if !perhaps {
            return Ok(Standing::New(String::new()));
        }
        let unread = known.iter().filter(|row| !row.taken).flat_map(|row| &row.keys);
        for key in unread {
            if let Key::Unread(path) = key {
                self.read(path);
            }
        }
        Ok(Standing::Unread)
    }

    /// The keys of a wanted row; `None` if a row that they refer to is not known
    /// yet.
    pub(super) fn keys_of(
        &self,
        row: &'a WantedRow,
        wanted: &'a WantedTable,
    ) -> Result<Option<Vec<Aim<'a>>>, Box<str>> {
        if wanted.keys.is_empty() {
            return Err("nothing says by which parameters its rows are told apart".into());
        }
        let mut keys = Vec::with_capacity(wanted.keys.len());
        for key in &wanted.keys {
            let value = row.values.iter().find(|(leaf, _)| leaf == key).map(|(_, value)| value);
            keys.push(match value {
                None => return Err(format!("it has no value for its key {key}").into()),
                Some(Wanted::Value(value)) => Aim { value: Cow::Borrowed(value), waits: false },
                Some(Wanted::Row(name)) => match self.standing(name) {
                    Standing::There(row) => {
                        let text = row.as_str().trim_end_matches('.');
                        Aim { value: Cow::Owned(Value::string(text)), waits: false }
                    }
                    // Its path is not known, but whose it is.
                    Standing::New(_) => {
                        Aim { value: Cow::Owned(Value::string(format!("@{name}"))), waits: true }
                    }
                    Standing::Unread => return Ok(None),
                    Standing::Never(why) => {
                        return Err(format!("its key {key} refers to {name}: {why}").into());
                    }
                },
            });
        }
        Ok(Some(keys))
    }

    /// The rows of a table that are known, by number.
    pub(super) fn known_rows(&self, table: &str, keys: &[Box<str>]) -> Vec<KnownRow<'a>> {
        let mut rows: Vec<String> = self.tree.rows(table);
        rows.sort_by_key(|row| row.parse::<u64>().unwrap_or(u64::MAX));
        let known = rows.into_iter().map(|segment| {
            let row = format!("{table}{segment}.");
            let keys = keys.iter().map(|key| self.key_at(format!("{row}{key}"))).collect();
            KnownRow { row, keys, taken: false }
        });
        known.filter(|row| !self.experience.settled.contains(row.row.as_str())).collect()
    }

    fn key_at(&self, path: String) -> Key<'a> {
        match self.tree.value(&path) {
            Some(value) => Key::Is(value),
            None if self.experience.untold.contains_key(path.as_str())
                || (self.tree.get(&path).is_none() && lacks(self.tree, &path)) =>
            {
                Key::Absent
            }
            None => Key::Unread(path),
        }
    }

    /// A row is to be made, if it can be.
    fn add(&mut self, id: RowId, table: Option<&str>, shown: &str) -> Standing {
        let closed = table.is_some_and(|table| self.experience.closed.contains(table));
        if closed || self.experience.given_up.contains(&id) {
            return Standing::Never("it could not be made".into());
        }
        let row = format!("{shown}{{i}}.");
        if table.is_some_and(|table| self.is_fixed(table)) {
            let why = "the device says that no row can be added to this table";
            self.never(row, why);
            return Standing::Never(why.into());
        }
        let source = self.desired.tables.get(id.table).map_or(0, |table| table.source);
        self.gap.additions.push(Addition {
            id,
            table: table.and_then(|table| ParamPath::parse(table).ok()),
            shown: row.as_str().into(),
            source,
        });
        self.new.push((id, row.clone()));
        Standing::New(row)
    }

    /// Compares the values of the rows that are there, and lists those of the
    /// rows that are to be made.
    fn row_values(&mut self) {
        let there = std::mem::take(&mut self.there);
        let mut path = String::new();
        for (id, row) in &there {
            let (Some(wanted), Some(table)) =
                (self.wanted_row(*id), self.desired.tables.get(id.table))
            else {
                continue;
            };
            for (leaf, value) in &wanted.values {
                path.clear();
                path.push_str(row.as_str());
                path.push_str(leaf);
                let Some(aim) = self.aim(value, &path) else { continue };
                let spot = Spot {
                    path: &path,
                    whole: None,
                    row: Some((*id, row)),
                    position: None,
                    source: table.source,
                };
                self.judge(&spot, &aim);
            }
        }
        self.there = there;
        for (id, row) in std::mem::take(&mut self.new) {
            let (Some(wanted), Some(table)) =
                (self.wanted_row(id), self.desired.tables.get(id.table))
            else {
                continue;
            };
            for (leaf, value) in &wanted.values {
                let shown = format!("{row}{leaf}");
                let Some(Aim { value, .. }) = self.aim(value, &shown) else { continue };
                let secret =
                    ParamPath::parse(&shown).is_ok_and(|path| Schema::core().is_secret(&path));
                self.gap.settings.push(Setting {
                    path: None,
                    shown: shown.into(),
                    value,
                    waits: true,
                    found: None,
                    secret,
                    row: None,
                    source: table.source,
                });
            }
        }
    }

    /// Rows that are to go because of their keys, and rows that nobody wants, of
    /// tables of which nothing else is wanted to stay.
    fn removals(&mut self) {
        for (table, group) in std::mem::take(&mut self.groups) {
            let Group { leaving, source, mut kept, blocked } = group;
            for removal in leaving {
                if kept.insert(removal.row.clone()) {
                    self.remove(removal);
                }
            }
            let Some(source) = source.filter(|_| !blocked) else { continue };
            for segment in self.tree.rows(&table) {
                let Ok(row) = ParamPath::parse(&format!("{table}{segment}.")) else { continue };
                if !kept.contains(&row) && !self.experience.settled.contains(row.as_str()) {
                    self.remove(Removal { row, look: Vec::new(), source });
                }
            }
        }
    }

    /// A row is to go, if it can.
    fn remove(&mut self, removal: Removal) {
        if self.is_fixed(removal.row.as_str()) {
            self.never(removal.row.as_str(), "the device says that this row cannot be removed");
        } else {
            self.gap.removals.push(removal);
        }
    }
}

/// Keys as one text, to see whether two rows have the same.
fn in_text(keys: &[Aim<'_>]) -> String {
    let texts = keys.iter().map(|key| key.value.text.trim_end());
    texts.collect::<Vec<_>>().join("\u{1f}")
}

pub(super) fn compare(wanted: &[Aim<'_>], found: &[Key<'_>]) -> Match {
    let mut all = Match::Yes;
    for (aim, key) in wanted.iter().zip(found) {
        match key {
            Key::Is(found) if agrees(&aim.value, found) || refers(aim, found) => {}
            Key::Unread(_) => all = Match::Perhaps,
            Key::Is(_) | Key::Absent => return Match::No,
        }
    }
    all
}

/// Whether a reference is the one that is wanted, with its dot or without.
fn refers(aim: &Aim<'_>, found: &Value) -> bool {
    matches!(aim.value, Cow::Owned(_))
        && *aim.value.text == *found.text.trim().trim_end_matches('.')
}
