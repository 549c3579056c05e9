//! A recorded tree as the data model of a simulated device: names, types and
//! access as they were recorded, values where there are any.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Check, Model, Parameter};
use crate::param::{ParamPath, Value, ValueType};
use crate::schema::{RecordedParameter, RecordedTree, Schema};

/// The root object of a recording with its dot; `Device.` if it has neither.
pub(super) fn root(recorded: &RecordedTree) -> &'static str {
    let phone = "InternetGatewayDevice.";
    let has = |root: &str| recorded.parameters.iter().any(|one| one.name.root() == root);
    if has(phone) && !has("Device.") { phone } else { "Device." }
}

/// Puts all that was recorded into a model.
pub(super) fn define(model: &mut Model, recorded: &RecordedTree) {
    let objects: BTreeMap<&str, &RecordedParameter> = recorded
        .parameters
        .iter()
        .filter(|one| one.name.is_object())
        .map(|one| (one.name.as_str(), one))
        .collect();
    let mut last_rows: BTreeMap<&str, u32> = BTreeMap::new();
    for path in objects.keys() {
        if let Some((table, number)) = row_of(path) {
            let last = last_rows.entry(table).or_default();
            *last = number.max(*last);
        }
    }
    let tables: BTreeSet<&str> = objects
        .iter()
        .filter(|(path, one)| {
            last_rows.contains_key(**path) || one.writable == Some(true) && row_of(path).is_none()
        })
        .map(|(path, _)| *path)
        .collect();
    for (path, one) in &objects {
        let writable = one.writable == Some(true);
        if tables.contains(path) {
            let next = last_rows.get(path).copied().unwrap_or(0).saturating_add(1);
            let template = writable.then(|| template(recorded, path).into());
            model.define_recorded_table(path, template, next);
        } else {
            model.define_object(path, writable);
        }
    }
    for one in recorded.parameters.iter().filter(|one| !one.name.is_object()) {
        model.define(one.name.as_str(), parameter(one));
    }
}

/// The table and the number of a row.
fn row_of(path: &str) -> Option<(&str, u32)> {
    let inside = path.strip_suffix('.')?;
    let dot = inside.rfind('.')?;
    let number = inside.get(dot + 1..)?.parse().ok()?;
    Some((inside.get(..=dot)?, number))
}

/// What a new row of a table begins with: the parameters of the first row,
/// without its values.
fn template(recorded: &RecordedTree, table: &str) -> Vec<(Box<str>, Parameter)> {
    let mut row: Option<&str> = None;
    let mut leaves = Vec::new();
    for one in &recorded.parameters {
        let Some(below) = one.name.as_str().strip_prefix(table) else { continue };
        let Some((number, leaf)) = below.split_once('.') else { continue };
        let first = *row.get_or_insert(number);
        if first == number && !leaf.is_empty() && !leaf.contains('.') {
            let mut parameter = parameter(one);
            parameter.value = neutral(parameter.value.kind);
            leaves.push((leaf.into(), parameter));
        }
    }
    leaves
}

fn parameter(one: &RecordedParameter) -> Parameter {
    let kind = one.kind.as_deref().map_or(ValueType::String, ValueType::from_name);
    let value = match &one.value {
        Some(text) => Value::new(&**text, kind),
        None => neutral(kind),
    };
    Parameter {
        value,
        writable: one.writable == Some(true),
        secret: Schema::core().is_secret(&one.name),
        check: Check::Any,
    }
}

/// The value of a type that says the least.
fn neutral(kind: ValueType) -> Value {
    let text = match kind {
        ValueType::Int
        | ValueType::UnsignedInt
        | ValueType::Long
        | ValueType::UnsignedLong
        | ValueType::Boolean => "0",
        ValueType::DateTime => "0001-01-01T00:00:00Z",
        _ => "",
    };
    Value::new(text, kind)
}

/// Whether a recording has a parameter.
pub(super) fn has(recorded: &RecordedTree, path: &ParamPath) -> bool {
    recorded.parameters.iter().any(|one| one.name == *path)
}
