//! Tests of the room: what intents come to on trees of several data models.

mod bounds;
mod tables;

use super::{Answer, Intent, Known, Resolution, Ways};
use crate::device::{Desired, Source, Wanted};
use crate::param::{ParamPath, Tree, Value, ValueType};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn path(text: &str) -> ParamPath {
    ParamPath::parse(text).unwrap()
}

/// A tree as a device told it: names with their access, and values. A line is
/// `path = value`, with `!` before a name that is read-only, `?` before one whose
/// value was never read; a line that ends with a dot is an object.
fn tree(text: &str) -> Tree {
    let mut tree = Tree::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        let name = name.trim();
        let (writable, read) = (!name.starts_with('!'), !name.starts_with('?'));
        let name = name.trim_start_matches(['!', '?']);
        // The objects around it were told as well.
        for (at, _) in name.match_indices('.') {
            let object = path(&name[..=at]);
            if tree.get(object.as_str()).is_none() {
                tree.learn_name(&object, true, NOW);
            }
        }
        if !name.ends_with('.') {
            tree.learn_name(&path(name), writable, NOW);
            if read {
                tree.learn_value(&path(name), typed(value.trim()), NOW);
            }
        }
    }
    tree
}

fn typed(text: &str) -> Value {
    match text {
        "true" | "false" => Value::new(text, ValueType::Boolean),
        _ if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Value::new(text, ValueType::UnsignedInt)
        }
        _ => Value::string(text),
    }
}

fn known<'a>(root: &'a str, tree: &'a Tree) -> Known<'a> {
    Known { root, tree, whole: true, oui: "00D09E", product_class: "Box" }
}

fn source() -> Source {
    Source { layer: "operator".into(), name: "test".into(), version: 0 }
}

fn ask(intent: &str, known: &Known<'_>) -> Answer {
    let intent = Intent::from_json(&serde_json::from_str(intent).unwrap()).unwrap();
    Ways::core().resolve(&intent, known, source())
}

fn wanted(answer: Answer) -> Resolution {
    match answer {
        Answer::Wanted(resolution) => *resolution,
        other => panic!("{other:?}"),
    }
}

/// `path=value` of all that is to be written.
fn writes(answer: Answer) -> Vec<String> {
    let resolution = wanted(answer);
    assert_eq!(resolution.desired.sources, [source()]);
    let values = resolution.desired.values.iter();
    values.map(|one| format!("{}={}", one.path, text_of(&one.value))).collect()
}

fn text_of(value: &Wanted) -> &str {
    match value {
        Wanted::Value(value) => &value.text,
        Wanted::Row(name) => name,
    }
}

/// Brings a tree to a state, as a device would be.
fn apply(tree: &mut Tree, desired: &Desired) {
    for one in &desired.values {
        if let Wanted::Value(value) = &one.value {
            tree.learn_value(&one.path, value.clone(), NOW);
        }
    }
    for table in &desired.tables {
        for row in &table.rows {
            let number = tree.rows(&table.table).len() + 1;
            tree.learn_name(&path(&format!("{}{number}.", table.table)), true, NOW);
            for (name, value) in &row.values {
                if let Wanted::Value(value) = value {
                    let path = path(&format!("{}{number}.{name}", table.table));
                    tree.learn_value(&path, value.clone(), NOW);
                }
            }
        }
    }
}
