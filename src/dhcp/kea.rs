//! Kea's form: a global reservation for each known phone, a client class for
//! each group.
//!
//! What a reservation holds wins over what a class does (Kea's manual, "Host
//! Reservations": options), so known phones need not be left out of the groups.

use serde_json::{Value as Json, json};

use super::options::DSL_FORUM;
use super::plan::{Match, Plan, Rule, Value, colons, encapsulate};

/// A `Dhcp4` object whose members are to be merged into the server's own.
pub(super) fn write(plan: &Plan) -> String {
    let codes = plan.codes(|code| defined(code).is_none());
    let definitions: Vec<Json> = codes
        .into_iter()
        .map(|code| json!({"name": name_of(code), "code": code, "type": "string"}))
        .collect();
    let classes: Vec<Json> = plan.groups.iter().chain(&plan.devices).map(class).collect();
    let hosts: Vec<Json> = plan
        .phones
        .iter()
        .map(|(mac, rule)| {
            json!({
                "hw-address": colons(&mac.bytes()),
                "option-data": rule.values.iter().map(option).collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut part = json!({"option-def": definitions, "client-classes": classes});
    if let Some(part) = part.as_object_mut().filter(|_| !hosts.is_empty()) {
        part.insert("reservations-global".to_owned(), true.into());
        part.insert("reservations-in-subnet".to_owned(), true.into());
        part.insert("reservations".to_owned(), hosts.into());
    }
    let text = serde_json::to_string_pretty(&json!({"Dhcp4": part})).unwrap_or_default();
    format!("{text}\n")
}

/// The name that Kea itself has for an option.
fn defined(code: u8) -> Option<&'static str> {
    match code {
        43 => Some("vendor-encapsulated-options"),
        66 => Some("tftp-server-name"),
        67 => Some("boot-file-name"),
        _ => None,
    }
}

fn name_of(code: u8) -> String {
    defined(code).map_or_else(|| format!("provost-{code}"), str::to_owned)
}

fn class(rule: &Rule) -> Json {
    let test = |known: &Match| match known {
        Match::Oui(oui) => format!("substring(pkt4.mac,0,3) == 0x{}", hex::encode(oui)),
        Match::ClassPrefix(text) => {
            format!("substring(option[60].text,0,{}) == '{text}'", text.len())
        }
        // Kea cannot look inside a text; devices say it at the beginning, some
        // alone and some with more behind it.
        Match::ClassHas(text) => {
            format!("substring(option[60].text,0,{}) == '{text}'", text.len())
        }
    };
    let tests: Vec<String> = rule.matches.iter().map(test).collect();
    let mut class = json!({
        "name": rule.name,
        "test": tests.join(" or "),
        "option-data": rule.values.iter().map(option).collect::<Vec<_>>(),
    });
    let raw = rule.values.iter().any(|value| matches!(value, Value::Vendor(_)));
    if let Some(class) = class.as_object_mut().filter(|_| raw) {
        // As bytes, so that the sub-options need no definitions of their own.
        let definition =
            json!([{"name": "vendor-encapsulated-options", "code": 43, "type": "binary"}]);
        class.insert("option-def".to_owned(), definition);
    }
    class
}

fn option(value: &Value) -> Json {
    match value {
        Value::Text(code, text) => {
            // A comma separates the fields of an option unless it is escaped.
            json!({"name": name_of(*code), "data": text.replace(',', "\\,")})
        }
        Value::Vendor(list) => json!({
            "name": "vendor-encapsulated-options",
            "csv-format": false,
            "data": hex::encode(encapsulate(list)),
        }),
        Value::DslForum(list) => {
            let data = encapsulate(list);
            let length = u8::try_from(data.len()).unwrap_or(u8::MAX);
            let bytes = [&DSL_FORUM.to_be_bytes()[..], &[length], &data].concat();
            json!({"name": "vivso-suboptions", "csv-format": false, "data": hex::encode(bytes)})
        }
    }
}
