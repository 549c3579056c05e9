//! What is known of one device: whether something is there, is lacking, or was
//! never asked for; the rows of tables; where references lead.

use std::collections::BTreeSet;

use crate::param::{Param, ParamPath, Tree};

/// The most rows that are looked at for one intent.
pub(super) const MAX_ROWS: usize = 256;

/// The most references that are followed from one row.
const MAX_HOPS: usize = 16;

/// The most children that are looked at to learn whether an object was listed.
const MAX_CHILDREN: usize = 64;

/// A device as far as intents look at it.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The root object of its data model with the dot; empty if nothing of the
    /// device is known.
    pub root: &'a str,
    /// What is known of its parameters.
    pub tree: &'a Tree,
    /// Whether all names of its tree were read: what is not in it, the device
    /// does not have.
    pub whole: bool,
    /// The OUI of its identity.
    pub oui: &'a str,
    /// The product class of its identity.
    pub product_class: &'a str,
}

/// Whether something is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presence<'a> {
    /// It is.
    There(&'a Param),
    /// The device does not have it.
    Lacking,
    /// It was never asked.
    Unknown,
}

/// What a look at the device brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// This.
    Yes(T),
    /// There is none, and why.
    No(String),
    /// These are to be read first.
    Unknown(Paths),
}

/// Parameters and objects to be read.
pub(super) type Paths = BTreeSet<ParamPath>;

impl<'a> Known<'a> {
    /// Whether a parameter or object is there.
    pub(super) fn presence(&self, path: &str) -> Presence<'a> {
        if let Some(param) = self.tree.get(path) {
            return Presence::There(param);
        }
        if path.ends_with('.') && self.has_below(path) {
            static OBJECT: Param = Param {
                value: None,
                writable: None,
                read_at: crate::time::Timestamp::from_millis(0),
            };
            return Presence::There(&OBJECT);
        }
        let inside = path.strip_suffix('.').unwrap_or(path);
        let parent = inside.rfind('.').map(|dot| &inside[..=dot]);
        match parent {
            Some(parent) if !self.is_listed(parent) => Presence::Unknown,
            _ => Presence::Lacking,
        }
    }

    fn has_below(&self, object: &str) -> bool {
        self.tree.under(object).next().is_some()
    }

    /// Whether the names below an object were told by the device, so that what
    /// is not among them is not there.
    fn is_listed(&self, object: &str) -> bool {
        if self.whole {
            return true;
        }
        let mut below = self.tree.under(object).take(MAX_CHILDREN);
        let direct = |path: &ParamPath| {
            let rest = path.as_str().strip_prefix(object).unwrap_or_default();
            let rest = rest.strip_suffix('.').unwrap_or(rest);
            !rest.is_empty() && !rest.contains('.')
        };
        below.any(|(path, param)| param.writable.is_some() && direct(path))
            // What lies in an object that is not there is not there.
            || !self.has_below(object) && self.is_lacking(object)
    }

    fn is_lacking(&self, object: &str) -> bool {
        let inside = object.strip_suffix('.').unwrap_or(object);
        let Some(dot) = inside.rfind('.') else { return false };
        matches!(inside.get(..=dot), Some(parent) if self.is_listed(parent))
    }

    /// What is to be read to learn of a path that was never asked for: the
    /// object below the root that it belongs to.
    pub(super) fn ask(&self, path: &str) -> Paths {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let first = below.split('.').next().unwrap_or_default();
        ParamPath::parse(&format!("{}{first}.", self.root)).into_iter().collect()
    }

    /// The text of a parameter; blanks around it are dropped.
    pub(super) fn text(&self, path: &str) -> Found<&'a str> {
        match self.presence(path) {
            Presence::There(param) => match &param.value {
                Some(value) => Found::Yes(value.text.trim()),
                None => Found::Unknown(ParamPath::parse(path).into_iter().collect()),
            },
            Presence::Lacking => Found::No(format!("there is no {path}")),
            Presence::Unknown => Found::Unknown(self.ask(path)),
        }
    }

    /// The rows of a table below the root whose name may hold `*` for rows of
    /// tables around it, in order of their numbers, each with its last dot.
    pub(super) fn rows(&self, table: &str) -> Found<Vec<String>> {
        let mut heads = vec![self.root.to_owned()];
        let mut parts = table.split("*.").peekable();
        let mut rows = Vec::new();
        while let Some(part) = parts.next() {
            rows.clear();
            for head in &heads {
                match self.rows_of(&format!("{head}{part}")) {
                    Found::Yes(more) => rows.extend(more),
                    Found::No(_) => {}
                    Found::Unknown(paths) => return Found::Unknown(paths),
                }
            }
            if rows.len() > MAX_ROWS {
                return Found::No(format!("{}{table} has too many rows", self.root));
            }
            if parts.peek().is_some() {
                heads.clone_from(&rows);
            }
        }
        if rows.is_empty() {
            return Found::No(format!("{}{table} has no row", self.root));
        }
        Found::Yes(rows)
    }

    fn rows_of(&self, table: &str) -> Found<Vec<String>> {
        match self.presence(table) {
            Presence::There(_) if self.is_listed(table) => {}
            Presence::Lacking => return Found::No(format!("there is no {table}")),
            Presence::There(_) | Presence::Unknown => return Found::Unknown(self.ask(table)),
        }
        let mut rows = self.tree.rows(table);
        rows.truncate(MAX_ROWS + 1);
        rows.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        Found::Yes(rows.into_iter().map(|row| format!("{table}{row}.")).collect())
    }

    /// The row to which a parameter refers, if it is one of the tables `into`;
    /// what lies between is followed by `LowerLayers`.
    pub(super) fn follow(&self, parameter: &str, into: &[String]) -> Found<String> {
        let mut unknown = Paths::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![parameter.to_owned()];
        for _ in 0..MAX_HOPS {
            let Some(next) = open.pop() else { break };
            let texts = match self.text(&next) {
                Found::Yes(texts) => texts,
                Found::No(_) => continue,
                Found::Unknown(paths) => {
                    unknown.extend(paths);
                    continue;
                }
            };
            let mut below = Vec::new();
            for one in texts.split(',').take(MAX_HOPS) {
                let Some(row) = self.row_named(one) else { continue };
                if into.iter().any(|table| self.is_row_of(&row, table)) {
                    return Found::Yes(row);
                }
                if seen.insert(row.clone()) {
                    below.push(format!("{row}LowerLayers"));
                }
            }
            open.extend(below.into_iter().rev());
        }
        if unknown.is_empty() {
            Found::No(format!("{parameter} leads to no row of {}", into.join(" or ")))
        } else {
            Found::Unknown(unknown)
        }
    }

    /// The row that a text names, if it is in the tree: with or without its last
    /// dot, by number or by alias.
    fn row_named(&self, text: &str) -> Option<String> {
        let text = text.trim().trim_end_matches('.');
        let path = ParamPath::parse(&format!("{text}.")).ok()?;
        let row = self.tree.by_number(&path);
        (row.root() == self.root && self.has_below(row.as_str())).then(|| row.as_str().to_owned())
    }

    fn is_row_of(&self, row: &str, table: &str) -> bool {
        let Some(below) = row.strip_prefix(self.root) else { return false };
        let (mut have, mut want) = (below.split('.'), table.split('.'));
        loop {
            match (have.next(), want.next()) {
                // The table ends; the row's own number is left.
                (Some(number), Some("")) => {
                    return !number.is_empty() && have.next() == Some("") && have.next().is_none();
                }
                (Some(a), Some(b)) if a == b || b == "*" && !a.is_empty() => {}
                _ => return false,
            }
        }
    }
}
