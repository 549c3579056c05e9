//! Parameters that are to have a value.

use std::borrow::Cow;

use super::known::{Listing, lacks};
use super::tables::Standing;
use super::{Comparison, RowId, Setting};
use crate::device::{Wanted, WantedValue};
use crate::param::{Param, ParamPath, Value, ValueType, is_match};
use crate::plan::context::is_mask;
use crate::schema::Schema;

/// The most names that one path with wildcards stands for.
const MAX_NAMES: usize = 10_000;

/// What a parameter is to be.
pub(super) struct Aim<'a> {
    pub(super) value: Cow<'a, Value>,
    /// It names a row that is not made yet.
    pub(super) waits: bool,
}

/// A parameter that is looked at.
pub(super) struct Spot<'s> {
    pub(super) path: &'s str,
    /// The same as a path, where that is at hand.
    pub(super) whole: Option<&'s ParamPath>,
    /// The wanted row that it belongs to.
    pub(super) row: Option<(RowId, &'s ParamPath)>,
    /// Place among the plain values, if it is one of them.
    pub(super) position: Option<usize>,
    pub(super) source: u16,
}

/// Whether a path names rows by `*` or by alias.
pub(super) fn names_rows(path: &str) -> bool {
    path.contains(['*', '['])
}

/// Whether a device has what is wanted: by the type that was asked for, else by
/// the one that the device tells.
pub(super) fn agrees(wanted: &Value, found: &Value) -> bool {
    if wanted.kind == ValueType::String && found.kind != ValueType::String {
        found.kind.same(&wanted.text, &found.text)
    } else {
        wanted.agrees(found)
    }
}

impl<'a> Comparison<'a> {
    /// Compares the values of parameters that are there, one by one: one that
    /// agrees costs a look-up and nothing else.
    pub(super) fn plain_values(&mut self) {
        let desired = self.desired;
        for (position, wanted) in desired.values.iter().enumerate() {
            let WantedValue { path, value, source } = wanted;
            let Some(aim) = self.aim(value, path.as_str()) else { continue };
            let (row, position, source) = (None, Some(position), *source);
            if names_rows(path.as_str()) {
                for name in self.spread(path) {
                    self.judge(&Spot { path: &name, whole: None, row, position, source }, &aim);
                }
            } else {
                let whole = Some(path);
                self.judge(&Spot { path: path.as_str(), whole, row, position, source }, &aim);
            }
        }
    }

    /// What a parameter is to be; `None` if that cannot be told now.
    pub(super) fn aim(&mut self, wanted: &'a Wanted, path: &str) -> Option<Aim<'a>> {
        let name = match wanted {
            Wanted::Value(value) => {
                return Some(Aim { value: Cow::Borrowed(value), waits: false });
            }
            Wanted::Row(name) => name,
        };
        let reference = |row: &str| {
            let row = row.strip_suffix('.').unwrap_or(row);
            Cow::Owned(Value::string(row))
        };
        match self.standing(name) {
            Standing::There(row) => Some(Aim { value: reference(row.as_str()), waits: false }),
            Standing::New(row) => Some(Aim { value: reference(&row), waits: true }),
            Standing::Unread => None,
            Standing::Never(why) => {
                let why = format!("the row {name} that it refers to cannot be had: {why}");
                self.never(path, why);
                None
            }
        }
    }

    /// Compares one value.
    pub(super) fn judge(&mut self, spot: &Spot<'_>, aim: &Aim<'a>) {
        let tree = self.tree;
        let known = tree.get(spot.path);
        let found = known.and_then(|param| param.value.as_ref());
        if let Some(found) = found
            && !aim.waits
            && !aim.value.text.is_empty()
            && agrees(&aim.value, found)
        {
            return;
        }
        // From here on there is something to do or to say.
        if self.experience.settled.contains(spot.path) || self.is_overruled(spot) {
            return;
        }
        let path = match spot.whole {
            Some(path) => path.clone(),
            None => match ParamPath::parse(spot.path) {
                Ok(path) => path,
                Err(error) => return self.never(spot.path, error.to_string()),
            },
        };
        match known {
            Some(Param { value: Some(found), .. }) => self.judge_found(path, found, spot, aim),
            _ if self.experience.is_fresh(spot.path) => self.set(path, None, spot, aim),
            // What a wildcard stands for may be missing in some rows.
            _ if self.experience.untold.contains_key(&path) => {
                let why = self.experience.untold.get(&path).cloned().unwrap_or_default();
                self.lack(spot, why);
            }
            None if lacks(tree, spot.path) => {
                self.lack(spot, "the device has no such parameter".into());
            }
            _ => {
                self.gap.reads.insert(path);
            }
        }
    }

    fn lack(&mut self, spot: &Spot<'_>, why: Box<str>) {
        let by_wildcard = spot.whole.is_none() && spot.row.is_none();
        if !by_wildcard {
            self.never(spot.path, why);
        }
    }

    /// The texts differ, or are empty: do the values?
    fn judge_found(&mut self, path: ParamPath, found: &Value, spot: &Spot<'_>, aim: &Aim<'a>) {
        let wanted = &aim.value;
        let secret = Schema::core().is_secret(&path);
        let masked = is_mask(found.text.trim());
        let (same, told) = if aim.waits {
            (false, !secret)
        } else if secret && (masked || found.text.trim().is_empty()) {
            (self.written.is(path.as_str(), &wanted.text), false)
        } else if masked && self.learned.masked_values {
            (self.written.is(path.as_str(), &wanted.text), true)
        } else {
            // A device may tell no types (Q8); a reference may end in a dot.
            let untyped = wanted.kind == ValueType::String && found.kind == ValueType::String;
            let schema = || Schema::core().kind(path.as_str()).cloned();
            let row = |text: &'_ str| text.trim().trim_end_matches('.').to_owned();
            let same = agrees(wanted, found)
                || (untyped && schema().is_some_and(|kind| kind.same(&wanted.text, &found.text)))
                || (matches!(wanted, Cow::Owned(_)) && row(&wanted.text) == row(&found.text));
            (same, true)
        };
        if !same {
            let found = told.then(|| found.text.clone());
            self.set(path, found, spot, aim);
        }
    }

    /// The value is to be written, if it can be.
    fn set(&mut self, path: ParamPath, found: Option<Box<str>>, spot: &Spot<'_>, aim: &Aim<'a>) {
        if let Some(why) = self.read_only(&path) {
            return self.never(path.as_str(), why);
        }
        self.gap.settings.push(Setting {
            shown: path.as_str().into(),
            secret: Schema::core().is_secret(&path),
            path: Some(path),
            value: aim.value.clone(),
            waits: aim.waits,
            found,
            row: spot.row.map(|(id, row)| (id, row.clone())),
            source: spot.source,
        });
    }

    /// Whether the same parameter is wanted elsewhere by a word that goes before:
    /// what is said of a row before what is said plainly, that before a wildcard,
    /// and of two alike the first.
    fn is_overruled(&self, spot: &Spot<'_>) -> bool {
        let Some(position) = spot.position else { return false };
        let by_wildcard = spot.whole.is_none();
        let by_value = self.desired.values.iter().enumerate().any(|(other, wanted)| {
            if wanted.path.as_str() == spot.path {
                other < position || by_wildcard
            } else {
                by_wildcard && other < position && is_match(wanted.path.as_str(), spot.path)
            }
        });
        by_value
            || self.there.iter().any(|(id, row)| {
                spot.path.strip_prefix(row.as_str()).is_some_and(|leaf| {
                    let row = self.wanted_row(*id);
                    row.is_some_and(|row| row.values.iter().any(|(name, _)| **name == *leaf))
                })
            })
    }

    /// The parameters that a path with `*` or aliases stands for, as far as that
    /// is known; what is not known is noted to be read.
    pub(super) fn spread(&mut self, path: &ParamPath) -> Vec<String> {
        let mut heads = vec![String::new()];
        for (position, segment) in path.as_str().split('.').enumerate() {
            let alias = segment.strip_prefix('[').and_then(|alias| alias.strip_suffix(']'));
            let mut longer = Vec::with_capacity(heads.len());
            for mut head in heads {
                if position > 0 {
                    head.push('.');
                }
                if segment != "*" && alias.is_none() {
                    head.push_str(segment);
                    longer.push(head);
                    continue;
                }
                let rows = match alias {
                    Some(alias) => self.row_with(&head, alias, path),
                    None => self.all_rows(&head, path),
                };
                let room = MAX_NAMES.saturating_sub(longer.len());
                longer.extend(rows.into_iter().take(room).map(|row| format!("{head}{row}")));
            }
            heads = longer;
        }
        heads
    }

    /// The rows of a table, for a wildcard.
    fn all_rows(&mut self, table: &str, path: &ParamPath) -> Vec<String> {
        match self.listing(table, false) {
            Listing::Whole => self.tree.rows(table),
            Listing::Unread => {
                self.read(table);
                Vec::new()
            }
            Listing::Never(why) => {
                self.never(path.as_str(), why);
                Vec::new()
            }
        }
    }

    /// The row of a table that has an alias.
    fn row_with(&mut self, table: &str, alias: &str, path: &ParamPath) -> Vec<String> {
        let mut unread = Vec::new();
        for row in self.tree.rows(table) {
            let name = format!("{table}{row}.Alias");
            let by_name = row.strip_prefix('[').and_then(|row| row.strip_suffix(']'));
            if by_name == Some(alias)
                || self.tree.text(&name).is_some_and(|known| known.trim() == alias)
            {
                return vec![row];
            }
            let is_told = self.tree.value(&name).is_some()
                || self.experience.untold.contains_key(name.as_str())
                || lacks(self.tree, &name);
            if !is_told {
                unread.push(name);
            }
        }
        match self.listing(table, false) {
            Listing::Whole if unread.is_empty() => {
                self.never(path.as_str(), format!("no row of {table} has the alias {alias}"));
            }
            Listing::Whole => unread.iter().for_each(|name| self.read(name)),
            Listing::Unread => self.read(table),
            Listing::Never(why) => self.never(path.as_str(), why),
        }
        Vec::new()
    }
}
