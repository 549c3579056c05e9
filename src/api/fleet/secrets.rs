//! Secrets in profiles: masked when a profile is shown, kept when what was shown
//! comes back.
//!
//! A profile's form grows, so that this looks at names and at nothing else: a
//! member whose name is that of a secret parameter, and `value` beside a `path`
//! that is one.

use serde_json::{Map, Value};

use super::super::mask::{self, MASK};
use crate::param::ParamPath;
use crate::schema::Schema;

/// The members that tell which parameter the others of an object are about.
const NAMES: [&str; 3] = ["path", "parameter", "name"];

/// The members of a wish that tell how it is meant, and are no part of a value.
const TELLING: [&str; 2] = ["type", "row"];

/// The members by which one of several like objects is known again.
const IDENTITIES: [&str; 5] = ["name", "path", "parameter", "table", "intent"];

/// A profile as it may be shown.
pub(in crate::api) fn shown(value: &Value) -> Value {
    masked(value, false)
}

fn masked(value: &Value, is_secret: bool) -> Value {
    match value {
        Value::Object(members) => {
            let of = |(name, member): (&String, &Value)| {
                let is_secret = is_secret || is_secret_member(members, name);
                (name.clone(), masked(member, is_secret && !TELLING.contains(&name.as_str())))
            };
            Value::Object(members.iter().map(of).collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| masked(item, is_secret)).collect())
        }
        Value::String(text) if is_secret => {
            let text = if text.is_empty() || is_plain_reference(text) { text } else { MASK };
            Value::String(text.to_owned())
        }
        Value::Number(_) if is_secret => Value::String(MASK.to_owned()),
        Value::String(text) => Value::String(mask::url(text).into_owned()),
        other => other.clone(),
    }
}

/// Whether a member of an object holds a secret.
fn is_secret_member(members: &Map<String, Value>, name: &str) -> bool {
    let names_one = || {
        let texts = NAMES.iter().filter_map(|name| members.get(*name)?.as_str());
        !NAMES.contains(&name) && texts.into_iter().any(is_secret_name)
    };
    is_secret_name(name) || names_one()
}

fn is_secret_name(name: &str) -> bool {
    ParamPath::parse(name).is_ok_and(|path| Schema::core().is_secret(&path))
}

/// Whether a text tells where a value comes from and no part of it: one
/// expression without a text of its own.
fn is_plain_reference(text: &str) -> bool {
    let inner = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    let sound = |letter: char| letter.is_ascii_alphanumeric() || " ._[]|".contains(letter);
    // A number or a word alone could be the secret itself.
    inner.is_some_and(|inner| inner.chars().all(sound) && inner.contains('.'))
}

/// A profile from a request; what is masked in it keeps what is stored. Places
/// where nothing is stored that could be kept go to `lost`.
pub(in crate::api) fn kept(value: Value, stored: Option<&Value>, lost: &mut Vec<String>) -> Value {
    keep(value, stored, false, "", lost)
}

fn keep(
    value: Value,
    stored: Option<&Value>,
    is_secret: bool,
    at: &str,
    lost: &mut Vec<String>,
) -> Value {
    match value {
        Value::Object(members) => {
            let before = stored.and_then(Value::as_object);
            let secrets: Vec<bool> = members
                .keys()
                .map(|name| {
                    is_secret
                        || is_secret_member(&members, name)
                        || before.is_some_and(|before| is_secret_member(before, name))
                })
                .collect();
            let members = members.into_iter().zip(secrets).map(|((name, member), is_secret)| {
                let stored = before.and_then(|before| before.get(&name));
                let is_secret = is_secret && !TELLING.contains(&name.as_str());
                let at = if at.is_empty() { name.clone() } else { format!("{at} › {name}") };
                (name, keep(member, stored, is_secret, &at, lost))
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => {
            let before = stored.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let items = items.into_iter().enumerate().map(|(place, item)| {
                let like = counterpart(&item, before, is_secret);
                keep(item, like, is_secret, &format!("{at}[{place}]"), lost)
            });
            Value::Array(items.collect())
        }
        Value::String(text) if text.contains(MASK) => {
            match stored {
                Some(stored) if masked(stored, is_secret).as_str() == Some(&text) => {
                    return stored.clone();
                }
                _ if text == MASK || is_secret || text.contains("://***@") => {
                    lost.push(at.to_owned());
                }
                _ => {}
            }
            Value::String(text)
        }
        other => other,
    }
}

/// The stored item that an item of a list was made from: one that is shown the
/// same, or the only one that is told by the same names or the same values that
/// are no secrets.
fn counterpart<'a>(item: &Value, stored: &'a [Value], is_secret: bool) -> Option<&'a Value> {
    let same = |stored: &&Value| masked(stored, is_secret) == *item;
    if let Some(found) = stored.iter().find(same) {
        return Some(found);
    }
    let members = item.as_object()?;
    let told = |stored: &&Value| {
        IDENTITIES
            .iter()
            .any(|name| members.contains_key(*name) && members.get(*name) == stored.get(*name))
    };
    only(stored.iter().filter(told))
}

fn only<'a>(mut items: impl Iterator<Item = &'a Value>) -> Option<&'a Value> {
    let first = items.next();
    if items.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile() -> Value {
        json!({
            "match": "tags.has('x')",
            "parameters": {
                "Device.WiFi.AccessPoint.1.Security.KeyPassphrase": "s3cret",
                "Device.PPP.Interface.1.Password": "{{ subscriber.pppoe_password }}",
                "Device.ManagementServer.URL": "http://u:s3cret@acs/",
                "Device.Time.NTPServer1": "ntp.example.net",
                "Device.Users.User.1.Password": {"value": "s3cret"},
            },
            "list": [
                {"path": "Device.X.Password", "value": "s3cret", "type": "string"},
                {"path": "Device.X.Name", "value": "n"},
            ],
            "tables": [{"table": "Device.Users.User.", "keys": ["Username"],
                "rows": [{"name": "a", "Username": "a", "Password": "s3cret-a"},
                    {"name": "b", "Username": "b", "Password": "s3cret-b"}]}],
            "intents": [{"intent": "wifi", "name": "Home", "password": "s3cret"}],
        })
    }

    #[test]
    fn no_secret_is_shown_and_all_else_is() {
        let shown = shown(&profile());
        let text = shown.to_string();
        assert!(!text.contains("s3cret"), "{text}");
        for part in
            ["{{ subscriber.pppoe_password }}", "ntp.example.net", "http://***@acs/", "Home"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(shown["list"][0]["value"], "***");
        assert_eq!(shown["list"][0]["type"], "string");
        assert_eq!(shown["list"][1]["value"], "n");
    }

    #[test]
    fn an_expression_with_a_text_of_its_own_is_a_secret() {
        for text in ["{{ 'pass' }}", "x{{ a.b }}", "{{ a.b }}y", "{{ a.b ~ \"x\" }}", "{{ word }}"]
        {
            assert_eq!(shown(&json!({"Password": text}))["Password"], MASK, "{text}");
        }
    }

    #[test]
    fn what_was_shown_can_be_sent_back() {
        let mut lost = Vec::new();
        let back = kept(shown(&profile()), Some(&profile()), &mut lost);
        assert_eq!((back, lost), (profile(), Vec::new()));
    }

    #[test]
    fn a_secret_stays_with_its_row() {
        let mut changed = shown(&profile());
        let rows = changed["tables"][0]["rows"].as_array_mut().unwrap();
        rows.reverse();
        rows[0]["Username"] = "b2".into();
        let mut lost = Vec::new();
        let back = kept(changed, Some(&profile()), &mut lost);
        assert_eq!(back["tables"][0]["rows"][0]["Password"], "s3cret-b");
        assert_eq!(back["tables"][0]["rows"][1]["Password"], "s3cret-a");
        assert!(lost.is_empty());
    }

    #[test]
    fn a_mask_with_nothing_behind_it_is_told() {
        let mut lost = Vec::new();
        kept(shown(&profile()), None, &mut lost);
        assert!(lost.contains(&"list[0] › value".to_owned()), "{lost:?}");
        assert_eq!(lost.len(), 7, "{lost:?}");
        // Nor does a secret of one parameter become that of another.
        let mut lost = Vec::new();
        let moved = json!({"list": [{"path": "Device.Y.Password", "value": "***"}]});
        kept(moved, Some(&profile()), &mut lost);
        assert_eq!(lost, ["list[0] › value"]);
    }
}
