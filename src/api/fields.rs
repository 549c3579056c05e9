//! Sparse fields: of each item of a list only what was asked for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::mask;
use super::problem::{ApiError, bad_value};
use crate::expr::nearest;
use crate::param::{Extent, ParamPath, Tree};

/// Fields that can be asked for at once.
const MAX_FIELDS: usize = 200;

/// Below what a path of a parameter stands.
const PARAMETERS: &str = "parameters.";

/// The member whose own members can be asked for one by one.
const SUBSCRIBER: &str = "subscriber";

/// One field that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A member of the item.
    Member(Box<str>),
    /// A field of the subscriber.
    Subscriber(Box<str>),
    /// The value of a parameter.
    Parameter(ParamPath),
}

impl Column {
    /// Its name as it is asked for.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Member(name) => Cow::Borrowed(name),
            Self::Subscriber(name) => Cow::Owned(format!("{SUBSCRIBER}.{name}")),
            Self::Parameter(path) => Cow::Owned(format!("{PARAMETERS}{path}")),
        }
    }
}

/// The fields that were asked for, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields(Vec<Column>);

impl Fields {
    /// Reads `fields=…` for items of a kind, which may have parameters and a
    /// subscriber besides their members; `None` if all is wanted.
    ///
    /// # Errors
    /// [`ApiError::BadValue`] for a name that is not known, with the nearest one.
    pub(super) fn read<T: ToSchema>(
        text: Option<&str>,
        has_parameters: bool,
    ) -> Result<Option<Self>, ApiError> {
        let Some(text) = text else { return Ok(None) };
        let known = members::<T>();
        let mut fields = Vec::new();
        for name in text.split(',').map(str::trim) {
            if fields.len() == MAX_FIELDS {
                return Err(bad_value("fields", format!("at most {MAX_FIELDS} fields")));
            }
            let column = column(name, &known, has_parameters)?;
            if !fields.contains(&column) {
                fields.push(column);
            }
        }
        Ok(Some(Self(fields)))
    }

    /// All members of a kind of item, in the order of their names.
    pub(super) fn every<T: ToSchema>() -> Self {
        Self(members::<T>().into_iter().map(|name| Column::Member(name.into())).collect())
    }

    /// What was asked for, in order.
    pub(super) fn columns(&self) -> &[Column] {
        &self.0
    }

    /// Which parameters are asked for, so that these are read of the trees.
    pub(super) fn parameters(&self) -> Extent {
        Extent::of(self.0.iter().filter_map(|column| match column {
            Column::Parameter(path) => Some(path),
            _ => None,
        }))
    }

    /// The part of an item that was asked for. A secret parameter shows as `***`;
    /// one that is not known is null.
    pub(super) fn pick(&self, item: &impl Serialize, tree: Option<&Tree>) -> Map<String, Value> {
        let whole = serde_json::to_value(item).unwrap_or_default();
        let mut picked = Map::new();
        for column in &self.0 {
            let value = self::value(column, &whole, tree);
            match column {
                Column::Member(name) => drop(picked.insert(name.to_string(), value)),
                Column::Subscriber(name) => insert_below(&mut picked, SUBSCRIBER, name, value),
                Column::Parameter(path) => {
                    insert_below(&mut picked, "parameters", path.as_str(), value);
                }
            }
        }
        picked
    }
}

/// What an item has in a column.
pub(super) fn value(column: &Column, whole: &Value, tree: Option<&Tree>) -> Value {
    match column {
        Column::Member(name) => whole[&**name].clone(),
        Column::Subscriber(name) => whole[SUBSCRIBER][&**name].clone(),
        Column::Parameter(path) => {
            let known = tree.and_then(|tree| tree.value(path.as_str()));
            known.map_or(Value::Null, |value| mask::value(path.as_str(), &value.text).into())
        }
    }
}

/// Puts a value into an object below a member.
fn insert_below(picked: &mut Map<String, Value>, member: &str, name: &str, value: Value) {
    let below = picked.entry(member).or_insert_with(|| Value::Object(Map::new()));
    if let Some(object) = below.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn column(name: &str, known: &BTreeSet<String>, has_parameters: bool) -> Result<Column, ApiError> {
    if has_parameters {
        if let Some(path) = name.strip_prefix(PARAMETERS) {
            let path = ParamPath::parse(path).map_err(|error| bad_value("fields", error))?;
            return match path.is_object() {
                true => {
                    Err(bad_value("fields", format!("{name}: name a parameter, not an object")))
                }
                false => Ok(Column::Parameter(path)),
            };
        }
        if let Some(field) = name.strip_prefix("subscriber.").filter(|field| !field.is_empty()) {
            return Ok(Column::Subscriber(field.into()));
        }
    }
    if known.contains(name) {
        return Ok(Column::Member(name.into()));
    }
    let shown: String = name.chars().filter(|letter| !letter.is_control()).take(80).collect();
    let hint = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    Err(bad_value("fields", format!("there is no field `{shown}`; {hint}")))
}

/// The members of a kind of item, as the document has them.
fn members<T: ToSchema>() -> BTreeSet<String> {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    T::schemas(&mut parts);
    let whole = serde_json::to_value(T::schema()).unwrap_or_default();
    let mut found = BTreeSet::new();
    gather(&whole, &parts, &mut found);
    found
}

fn gather(schema: &Value, parts: &[(String, RefOr<Schema>)], found: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        found.extend(properties.keys().cloned());
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        let named = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        let referred = named.and_then(|name| parts.iter().find(|(known, _)| known == name));
        match referred {
            Some((_, known)) => {
                gather(&serde_json::to_value(known).unwrap_or_default(), &[], found);
            }
            None => gather(part, parts, found),
        }
    }
}

/// An item of a list, or what was asked for of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Sparse<T> {
    /// All of it.
    Whole(T),
    /// The fields that were asked for.
    Picked(Map<String, Value>),
}

impl<T: Serialize> Sparse<T> {
    /// The item, or the part of it.
    pub(super) fn of(item: T, fields: Option<&Fields>, tree: Option<&Tree>) -> Self {
        match fields {
            Some(fields) => Self::Picked(fields.pick(&item, tree)),
            None => Self::Whole(item),
        }
    }
}

/// What the derive would write, but for `anyOf`: a whole item is a part of itself,
/// and so it fits both.
impl<T: ComposeSchema> ComposeSchema for Sparse<T> {
    fn compose(generics: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let whole = generics.first().cloned().unwrap_or_else(|| T::compose(generics));
        let part = ObjectBuilder::new()
            .description(Some("Only the members that `fields` asks for"))
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .build();
        RefOr::T(Schema::AnyOf(AnyOfBuilder::new().item(whole).item(part).build()))
    }
}

impl<T: ComposeSchema + ToSchema> ToSchema for Sparse<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Sparse")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
