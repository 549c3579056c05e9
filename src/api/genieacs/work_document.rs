//! Tasks and faults as documents.

use super::super::mask;
use super::device_document::shown;
use super::ids::short_id;
use super::node::{Members, Node};
use super::work::DISMISSED;
use crate::device::{Action, FaultRecord, Outcome, Task, TaskState};
use crate::param::{ParamPath, Value};

/// How long a task waits unless it is said otherwise, in seconds: a year. The
/// interface that this is a dialect of never gives one up.
pub(super) const FOREVER: u32 = 365 * 86_400;

/// What stands before the key by which a task replaces an older one.
const UNIQUE: &str = "uniqueKey: ";

/// The note of a key by which a task replaces an older one.
pub(super) fn unique_note(key: &str) -> Box<str> {
    format!("{UNIQUE}{key}").into()
}

/// Adds a line to what is told of a task, once.
pub(super) fn with_note(task: &mut Task, note: &str) {
    if !task.notes.iter().any(|line| **line == *note) {
        task.notes.push(note.into());
    }
}

/// Whether a task failed and nobody has let that go.
pub(super) fn is_faulty(task: &Task) -> bool {
    let failed = matches!(
        task.state,
        TaskState::Ended { outcome: Outcome::Failed(_) | Outcome::Unknown(_), .. }
    );
    failed && !task.notes.iter().any(|line| **line == *DISMISSED)
}

/// Whether a task is still to be done, or failed.
pub(super) fn is_listed(task: &Task) -> bool {
    !task.state.is_ended() || is_faulty(task)
}

/// A task as a document.
pub(super) fn task_document(task: &Task) -> Node {
    let mut members = asked(&task.action);
    members.insert("_id".into(), Node::text(short_id(task.id)));
    members.insert("device".into(), Node::text(task.device.as_str()));
    members.insert("timestamp".into(), Node::Time(task.created_at));
    if task.expires_at.since(task.created_at).as_secs() < FOREVER.into() {
        members.insert("expiry".into(), Node::Time(task.expires_at));
    }
    if let Some(key) = task.notes.iter().find_map(|line| line.strip_prefix(UNIQUE)) {
        members.insert("uniqueKey".into(), Node::text(key));
    }
    Node::Object(members)
}

/// A path as this dialect writes it: objects have no dot at the end.
fn plain(path: &ParamPath) -> Node {
    Node::text(path.as_str().trim_end_matches('.'))
}

/// A value with its name and its type.
fn assignment(name: &str, full: &str, value: &Value) -> Node {
    let kind = Node::text(format!("xsd:{}", value.kind.name()));
    Node::List(vec![Node::text(name), shown(full, value), kind])
}

/// What a task asks for.
fn asked(action: &Action) -> Members {
    let mut members = Members::new();
    let mut put = |name: &str, node: Node| drop(members.insert(name.into(), node));
    let name = match action {
        Action::Get(names) => {
            put("parameterNames", Node::List(names.iter().map(plain).collect()));
            "getParameterValues"
        }
        Action::Set(values) => {
            let values = values.iter();
            let values =
                values.map(|(path, value)| assignment(path.as_str(), path.as_str(), value));
            put("parameterValues", Node::List(values.collect()));
            "setParameterValues"
        }
        Action::Refresh(path) => {
            put("objectName", path.as_ref().map_or_else(|| Node::text(""), plain));
            "refreshObject"
        }
        Action::AddObject { table, values } => {
            put("objectName", plain(table));
            if !values.is_empty() {
                let values = values.iter();
                let values = values
                    .map(|(name, value)| assignment(name, &format!("{table}1.{name}"), value));
                put("parameterValues", Node::List(values.collect()));
            }
            "addObject"
        }
        Action::DeleteObject(path) => {
            put("objectName", plain(path));
            "deleteObject"
        }
        Action::Download(file) => {
            put("fileType", Node::text(file.file_type.clone()));
            put("fileName", Node::text(file.name.clone()));
            "download"
        }
        Action::Reboot => "reboot",
        Action::FactoryReset => "factoryReset",
        other => other.word(),
    };
    members.insert("name".into(), Node::text(name));
    members
}

/// The fault of a task as a document; `None` if it has none.
pub(super) fn fault_document(task: &Task) -> Option<Node> {
    let TaskState::Ended { at, outcome } = &task.state else { return None };
    let (code, message, detail) = match outcome {
        Outcome::Failed(fault) => {
            (code(fault), mask::url(&fault.text).into_owned(), Some(detail(fault)))
        }
        Outcome::Unknown(reason) => ("session_terminated".to_owned(), reason.to_string(), None),
        _ => return None,
    };
    let channel = format!("task_{}", short_id(task.id));
    let mut members = Members::from([
        ("_id".into(), Node::text(format!("{}:{channel}", task.device))),
        ("device".into(), Node::text(task.device.as_str())),
        ("channel".into(), Node::text(channel)),
        ("timestamp".into(), Node::Time(*at)),
        ("code".into(), Node::text(code)),
        ("message".into(), Node::text(message)),
        ("retries".into(), Node::whole(0)),
    ]);
    members.extend(detail.map(|detail| ("detail".into(), detail)));
    Some(Node::Object(members))
}

fn code(fault: &FaultRecord) -> String {
    if fault.code == 0 { "failed".to_owned() } else { format!("cwmp.{}", fault.code) }
}

/// The fault as the device told it.
fn detail(fault: &FaultRecord) -> Node {
    let refused = fault.parameters.iter().map(|(name, code, text)| {
        Node::object([
            ("parameterName", Node::text(name.clone())),
            ("faultCode", Node::text(code.to_string())),
            ("faultString", Node::text(mask::url(text).into_owned())),
        ])
    });
    let refused: Vec<Node> = refused.collect();
    let mut members = Members::from([
        ("faultCode".into(), Node::text(fault.code.to_string())),
        ("faultString".into(), Node::text(mask::url(&fault.text).into_owned())),
    ]);
    if !refused.is_empty() {
        members.insert("setParameterValuesFault".into(), Node::List(refused));
    }
    Node::Object(members)
}
