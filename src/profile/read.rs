//! From TOML or JSON to a [`Profile`]: strict, and every error says where it is
//! and what would be right.

use std::collections::BTreeMap;

use super::definition::{AttributeForm, Firmware, IntentForm, Layer, Profile};
use super::entry::{Entry, Form, Key, at_line};
use super::parts::{
    MAX_NAME, MAX_TEXT, Members, Told, filled, is_name, list, map, misfit, path, put, text, texts,
    truth, unknown, whole,
};
use super::wishes::{check_rows, parameters, table};
use super::{Drifting, ProfileError};
use crate::device::DeviceId;
use crate::expr::Rule;
use crate::param::ParamPath;

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
    read.map_err(|problem| {
        // Names in it are somebody's text.
        let problem = problem.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        ProfileError { profile: name, problem }
    })
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
