//! What of a record may stand in the audit: JSON without anything secret.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

use crate::cwmp::mask;
use crate::device::{HIDDEN, is_secret_field};
use crate::param::ParamPath;
use crate::phone::is_secret_setting;
use crate::schema::Schema;

/// Integers in a row, each a byte, that are taken for sealed bytes or a hash.
/// What is sealed has 29 at least.
const BYTES: usize = 16;

/// The members by which an object tells which parameter its others are about.
const NAMES: [&str; 3] = ["path", "parameter", "name"];

/// The members that hold what such a parameter is or was.
const VALUES: [&str; 5] = ["value", "before", "after", "wanted", "found"];

/// Between a mask and the mark by which two secrets are told apart while
/// records are compared; no text from outside holds both.
const MARK: char = '\u{0}';

/// Keyed anew at each start: a mark tells nothing of the secret.
static MARKS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A record as JSON with every secret hidden. Two hidden secrets are equal if
/// the secrets are, until [`unmarked`].
pub(super) fn shape(record: &impl Serialize) -> Value {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Wide(CompactFormatter));
    if record.serialize(&mut serializer).is_err() {
        return Value::Null;
    }
    let mut value = serde_json::from_slice(&text).unwrap_or(Value::Null);
    hide_within(&mut value, "", 0);
    value
}

/// Takes the marks off.
pub(super) fn unmarked(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with(HIDDEN) && text.contains(MARK) => {
            *text = HIDDEN.to_owned();
        }
        Value::Array(items) => items.iter_mut().for_each(unmarked),
        Value::Object(members) => members.values_mut().for_each(unmarked),
        _ => {}
    }
}

/// Numbers that JSON readers do not take are keys: written as UUIDs.
struct Wide(CompactFormatter);

impl Formatter for Wide {
    fn write_u128<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: u128) -> io::Result<()> {
        write!(writer, "\"{}\"", uuid::Uuid::from_u128(value).hyphenated())
    }
}

/// Hides what is secret. `below` is the table to whose rows names are relative.
fn hide_within(value: &mut Value, below: &str, depth: usize) {
    match value {
        Value::Array(items) if is_bytes(items) => hide(value),
        Value::Array(items) => {
            let named = items.first().and_then(Value::as_str);
            // A pair of a name and its value.
            let is_secret = named.is_some_and(|name| is_secret_name(name, below));
            for (place, item) in items.iter_mut().enumerate() {
                if is_secret && place > 0 {
                    hide(item);
                } else {
                    hide_within(item, below, depth + 1);
                }
            }
        }
        Value::Object(members) => hide_members(members, below, depth),
        Value::String(text) => *value = shown(text, depth),
        _ => {}
    }
}

fn hide_members(members: &mut Map<String, Value>, below: &str, depth: usize) {
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let table = text("table").filter(|table| table.ends_with('.'));
    let below = table.as_deref().unwrap_or(below).to_owned();
    // What a record is called says nothing of its members.
    let is_pair = depth > 0 && VALUES.iter().any(|name| members.contains_key(*name));
    let about = NAMES.iter().find_map(|name| text(name));
    let about_secret = is_pair && about.is_some_and(|name| is_secret_name(&name, &below));
    for (name, member) in members.iter_mut() {
        if is_secret_name(name, &below) || (about_secret && VALUES.contains(&name.as_str())) {
            hide(member);
        } else if name.ends_with('.') {
            hide_within(member, name, depth + 1);
        } else {
            hide_within(member, &below, depth + 1);
        }
    }
}

/// Whether what stands under or beside a name is a secret.
fn is_secret_name(name: &str, below: &str) -> bool {
    const PLAIN: [&str; 3] = ["key", "keys", "tokenless"];
    if PLAIN.contains(&name) {
        return false;
    }
    let is_path =
        |path: &str| ParamPath::parse(path).is_ok_and(|path| Schema::core().is_secret(&path));
    is_secret_field(name)
        || is_secret_setting(name)
        || is_path(name)
        || (!below.is_empty() && is_path(&format!("{below}1.{name}")))
}

fn is_bytes(items: &[Value]) -> bool {
    items.len() >= BYTES
        && items.iter().all(|item| item.as_u64().is_some_and(|byte| byte <= u8::MAX.into()))
}

/// A mask in place of a value; that there is none stays visible.
fn hide(value: &mut Value) {
    let empty = match value {
        Value::Null | Value::Bool(_) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(_) => false,
    };
    if !empty {
        let mark = MARKS.hash_one(value.to_string());
        *value = Value::String(format!("{HIDDEN}{MARK}{mark:016x}"));
    }
}

/// A text as it may be shown; one that holds JSON is shown as that.
fn shown(text: &str, depth: usize) -> Value {
    if text.starts_with(['{', '['])
        && depth < 8
        && let Ok(mut inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
    {
        hide_within(&mut inner, "", 0);
        return inner;
    }
    if let Some((name, rest)) = text.split_once(" = ")
        && is_secret_name(name.trim(), "")
        && !rest.is_empty()
    {
        return Value::String(format!("{name} = {HIDDEN}"));
    }
    Value::String(mask::text(text).into_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::device::{
        Action, DeviceId, Sealed, Task, TaskId, TaskState, WantedRow, WantedTable,
    };
    use crate::param::Value as Parameter;
    use crate::time::Timestamp;

    fn shaped(value: &impl Serialize) -> String {
        let mut value = shape(value);
        unmarked(&mut value);
        value.to_string()
    }

    fn task(action: Action) -> Task {
        Task {
            id: TaskId(u128::MAX),
            device: DeviceId::parse("00D09E-1").unwrap(),
            revision: 1,
            action,
            created_at: Timestamp::from_millis(0),
            created_by: "ada".into(),
            expires_at: Timestamp::from_millis(1),
            state: TaskState::Queued,
            notes: vec!["Device.Users.User.1.Password = s3cret = x".into()],
            results: Vec::new(),
        }
    }

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    #[test]
    fn values_of_secret_parameters_are_hidden_and_others_shown() {
        let text = shaped(&task(Action::Set(vec![
            (path("Device.Users.User.1.Password"), Parameter::string("s3cret")),
            (path("Device.WiFi.AccessPoint.1.Security.KeyPassphrase"), Parameter::string("s3cret")),
            (path("Device.ManagementServer.URL"), Parameter::string("http://u:s3cret@acs/")),
            (path("Device.ManagementServer.PeriodicInformInterval"), Parameter::string("900")),
        ])));
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("900") && text.contains("http://***@acs/"), "{text}");
        assert!(text.contains("ffffffff-ffff-ffff-ffff-ffffffffffff"), "{text}");
    }

    #[test]
    fn values_of_rows_are_judged_by_their_table() {
        let values = vec![("Password".into(), Parameter::string("s3cret"))];
        let text = shaped(&task(Action::AddObject { table: path("Device.Users.User."), values }));
        assert!(!text.contains("s3cret"), "{text}");
        let wanted = |text| crate::device::Wanted::Value(Parameter::string(text));
        let table = WantedTable {
            table: "Device.Users.User.".into(),
            keys: vec!["Username".into()],
            rows: vec![WantedRow {
                name: "u".into(),
                values: vec![
                    ("Username".into(), wanted("ada")),
                    ("Password".into(), wanted("s3cret")),
                ],
            }],
            others: crate::device::OtherRows::Keep,
            source: 0,
        };
        let text = shaped(&table);
        assert!(!text.contains("s3cret") && text.contains("ada"), "{text}");
    }

    #[test]
    fn sealed_bytes_and_json_in_texts_are_looked_into() {
        let sealed = Sealed(vec![1; 29]);
        assert_eq!(shaped(&json!({"a": sealed})), r#"{"a":"***"}"#);
        let profile = json!({"text": json!({
            "parameters": {"Device.Users.User.1.Password": "s3cret", "Device.X.Name": "n"},
            "tables": {"Device.Users.User.": {"keys": ["Username"], "rows": [{"Password": "s3cret"}]}},
        }).to_string()});
        let text = shaped(&profile);
        assert!(!text.contains("s3cret") && text.contains(r#""Device.X.Name":"n""#), "{text}");
        let migrate = json!({"migrate": {"url": "u", "password": "s3cret", "secret_pin": 1234}});
        let text = shaped(&migrate);
        assert!(!text.contains("s3cret") && !text.contains("1234"), "{text}");
    }

    #[test]
    fn a_changed_secret_is_told_apart_until_the_marks_go() {
        let (one, two) = (json!({"password": "a"}), json!({"password": "b"}));
        assert_ne!(shape(&one), shape(&two));
        assert_eq!(shape(&one), shape(&one));
        assert_eq!(shaped(&one), shaped(&two));
        assert_eq!(shaped(&json!({"password": ""})), r#"{"password":""}"#);
    }

    #[test]
    fn a_record_named_like_a_secret_is_still_told() {
        let site = json!({"name": "wifi-password", "value": "shown"});
        assert!(shaped(&site).contains("shown"));
    }
}
