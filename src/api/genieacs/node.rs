//! Documents of the dialect: JSON of which it is known what is a time.

use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};
use serde_json::Number;

use crate::time::Timestamp;

/// A document, or a part of one. Members stand in the order of their names, so that
/// the same document is always the same text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Box<str>),
    /// A time; a text with milliseconds in answers.
    Time(Timestamp),
    /// A list.
    List(Vec<Self>),
    /// Members by name.
    Object(Members),
}

/// Members by name.
pub(super) type Members = BTreeMap<Box<str>, Node>;

impl Node {
    /// A text.
    pub(super) fn text(text: impl Into<Box<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    pub(super) fn whole(number: u64) -> Self {
        Self::Number(number.into())
    }

    /// An object of these members.
    pub(super) fn object<const N: usize>(members: [(&str, Self); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, node)| (name.into(), node)).collect())
    }

    /// The number, if it is one, as JavaScript would have it.
    pub(super) fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { number.as_f64() } else { None }
    }

    /// The nodes at a path of names, as MongoDB finds them: a list is looked into,
    /// its elements by their places and all of them by their members.
    pub(super) fn at<'a>(&'a self, path: &str) -> Vec<&'a Self> {
        let mut found = vec![self];
        for name in path.split('.') {
            found = found.into_iter().flat_map(|node| node.members(name)).collect();
        }
        found
    }

    fn members<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        match self {
            Self::Object(members) => members.get(name).into_iter().collect(),
            Self::List(items) => {
                let place = name.parse::<usize>().ok().and_then(|place| items.get(place));
                let inside = items.iter().filter_map(|item| match item {
                    Self::Object(members) => members.get(name),
                    _ => None,
                });
                place.into_iter().chain(inside).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl From<serde_json::Value> for Node {
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Boolean(truth),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => Self::Object(
                members.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => serializer.serialize_str(&time.to_millis_text()),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_through_objects_and_into_lists() {
        let node = Node::from(json!({"a": {"b": [{"c": 1}, {"c": 2}, 3]}, "t": ["x"]}));
        let found = |path: &str| serde_json::to_string(&node.at(path)).unwrap();
        assert_eq!(found("a.b.c"), "[1,2]");
        assert_eq!(found("a.b.2"), "[3]");
        assert_eq!(found("t"), "[[\"x\"]]");
        assert_eq!(found("a.nowhere.c"), "[]");
        assert_eq!(found(""), "[]");
    }

    #[test]
    fn times_are_told_with_milliseconds() {
        let node = Node::object([("at", Node::Time(Timestamp::from_millis(1_795_205_100_007)))]);
        assert_eq!(serde_json::to_string(&node).unwrap(), "{\"at\":\"2026-11-20T20:05:00.007Z\"}");
    }
}
