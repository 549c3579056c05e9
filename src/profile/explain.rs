//! Everything that matching profiles say of one device, overridden or not.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Said;
use super::layers::{Layered, Worth};
use super::read::NOTIFICATIONS;
use super::tables::{RowClaim, TableClaim};
use crate::device::{Source, Wanted};
use crate::expr::Subject;
use crate::param::ParamPath;
use crate::schema::Schema;

/// All of it, by path and then from the weakest to the strongest.
pub(super) fn all(layered: &Layered<'_>) -> Vec<Said> {
    let mut said = Vec::new();
    values(layered, &mut said);
    attributes(layered, &mut said);
    rows(layered, &mut said);
    for profile in &layered.profiles {
        let source = || profile.source.clone();
        for (path, seconds) in &profile.refresh {
            if *path.root() == *layered.subject.device.root {
                put(&mut said, format!("{path}#refresh"), format!("{seconds} s"), source());
            }
        }
        if let Some(firmware) = &profile.firmware {
            let mut value = firmware.version.to_string();
            if !firmware.file.is_empty() {
                let _ = write!(value, " from {}", firmware.file);
            }
            put(&mut said, "firmware".to_owned(), value, source());
        }
        for (tag, wanted) in &profile.tags {
            let value = if *wanted { "set" } else { "cleared" };
            put(&mut said, format!("tag {tag}"), value.to_owned(), source());
        }
    }
    mark(&mut said);
    said
}

fn put(said: &mut Vec<Said>, path: String, value: String, source: Source) {
    let (path, value) = (path.into(), value.into());
    said.push(Said { path, value, secret: false, source, overridden: false });
}

/// Marks all but the last of each path, and sorts by path.
fn mark(said: &mut [Said]) {
    said.sort_by(|a, b| a.path.cmp(&b.path));
    for place in 1..said.len() {
        if said[place - 1].path == said[place].path {
            said[place - 1].overridden = true;
        }
    }
}

fn values(layered: &Layered<'_>, said: &mut Vec<Said>) {
    let counting = layered.counting();
    for (place, claim) in layered.values.iter().enumerate() {
        said.push(Said {
            path: claim.path.as_str().into(),
            value: shown(&claim.worth, layered.subject).into(),
            secret: Schema::core().is_secret(&claim.path) || claim.worth.is_secret(),
            source: layered.profiles[claim.by].source.clone(),
            // One that a stronger `*` overrides has no later one of its path.
            overridden: !counting.contains(&place),
        });
    }
}

fn shown(worth: &Worth<'_>, subject: &Subject<'_>) -> String {
    match worth.wanted(subject) {
        Ok(Wanted::Value(value)) => value.text.into_string(),
        Ok(Wanted::Row(name)) => format!("the row {name}"),
        Err(problem) => format!("cannot be computed: {problem}"),
    }
}

fn attributes(layered: &Layered<'_>, said: &mut Vec<Said>) {
    for claim in &layered.attributes {
        let (path, source) = (&claim.wish.path, &layered.profiles[claim.by].source);
        if let Some(number) = claim.wish.notification {
            let word = NOTIFICATIONS.get(usize::from(number)).copied().unwrap_or("unknown");
            put(said, format!("{path}#notification"), word.to_owned(), source.clone());
        }
        if let Some(list) = &claim.wish.access_list {
            put(said, format!("{path}#access"), list.join(", "), source.clone());
        }
    }
}

fn rows(layered: &Layered<'_>, said: &mut Vec<Said>) {
    let mut turned = Turned::default();
    for claim in &layered.tables {
        let source = &layered.profiles[claim.by].source;
        if let Some(others) = claim.others {
            let value = format!("{others:?}").to_lowercase();
            put(said, format!("{}#others", claim.table), value, source.clone());
        }
        for row in &claim.rows {
            let path = named(claim, row, layered.subject);
            turned.note(&path, row.absent, said);
            if row.absent {
                put(said, path, "absent".to_owned(), source.clone());
                continue;
            }
            for (member, worth) in &row.values {
                said.push(Said {
                    path: format!("{path}{member}").into(),
                    value: shown(worth, layered.subject).into(),
                    secret: is_secret(&claim.table, member, worth),
                    source: source.clone(),
                    overridden: false,
                });
            }
        }
    }
}

/// A row by its keys: `Device.NAT.PortMapping.[ExternalPort=80].`.
fn named(claim: &TableClaim<'_>, row: &RowClaim<'_>, subject: &Subject<'_>) -> String {
    let mut name = format!("{}[", claim.table);
    for (place, key) in claim.keys.iter().enumerate() {
        let text = match row.values.iter().find(|(name, _)| **name == **key) {
            Some((_, worth)) if is_secret(&claim.table, key, worth) => "***".to_owned(),
            Some((_, worth)) => shown(worth, subject),
            None => String::new(),
        };
        let _ = write!(name, "{}{key}={text}", if place > 0 { "," } else { "" });
    }
    name.push_str("].");
    name
}

/// Which rows are to be gone, by what was said last.
#[derive(Default)]
struct Turned(BTreeMap<String, bool>);

impl Turned {
    /// Notes what is said of a row; of one that was to be there and is to be gone, or
    /// the other way round, nothing counts that was said before.
    fn note(&mut self, row: &str, absent: bool, said: &mut [Said]) {
        if self.0.insert(row.to_owned(), absent).is_some_and(|before| before != absent) {
            let of_it = said.iter_mut().filter(|said| said.path.starts_with(row));
            of_it.for_each(|said| said.overridden = true);
        }
    }
}

fn is_secret(table: &str, member: &str, worth: &Worth<'_>) -> bool {
    let path = ParamPath::parse(&format!("{table}1.{member}"));
    worth.is_secret() || path.is_ok_and(|path| Schema::core().is_secret(&path))
}
