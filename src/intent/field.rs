//! One field of one row: whether it can be set, what it is, and what has to be
//! written so that it becomes something else.

use super::candidate::Candidate;
use super::known::{Found, Known, Paths, Presence};
use super::ways::{Basis, FieldRule, PathRule, Rows, Way, Writing};
use super::words::{FieldWord, Form};
use super::zone::Zone;
use crate::device::{OtherRows, Wanted, WantedRow, WantedTable, WantedValue};
use crate::param::{ParamPath, Value, ValueType};
use crate::schema::Schema;

/// A field of a row, and where it stands.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) word: &'static FieldWord,
    rule: &'a FieldRule,
    candidate: &'a Candidate<'a>,
    known: &'a Known<'a>,
    /// The parameters that are there, in order of the rule.
    pub(super) paths: Vec<ParamPath>,
    pub(super) basis: Basis,
}

/// What has to be written.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub(super) values: Vec<WantedValue>,
    pub(super) tables: Vec<WantedTable>,
}

impl<'a> Place<'a> {
    /// Finds where a field stands, and that it can be written.
    pub(super) fn find(
        way: &'a Way,
        rule: &'a FieldRule,
        word: &'static FieldWord,
        candidate: &'a Candidate<'a>,
        known: &'a Known<'a>,
    ) -> Found<Self> {
        let mut place = Self { word, rule, candidate, known, paths: Vec::new(), basis: way.basis };
        if let Some(rows) = &rule.rows {
            return place.find_table(rows);
        }
        let (mut unknown, mut why) = (Paths::new(), String::new());
        for one in &rule.path {
            match place.there(one) {
                Found::Yes(path) => {
                    place.paths.push(path);
                    place.basis = place.basis.max(one.basis(way.basis));
                    if !rule.every && rule.form != Writing::Items {
                        break;
                    }
                }
                Found::No(problem) => why = problem,
                Found::Unknown(paths) => unknown.extend(paths),
            }
        }
        match (place.paths.is_empty(), unknown.is_empty()) {
            (false, _) => Found::Yes(place),
            (true, false) => Found::Unknown(unknown),
            (true, true) => Found::No(why),
        }
    }

    /// A parameter that is there and that the device does not call read-only.
    fn there(&self, rule: &PathRule) -> Found<ParamPath> {
        let path = match self.candidate.path(rule.path(), self.known) {
            Found::Yes(path) => path,
            Found::No(why) => return Found::No(why),
            Found::Unknown(paths) => return Found::Unknown(paths),
        };
        match self.known.presence(&path) {
            Presence::There(param) if param.writable == Some(false) => {
                Found::No(format!("the device calls {path} read-only"))
            }
            Presence::There(_) => match ParamPath::parse(&path) {
                Ok(path) => Found::Yes(path),
                Err(error) => Found::No(format!("{path}: {error}")),
            },
            Presence::Lacking => Found::No(format!("there is no {path}")),
            Presence::Unknown => Found::Unknown(self.known.ask(&path)),
        }
    }

    fn find_table(mut self, rows: &Rows) -> Found<Self> {
        let table = format!("{}{}", self.known.root, rows.table);
        match self.known.presence(&table) {
            Presence::There(param) if param.writable == Some(true) => {
                self.paths.extend(ParamPath::parse(&table));
                Found::Yes(self)
            }
            Presence::There(param) if param.writable == Some(false) => {
                Found::No(format!("the device lets nobody add rows to {table}"))
            }
            Presence::Lacking => Found::No(format!("there is no {table}")),
            Presence::There(_) | Presence::Unknown => Found::Unknown(self.known.ask(&table)),
        }
    }

    /// What it is at present in the words of the intent; `None` if that was
    /// never read, or the device's word is unknown.
    pub(super) fn present(&self) -> Option<String> {
        if let Some(rows) = &self.rule.rows {
            let Found::Yes(all) = self.known.rows(&rows.table) else { return Some(String::new()) };
            let keys = all.iter().filter_map(|row| {
                self.known.tree.text(&format!("{row}{}", rows.key)).map(str::trim)
            });
            return Some(keys.filter(|key| !key.is_empty()).collect::<Vec<_>>().join(","));
        }
        if self.rule.form == Writing::Items {
            let texts: Option<Vec<&str>> =
                self.paths.iter().map(|path| self.known.tree.text(path.as_str())).collect();
            let texts = texts?.into_iter().map(str::trim).filter(|text| !text.is_empty());
            return Some(texts.collect::<Vec<_>>().join(","));
        }
        let value = self.known.tree.value(self.paths.first()?.as_str())?;
        let text = &*value.text;
        if !self.rule.words.is_empty() {
            let has =
                |words: &Vec<String>| words.iter().any(|word| word.eq_ignore_ascii_case(text));
            let word = self.rule.words.iter().find(|(_, words)| has(words));
            return Some(word.map_or_else(|| text.to_owned(), |(word, _)| word.clone()));
        }
        Some(match self.word.form {
            Form::Switch => truth(value)?.to_string(),
            Form::Addresses(_) | Form::Servers(_) => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                items.collect::<Vec<_>>().join(",")
            }
            _ => text.to_owned(),
        })
    }

    /// What has to be written so that it becomes this.
    pub(super) fn write(&self, wanted: &str) -> Found<Writes> {
        let mut writes = Writes::default();
        if let Some(rows) = &self.rule.rows {
            writes.tables.push(table(&self.paths, rows, wanted));
            return Found::Yes(writes);
        }
        let text = match self.device_word(wanted) {
            Found::Yes(text) => text,
            Found::No(why) => return Found::No(why),
            Found::Unknown(paths) => return Found::Unknown(paths),
        };
        if self.rule.form == Writing::Items {
            let items: Vec<&str> = text.split(',').collect();
            if items.len() > self.paths.len() {
                let takes = self.paths.len();
                return Found::No(format!("the device takes {takes}, not {}", items.len()));
            }
            for (position, path) in self.paths.iter().enumerate() {
                let item = items.get(position).copied().unwrap_or_default();
                writes.values.push(self.value(path, item));
            }
        } else {
            writes.values.extend(self.paths.iter().map(|path| self.value(path, &text)));
        }
        for with in &self.rule.with {
            if !with.when.is_empty() && with.when != wanted {
                continue;
            }
            // It belongs to the field, but the field does not depend on it.
            if let Found::Yes(path) = self.there(&PathRule::Plain(with.path.clone())) {
                writes.values.push(self.value(&path, &with.value.replace("{}", wanted)));
            }
        }
        Found::Yes(writes)
    }

    /// The device's word for a value of the intent.
    fn device_word(&self, wanted: &str) -> Found<String> {
        match self.rule.form {
            Writing::Rule => return Found::Yes(zone(wanted, |zone| zone.rule)),
            Writing::Offset => return Found::Yes(zone(wanted, |zone| zone.offset())),
            Writing::Text | Writing::Items => {}
        }
        if self.rule.words.is_empty() {
            return Found::Yes(wanted.to_owned());
        }
        let Some(words) = self.rule.words.get(wanted) else {
            return Found::No(format!("{wanted} is nothing that it can be"));
        };
        let first = words.first().cloned().unwrap_or_default();
        if self.rule.among.is_empty() {
            return Found::Yes(first);
        }
        match self.candidate.text(&self.rule.among, self.known) {
            Found::Yes("") | Found::No(_) => Found::Yes(first),
            Found::Unknown(paths) => Found::Unknown(paths),
            Found::Yes(offered) => {
                let offers = |word: &&String| {
                    offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(word))
                };
                match words.iter().find(offers) {
                    Some(word) => Found::Yes(word.clone()),
                    None => Found::No(format!("the device offers {offered}")),
                }
            }
        }
    }

    /// A value in the type, and the spelling of truth, that the device has for
    /// it.
    fn value(&self, path: &ParamPath, text: &str) -> WantedValue {
        let present = self.known.tree.value(path.as_str());
        let reported = present.map(|value| value.kind.clone());
        let kind = reported.or_else(|| Schema::core().kind(path.as_str()).cloned());
        let kind = kind.unwrap_or_else(|| self.kind(text));
        let value = match (kind, text) {
            (ValueType::Boolean, "true" | "false") => Value::boolean(text == "true"),
            (kind, "true" | "false") => {
                let spelled = present.and_then(|value| spelled_like(&value.text, text == "true"));
                Value::new(spelled.unwrap_or(text), kind)
            }
            (kind, _) => Value::new(text, kind),
        };
        WantedValue { path: path.clone(), value: Wanted::Value(value), source: 0 }
    }

    /// The type of a value of which nothing else is known.
    fn kind(&self, text: &str) -> ValueType {
        let number = self.rule.words.is_empty() && matches!(self.word.form, Form::Number(..));
        match text {
            "true" | "false" => ValueType::Boolean,
            _ if number => ValueType::UnsignedInt,
            _ => ValueType::String,
        }
    }
}

fn zone(text: &str, form: impl Fn(Zone) -> String) -> String {
    // It was checked when the intent was read.
    Zone::parse(text).map_or_else(|_| text.to_owned(), form)
}

/// The truth of a value, as a boolean or in words.
fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or(match value.text.trim() {
        "Enabled" => Some(true),
        "Disabled" => Some(false),
        _ => None,
    })
}

/// The truth in the spelling of another value of the same parameter.
fn spelled_like(present: &str, on: bool) -> Option<&'static str> {
    match present.trim() {
        "0" | "1" => Some(if on { "1" } else { "0" }),
        "Enabled" | "Disabled" => Some(if on { "Enabled" } else { "Disabled" }),
        _ => None,
    }
}

fn table(paths: &[ParamPath], rows: &Rows, wanted: &str) -> WantedTable {
    let row = |item: &str| {
        let text = |text: &str| Wanted::Value(Value::string(text));
        let mut values = vec![(rows.key.as_str().into(), text(item))];
        for (name, value) in &rows.values {
            let value = match value.as_str() {
                "true" | "false" => Wanted::Value(Value::boolean(value == "true")),
                other => text(other),
            };
            values.push((name.as_str().into(), value));
        }
        WantedRow { name: "".into(), values }
    };
    WantedTable {
        table: paths.first().map(ParamPath::as_str).unwrap_or_default().into(),
        keys: vec![rows.key.as_str().into()],
        rows: wanted.split(',').map(row).collect(),
        others: OtherRows::Keep,
        source: 0,
    }
}
