//! Rows that are to go because of their keys: all that have them, and no others.

use super::known::Listing;
use super::tables::{Key, Match, Place, compare};
use super::values::Aim;
use super::{Comparison, Removal};
use crate::device::{OtherRows, WantedTable};
use crate::param::ParamPath;

impl<'a> Comparison<'a> {
    /// Finds the rows of a table that are to go, wherever the table stands. What is
    /// not there need not go: only what has to be read is told.
    pub(super) fn leave(&mut self, wanted: &'a WantedTable, places: Vec<Place>) {
        for place in places {
            match place {
                Place::There(table) => self.leave_table(wanted, &table),
                // The device may make rows in a row that is made.
                Place::New(_) => self.gap.later_reads += usize::from(!self.is_cleared(wanted)),
                Place::Unread | Place::Never(_) => {}
            }
        }
    }

    /// Whether all rows of the table are looked at for another reason.
    fn is_cleared(&self, wanted: &WantedTable) -> bool {
        let mut tables = self.desired.tables.iter();
        tables.any(|table| table.table == wanted.table && table.others == OtherRows::Remove)
    }

    fn leave_table(&mut self, wanted: &'a WantedTable, table: &str) {
        match self.listing(table, true) {
            Listing::Whole => {}
            Listing::Unread => return self.read(table),
            Listing::Never(_) => return,
        }
        for row in &wanted.rows {
            match self.keys_of(row, wanted) {
                Ok(Some(keys)) => {
                    // No row refers to one that is not made yet.
                    if !keys.iter().any(|key| key.waits) {
                        self.leave_rows(wanted, table, &keys);
                    }
                }
                Ok(None) => {}
                Err(why) => self.never(format!("{table}{{i}}."), why),
            }
        }
    }

    /// The rows of a table that have these keys.
    fn leave_rows(&mut self, wanted: &WantedTable, table: &str, keys: &[Aim<'a>]) {
        for known in self.known_rows(table, &wanted.keys) {
            // One that was made just now has no keys yet.
            if self.experience.is_fresh(&known.row) {
                continue;
            }
            match compare(keys, &known.keys) {
                Match::No => {}
                Match::Perhaps => {
                    for key in &known.keys {
                        if let Key::Unread(path) = key {
                            self.read(path);
                        }
                    }
                }
                Match::Yes => {
                    let Ok(row) = ParamPath::parse(&known.row) else { continue };
                    // What is known may be old, and numbers are given anew: another
                    // row must not go in its place.
                    let look = if self.experience.looked_at.contains(&row) {
                        Vec::new()
                    } else {
                        let paths = wanted.keys.iter().map(|key| format!("{row}{key}"));
                        paths.filter_map(|path| ParamPath::parse(&path).ok()).collect()
                    };
                    let removal = Removal { row, look, source: wanted.source };
                    self.groups.entry(table.to_owned()).or_default().leaving.push(removal);
                }
            }
        }
    }
}
