//! What the models say of a path, and where words stand in them: for people and
//! programs that look things up.

use serde::Serialize;

use super::catalogue::{self, RootModel};
use super::check::Known;
use super::misfit::Misfit;
use super::model::{
    ModelObject, ModelParameter, ObjectFacts, ParameterFacts, ParameterModel, Place, Syntax, among,
};
use super::nearest;
use crate::param::ParamPath;

/// The most parameters or objects in one answer.
pub const MAX_FOUND: usize = 1_000;

/// What a model says of one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribedParameter {
    /// Its path, rows as `{i}`.
    pub path: String,
    /// The model that says so.
    pub model: String,
    /// Its type on the wire: `unsignedInt`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What the model calls the type: `MACAddress`.
    pub type_name: String,
    /// `read-only`, `read and write` or `written once`.
    pub access: &'static str,
    /// It is a list; how many items it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// How long the list is as a whole, in characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub list_length: String,
    /// Its ranges, parted by `|`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub range: String,
    /// Its lengths, parted by `|`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub length: String,
    /// The words that can be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Box<str>>,
    /// The words that only the device sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_words: Vec<Box<str>>,
    /// The parameter that lists the words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub words_of: Option<Box<str>>,
    /// Its patterns, one of which a value has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<Box<str>>,
    /// It names a row or parameter below one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refers_to: Vec<Box<str>>,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Box<str>>,
    /// Its value in a row that was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Box<str>>,
    /// Its value after a factory reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factory_default: Option<Box<str>>,
    /// What the device may make of a wish to be notified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<&'static str>,
    /// It stands in every Inform.
    pub forced_inform: bool,
    /// Its value is never shown.
    pub secret: bool,
    /// Writing it starts something.
    pub command: bool,
    /// Since which version of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// `current`, `deprecated`, `obsoleted` or `deleted`.
    pub status: &'static str,
}

/// What a model says of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DescribedObject {
    /// Its path, rows as `{i}`.
    pub path: String,
    /// The model that says so.
    pub model: String,
    /// How many rows there are, if it is a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Whether rows can be added and deleted.
    pub creatable: bool,
    /// What tells rows apart; names that go together are joined by `+`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The parameter beside the table that counts its rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Box<str>>,
    /// Since which version of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// `current`, `deprecated`, `obsoleted` or `deleted`.
    pub status: &'static str,
    /// Its parameters.
    pub parameters: Vec<DescribedParameter>,
    /// The objects directly below it.
    pub objects: Vec<String>,
}

/// What is known of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Described {
    /// It is a parameter.
    Parameter(Box<DescribedParameter>),
    /// It is an object.
    Object(Box<DescribedObject>),
}

/// One place in which the words stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The path of the parameter or object, rows as `{i}`.
    pub path: String,
    /// The model.
    pub model: String,
    /// Its type; empty of an object.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What may be done with it.
    pub access: &'static str,
}

/// What the models say of a path; an object may be named without its dot. With
/// `model` only that one is asked.
///
/// # Errors
/// [`Misfit`] if nobody knows it, with the nearest name.
pub fn describe(path: &ParamPath, model: Option<&str>) -> Result<Described, Misfit> {
    let generic = catalogue::generic(path.as_str());
    let as_object = if path.is_object() { generic.clone() } else { format!("{generic}.") };
    let orders = [None, Some(RootModel::Device1)];
    for wanted in orders.into_iter().filter(|wanted| wanted.is_none() || path.root() == "Device.") {
        let asked = |one: &ParameterModel| model.is_none_or(|name| name == one.name());
        for (found, within) in catalogue::places(&generic, wanted).filter(|(it, _)| asked(it)) {
            let (object, name) = within.rfind('.').map_or((".", within), |dot| {
                within.split_at_checked(dot + 1).unwrap_or((".", within))
            });
            let parameter = found.object(object).and_then(|object| object.parameter(name));
            if let Some(parameter) = parameter {
                return Ok(Described::Parameter(Box::new(parameter_of(&parameter, path.root()))));
            }
        }
        for (found, within) in catalogue::places(&as_object, wanted).filter(|(it, _)| asked(it)) {
            let row = format!("{within}{{i}}.");
            if let Some(object) = found.object(within).or_else(|| found.object(&row)) {
                return Ok(Described::Object(Box::new(object_of(&object, path.root()))));
            }
        }
    }
    match Known::of_root("").check(path, super::Asked::Read) {
        Err(misfit @ Misfit::Unknown { .. }) => Err(misfit),
        _ => Err(Misfit::Unknown { nearest: nearest::path(path.as_str(), None).map(Box::from) }),
    }
}

/// The parameters and objects in whose path all words stand, in any case; at
/// most `limit`, and never more than one beyond [`MAX_FOUND`], which then tells that
/// there are more.
pub fn search(words: &[String], model: Option<&str>, limit: usize) -> Vec<Found> {
    let words: Vec<String> = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let has_all = |path: &str| {
        let path = path.to_ascii_lowercase();
        words.iter().all(|word| path.contains(word.as_str()))
    };
    let limit = limit.min(MAX_FOUND + 1);
    let mut found = Vec::new();
    for one in catalogue::models().filter(|one| model.is_none_or(|name| name == one.name())) {
        for object in one.objects() {
            if found.len() >= limit {
                return found;
            }
            let path = whole_path(&object, "");
            if has_all(&path) {
                found.push(Found {
                    path: path.clone(),
                    model: one.name().to_owned(),
                    kind: "",
                    access: "object",
                });
            }
            let hits = object.parameters().filter_map(|parameter| {
                let path = format!("{path}{}", parameter.name());
                has_all(&path).then(|| Found {
                    path,
                    model: one.name().to_owned(),
                    kind: parameter.kind().name(),
                    access: if parameter.is_writable() { "read and write" } else { "read-only" },
                })
            });
            found.extend(hits.take(limit.saturating_sub(found.len())));
        }
    }
    found
}

/// The path of an object with its root; a service without a root stands below
/// `Device.`, which is one of its two.
fn whole_path(object: &ModelObject<'_>, root: &str) -> String {
    let path = if object.path() == "." { "" } else { object.path() };
    match object.model().place() {
        Place::Root(_) => path.to_owned(),
        Place::Services => {
            let root = if root.is_empty() { "Device." } else { root };
            format!("{root}Services.{path}")
        }
    }
}

fn object_of(object: &ModelObject<'_>, root: &str) -> DescribedObject {
    // A line that cannot be read says nothing; a test sees to it that there is
    // none.
    let facts = object.facts().unwrap_or_else(|_| ObjectFacts::default());
    let path = whole_path(object, root);
    let mut objects: Vec<String> = Vec::new();
    let below = if object.path() == "." { "" } else { object.path() };
    for one in object.model().objects_under(below) {
        let rest = one.path().get(below.len()..).unwrap_or_default();
        let direct = rest.strip_suffix("{i}.").unwrap_or(rest);
        let is_direct = direct.matches('.').count() == 1 && direct != ".";
        if is_direct && objects.len() < MAX_FOUND {
            objects.push(format!("{path}{rest}"));
        }
    }
    let key = |key: &super::RowKey| key.parameters.join("+");
    DescribedObject {
        path,
        model: object.model().name().to_owned(),
        rows: facts.rows.map(|rows| rows.to_string()),
        creatable: facts.creatable,
        keys: facts.keys.iter().map(key).collect(),
        count: facts.count,
        since: facts.since.map(|since| since.to_string()),
        status: facts.status.name(),
        parameters: object
            .parameters()
            .take(MAX_FOUND)
            .map(|parameter| parameter_of(&parameter, root))
            .collect(),
        objects,
    }
}

fn parameter_of(parameter: &ModelParameter<'_>, root: &str) -> DescribedParameter {
    let facts = parameter.facts().unwrap_or_else(|_| {
        ParameterFacts::plain(parameter.name(), super::ParameterAccess::ReadOnly, "string")
    });
    let secret = facts.is_secret();
    let Syntax { list, ranges, lengths, words, device_words, words_of, patterns, .. } =
        facts.syntax;
    DescribedParameter {
        path: format!("{}{}", whole_path(&parameter.object(), root), parameter.name()),
        model: parameter.object().model().name().to_owned(),
        kind: parameter.kind().name(),
        type_name: facts.syntax.type_name.into(),
        access: facts.access.words(),
        list: list.as_ref().map(|list| list.items.to_string()),
        list_length: list.map(|list| among(&list.lengths)).unwrap_or_default(),
        range: among(&ranges),
        length: among(&lengths),
        words,
        device_words,
        words_of,
        patterns,
        refers_to: facts.syntax.refers_to,
        unit: facts.syntax.unit,
        default: facts.default,
        factory_default: facts.factory_default,
        notify: facts.notify.map(super::NotifyRule::name),
        forced_inform: facts.forced_inform,
        secret,
        command: facts.command,
        since: facts.since.map(|since| since.to_string()),
        status: facts.status.name(),
    }
}
