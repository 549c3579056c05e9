//! Reads what a profile wants of parameters and of rows of tables.

use std::collections::{BTreeMap, BTreeSet};

use super::definition::{Profile, RowForm, TableForm, Wish};
use super::entry::{Entry, Form, Key, at_line};
use super::parts::{
    MAX_NAME, MAX_TEXT, Members, Told, filled, is_name, list, map, path, put, text, texts, truth,
    unknown,
};
use crate::device::OtherRows;
use crate::expr::Template;
use crate::param::{ParamPath, ValueType};

pub(super) fn parameters(entry: Entry) -> Told<BTreeMap<ParamPath, Wish>> {
    let mut parameters = BTreeMap::new();
    for (key, entry) in map(entry, "parameters")? {
        if matches!(entry.form, Form::Map(_)) && !key.name.contains('.') {
            let problem = "parameters: write the whole path in quotes: \"Device.X.Y\" = 1";
            return Err(at_line(key.line, problem));
        }
        let path = path(&key, "parameters", false)?;
        let wish = wish(entry, path.as_str())?;
        put(&mut parameters, path, wish, key.line)?;
    }
    Ok(parameters)
}

/// What a parameter is to be.
fn wish(entry: Entry, name: &str) -> Told<Wish> {
    let line = entry.line;
    match entry.form {
        Form::Bool(truth) => Ok(Wish::Bool(truth)),
        Form::Whole(number) => Ok(Wish::Whole(number)),
        // As text, because not every reader of JSON keeps the last digit.
        Form::Decimal(number) if number.is_finite() => {
            Ok(Wish::Text { text: number.to_string().into(), kind: Some(ValueType::Decimal) })
        }
        Form::Time(text) => Ok(Wish::Text { text: text.into(), kind: Some(ValueType::DateTime) }),
        Form::Text(text) => expression(text, None, line, name),
        Form::Map(members) => long_wish(members, line, name),
        _ => Err(at_line(
            line,
            &format!("{name}: a text, a number, true or false, or {{ row = \"name\" }}"),
        )),
    }
}

/// A text that is an expression if it looks like one.
fn expression(text: String, kind: Option<ValueType>, line: usize, name: &str) -> Told<Wish> {
    let template =
        Template::parse(&text).map_err(|error| at_line(line, &format!("{name}: {error}")))?;
    let is_plain = Template::is_plain(template.text());
    let text = text.into();
    Ok(if is_plain { Wish::Text { text, kind } } else { Wish::Template { text, kind } })
}

/// `{ row = "name" }`, `{ text = "…" }` or `{ value = …, type = "…" }`.
fn long_wish(members: Members, line: usize, name: &str) -> Told<Wish> {
    let (mut row, mut plain, mut value, mut kind) = (None, None, None, None);
    for (key, entry) in members {
        match key.name.as_str() {
            "row" => row = Some(filled(entry, name)?),
            "text" => plain = Some(text(entry, name, MAX_TEXT)?),
            "value" => value = Some(text_of(entry, name)?),
            "type" => kind = Some(type_of(entry, name)?),
            _ => return Err(unknown(&key, name, &["row", "text", "value", "type"])),
        }
    }
    match (row, plain, value) {
        (Some(row), None, None) if kind.is_none() => Ok(Wish::Row(row)),
        (None, Some(plain), None) => Ok(Wish::Text { text: plain.into(), kind }),
        (None, None, Some(value)) => expression(value, kind, line, name),
        _ => Err(at_line(
            line,
            &format!("{name}: one of {{ row = … }}, {{ text = … }} and {{ value = …, type = … }}"),
        )),
    }
}

fn text_of(entry: Entry, name: &str) -> Told<String> {
    match entry.form {
        Form::Bool(truth) => Ok(u8::from(truth).to_string()),
        Form::Whole(number) => Ok(number.to_string()),
        Form::Decimal(number) if number.is_finite() => Ok(number.to_string()),
        Form::Time(time) => Ok(time),
        _ => text(entry, name, MAX_TEXT),
    }
}

/// The types that a value can have (TR-106 §3.2).
const TYPES: &[&str] = &[
    "string",
    "int",
    "unsignedInt",
    "long",
    "unsignedLong",
    "boolean",
    "dateTime",
    "base64",
    "hexBinary",
    "decimal",
];

fn type_of(entry: Entry, name: &str) -> Told<ValueType> {
    let line = entry.line;
    let word = text(entry, name, MAX_NAME)?;
    if TYPES.contains(&word.as_str()) {
        return Ok(ValueType::from_name(&word));
    }
    Err(unknown(&Key { line, name: word }, "type", TYPES))
}

pub(super) fn table(entry: Entry) -> Told<TableForm> {
    let line = entry.line;
    let mut form = TableForm { table: "".into(), keys: Vec::new(), others: None, rows: Vec::new() };
    for (key, entry) in map(entry, "tables")? {
        match key.name.as_str() {
            "table" => form.table = table_path(entry)?,
            "keys" => form.keys = texts(entry, "keys")?,
            "others" => form.others = Some(others(entry)?),
            "rows" => {
                let rows = list(entry, "rows", "[[tables.rows]]")?;
                form.rows = rows.into_iter().map(row).collect::<Told<_>>()?;
            }
            _ => return Err(unknown(&key, "tables", &["table", "keys", "others", "rows"])),
        }
    }
    if form.table.is_empty() {
        return Err(at_line(line, "tables: table is missing: table = \"Device.NAT.PortMapping.\""));
    }
    if form.keys.is_empty() && !form.rows.is_empty() {
        let problem =
            format!("{}: keys are missing: by which parameters are rows told apart?", form.table);
        return Err(at_line(line, &problem));
    }
    for row in &form.rows {
        if let Some(missing) = form.keys.iter().find(|key| !row.values.contains_key(*key)) {
            return Err(at_line(line, &format!("{}: a row lacks the key {missing}", form.table)));
        }
        let beyond = row.values.keys().find(|name| !form.keys.contains(*name));
        if let Some(beyond) = beyond.filter(|_| row.absent) {
            let problem = format!(
                "{}: a row with absent = true has its keys only, and {beyond} is none of them",
                form.table
            );
            return Err(at_line(line, &problem));
        }
    }
    Ok(form)
}

/// A table with its last dot; one inside a row begins with `@` and its name.
fn table_path(entry: Entry) -> Told<Box<str>> {
    let line = entry.line;
    let name = filled(entry, "table")?;
    let key = Key { line, name: name.to_string() };
    if let Some(inside) = name.strip_prefix('@') {
        let sound = inside.split_once('.').is_some_and(|(row, below)| {
            is_name(row)
                && below.len() > 1
                && below.ends_with('.')
                && ParamPath::parse(below).is_ok()
        });
        if !sound {
            return Err(at_line(line, &format!("table: `{name}`: write @name.Table.")));
        }
        return Ok(name);
    }
    let path = path(&key, "table", true)?;
    if !path.is_object() || path.has_wildcard() {
        let problem = format!("table: `{name}`: the path of one table, with its last dot");
        return Err(at_line(line, &problem));
    }
    Ok(name)
}

fn others(entry: Entry) -> Told<OtherRows> {
    let line = entry.line;
    match text(entry, "others", MAX_NAME)?.as_str() {
        "keep" => Ok(OtherRows::Keep),
        "remove" => Ok(OtherRows::Remove),
        _ => Err(at_line(line, "others: keep or remove")),
    }
}

fn row(entry: Entry) -> Told<RowForm> {
    let (line, mut form) = (entry.line, RowForm::default());
    for (key, entry) in map(entry, "rows")? {
        match key.name.as_str() {
            "name" => {
                let line = entry.line;
                form.name = filled(entry, "name")?;
                if !is_name(&form.name) || form.name.contains('.') {
                    return Err(at_line(line, "name: letters, digits, `-` and `_`"));
                }
            }
            "values" => {
                for (key, entry) in map(entry, "values")? {
                    let sound = ParamPath::parse(&key.name).is_ok_and(|path| !path.is_object())
                        && !key.name.contains(['*', '[', '@', '{']);
                    if !sound {
                        let problem = format!("values: `{}` is no parameter of a row", key.name);
                        return Err(at_line(key.line, &problem));
                    }
                    let wish = wish(entry, &key.name)?;
                    put(&mut form.values, key.name.into(), wish, key.line)?;
                }
            }
            "absent" => form.absent = truth(&entry, "absent")?,
            _ => return Err(unknown(&key, "rows", &["name", "absent", "values"])),
        }
    }
    if form.absent && !form.name.is_empty() {
        return Err(at_line(line, "rows: a row with absent = true has no name"));
    }
    Ok(form)
}

/// No two rows of one data model have one name.
pub(super) fn check_rows(profile: &Profile) -> Told<()> {
    let mut names = BTreeSet::new();
    for table in &profile.tables {
        let root = table.table.split('.').next().unwrap_or_default();
        let root = if root.starts_with('@') { "" } else { root };
        for row in table.rows.iter().filter(|row| !row.name.is_empty()) {
            if !names.insert((root, &row.name)) {
                return Err(format!("tables: two rows have the name {}", row.name));
            }
        }
    }
    Ok(())
}
