//! A device with tables, nested tables, secrets and attributes, that follows the
//! protocol unless it is told to lie.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::cwmp::{ParameterAttributes, ParameterFault};

/// The ways in which it strays.
#[derive(Clone, Debug, Default)]
pub(super) struct Habits {
    pub(super) yes_man: bool,
    /// Says yes, and sets the value back before it is read.
    pub(super) sets_back: bool,
    pub(super) row_zero: bool,
    pub(super) same_row: bool,
    /// AddObject makes two rows.
    pub(super) twins: bool,
    /// Rows without values are gone when the next request comes.
    pub(super) forgets_rows: bool,
    pub(super) keeps_deleted: bool,
    pub(super) reads_at_most: Option<usize>,
    pub(super) writes_at_most: Option<usize>,
    pub(super) names_no_parameter: bool,
    pub(super) says_read_only: bool,
    pub(super) omits_unknown: bool,
    pub(super) trailing_blanks: bool,
    pub(super) masks_secrets: bool,
    pub(super) clear_secrets: bool,
    pub(super) no_names: bool,
    pub(super) no_partial_paths: bool,
    pub(super) wants_words: bool,
    pub(super) dotless: bool,
    /// Each so many requests one is answered by a fault.
    pub(super) faults_each: Option<usize>,
    /// Everything is applied later.
    pub(super) later: bool,
    /// Another row in a table each time that it is asked.
    pub(super) grows: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) value: Value,
    pub(super) writable: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct TestDevice {
    pub(super) cells: BTreeMap<String, Cell>,
    /// Objects, tables and rows; tables and rows that can be added and deleted.
    pub(super) objects: BTreeMap<String, bool>,
    next: BTreeMap<String, u32>,
    pub(super) attributes: BTreeMap<String, u32>,
    pub(super) habits: Habits,
    pub(super) asked: usize,
    pub(super) added: Vec<String>,
}

/// What a row begins with.
const LEAVES: [(&str, &str, ValueType); 6] = [
    ("Key", "", ValueType::String),
    ("Name", "", ValueType::String),
    ("Flag", "0", ValueType::Boolean),
    ("Count", "0", ValueType::UnsignedInt),
    ("Ref", "", ValueType::String),
    ("Password", "", ValueType::String),
];

impl TestDevice {
    /// Parameters `Device.P.V0` to `V7`, of which the last cannot be written, and
    /// tables `Device.A.`, `Device.B.`, each row with a table `S.`.
    pub(super) fn new() -> Self {
        let mut device = Self::default();
        for object in ["Device.", "Device.P."] {
            device.objects.insert(object.into(), false);
        }
        for number in 0..8 {
            let cell = Cell { value: Value::string("old"), writable: number < 7 };
            device.cells.insert(format!("Device.P.V{number}"), cell);
        }
        for table in ["Device.A.", "Device.B."] {
            device.objects.insert(table.into(), true);
        }
        device
    }

    /// Puts a row into a table, and returns it with its dot.
    pub(super) fn row(&mut self, table: &str, key: &str) -> String {
        let row = self.make(table);
        self.cells.get_mut(&format!("{row}Key")).unwrap().value.text = key.into();
        row
    }

    fn make(&mut self, table: &str) -> String {
        let number = self.next.entry(table.to_owned()).or_insert(1);
        let row = format!("{table}{number}.");
        *number += 1;
        self.objects.insert(row.clone(), true);
        for (leaf, text, kind) in LEAVES {
            let cell = Cell { value: Value::new(text, kind), writable: true };
            self.cells.insert(format!("{row}{leaf}"), cell);
        }
        if table.matches('.').count() == 2 {
            self.objects.insert(format!("{row}S."), true);
        }
        row
    }

    pub(super) fn text(&self, path: &str) -> &str {
        self.cells.get(path).map_or("", |cell| &cell.value.text)
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: &str) -> Vec<String> {
        let below = |path: &&String| {
            path.strip_prefix(table)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|row| row.parse::<u32>().is_ok())
        };
        self.objects.keys().filter(below).cloned().collect()
    }

    /// Everything that the device would tell.
    pub(super) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let names = self.objects.iter().map(|(name, writable)| (path(name), *writable));
        let cells = self.cells.iter().map(|(name, cell)| (path(name), cell.writable));
        tree.adopt_names("Device.", names.chain(cells).collect(), NOW);
        for (name, cell) in &self.cells {
            let _ = tree.learn_value(&path(name), self.told(name, &cell.value), NOW);
        }
        tree
    }

    /// How many parameters and objects there are.
    pub(super) fn size(&self) -> usize {
        self.cells.len() + self.objects.len()
    }

    pub(super) fn answer(&mut self, request: &AcsRequest) -> Result<CpeResponse, Fault> {
        self.asked += 1;
        if self.habits.faults_each.is_some_and(|each| self.asked.is_multiple_of(each)) {
            return Err(fault(Code([9001, 9002, 9003, 9004, 9005][self.asked % 5])));
        }
        let status = u32::from(self.habits.later);
        match request {
            AcsRequest::GetParameterNames(asked) => {
                let below = asked.path.as_ref().map_or("", |path| path.as_str());
                self.names(below, asked.next_level)
            }
            AcsRequest::GetParameterValues(asked) => self.values(&asked.names),
            AcsRequest::SetParameterValues(asked) => {
                self.set(&asked.values)?;
                Ok(CpeResponse::SetParameterValues(status))
            }
            AcsRequest::AddObject(asked) => self.add(asked.table.as_str(), status),
            AcsRequest::DeleteObject(asked) => {
                let row = asked.instance.as_str();
                if !self.objects.contains_key(row) {
                    return Err(fault(Code::INVALID_PARAMETER_NAME));
                }
                if !self.habits.keeps_deleted && !self.habits.later {
                    self.drop_row(row);
                }
                Ok(CpeResponse::DeleteObject(status))
            }
            AcsRequest::SetParameterAttributes(asked) => {
                for change in &asked.changes {
                    if !self.cells.contains_key(change.name.as_str()) {
                        return Err(fault(Code::INVALID_PARAMETER_NAME));
                    }
                }
                for change in asked.changes.iter().filter(|_| !self.habits.yes_man) {
                    let number = change.notification.unwrap_or_default();
                    self.attributes.insert(change.name.to_string(), number);
                }
                Ok(CpeResponse::SetParameterAttributes)
            }
            AcsRequest::GetParameterAttributes(asked) => {
                let told = asked.names.iter().map(|name| ParameterAttributes {
                    name: name.clone(),
                    notification: self.attributes.get(name.as_str()).copied().unwrap_or_default(),
                    access_list: Vec::new(),
                });
                Ok(CpeResponse::GetParameterAttributes(told.collect()))
            }
            _ => Err(fault(Code::METHOD_NOT_SUPPORTED)),
        }
    }

    pub(super) fn drop_row(&mut self, row: &str) {
        self.objects.retain(|path, _| !path.starts_with(row));
        self.cells.retain(|path, _| !path.starts_with(row));
    }

    fn add(&mut self, table: &str, status: u32) -> Result<CpeResponse, Fault> {
        let is_table = table == "Device.A."
            || table == "Device.B."
            || (table.ends_with(".S.") && self.objects.contains_key(table));
        if !is_table {
            return Err(fault(Code::INVALID_PARAMETER_NAME));
        }
        let made = |instance| Ok(CpeResponse::AddObject(AddObjectResponse { instance, status }));
        if self.habits.row_zero {
            return made(0);
        }
        if self.habits.same_row {
            return made(1);
        }
        let row = self.make(table);
        self.added.push(row.clone());
        if self.habits.twins {
            let _ = self.make(table);
        }
        let number = row[table.len()..].trim_end_matches('.').parse().unwrap();
        if self.habits.forgets_rows {
            self.drop_row(&row);
        }
        made(number)
    }

    fn names(&mut self, below: &str, next_level: bool) -> Result<CpeResponse, Fault> {
        if self.habits.no_names {
            return Err(fault(Code::METHOD_NOT_SUPPORTED));
        }
        if self.habits.grows && below == "Device.A." {
            let _ = self.make("Device.A.");
        }
        if !self.objects.contains_key(below) && !self.cells.contains_key(below) {
            return Err(fault(Code::INVALID_PARAMETER_NAME));
        }
        let known = self.objects.iter().map(|(name, writable)| (name, *writable));
        let all = known.chain(self.cells.iter().map(|(name, cell)| (name, cell.writable)));
        let wanted = all.filter(|(name, _)| {
            name.strip_prefix(below).is_some_and(|rest| {
                let inside = rest.strip_suffix('.').unwrap_or(rest);
                !next_level || (!inside.is_empty() && !inside.contains('.'))
            })
        });
        let infos = wanted.map(|(name, writable)| {
            let name = if self.habits.dotless { name.trim_end_matches('.') } else { name };
            ParameterInfo { name: path(name), writable: writable && !self.habits.says_read_only }
        });
        Ok(CpeResponse::GetParameterNames(infos.collect()))
    }

    fn told(&self, name: &str, value: &Value) -> Value {
        let mut value = value.clone();
        if name.ends_with("Password") && !self.habits.clear_secrets {
            value.text = if self.habits.masks_secrets { "********".into() } else { "".into() };
        } else if self.habits.trailing_blanks && value.kind == ValueType::String {
            value.text = format!("{}  ", value.text).into();
        }
        value
    }

    fn values(&mut self, names: &[ParamPath]) -> Result<CpeResponse, Fault> {
        if self.habits.reads_at_most.is_some_and(|most| names.len() > most) {
            return Err(fault(Code::RESOURCES_EXCEEDED));
        }
        let mut values = Vec::new();
        for name in names {
            let text = name.as_str();
            let told = |(name, cell): (&String, &Cell)| ParameterValue {
                name: path(name),
                value: self.told(name, &cell.value),
            };
            if name.is_object() && self.objects.contains_key(text) && !self.habits.no_partial_paths
            {
                values
                    .extend(self.cells.iter().filter(|(path, _)| path.starts_with(text)).map(told));
            } else if let Some(cell) = self.cells.get_key_value(text) {
                values.push(told(cell));
            } else if !self.habits.omits_unknown {
                return Err(fault(Code::INVALID_PARAMETER_NAME));
            }
        }
        Ok(CpeResponse::GetParameterValues(values))
    }

    fn set(&mut self, values: &[ParameterValue]) -> Result<(), Fault> {
        if self.habits.writes_at_most.is_some_and(|most| values.len() > most) {
            return Err(fault(Code::RESOURCES_EXCEEDED));
        }
        let mut seen = BTreeSet::new();
        let mut bad = Vec::new();
        for value in values {
            let code = match self.cells.get(value.name.as_str()) {
                _ if !seen.insert(&value.name) => 9003,
                None => 9005,
                Some(cell) if !cell.writable => 9008,
                Some(cell) if cell.value.kind != value.value.kind => 9006,
                Some(cell) if !fits(&cell.value.kind, &value.value.text, &self.habits) => 9007,
                Some(_) => continue,
            };
            let name = value.name.as_str().into();
            bad.push(ParameterFault { name, code: Code(code), text: "no".into() });
        }
        if !bad.is_empty() {
            let parameters = if self.habits.names_no_parameter { Vec::new() } else { bad };
            let code = Code::INVALID_ARGUMENTS;
            return Err(Fault { code, text: "no".into(), parameters });
        }
        for value in values.iter().filter(|_| !self.habits.yes_man && !self.habits.later) {
            self.cells.get_mut(value.name.as_str()).unwrap().value = value.value.clone();
        }
        if self.habits.sets_back
            && let Some(last) = values.last()
        {
            self.cells.get_mut(last.name.as_str()).unwrap().value.text = "back".into();
        }
        Ok(())
    }
}

/// `bad` is no value of any parameter.
fn fits(kind: &ValueType, text: &str, habits: &Habits) -> bool {
    let boolean = if habits.wants_words { ["true", "false"] } else { ["1", "0"] };
    match kind {
        ValueType::Boolean => boolean.contains(&text),
        ValueType::UnsignedInt => text.parse::<u32>().is_ok(),
        _ => text != "bad",
    }
}
