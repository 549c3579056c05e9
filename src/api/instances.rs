//! Rows by alias and by wildcard: asked only of devices that have them.

use super::problem::{ApiError, bad_value};
use super::state::State;
use crate::device::{Action, Device};
use crate::param::{ParamPath, Value};

/// Refuses paths that the device cannot know: aliases where it does not say that
/// it has them, malformed ones, wildcards where nothing is read.
pub(super) async fn check(state: &State, device: &Device, action: &Action) -> Result<(), ApiError> {
    let paths = paths(action);
    let reads = matches!(action, Action::Get(_) | Action::Refresh(_));
    let mut wants_alias = None;
    for (field, path) in &paths {
        path.check_instances().map_err(|error| bad_value(field.clone(), error))?;
        if path.has_wildcard() && !reads {
            return Err(bad_value(field.clone(), "a wildcard can be read, and nothing else"));
        }
        if path.has_alias() {
            wants_alias = wants_alias.or(Some(field));
        }
    }
    if let Action::AddObject { table, .. } = action
        && let Some((_, alias)) = table.split_alias()
        && alias.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("cpe-"))
    {
        let why = "an alias that begins with cpe- is for the device to give (TR-069 §3.6.1)";
        return Err(bad_value("path", why));
    }
    let Some(field) = wants_alias else { return Ok(()) };
    let name = format!("{}ManagementServer.AliasBasedAddressing", device.root);
    let tree = state.store().tree(&device.id).await?.unwrap_or_default();
    match tree.value(&name).and_then(Value::as_bool) {
        Some(true) => Ok(()),
        said => {
            let said =
                if said.is_some() { "says that it has no" } else { "does not say that it has" };
            let why =
                format!("this device {said} rows by alias ({name}); name the row by its number");
            Err(bad_value(field.clone(), why))
        }
    }
}

/// The paths of an action with the fields of the request that they came in.
fn paths(action: &Action) -> Vec<(String, &ParamPath)> {
    let at = |field: &str, position: usize| format!("{field}[{position}]");
    match action {
        Action::Get(names) | Action::GetAttributes(names) => {
            names.iter().enumerate().map(|(n, name)| (at("names", n), name)).collect()
        }
        Action::Set(values) => {
            let names = values.iter().enumerate();
            names.map(|(n, (name, _))| (at("values", n) + ".name", name)).collect()
        }
        Action::SetAttributes(wishes) => {
            let paths = wishes.iter().enumerate();
            paths.map(|(n, wish)| (at("attributes", n), &wish.path)).collect()
        }
        Action::Refresh(Some(path))
        | Action::AddObject { table: path, .. }
        | Action::DeleteObject(path) => vec![("path".to_owned(), path)],
        _ => Vec::new(),
    }
}
