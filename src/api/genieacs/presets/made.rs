//! From a preset to a profile, where it can be said as one.

use serde_json::{Map, Value, json};

use super::{Objects, legacy, precondition};
use crate::param::ParamPath;
use crate::schema::{Asked, Known};

type Members = Map<String, Value>;

/// The profile that a preset is.
///
/// # Errors
/// What in it cannot be said as one, in words.
pub(super) fn profile(preset: &Members, objects: &Objects) -> Result<Members, String> {
    let is_set = |name: &str| match preset.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    };
    if is_set("events") {
        return Err("profiles know no events: they hold at all times".to_owned());
    }
    if is_set("schedule") {
        return Err("profiles know no schedule: they hold at all times".to_owned());
    }
    let mut profile = Members::new();
    if let Some(rule) = rule(preset.get("precondition"))? {
        profile.insert("match".to_owned(), rule.into());
    }
    profile.insert("priority".to_owned(), weight(preset.get("weight"))?.into());
    let none = Vec::new();
    let configurations = match preset.get("configurations") {
        None | Some(Value::Null) => &none,
        Some(Value::Array(items)) => items,
        Some(_) => return Err("configurations is no list".to_owned()),
    };
    let mut parts = Parts::default();
    for item in configurations {
        let item = item.as_object().ok_or("a configuration is no object")?;
        parts.add(item, objects)?;
    }
    parts.put(&mut profile);
    Ok(profile)
}

/// Whether a preset names an object.
pub(super) fn names_object(preset: &Members, object: &str) -> bool {
    let items = preset.get("configurations").and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .any(|item| item.get("object").and_then(Value::as_str) == Some(object))
}

fn rule(precondition: Option<&Value>) -> Result<Option<String>, String> {
    match precondition {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(members)) => legacy::rule(&Value::Object(members.clone()).to_string()),
        Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
        Some(Value::String(text)) if text.trim_start().starts_with('{') => legacy::rule(text),
        Some(Value::String(text)) => precondition::rule(text).map(Some),
        Some(_) => Err("the precondition is no text".to_owned()),
    }
}

fn weight(weight: Option<&Value>) -> Result<i32, String> {
    let read = match weight {
        None | Some(Value::Null) => Some(0.0),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let read = read.filter(|weight: &f64| weight.is_finite()).ok_or("the weight is no number")?;
    let bound = f64::from(i32::MAX);
    // In bounds by now, and rounded on purpose.
    Ok(read.clamp(-bound, bound).round() as i32)
}

/// The parts of a profile as configurations bring them.
#[derive(Default)]
struct Parts {
    parameters: Members,
    refresh: Members,
    tags: std::collections::BTreeMap<String, bool>,
    tables: Vec<Value>,
}

impl Parts {
    fn add(&mut self, item: &Members, objects: &Objects) -> Result<(), String> {
        let text = |name: &str| {
            let text = item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.ok_or_else(|| format!("a configuration lacks its {name}"))
        };
        match text("type")? {
            "value" => {
                let path = parameter(text("name")?)?;
                let value = item.get("value").ok_or("a value lacks its value")?;
                self.parameters.insert(path, wish(value)?);
            }
            "age" => {
                let path = readable(&parameter(text("name")?)?);
                let age = match item.get("age") {
                    Some(Value::Number(age)) => age.as_f64(),
                    Some(Value::String(age)) => age.trim().parse().ok(),
                    _ => None,
                };
                let age = age.filter(|age| (0.0..=f64::from(u32::MAX)).contains(age));
                let age = age.ok_or("an age is no number of seconds")?;
                self.refresh.insert(path, json!((age.ceil() as u32).max(1)));
            }
            "add_tag" => drop(self.tags.insert(text("tag")?.to_owned(), true)),
            "delete_tag" => drop(self.tags.insert(text("tag")?.to_owned(), false)),
            "add_object" => {
                let object = object(objects, text("object")?)?;
                let table = format!("{}.", parameter(text("name")?)?);
                self.tables.push(added(&table, object)?);
            }
            "delete_object" => {
                let object = object(objects, text("object")?)?;
                let table = format!("{}.", parameter(text("name")?)?);
                self.tables.push(deleted(&table, object)?);
            }
            "provision" => {
                return Err("it calls a provision, and scripts are not run".to_owned());
            }
            other => {
                let other: String = other.chars().take(40).collect();
                return Err(format!("there are no configurations of the type {other}"));
            }
        }
        Ok(())
    }

    fn put(self, profile: &mut Members) {
        let mut put = |name: &str, value: Value| drop(profile.insert(name.to_owned(), value));
        if !self.parameters.is_empty() {
            put("parameters", Value::Object(self.parameters));
        }
        if !self.refresh.is_empty() {
            put("refresh", Value::Object(self.refresh));
        }
        if !self.tables.is_empty() {
            put("tables", Value::Array(self.tables));
        }
        if !self.tags.is_empty() {
            let those = |wanted: bool| {
                let tags = self.tags.iter().filter(|(_, set)| **set == wanted);
                tags.map(|(tag, _)| tag.as_str()).collect::<Vec<_>>()
            };
            put("tags", json!({"set": those(true), "clear": those(false)}));
        }
    }
}

/// A path that devices have, without a dot at its end.
fn parameter(name: &str) -> Result<String, String> {
    let path = name.trim_end_matches('.');
    let is_ours = path.starts_with("Device.") || path.starts_with("InternetGatewayDevice.");
    let whole = matches!(path, "Device" | "InternetGatewayDevice");
    if whole || (is_ours && ParamPath::parse(path).is_ok()) {
        return Ok(path.to_owned());
    }
    let shown: String = name.chars().take(80).collect();
    Err(format!("{shown} is no parameter of devices"))
}

/// A path that is read, with its dot if it is an object.
fn readable(name: &str) -> String {
    let object = format!("{name}.");
    let Ok(path) = ParamPath::parse(name) else { return object };
    let Ok(below) = ParamPath::parse(&object) else { return object };
    let known = Known::of_root(below.root());
    let is_object =
        known.check(&path, Asked::Read).is_err() && known.check(&below, Asked::Read).is_ok();
    if is_object || !name.contains('.') { object } else { name.to_owned() }
}

/// What a parameter is to be.
fn wish(value: &Value) -> Result<Value, String> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Number(number) if number.is_i64() => Ok(value.clone()),
        Value::Number(number) => Ok(json!({"text": number.to_string(), "type": "decimal"})),
        // As it stands, whatever brackets are in it.
        Value::String(text) => Ok(json!({"text": text})),
        _ => Err("a value is a text, a number, true or false".to_owned()),
    }
}

fn object<'a>(objects: &'a Objects, name: &str) -> Result<&'a Members, String> {
    objects.get(name).ok_or_else(|| {
        let name: String = name.chars().take(80).collect();
        format!("there is no object {name}")
    })
}

/// The names by which rows of an object are told apart.
fn keys(object: &Members) -> Result<Vec<&str>, String> {
    let keys = object.get("_keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read: Option<Vec<&str>> = keys.iter().map(Value::as_str).collect();
    read.ok_or_else(|| "the _keys of an object are names".to_owned())
}

/// A table that has a row of these values.
fn added(table: &str, object: &Members) -> Result<Value, String> {
    let keys = keys(object)?;
    if keys.is_empty() {
        return Err("an object without _keys would be added again and again".to_owned());
    }
    let own = object.iter().filter(|(name, _)| !name.starts_with('_'));
    let values: Result<Members, String> =
        own.map(|(name, value)| Ok((name.clone(), wish(value)?))).collect();
    Ok(json!({"table": table, "keys": keys, "rows": [{"values": values?}]}))
}

/// A table without the rows of an object: those that have its keys, or all of them
/// if it has none.
fn deleted(table: &str, object: &Members) -> Result<Value, String> {
    let keys = keys(object)?;
    if keys.is_empty() {
        return Ok(json!({"table": table, "others": "remove"}));
    }
    let value = |key: &&str| {
        let value = object.get(*key).ok_or_else(|| {
            let key: String = key.chars().take(80).collect();
            format!("an object lacks its key {key}")
        })?;
        Ok(((*key).to_owned(), wish(value)?))
    };
    let values: Result<Members, String> = keys.iter().map(value).collect();
    Ok(json!({"table": table, "keys": keys, "rows": [{"absent": true, "values": values?}]}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(preset: Value) -> Result<Value, String> {
        let objects = json!({
            "pm": {"_keys": ["ExternalPort"], "ExternalPort": 80, "Enable": true, "_note": "x"},
            "all": {"_keys": []},
            "keyless": {"_keys": ["ExternalPort"]},
        });
        let objects: Objects = serde_json::from_value(objects).unwrap();
        profile(preset.as_object().unwrap(), &objects).map(Value::Object)
    }

    #[test]
    fn configurations_become_parts_of_a_profile() {
        let told = made(
            json!({"weight": 5, "channel": "x", "precondition": "", "events": {}, "configurations": [
                {"type": "value", "name": "Device.Time.NTPServer1", "value": "{{ntp}}"},
                {"type": "value", "name": "Device.Time.Enable", "value": true},
                {"type": "value", "name": "Device.Time.Enable", "value": false},
                {"type": "age", "name": "Device.DeviceInfo", "age": "300"},
                {"type": "age", "name": "Device.DeviceInfo.UpTime", "age": 60},
                {"type": "add_tag", "tag": "a"}, {"type": "delete_tag", "tag": "b"}, {"type": "delete_tag", "tag": "a"},
                {"type": "add_object", "name": "Device.NAT.PortMapping", "object": "pm"},
                {"type": "delete_object", "name": "Device.Hosts.Host", "object": "all"},
                {"type": "delete_object", "name": "Device.NAT.PortTrigger", "object": "pm"},
            ]}),
        );
        assert_eq!(
            told.unwrap(),
            json!({
                "priority": 5,
                "parameters": {"Device.Time.NTPServer1": {"text": "{{ntp}}"}, "Device.Time.Enable": false},
                "refresh": {"Device.DeviceInfo.": 300, "Device.DeviceInfo.UpTime": 60},
                "tags": {"set": [], "clear": ["a", "b"]},
                "tables": [
                    {"table": "Device.NAT.PortMapping.", "keys": ["ExternalPort"],
                        "rows": [{"values": {"ExternalPort": 80, "Enable": true}}]},
                    {"table": "Device.Hosts.Host.", "others": "remove"},
                    {"table": "Device.NAT.PortTrigger.", "keys": ["ExternalPort"],
                        "rows": [{"absent": true, "values": {"ExternalPort": 80}}]},
                ],
            })
        );
    }

    #[test]
    fn what_cannot_be_said_is_told() {
        for (preset, part) in [
            (json!({"events": {"1 BOOT": true}}), "events"),
            (json!({"schedule": "60 * * * *"}), "schedule"),
            (json!({"weight": "heavy"}), "weight"),
            (json!({"precondition": 5}), "precondition"),
            (json!({"configurations": 5}), "list"),
            (json!({"configurations": [5]}), "object"),
            (json!({"configurations": [{"type": "provision", "name": "x"}]}), "scripts"),
            (
                json!({"configurations": [{"type": "value", "name": "VirtualParameters.x", "value": 1}]}),
                "VirtualParameters.x",
            ),
            (
                json!({"configurations": [{"type": "value", "name": "Device.A", "value": []}]}),
                "text",
            ),
            (
                json!({"configurations": [{"type": "age", "name": "Device.A", "age": "old"}]}),
                "seconds",
            ),
            (
                json!({"configurations": [{"type": "add_object", "name": "Device.A", "object": "none"}]}),
                "none",
            ),
            (
                json!({"configurations": [{"type": "add_object", "name": "Device.A", "object": "all"}]}),
                "again",
            ),
            (
                json!({"configurations": [{"type": "delete_object", "name": "Device.A", "object": "keyless"}]}),
                "ExternalPort",
            ),
            (json!({"configurations": [{"type": "dance"}]}), "dance"),
        ] {
            let told = made(preset.clone()).unwrap_err();
            assert!(told.contains(part), "{preset}: {told}");
        }
    }
}
