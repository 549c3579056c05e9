//! From TOML or JSON to a [`Profile`]: strict, and every error says where it is
//! and what would be right.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use super::definition::{
    AttributeForm, Firmware, IntentForm, Layer, Profile, RowForm, TableForm, Wish,
};
use super::entry::{Entry, Form, Key, at_line};
use super::{Drifting, ProfileError};
use crate::device::{DeviceId, MAX_WANTED, OtherRows};
use crate::expr::{Rule, Template, nearest};
use crate::param::{ParamPath, ValueType};

/// The longest text other than an expression, in bytes.
const MAX_TEXT: usize = 64 << 10;
/// The longest name, in bytes.
const MAX_NAME: usize = 64;

const KEYS: &[&str] = &[
    "name",
    "description",
    "enabled",
    "layer",
    "priority",
    "match",
    "parameters",
    "attributes",
    "tables",
    "refresh",
    "firmware",
    "tags",
    "drift",
    "intents",
];

/// The words for notifications (TR-069 §A.3.2.4), by their number.
pub(super) const NOTIFICATIONS: &[&str] = &[
    "off",
    "passive",
    "active",
    "passive-lightweight",
    "passive-and-passive-lightweight",
    "active-lightweight",
    "passive-and-active-lightweight",
];

type Told<T> = Result<T, String>;
type Members = Vec<(Key, Entry)>;

impl Profile {
    /// Reads a profile: JSON if it begins with `{`, else TOML.
    ///
    /// # Errors
    /// [`ProfileError`], in one line, with the line of TOML; its `profile` is the
    /// name if that could be read.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let is_json = text.trim_start().starts_with('{');
        if is_json { Self::parse_json(text) } else { Self::parse_toml(text) }
    }

    /// Reads a profile in TOML.
    ///
    /// # Errors
    /// As [`Profile::parse`].
    pub fn parse_toml(text: &str) -> Result<Self, ProfileError> {
        read(Entry::of_toml(text))
    }

    /// Reads a profile in JSON.
    ///
    /// # Errors
    /// As [`Profile::parse`].
    pub fn parse_json(text: &str) -> Result<Self, ProfileError> {
        read(Entry::of_json(text))
    }
}

fn read(entry: Told<Entry>) -> Result<Profile, ProfileError> {
    let mut name: Box<str> = "(unnamed)".into();
    let read = entry.and_then(|entry| {
        if let Form::Map(members) = &entry.form
            && let Some((_, entry)) = members.iter().find(|(key, _)| key.name == "name")
            && let Form::Text(text) = &entry.form
            && is_name(text)
        {
            name = text.as_str().into();
        }
        profile(entry)
    });
    read.map_err(|problem| ProfileError { profile: name, problem })
}

/// Whether a text can be a name.
fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn profile(entry: Entry) -> Told<Profile> {
    let mut profile = Profile { enabled: true, ..Profile::default() };
    for (key, entry) in map(entry, "a profile")? {
        let line = key.line;
        match key.name.as_str() {
            "name" => {
                let name = text(entry, "name", MAX_NAME)?;
                if !is_name(&name) {
                    return Err(at_line(
                        line,
                        "name: letters, digits, `-`, `_` and `.`, at most 64, a letter or a digit first",
                    ));
                }
                profile.name = name.into();
            }
            "description" => profile.description = text(entry, "description", MAX_TEXT)?.into(),
            "enabled" => profile.enabled = truth(&entry, "enabled")?,
            "layer" => profile.layer = layer(entry)?,
            "priority" => profile.priority = whole(&entry, "priority")?,
            "match" => {
                let rule = text(entry, "match", MAX_TEXT)?;
                let read = Rule::parse(&rule);
                read.map_err(|error| at_line(line, &format!("match: {error}")))?;
                profile.rule = rule.trim().into();
            }
            "parameters" => profile.parameters = parameters(entry)?,
            "attributes" => profile.attributes = attributes(entry)?,
            "tables" => {
                let tables = list(entry, "tables", "[[tables]]")?;
                profile.tables = tables.into_iter().map(table).collect::<Told<_>>()?;
            }
            "refresh" => profile.refresh = refresh(entry)?,
            "firmware" => profile.firmware = Some(firmware(entry)?),
            "tags" => profile.tags = tags(entry)?,
            "drift" => profile.drift = Some(drift(entry)?),
            "intents" => {
                let intents = list(entry, "intents", "[[intents]]")?;
                profile.intents = intents.into_iter().map(intent).collect::<Told<_>>()?;
            }
            _ => return Err(unknown(&key, "a profile", KEYS)),
        }
    }
    if profile.name.is_empty() {
        return Err("name is missing: name = \"gold\"".to_owned());
    }
    check_rows(&profile)?;
    Ok(profile)
}

/// Says that a key is not known, and which one is nearest.
fn unknown(key: &Key, place: &str, known: &[&str]) -> String {
    let name: String = key.name.chars().take(64).collect();
    let hint = match nearest(&name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    at_line(key.line, &format!("{place} has no `{name}`; {hint}"))
}

fn misfit(entry: &Entry, name: &str, wanted: &str) -> String {
    at_line(entry.line, &format!("{name}: {wanted}, not {}", entry.form.kind()))
}

fn map(entry: Entry, name: &str) -> Told<Members> {
    let Form::Map(members) = entry.form else { return Err(misfit(&entry, name, "a table")) };
    if members.len() > MAX_WANTED {
        return Err(at_line(entry.line, &format!("{name}: at most {MAX_WANTED} members")));
    }
    Ok(members)
}

fn list(entry: Entry, name: &str, written: &str) -> Told<Vec<Entry>> {
    let Form::List(members) = entry.form else {
        return Err(misfit(&entry, name, &format!("a list ({written})")));
    };
    if members.len() > MAX_WANTED {
        return Err(at_line(entry.line, &format!("{name}: at most {MAX_WANTED} members")));
    }
    Ok(members)
}

fn text(entry: Entry, name: &str, limit: usize) -> Told<String> {
    let Form::Text(text) = entry.form else { return Err(misfit(&entry, name, "a text")) };
    if text.len() > limit {
        return Err(at_line(entry.line, &format!("{name}: at most {limit} bytes")));
    }
    Ok(text)
}

fn truth(entry: &Entry, name: &str) -> Told<bool> {
    match entry.form {
        Form::Bool(truth) => Ok(truth),
        _ => Err(misfit(entry, name, "true or false")),
    }
}

fn whole<T: TryFrom<i64>>(entry: &Entry, name: &str) -> Told<T> {
    match entry.form {
        Form::Whole(number) => T::try_from(number).map_err(|_| {
            at_line(entry.line, &format!("{name}: the number is too large or too small"))
        }),
        _ => Err(misfit(entry, name, "a whole number")),
    }
}

fn texts(entry: Entry, name: &str) -> Told<Vec<Box<str>>> {
    let members = list(entry, name, "[\"a\", \"b\"]")?;
    members.into_iter().map(|member| text(member, name, MAX_TEXT).map(Into::into)).collect()
}

fn layer(entry: Entry) -> Told<Layer> {
    const WORDS: &[&str] = &["global", "tenant", "site", "model", "profile", "device"];
    const FORMS: &str = "\"global\", \"profile\", { tenant = \"x\" }, { site = \"x\" }, { model = { oui = \"x\" } } or { device = \"ID\" }";
    let line = entry.line;
    let wrong = || at_line(line, &format!("layer: write {FORMS}"));
    let members = match entry.form {
        Form::Text(word) if word == "global" => return Ok(Layer::Global),
        Form::Text(word) if word == "profile" => return Ok(Layer::Profile),
        Form::Map(members) => members,
        _ => return Err(wrong()),
    };
    let [(key, entry)] = <[_; 1]>::try_from(members).map_err(|_| wrong())?;
    match key.name.as_str() {
        "tenant" => Ok(Layer::Tenant(filled(entry, "tenant")?)),
        "site" => Ok(Layer::Site(filled(entry, "site")?)),
        "device" => {
            let line = entry.line;
            let id = filled(entry, "device")?;
            DeviceId::parse(&id).map_err(|error| at_line(line, &format!("device: {error}")))?;
            Ok(Layer::Device(id))
        }
        "model" => {
            let (mut oui, mut product_class) = (None, None);
            for (key, entry) in map(entry, "model")? {
                match key.name.as_str() {
                    "oui" => oui = Some(filled(entry, "oui")?.to_ascii_uppercase().into()),
                    "product_class" => {
                        product_class = Some(text(entry, "product_class", MAX_TEXT)?.into());
                    }
                    _ => return Err(unknown(&key, "model", &["oui", "product_class"])),
                }
            }
            let oui = oui.ok_or_else(|| at_line(key.line, "model: oui is missing"))?;
            Ok(Layer::Model { oui, product_class })
        }
        _ => Err(unknown(&key, "layer", WORDS)),
    }
}

/// A text that is not empty.
fn filled(entry: Entry, name: &str) -> Told<Box<str>> {
    let line = entry.line;
    let text = text(entry, name, MAX_TEXT)?;
    if text.trim().is_empty() {
        return Err(at_line(line, &format!("{name}: it is empty")));
    }
    Ok(text.into())
}

/// A path of the device's data model.
fn path(key: &Key, place: &str, objects: bool) -> Told<ParamPath> {
    let wrong = |problem: &str| at_line(key.line, &format!("{place}: `{}`: {problem}", key.name));
    let path = ParamPath::parse(&key.name).map_err(|error| wrong(&error.to_string()))?;
    if path.as_str() != key.name {
        return Err(wrong("there are blanks around it"));
    }
    path.check_instances().map_err(|error| wrong(&error.to_string()))?;
    if path.as_str().contains(['{', '}']) {
        return Err(wrong("write `*` for all rows, or [[tables]] for rows by their keys"));
    }
    if !matches!(path.root(), "Device." | "InternetGatewayDevice.") {
        let near = nearest(path.root(), ["Device.", "InternetGatewayDevice."]);
        return Err(wrong(&match near {
            Some(near) => format!("did you mean {near}?"),
            None => "a path begins with Device. or InternetGatewayDevice.".to_owned(),
        }));
    }
    if path.is_object() && !objects {
        return Err(wrong("this is an object; name a parameter, without the last dot"));
    }
    Ok(path)
}

fn put<K: Ord, V>(into: &mut BTreeMap<K, V>, key: K, value: V, line: usize) -> Told<()> {
    match into.entry(key) {
        Place::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
        Place::Occupied(_) => Err(at_line(line, "this stands twice")),
    }
}

fn parameters(entry: Entry) -> Told<BTreeMap<ParamPath, Wish>> {
    let mut parameters = BTreeMap::new();
    for (key, entry) in map(entry, "parameters")? {
        if matches!(entry.form, Form::Map(_)) && !key.name.contains('.') {
            let problem = "parameters: write the whole path in quotes: \"Device.X.Y\" = 1";
            return Err(at_line(key.line, problem));
        }
        let path = path(&key, "parameters", false)?;
        let wish = wish(entry, path.as_str())?;
        put(&mut parameters, path, wish, key.line)?;
    }
    Ok(parameters)
}

/// What a parameter is to be.
fn wish(entry: Entry, name: &str) -> Told<Wish> {
    let line = entry.line;
    match entry.form {
        Form::Bool(truth) => Ok(Wish::Bool(truth)),
        Form::Whole(number) => Ok(Wish::Whole(number)),
        // As text, because not every reader of JSON keeps the last digit.
        Form::Decimal(number) if number.is_finite() => {
            Ok(Wish::Text { text: number.to_string().into(), kind: Some(ValueType::Decimal) })
        }
        Form::Time(text) => Ok(Wish::Text { text: text.into(), kind: Some(ValueType::DateTime) }),
        Form::Text(text) => expression(text, None, line, name),
        Form::Map(members) => long_wish(members, line, name),
        _ => Err(at_line(
            line,
            &format!("{name}: a text, a number, true or false, or {{ row = \"name\" }}"),
        )),
    }
}

/// A text that is an expression if it looks like one.
fn expression(text: String, kind: Option<ValueType>, line: usize, name: &str) -> Told<Wish> {
    let template =
        Template::parse(&text).map_err(|error| at_line(line, &format!("{name}: {error}")))?;
    let is_plain = Template::is_plain(template.text());
    let text = text.into();
    Ok(if is_plain { Wish::Text { text, kind } } else { Wish::Template { text, kind } })
}

/// `{ row = "name" }`, `{ text = "…" }` or `{ value = …, type = "…" }`.
fn long_wish(members: Members, line: usize, name: &str) -> Told<Wish> {
    let (mut row, mut plain, mut value, mut kind) = (None, None, None, None);
    for (key, entry) in members {
        match key.name.as_str() {
            "row" => row = Some(filled(entry, name)?),
            "text" => plain = Some(text(entry, name, MAX_TEXT)?),
            "value" => value = Some(text_of(entry, name)?),
            "type" => kind = Some(type_of(entry, name)?),
            _ => return Err(unknown(&key, name, &["row", "text", "value", "type"])),
        }
    }
    match (row, plain, value) {
        (Some(row), None, None) if kind.is_none() => Ok(Wish::Row(row)),
        (None, Some(plain), None) => Ok(Wish::Text { text: plain.into(), kind }),
        (None, None, Some(value)) => expression(value, kind, line, name),
        _ => Err(at_line(
            line,
            &format!("{name}: one of {{ row = … }}, {{ text = … }} and {{ value = …, type = … }}"),
        )),
    }
}

fn text_of(entry: Entry, name: &str) -> Told<String> {
    match entry.form {
        Form::Bool(truth) => Ok(u8::from(truth).to_string()),
        Form::Whole(number) => Ok(number.to_string()),
        Form::Decimal(number) if number.is_finite() => Ok(number.to_string()),
        Form::Time(time) => Ok(time),
        _ => text(entry, name, MAX_TEXT),
    }
}

/// The types that a value can have (TR-106 §3.2).
const TYPES: &[&str] = &[
    "string",
    "int",
    "unsignedInt",
    "long",
    "unsignedLong",
    "boolean",
    "dateTime",
    "base64",
    "hexBinary",
    "decimal",
];

fn type_of(entry: Entry, name: &str) -> Told<ValueType> {
    let line = entry.line;
    let word = text(entry, name, MAX_NAME)?;
    if TYPES.contains(&word.as_str()) {
        return Ok(ValueType::from_name(&word));
    }
    Err(unknown(&Key { line, name: word }, "type", TYPES))
}

fn attributes(entry: Entry) -> Told<BTreeMap<ParamPath, AttributeForm>> {
    let mut attributes = BTreeMap::new();
    for (key, entry) in map(entry, "attributes")? {
        let path = path(&key, "attributes", true)?;
        let form = match entry.form {
            Form::Map(members) => long_attribute(members)?,
            _ => AttributeForm { notification: Some(notification(&entry)?), access_list: None },
        };
        put(&mut attributes, path, form, key.line)?;
    }
    Ok(attributes)
}

fn long_attribute(members: Members) -> Told<AttributeForm> {
    let mut form = AttributeForm::default();
    for (key, entry) in members {
        match key.name.as_str() {
            "notification" => form.notification = Some(notification(&entry)?),
            "access_list" => form.access_list = Some(texts(entry, "access_list")?),
            _ => return Err(unknown(&key, "attributes", &["notification", "access_list"])),
        }
    }
    Ok(form)
}

fn notification(entry: &Entry) -> Told<u8> {
    let Form::Text(word) = &entry.form else {
        return Err(misfit(entry, "notification", "off, passive or active"));
    };
    let place = NOTIFICATIONS.iter().position(|known| known == word);
    place.and_then(|place| u8::try_from(place).ok()).ok_or_else(|| {
        unknown(&Key { line: entry.line, name: word.clone() }, "notification", NOTIFICATIONS)
    })
}

fn table(entry: Entry) -> Told<TableForm> {
    let line = entry.line;
    let mut form = TableForm { table: "".into(), keys: Vec::new(), others: None, rows: Vec::new() };
    for (key, entry) in map(entry, "tables")? {
        match key.name.as_str() {
            "table" => form.table = table_path(entry)?,
            "keys" => form.keys = texts(entry, "keys")?,
            "others" => form.others = Some(others(entry)?),
            "rows" => {
                let rows = list(entry, "rows", "[[tables.rows]]")?;
                form.rows = rows.into_iter().map(row).collect::<Told<_>>()?;
            }
            _ => return Err(unknown(&key, "tables", &["table", "keys", "others", "rows"])),
        }
    }
    if form.table.is_empty() {
        return Err(at_line(line, "tables: table is missing: table = \"Device.NAT.PortMapping.\""));
    }
    if form.keys.is_empty() && !form.rows.is_empty() {
        let problem =
            format!("{}: keys are missing: by which parameters are rows told apart?", form.table);
        return Err(at_line(line, &problem));
    }
    for row in &form.rows {
        if let Some(missing) = form.keys.iter().find(|key| !row.values.contains_key(*key)) {
            return Err(at_line(line, &format!("{}: a row lacks the key {missing}", form.table)));
        }
    }
    Ok(form)
}

/// A table with its last dot; one inside a row begins with `@` and its name.
fn table_path(entry: Entry) -> Told<Box<str>> {
    let line = entry.line;
    let name = filled(entry, "table")?;
    let key = Key { line, name: name.to_string() };
    if let Some(inside) = name.strip_prefix('@') {
        let sound = inside.split_once('.').is_some_and(|(row, below)| {
            is_name(row)
                && below.len() > 1
                && below.ends_with('.')
                && ParamPath::parse(below).is_ok()
        });
        if !sound {
            return Err(at_line(line, &format!("table: `{name}`: write @name.Table.")));
        }
        return Ok(name);
    }
    let path = path(&key, "table", true)?;
    if !path.is_object() || path.has_wildcard() {
        let problem = format!("table: `{name}`: the path of one table, with its last dot");
        return Err(at_line(line, &problem));
    }
    Ok(name)
}

fn others(entry: Entry) -> Told<OtherRows> {
    let line = entry.line;
    match text(entry, "others", MAX_NAME)?.as_str() {
        "keep" => Ok(OtherRows::Keep),
        "remove" => Ok(OtherRows::Remove),
        _ => Err(at_line(line, "others: keep or remove")),
    }
}

fn row(entry: Entry) -> Told<RowForm> {
    let mut form = RowForm::default();
    for (key, entry) in map(entry, "rows")? {
        match key.name.as_str() {
            "name" => {
                let line = entry.line;
                form.name = filled(entry, "name")?;
                if !is_name(&form.name) || form.name.contains('.') {
                    return Err(at_line(line, "name: letters, digits, `-` and `_`"));
                }
            }
            "values" => {
                for (key, entry) in map(entry, "values")? {
                    let sound = ParamPath::parse(&key.name).is_ok_and(|path| !path.is_object())
                        && !key.name.contains(['*', '[', '@', '{']);
                    if !sound {
                        let problem = format!("values: `{}` is no parameter of a row", key.name);
                        return Err(at_line(key.line, &problem));
                    }
                    let wish = wish(entry, &key.name)?;
                    put(&mut form.values, key.name.into(), wish, key.line)?;
                }
            }
            _ => return Err(unknown(&key, "rows", &["name", "values"])),
        }
    }
    Ok(form)
}

/// No two rows of one data model have one name.
fn check_rows(profile: &Profile) -> Told<()> {
    let mut names = std::collections::BTreeSet::new();
    for table in &profile.tables {
        let root = table.table.split('.').next().unwrap_or_default();
        let root = if root.starts_with('@') { "" } else { root };
        for row in table.rows.iter().filter(|row| !row.name.is_empty()) {
            if !names.insert((root, &row.name)) {
                return Err(format!("tables: two rows have the name {}", row.name));
            }
        }
    }
    Ok(())
}

fn refresh(entry: Entry) -> Told<BTreeMap<ParamPath, u32>> {
    let mut refresh = BTreeMap::new();
    for (key, entry) in map(entry, "refresh")? {
        let path = path(&key, "refresh", true)?;
        let seconds = match &entry.form {
            Form::Text(text) => duration(text).ok_or_else(|| {
                let problem =
                    format!("refresh: `{}`: write 300, \"5m\", \"12h\" or \"7d\"", key.name);
                at_line(entry.line, &problem)
            })?,
            _ => whole(&entry, "refresh")?,
        };
        put(&mut refresh, path, seconds, key.line)?;
    }
    Ok(refresh)
}

/// `30s`, `5m`, `12h`, `7d`.
fn duration(text: &str) -> Option<u32> {
    let text = text.trim();
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    text[..text.len() - 1].trim().parse::<u32>().ok()?.checked_mul(unit)
}

fn firmware(entry: Entry) -> Told<Firmware> {
    let (line, mut firmware) = (entry.line, Firmware::default());
    for (key, entry) in map(entry, "firmware")? {
        match key.name.as_str() {
            "version" => firmware.version = filled(entry, "version")?,
            "file" => firmware.file = text(entry, "file", MAX_TEXT)?.into(),
            _ => return Err(unknown(&key, "firmware", &["version", "file"])),
        }
    }
    if firmware.version.is_empty() {
        return Err(at_line(line, "firmware: version is missing: what devices report afterwards"));
    }
    Ok(firmware)
}

fn tags(entry: Entry) -> Told<BTreeMap<Box<str>, bool>> {
    let mut tags = BTreeMap::new();
    for (key, entry) in map(entry, "tags")? {
        let wanted = match key.name.as_str() {
            "set" => true,
            "clear" => false,
            _ => return Err(unknown(&key, "tags", &["set", "clear"])),
        };
        for tag in texts(entry, &key.name)? {
            if tag.trim().is_empty() || tag.chars().any(char::is_control) || tag.len() > 256 {
                return Err(at_line(key.line, "tags: a tag has 1 to 256 characters"));
            }
            put(&mut tags, tag, wanted, key.line)?;
        }
    }
    Ok(tags)
}

fn drift(entry: Entry) -> Told<Drifting> {
    let line = entry.line;
    match text(entry, "drift", MAX_NAME)?.as_str() {
        "repair" => Ok(Drifting::Repair),
        "report" => Ok(Drifting::Report),
        _ => Err(at_line(line, "drift: repair or report")),
    }
}

fn intent(entry: Entry) -> Told<IntentForm> {
    let line = entry.line;
    let mut fields = serde_json::Map::new();
    for (key, entry) in map(entry, "intents")? {
        let field = plain(entry, &key.name, 0)?;
        fields.insert(key.name, field);
    }
    if !matches!(fields.get("intent"), Some(serde_json::Value::String(_))) {
        return Err(at_line(line, "intents: intent is missing: intent = \"wifi\""));
    }
    let form = IntentForm { fields };
    form.check().map_err(|problem| at_line(line, &format!("intents: {problem}")))?;
    Ok(form)
}

/// The same as JSON.
fn plain(entry: Entry, name: &str, depth: usize) -> Told<serde_json::Value> {
    Ok(match entry.form {
        Form::Bool(truth) => truth.into(),
        Form::Whole(number) => number.into(),
        Form::Text(text) | Form::Time(text) if text.len() <= MAX_TEXT => text.into(),
        Form::List(members) if depth == 0 => {
            let members: Told<Vec<_>> =
                members.into_iter().map(|member| plain(member, name, depth + 1)).collect();
            members?.into()
        }
        _ => {
            return Err(misfit(&entry, name, "a text, a number, true or false, or a list of them"));
        }
    })
}
