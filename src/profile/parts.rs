//! What is read alike wherever it stands in a profile: texts, numbers, lists,
//! paths; and how what is wrong with them is told.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use super::entry::{Entry, Form, Key, at_line};
use crate::device::MAX_WANTED;
use crate::expr::nearest;
use crate::param::ParamPath;

pub(super) type Told<T> = Result<T, String>;
pub(super) type Members = Vec<(Key, Entry)>;

/// The longest text other than an expression, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 10;

/// The longest name, in bytes.
pub(super) const MAX_NAME: usize = 64;

/// Whether a text can be a name.
pub(super) fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Says that a key is not known, and which one is nearest.
pub(super) fn unknown(key: &Key, place: &str, known: &[&str]) -> String {
    let name: String = key.name.chars().take(64).collect();
    let hint = match nearest(&name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there are {}", known.join(", ")),
    };
    at_line(key.line, &format!("{place} has no `{name}`; {hint}"))
}

pub(super) fn misfit(entry: &Entry, name: &str, wanted: &str) -> String {
    at_line(entry.line, &format!("{name}: {wanted}, not {}", entry.form.kind()))
}

pub(super) fn map(entry: Entry, name: &str) -> Told<Members> {
    let Form::Map(members) = entry.form else { return Err(misfit(&entry, name, "a table")) };
    if members.len() > MAX_WANTED {
        return Err(at_line(entry.line, &format!("{name}: at most {MAX_WANTED} members")));
    }
    Ok(members)
}

pub(super) fn list(entry: Entry, name: &str, written: &str) -> Told<Vec<Entry>> {
    let Form::List(members) = entry.form else {
        return Err(misfit(&entry, name, &format!("a list ({written})")));
    };
    if members.len() > MAX_WANTED {
        return Err(at_line(entry.line, &format!("{name}: at most {MAX_WANTED} members")));
    }
    Ok(members)
}

pub(super) fn text(entry: Entry, name: &str, limit: usize) -> Told<String> {
    let Form::Text(text) = entry.form else { return Err(misfit(&entry, name, "a text")) };
    if text.len() > limit {
        return Err(at_line(entry.line, &format!("{name}: at most {limit} bytes")));
    }
    Ok(text)
}

pub(super) fn truth(entry: &Entry, name: &str) -> Told<bool> {
    match entry.form {
        Form::Bool(truth) => Ok(truth),
        _ => Err(misfit(entry, name, "true or false")),
    }
}

pub(super) fn whole<T: TryFrom<i64>>(entry: &Entry, name: &str) -> Told<T> {
    match entry.form {
        Form::Whole(number) => T::try_from(number).map_err(|_| {
            at_line(entry.line, &format!("{name}: the number is too large or too small"))
        }),
        _ => Err(misfit(entry, name, "a whole number")),
    }
}

pub(super) fn texts(entry: Entry, name: &str) -> Told<Vec<Box<str>>> {
    let members = list(entry, name, "[\"a\", \"b\"]")?;
    members.into_iter().map(|member| text(member, name, MAX_TEXT).map(Into::into)).collect()
}

/// A text that is not empty.
pub(super) fn filled(entry: Entry, name: &str) -> Told<Box<str>> {
    let line = entry.line;
    let text = text(entry, name, MAX_TEXT)?;
    if text.trim().is_empty() {
        return Err(at_line(line, &format!("{name}: it is empty")));
    }
    Ok(text.into())
}

/// A path of the device's data model.
pub(super) fn path(key: &Key, place: &str, objects: bool) -> Told<ParamPath> {
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

pub(super) fn put<K: Ord, V>(into: &mut BTreeMap<K, V>, key: K, value: V, line: usize) -> Told<()> {
    match into.entry(key) {
        Place::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
        Place::Occupied(_) => Err(at_line(line, "this stands twice")),
    }
}
