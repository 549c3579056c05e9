//! From a task of this dialect to an action of ours. What is left out or wrong is
//! told, in the words of the original where it has some.

use serde_json::{Map, Value, json};

use super::super::new_task::NewTask;
use super::super::problem::ApiError;
use super::super::state::State;
use super::super::within::Eyes;
use super::files;
use super::reply::Refusal;
use crate::access::Reach;
use crate::device::{Action, Device, DownloadFile};
use crate::param::Tree;

type Members = Map<String, Value>;

/// The built-in provisions that can be said as actions.
const BUILT_IN: &str = "refresh, value, reboot, reset, download, instances";

/// The action that a task asks for.
///
/// # Errors
/// [`Refusal::Bad`] when it is none, or a script would have to run for it.
pub(super) async fn action(
    state: &State,
    reach: &Reach,
    device: &Device,
    members: &Members,
) -> Result<Action, Refusal> {
    let Some(Value::String(name)) = members.get("name") else {
        return Err(Refusal::bad("Error: Missing 'name' property"));
    };
    let tree = state.store().tree(&device.id).await?.unwrap_or_default();
    match name.as_str() {
        "getParameterValues" => {
            let names = list(members, "parameterNames")?;
            let names: Option<Vec<String>> =
                names.iter().map(|name| name.as_str().map(|name| read_as(&tree, name))).collect();
            let names = names.ok_or_else(|| missing("parameterNames"))?;
            ours(state, device, json!({"action": "get", "names": names})).await
        }
        "setParameterValues" => {
            let values = values(list(members, "parameterValues")?)?;
            ours(state, device, json!({"action": "set", "values": values})).await
        }
        "refreshObject" => refresh(state, device, &tree, text(members, "objectName")?).await,
        "addObject" => {
            let values = match members.get("parameterValues") {
                None | Some(Value::Null) => Vec::new(),
                Some(_) => values(list(members, "parameterValues")?)?,
            };
            let path = object(text(members, "objectName")?);
            ours(state, device, json!({"action": "add_object", "path": path, "values": values}))
                .await
        }
        "deleteObject" => {
            let path = object(text(members, "objectName")?);
            ours(state, device, json!({"action": "delete_object", "path": path})).await
        }
        "reboot" => Ok(Action::Reboot),
        "factoryReset" => Ok(Action::FactoryReset),
        "download" => {
            let name = members.get("fileName").or_else(|| members.get("file"));
            let Some(Value::String(file)) = name else { return Err(missing("fileName")) };
            let target = optional(members, "targetFileName")?;
            download(state, reach, device, file, optional(members, "fileType")?, target).await
        }
        "provisions" => provisions(state, reach, device, &tree, list(members, "provisions")?).await,
        _ => Err(Refusal::bad("Error: Invalid task name")),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::bad(format!("Error: Missing '{name}' property"))
}

fn list<'a>(members: &'a Members, name: &str) -> Result<&'a [Value], Refusal> {
    members.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| missing(name))
}

fn text<'a>(members: &'a Members, name: &str) -> Result<&'a str, Refusal> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| missing(name))
}

fn optional<'a>(members: &'a Members, name: &str) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::bad(format!("Error: Invalid '{name}' property"))),
    }
}

/// An object as we write it, with its dot.
fn object(name: &str) -> String {
    if name.ends_with('.') || name.is_empty() { name.to_owned() } else { format!("{name}.") }
}

/// A name that is to be read: an object, if the device has one of that name.
fn read_as(tree: &Tree, name: &str) -> String {
    let below = object(name);
    let is_object = tree.get(name).is_none() && tree.under(&below).next().is_some();
    if is_object { below } else { name.to_owned() }
}

/// `[["name", value, "xsd:type"], …]` as we write it.
fn values(items: &[Value]) -> Result<Vec<Value>, Refusal> {
    let wrong = || {
        Refusal::bad(
            "Error: 'parameterValues' is a list of lists, as in [[\"Device.A.B\", 5, \"xsd:unsignedInt\"]]",
        )
    };
    let read = items.iter().map(|item| {
        let item =
            item.as_array().filter(|item| (2..=3).contains(&item.len())).ok_or_else(wrong)?;
        let name = item.first().and_then(Value::as_str).ok_or_else(wrong)?;
        let value = scalar(item.get(1)).ok_or_else(wrong)?;
        match item.get(2) {
            None | Some(Value::Null) => Ok(json!({"name": name, "value": value})),
            Some(Value::String(kind)) if !kind.is_empty() => {
                Ok(json!({"name": name, "value": value, "type": kind}))
            }
            Some(Value::String(_)) => Ok(json!({"name": name, "value": value})),
            Some(_) => Err(wrong()),
        }
    });
    read.collect()
}

/// A text, a truth or a number as text.
fn scalar(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The action of a task of our own interface, with all its checks but the one
/// against data models: the original asks the device.
async fn ours(state: &State, device: &Device, mut task: Value) -> Result<Action, Refusal> {
    if let Some(members) = task.as_object_mut() {
        members.insert("unchecked".to_owned(), Value::Bool(true));
    }
    let read: Result<NewTask, _> = serde_json::from_value(task);
    let new = read.map_err(|error| Refusal::bad(format!("Error: {error}")))?;
    // None of these names another's thing.
    Ok(new.action(state, &Reach::WHOLE, device).await?)
}

async fn refresh(
    state: &State,
    device: &Device,
    tree: &Tree,
    name: &str,
) -> Result<Action, Refusal> {
    if name.is_empty() {
        return Ok(Action::Refresh(None));
    }
    if tree.get(name).is_some() {
        return ours(state, device, json!({"action": "get", "names": [name]})).await;
    }
    ours(state, device, json!({"action": "refresh", "path": object(name)})).await
}

async fn download(
    state: &State,
    reach: &Reach,
    device: &Device,
    name: &str,
    file_type: Option<&str>,
    target: Option<&str>,
) -> Result<Action, Refusal> {
    let labels = state.store().labels(&device.id).await?.unwrap_or_default();
    let named = match files::named(state, name, &labels.tenant).await? {
        Some(named) => Eyes::over(state, reach).file(named).await?,
        None => None,
    };
    let Some(record) = named else {
        return Err(ApiError::NoSuch { what: "file", name: name.to_owned() }.into());
    };
    let file_type = match file_type {
        Some(given) if !given.is_empty() => files::checked_type(given)?,
        _ => &record.file_type,
    };
    let target = target.filter(|target| !target.is_empty()).unwrap_or(&record.name);
    super::super::extract::plain_text("targetFileName", target, 255)?;
    Ok(Action::Download(DownloadFile {
        sha256: record.sha256.clone(),
        file_type: file_type.into(),
        name: target.into(),
        size: record.size,
        // Over when the device says that it has the file, as with the original.
        version: None,
    }))
}

/// Provisions by the names of those that are built in. Several in one task must be
/// of one kind.
async fn provisions(
    state: &State,
    reach: &Reach,
    device: &Device,
    tree: &Tree,
    items: &[Value],
) -> Result<Action, Refusal> {
    let wrong = || {
        Refusal::bad(
            "Error: 'provisions' is a list of lists, as in [[\"refresh\", \"Device.WiFi\"]]",
        )
    };
    let mut calls: Vec<(&str, &[Value])> = Vec::with_capacity(items.len());
    for item in items {
        let (name, arguments) =
            item.as_array().and_then(|item| item.split_first()).ok_or_else(wrong)?;
        calls.push((name.as_str().ok_or_else(wrong)?, arguments));
    }
    let (name, arguments) = *calls.first().ok_or_else(wrong)?;
    if let Some((other, _)) = calls.iter().find(|(name, _)| !is_built_in(name)) {
        let shown: String = other.chars().take(64).flat_map(char::escape_default).collect();
        return Err(Refusal::bad(format!(
            "Error: the provision {shown} would run a script, and scripts are stored here and not run; there are {BUILT_IN}"
        )));
    }
    if calls.len() > 1 && (name != "value" || calls.iter().any(|(other, _)| *other != "value")) {
        return Err(Refusal::bad("Error: one provision in a task, or several of the kind value"));
    }
    let argument = |place: usize| arguments.get(place).and_then(Value::as_str);
    match name {
        "value" => {
            let values: Option<Vec<Value>> = calls.iter().map(|(_, call)| assigned(call)).collect();
            let values =
                values.ok_or_else(|| Refusal::bad("Error: value takes a path and a value"))?;
            ours(state, device, json!({"action": "set", "values": values})).await
        }
        "refresh" => refresh(state, device, tree, argument(0).ok_or_else(wrong)?).await,
        "reboot" => Ok(Action::Reboot),
        "reset" => Ok(Action::FactoryReset),
        "download" => {
            let file = argument(1).ok_or_else(wrong)?;
            download(state, reach, device, file, argument(0), argument(2)).await
        }
        "instances" => instances(state, device, arguments).await,
        _ => Err(Refusal::bad(
            "Error: tags are no task: POST and DELETE /devices/<id>/tags/<tag> change them at once",
        )),
    }
}

fn is_built_in(name: &str) -> bool {
    matches!(name, "refresh" | "value" | "tag" | "reboot" | "reset" | "download" | "instances")
}

/// `path, value` or `path, "value", value`.
fn assigned(arguments: &[Value]) -> Option<Value> {
    let (path, value) = match arguments {
        [path, value] => (path, value),
        [path, Value::String(attribute), value] if attribute == "value" => (path, value),
        _ => return None,
    };
    Some(json!({"name": path.as_str()?, "value": scalar(Some(value))?}))
}

/// One row more, or one that is named gone.
async fn instances(state: &State, device: &Device, arguments: &[Value]) -> Result<Action, Refusal> {
    let wrong = || {
        Refusal::bad(
            "Error: instances adds one row (\"Device.NAT.PortMapping.*\", \"+1\") or deletes one (\"Device.NAT.PortMapping.3\", 0)",
        )
    };
    let path = arguments.first().and_then(Value::as_str).ok_or_else(wrong)?;
    let count = scalar(arguments.get(1)).ok_or_else(wrong)?;
    match (path.strip_suffix(".*"), count.as_str()) {
        (Some(table), "+1") => {
            ours(state, device, json!({"action": "add_object", "path": object(table)})).await
        }
        (None, "0") => {
            ours(state, device, json!({"action": "delete_object", "path": object(path)})).await
        }
        _ => Err(wrong()),
    }
}
