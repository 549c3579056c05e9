//! Bringing a device to a state: which RPCs it takes, what comes of it, and that
//! it ends whatever the device does.

mod breaks;
mod cases;
mod personalities;
mod properties;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::device::TestDevice;
use super::*;
use crate::device::{
    AttributeWish, Desired, FaultRecord, OtherRows, Wanted, WantedAttribute, WantedRow,
    WantedTable, WantedValue,
};

/// What a run came to.
struct Came {
    methods: Vec<String>,
    task: Task,
    written: BTreeMap<Box<str>, u64>,
}

impl Came {
    fn word(&self) -> &'static str {
        self.task.state.word()
    }

    fn fault(&self) -> FaultRecord {
        match &self.task.state {
            TaskState::Ended { outcome: Outcome::Failed(fault), .. } => fault.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn result(&self, name: &str) -> Option<&str> {
        let mut results = self.task.results.iter();
        results.find(|result| *result.name == *name).map(|result| &*result.value)
    }
}

fn memory(known: BTreeMap<Box<str>, u64>) -> Written {
    let digest: Digest = Arc::new(|path, value| {
        let mut hasher = DefaultHasher::new();
        (path, value).hash(&mut hasher);
        hasher.finish()
    });
    Written::new(known, digest)
}

fn short(request: &AcsRequest) -> String {
    let capitals = |name: &str| name.chars().filter(char::is_ascii_uppercase).collect::<String>();
    capitals(request.method())
}

/// Runs a task to its end in one session.
fn go(desired: &Desired, tree: &mut Tree, device: &mut TestDevice) -> Came {
    go_on(task(1, Action::Converge(Box::new(desired.clone()))), tree, device, BTreeMap::new())
}

fn go_on(
    task: Task,
    tree: &mut Tree,
    device: &mut TestDevice,
    written: BTreeMap<Box<str>, u64>,
) -> Came {
    let known = written.clone();
    let situation = Situation { written: memory(written), ..situation(vec![task.clone()]) };
    let mut planner = Planner::new(situation, !tree.is_empty(), NOW);
    let mut came = Came { methods: Vec::new(), task, written: known };
    loop {
        match planner.next(tree, NOW) {
            Step::Satisfied => break,
            Step::Rpc { request, record_first } => {
                came.task = record_first.map_or(came.task, |task| *task);
                came.methods.push(short(&request));
                assert!(came.methods.len() < 20_000, "it goes on for ever");
                let answer = device.answer(&request);
                planner.answer(answer, tree, NOW);
            }
        }
        came.task = planner.take_changes().pop().unwrap_or(came.task);
    }
    came.task = planner.take_changes().pop().unwrap_or(came.task);
    came.written = planner.take_written().unwrap_or(came.written);
    came
}

fn value(name: &str, text: &str) -> WantedValue {
    WantedValue { path: path(name), value: Wanted::Value(Value::string(text)), source: 0 }
}

fn row(name: &str, values: &[(&str, &str)]) -> WantedRow {
    let wanted = |text: &str| match text.strip_prefix('@') {
        Some(name) => Wanted::Row(name.into()),
        None => Wanted::Value(Value::string(text)),
    };
    let values = values.iter().map(|(leaf, text)| (Box::from(*leaf), wanted(text))).collect();
    WantedRow { name: name.into(), values }
}

fn table(table: &str, others: OtherRows, rows: Vec<WantedRow>) -> WantedTable {
    WantedTable { table: table.into(), keys: vec!["Key".into()], rows, others, source: 0 }
}

fn notify(name: &str, number: u8) -> WantedAttribute {
    let wish = AttributeWish { path: path(name), notification: Some(number), access_list: None };
    WantedAttribute { wish, source: 0 }
}

fn wants(values: Vec<WantedValue>, tables: Vec<WantedTable>) -> Desired {
    Desired { values, tables, ..Desired::default() }
}

/// What is wanted, counted.
fn size(desired: &Desired) -> usize {
    let rows = desired.tables.iter().flat_map(|table| &table.rows);
    desired.values.len()
        + desired.attributes.len()
        + desired.tables.len()
        + rows.map(|row| 1 + row.values.len()).sum::<usize>()
}

/// What is announced, method by method, as many times.
fn announced(assessment: &Assessment) -> Vec<String> {
    let capitals = |name: &str| name.chars().filter(char::is_ascii_uppercase).collect::<String>();
    let all = assessment.rpcs.iter().flat_map(|rpc| {
        std::iter::repeat_n(capitals(rpc.method), usize::try_from(rpc.count).unwrap())
    });
    let mut all: Vec<String> = all.collect();
    all.sort();
    all
}
