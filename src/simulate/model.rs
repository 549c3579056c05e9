//! The data model of a simulated device: parameters with type, access and
//! checks, tables whose rows can be made and deleted, secrets that read back
//! empty.
//!
//! What the RPCs say about it is turned into messages in `rpc`; which
//! parameters a device has is said in `gateway` and `phone_model`.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::cwmp::{FaultCode, ParameterFault, ParameterInfo, ParameterValue};
use crate::param::{ParamPath, Value, ValueType};
use crate::time::Timestamp;

/// The most rows that a table takes before AddObject is refused with 9004.
const MAX_ROWS: usize = 128;

/// What a value must satisfy beyond its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    Any,
    /// At most this many characters.
    Length(usize),
    /// A whole number within these bounds, both included.
    Range(i64, i64),
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its value and type.
    pub value: Value,
    /// Whether SetParameterValues may change it.
    pub writable: bool,
    /// Whether it reads back as an empty text (TR-106 §3.3, `hidden`).
    pub secret: bool,
    /// What a new value must satisfy.
    pub check: Check,
}

impl Parameter {
    /// A parameter that cannot be written.
    pub fn fixed(value: Value) -> Self {
        Self { value, writable: false, secret: false, check: Check::Any }
    }

    /// A parameter that can be written if the check holds.
    pub fn writable(value: Value, check: Check) -> Self {
        Self { value, writable: true, secret: false, check }
    }

    /// A writable text that reads back empty.
    pub fn secret(text: &str) -> Self {
        let value = Value::string(text);
        Self { value, writable: true, secret: true, check: Check::Length(256) }
    }
}

/// A row that AddObject makes: leaf names with what they begin with.
pub(super) type RowTemplate = Arc<[(Box<str>, Parameter)]>;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// An object or a row; rows of writable tables can be deleted.
    Object { deletable: bool },
    /// A table; without a template no row can be added.
    Table { template: Option<RowTemplate>, next: u32 },
    /// A parameter.
    Parameter(Parameter),
}

/// Why a request on the model is refused (TR-069 §A.5.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct ModelFault {
    /// The code of the whole fault.
    pub code: FaultCode,
    /// What is wrong.
    pub text: &'static str,
    /// Of SetParameterValues: each parameter that was refused.
    pub parameters: Vec<ParameterFault>,
}

impl ModelFault {
    pub(super) fn new(code: FaultCode, text: &'static str) -> Self {
        Self { code, text, parameters: Vec::new() }
    }

    /// What it means to whoever asked.
    pub fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

/// The parameters, objects and tables of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    nodes: BTreeMap<ParamPath, Node>,
    parameters: usize,
}

impl Model {
    /// A model with nothing in it.
    pub const fn new() -> Self {
        Self { nodes: BTreeMap::new(), parameters: 0 }
    }

    /// How many parameters there are; objects do not count.
    pub const fn parameter_count(&self) -> usize {
        self.parameters
    }

    /// The value at a path, secrets included: what the device itself knows.
    pub fn value(&self, path: &str) -> Option<&Value> {
        match self.nodes.get(path)? {
            Node::Parameter(parameter) => Some(&parameter.value),
            Node::Object { .. } | Node::Table { .. } => None,
        }
    }

    /// The parameter at a path.
    pub(super) fn parameter(&self, path: &str) -> Option<&Parameter> {
        match self.nodes.get(path)? {
            Node::Parameter(parameter) => Some(parameter),
            Node::Object { .. } | Node::Table { .. } => None,
        }
    }

    /// The text at a path, secrets included; empty if there is no parameter.
    pub fn text(&self, path: &str) -> &str {
        self.value(path).map_or("", |value| &value.text)
    }

    /// Puts a parameter at a path and makes the objects above it. A text that
    /// is no path is left out: generators are tested for that.
    pub fn define(&mut self, path: &str, parameter: Parameter) {
        self.define_parents(path);
        self.insert(path, Node::Parameter(parameter));
    }

    /// Makes a table at a path that ends with a dot. Rows can be added if there
    /// is a template.
    pub(super) fn define_table(&mut self, path: &str, template: Option<RowTemplate>) {
        self.define_parents(path);
        self.insert(path, Node::Table { template, next: 1 });
    }

    /// Makes an object, or a row, which can be deleted or not, at a path that ends
    /// with a dot.
    pub(super) fn define_object(&mut self, path: &str, deletable: bool) {
        self.define_parents(path);
        self.insert(path, Node::Object { deletable });
    }

    /// Makes a table whose rows are put by hand; the next one has this number.
    pub(super) fn define_recorded_table(
        &mut self,
        path: &str,
        template: Option<RowTemplate>,
        next: u32,
    ) {
        self.define_parents(path);
        self.insert(path, Node::Table { template, next });
    }

    /// Makes the next row of a table, out of its template if there is one, and
    /// returns its number.
    pub(super) fn define_row(&mut self, table: &str) -> Option<u32> {
        let (template, number) = match self.nodes.get_mut(table)? {
            Node::Table { template, next } => {
                let number = *next;
                *next = next.checked_add(1)?;
                (template.clone(), number)
            }
            Node::Object { .. } | Node::Parameter(_) => return None,
        };
        let row = format!("{table}{number}.");
        self.insert(&row, Node::Object { deletable: template.is_some() });
        for (leaf, parameter) in template.iter().flat_map(|rows| rows.iter()) {
            self.insert(&format!("{row}{leaf}"), Node::Parameter(parameter.clone()));
        }
        self.count_rows(table);
        Some(number)
    }

    /// Takes all rows of a table away; their numbers begin anew.
    pub(super) fn clear_table(&mut self, table: &str) {
        let rows = self.under(table).map(|(path, _)| path.clone());
        let rows: Vec<ParamPath> = rows.filter(|path| path.as_str() != table).collect();
        for path in rows {
            if let Some(Node::Parameter(_)) = self.nodes.remove(&path) {
                self.parameters = self.parameters.saturating_sub(1);
            }
        }
        if let Some(Node::Table { next, .. }) = self.nodes.get_mut(table) {
            *next = 1;
        }
        self.count_rows(table);
    }

    /// Changes a value from inside the device, whatever its access. Returns
    /// whether there is such a parameter and its value differs now.
    pub fn change(&mut self, path: &str, text: &str) -> bool {
        match self.nodes.get_mut(path) {
            Some(Node::Parameter(parameter)) if *parameter.value.text != *text => {
                parameter.value.text = text.into();
                true
            }
            _ => false,
        }
    }

    /// GetParameterNames (TR-069 §A.3.2.3).
    ///
    /// # Errors
    /// 9005 for an unknown path, 9003 for a parameter with NextLevel.
    pub fn names(
        &self,
        path: Option<&ParamPath>,
        next_level: bool,
    ) -> Result<Vec<ParameterInfo>, ModelFault> {
        let prefix = path.map_or("", ParamPath::as_str);
        if let Some(path) = path {
            let Some(node) = self.nodes.get(path) else { return Err(unknown_name()) };
            if !path.is_object() {
                if next_level {
                    let text = "NextLevel asks for an object";
                    return Err(ModelFault::new(FaultCode::INVALID_ARGUMENTS, text));
                }
                return Ok(vec![info(path, node)]);
            }
        }
        let wanted = |path: &ParamPath| {
            let below = path.as_str().get(prefix.len()..).unwrap_or("");
            let segment = below.strip_suffix('.').unwrap_or(below);
            !next_level || (!segment.is_empty() && !segment.contains('.'))
        };
        Ok(self
            .under(prefix)
            .filter(|(path, _)| wanted(path))
            .map(|(path, node)| info(path, node))
            .collect())
    }

    /// GetParameterValues (TR-069 §A.3.2.2): full names and partial paths.
    ///
    /// # Errors
    /// 9005 for the whole request if one name is unknown.
    pub fn values(&self, names: &[ParamPath]) -> Result<Vec<ParameterValue>, ModelFault> {
        let mut values = Vec::with_capacity(names.len());
        for name in names {
            match self.nodes.get(name) {
                None => return Err(unknown_name()),
                Some(Node::Parameter(parameter)) => values.push(reading(name, parameter)),
                Some(Node::Object { .. } | Node::Table { .. }) => {
                    values.extend(self.under(name.as_str()).filter_map(
                        |(path, node)| match node {
                            Node::Parameter(parameter) => Some(reading(path, parameter)),
                            Node::Object { .. } | Node::Table { .. } => None,
                        },
                    ));
                }
            }
        }
        Ok(values)
    }

    /// SetParameterValues (TR-069 §A.3.2.1): all or nothing. Returns the paths
    /// whose value differs now.
    ///
    /// # Errors
    /// 9003, with one fault per parameter that is unknown (9005), of another
    /// type (9006), out of range (9007) or not writable (9008).
    pub fn set(&mut self, values: &[ParameterValue]) -> Result<Vec<ParamPath>, ModelFault> {
        let mut seen = BTreeSet::new();
        if !values.iter().all(|wanted| seen.insert(&wanted.name)) {
            let text = "a parameter is named twice";
            return Err(ModelFault::new(FaultCode::INVALID_ARGUMENTS, text));
        }
        let parameters: Vec<ParameterFault> =
            values.iter().filter_map(|wanted| self.refusal(wanted)).collect();
        if !parameters.is_empty() {
            let text = "no parameter was changed";
            return Err(ModelFault { code: FaultCode::INVALID_ARGUMENTS, text, parameters });
        }
        let changed =
            values.iter().filter(|wanted| self.change(wanted.name.as_str(), &wanted.value.text));
        Ok(changed.map(|wanted| wanted.name.clone()).collect())
    }

    /// AddObject (TR-069 §A.3.2.6): the number of the new row. Numbers are
    /// never used again.
    ///
    /// # Errors
    /// 9005 for an unknown path, 9003 for what is no table or a fixed one,
    /// 9004 when the table is full.
    pub fn add_object(&mut self, table: &ParamPath) -> Result<u32, ModelFault> {
        match self.nodes.get(table) {
            None => return Err(unknown_name()),
            Some(Node::Table { template: Some(_), .. }) => {}
            Some(_) => {
                let text = "no row can be added here";
                return Err(ModelFault::new(FaultCode::INVALID_ARGUMENTS, text));
            }
        }
        let full = || ModelFault::new(FaultCode::RESOURCES_EXCEEDED, "the table is full");
        if self.rows(table.as_str()) >= MAX_ROWS {
            return Err(full());
        }
        self.define_row(table.as_str()).ok_or_else(full)
    }

    /// DeleteObject (TR-069 §A.3.2.7): a row with all below it.
    ///
    /// # Errors
    /// 9005 for an unknown path, 9003 for what cannot be deleted.
    pub fn delete_object(&mut self, row: &ParamPath) -> Result<(), ModelFault> {
        match self.nodes.get(row) {
            None => return Err(unknown_name()),
            Some(Node::Object { deletable: true }) => {}
            Some(_) => {
                let text = "this object cannot be deleted";
                return Err(ModelFault::new(FaultCode::INVALID_ARGUMENTS, text));
            }
        }
        let gone: Vec<ParamPath> = self.under(row.as_str()).map(|(path, _)| path.clone()).collect();
        for path in &gone {
            if let Some(Node::Parameter(_)) = self.nodes.remove(path) {
                self.parameters = self.parameters.saturating_sub(1);
            }
        }
        let parent =
            row.as_str().trim_end_matches('.').rsplit_once('.').map_or("", |(head, _)| head);
        self.count_rows(&format!("{parent}."));
        Ok(())
    }

    /// What is at and below a prefix, in path order.
    fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a ParamPath, &'a Node)> {
        self.nodes
            .range::<str, (Bound<&str>, Bound<&str>)>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(path, _)| path.as_str().starts_with(prefix))
    }

    /// Why one new value cannot be taken; `None` if it can.
    fn refusal(&self, wanted: &ParameterValue) -> Option<ParameterFault> {
        let (code, text) = match self.nodes.get(&wanted.name) {
            Some(Node::Parameter(parameter)) => judge(parameter, &wanted.value)?,
            _ => (FaultCode::INVALID_PARAMETER_NAME, "no such parameter"),
        };
        Some(ParameterFault { name: wanted.name.as_str().into(), code, text: text.into() })
    }

    fn insert(&mut self, path: &str, node: Node) {
        let Ok(path) = ParamPath::parse(path) else { return };
        let is_parameter = matches!(node, Node::Parameter(_));
        let before = self.nodes.insert(path, node);
        let was_parameter = matches!(before, Some(Node::Parameter(_)));
        if is_parameter && !was_parameter {
            self.parameters += 1;
        }
    }

    fn define_parents(&mut self, path: &str) {
        let inside = path.strip_suffix('.').unwrap_or(path);
        for (at, _) in inside.match_indices('.') {
            if let Some(object) = inside.get(..=at)
                && !self.nodes.contains_key(object)
            {
                self.insert(object, Node::Object { deletable: false });
            }
        }
    }

    /// How many rows a table has.
    fn rows(&self, table: &str) -> usize {
        self.under(table)
            .filter(|(path, _)| {
                let below = path.as_str().get(table.len()..).unwrap_or("");
                below
                    .strip_suffix('.')
                    .is_some_and(|number| !number.contains('.') && !number.is_empty())
            })
            .count()
    }

    /// Brings `…NumberOfEntries` up to date, where the model has it.
    fn count_rows(&mut self, table: &str) {
        let count = self.rows(table).to_string();
        let counter = format!("{}NumberOfEntries", table.trim_end_matches('.'));
        self.change(&counter, &count);
    }
}

fn unknown_name() -> ModelFault {
    ModelFault::new(FaultCode::INVALID_PARAMETER_NAME, "no such parameter or object")
}

fn info(path: &ParamPath, node: &Node) -> ParameterInfo {
    let writable = match node {
        Node::Object { deletable } => *deletable,
        Node::Table { template, .. } => template.is_some(),
        Node::Parameter(parameter) => parameter.writable,
    };
    ParameterInfo { name: path.clone(), writable }
}

/// What is told of a parameter: secrets are empty.
fn reading(path: &ParamPath, parameter: &Parameter) -> ParameterValue {
    let value = if parameter.secret {
        Value::new("", parameter.value.kind.clone())
    } else {
        parameter.value.clone()
    };
    ParameterValue { name: path.clone(), value }
}

/// Why a parameter does not take a value; `None` if it does.
fn judge(parameter: &Parameter, wanted: &Value) -> Option<(FaultCode, &'static str)> {
    if !parameter.writable {
        return Some((FaultCode::NOT_WRITABLE, "the parameter cannot be written"));
    }
    if parameter.value.kind != wanted.kind {
        return Some((FaultCode::INVALID_PARAMETER_TYPE, "the parameter has another type"));
    }
    if !has_form(wanted) {
        return Some((FaultCode::INVALID_PARAMETER_VALUE, "the text is no value of this type"));
    }
    let sound = match parameter.check {
        Check::Any => true,
        Check::Length(most) => wanted.text.chars().count() <= most,
        Check::Range(least, most) => {
            wanted.text.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number))
        }
        Check::OneOf(texts) => texts.contains(&&*wanted.text),
    };
    if sound {
        None
    } else {
        Some((FaultCode::INVALID_PARAMETER_VALUE, "the value is out of range"))
    }
}

/// Whether a text has the form that its type asks for (TR-106 §3.2.3).
fn has_form(value: &Value) -> bool {
    let text = &*value.text;
    match value.kind {
        ValueType::Boolean => matches!(text, "0" | "1" | "true" | "false"),
        ValueType::Int => text.parse::<i32>().is_ok(),
        ValueType::UnsignedInt => text.parse::<u32>().is_ok(),
        ValueType::Long => text.parse::<i64>().is_ok(),
        ValueType::UnsignedLong => text.parse::<u64>().is_ok(),
        ValueType::DateTime => text.starts_with("0001-01-01T") || Timestamp::parse(text).is_some(),
        ValueType::HexBinary => hex::decode(text).is_ok(),
        ValueType::String | ValueType::Base64 | ValueType::Decimal | ValueType::Other(_) => true,
    }
}
