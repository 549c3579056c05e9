//! What a request wants of a list besides its condition: which members, in which
//! order, from where, how many.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use axum::http::Uri;

use super::node::{Members, Node};
use super::query::{self, Collection, Condition};
use super::reply::Refusal;

/// How many documents may be passed over.
const MAX_SKIP: usize = 100_000;

/// Members by which one list is sorted, at most.
const MAX_KEYS: usize = 8;

/// A request for a list.
#[derive(Debug)]
pub(super) struct Asked {
    /// Which documents.
    pub(super) condition: Condition,
    /// Which of their members; all if `None`.
    pub(super) projection: Option<Projection>,
    /// In which order.
    pub(super) order: Vec<Key>,
    /// How many are passed over.
    pub(super) skip: usize,
    /// How many at most.
    pub(super) limit: usize,
}

/// A member by which a list is sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Where it stands.
    pub(super) path: String,
    /// Whether the greatest comes first.
    pub(super) descending: bool,
}

/// The members that are wanted.
#[derive(Debug)]
pub(super) struct Projection {
    /// Their paths; none lies below another.
    pub(super) paths: Vec<Box<str>>,
    wanted: Wanted,
}

#[derive(Debug)]
enum Wanted {
    Whole,
    Members(BTreeMap<Box<str>, Self>),
}

/// The members of the query of a URL. A name without a value has an empty one.
pub(super) fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, Refusal> {
    axum::extract::Query::try_from_uri(uri)
        .map(|query| query.0)
        .map_err(|error| Refusal::bad(format!("Error: {}", error.body_text())))
}

impl Asked {
    /// Reads a request for a list of a collection.
    ///
    /// # Errors
    /// [`Refusal::Bad`] when one of its parts cannot be read.
    pub(super) fn read(uri: &Uri, about: Collection) -> Result<Self, Refusal> {
        let mut asked = Self {
            condition: Condition::All(Vec::new()),
            projection: None,
            order: Vec::new(),
            skip: 0,
            limit: usize::MAX,
        };
        for (name, value) in parameters(uri)? {
            match name.as_str() {
                "query" if !value.is_empty() => asked.condition = query::read(&value, about)?,
                "projection" => asked.projection = Projection::read(&value),
                "sort" if !value.is_empty() => asked.order = order(&value, about)?,
                "skip" if !value.is_empty() => asked.skip = number(&name, &value, MAX_SKIP)?,
                "limit" if !value.is_empty() => {
                    asked.limit = match number(&name, &value, usize::MAX)? {
                        0 => usize::MAX,
                        limit => limit,
                    }
                }
                _ => {}
            }
        }
        Ok(asked)
    }

    /// A document as it is wanted.
    pub(super) fn shaped(&self, document: Node) -> Node {
        match &self.projection {
            Some(projection) => projection.of(document),
            None => document,
        }
    }

    /// The values by which a document is sorted.
    pub(super) fn keys_of(&self, document: &Node) -> Vec<Node> {
        let key = |key: &Key| document.at(&key.path).into_iter().next().cloned();
        self.order.iter().map(|path| key(path).unwrap_or(Node::Null)).collect()
    }

    /// How two documents with these values stand to each other.
    pub(super) fn compare(&self, one: &[Node], other: &[Node]) -> Ordering {
        let pairs = self.order.iter().zip(one.iter().zip(other));
        pairs
            .map(|(key, (one, other))| {
                let order = query::compare(one, other);
                if key.descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn number(name: &str, value: &str, most: usize) -> Result<usize, Refusal> {
    match value.trim().parse::<usize>() {
        Ok(number) if number <= most => Ok(number),
        Ok(_) => Err(Refusal::bad(format!("Error: {name} is at most {most}"))),
        Err(_) => Err(Refusal::bad(format!("Error: {name} is a whole number"))),
    }
}

/// Reads `{"path": 1, "other": -1}`.
fn order(text: &str, about: Collection) -> Result<Vec<Key>, Refusal> {
    let read: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| Refusal::bad(format!("SyntaxError: {error}")))?;
    let wrong = || Refusal::bad("Error: sort is an object, as in {\"_id\": -1}");
    let members = read.as_object().ok_or_else(wrong)?;
    if members.len() > MAX_KEYS {
        return Err(Refusal::bad(format!("Error: sort has at most {MAX_KEYS} members")));
    }
    let key = |(name, direction): (&String, &serde_json::Value)| {
        let descending = match direction.as_f64() {
            Some(1.0) => false,
            Some(-1.0) => true,
            _ => return Err(Refusal::bad("Error: sort takes 1 or -1 for each member")),
        };
        Ok(Key { path: query::value_path(name, about), descending })
    };
    members.iter().map(key).collect()
}

impl Projection {
    /// Reads a list of paths with commas between; `None` if there are none.
    fn read(text: &str) -> Option<Self> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut names: Vec<&str> = names.collect();
        if names.is_empty() {
            return None;
        }
        names.push("_id");
        names.sort_unstable();
        let mut paths: Vec<Box<str>> = Vec::with_capacity(names.len());
        let mut wanted = Wanted::Members(BTreeMap::new());
        for name in names {
            if wanted.add(name) {
                paths.push(name.into());
            }
        }
        Some(Self { paths, wanted })
    }

    fn of(&self, document: Node) -> Node {
        self.wanted.of(document).unwrap_or(Node::Null)
    }
}

impl Wanted {
    /// Wants a path; whether it was not wanted already. Shorter paths come first.
    fn add(&mut self, path: &str) -> bool {
        let mut place = self;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let Self::Members(members) = place else { return false };
            let is_last = names.peek().is_none();
            let is_new = !members.contains_key(name);
            place = members.entry(name.into()).or_insert_with(|| {
                if is_last { Self::Whole } else { Self::Members(BTreeMap::new()) }
            });
            if is_last {
                let was_whole = matches!(place, Self::Whole) && !is_new;
                *place = Self::Whole;
                return !was_whole;
            }
        }
        false
    }

    /// What is wanted of a node; `None` if it holds nothing of the kind.
    fn of(&self, node: Node) -> Option<Node> {
        match (self, node) {
            (Self::Whole, node) => Some(node),
            (Self::Members(wanted), Node::Object(mut members)) => {
                let mut kept = Members::new();
                for (name, wanted) in wanted {
                    let member = members.remove(name).and_then(|member| wanted.of(member));
                    kept.extend(member.map(|member| (name.clone(), member)));
                }
                Some(Node::Object(kept))
            }
            (Self::Members(_), Node::List(items)) => {
                Some(Node::List(items.into_iter().filter_map(|item| self.of(item)).collect()))
            }
            (Self::Members(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(query: &str) -> Result<Asked, Refusal> {
        Asked::read(&format!("/devices?{query}").parse().unwrap(), Collection::Devices)
    }

    #[test]
    fn a_projection_keeps_what_is_wanted_and_drops_children_of_it() {
        let document =
            json!({"_id": "x", "a": {"b": 1, "c": {"d": 2, "e": 3}}, "l": [{"m": 1, "n": 2}, 5]});
        for (projection, shown) in [
            ("", document.clone()),
            ("a.b", json!({"_id": "x", "a": {"b": 1}})),
            ("a.c.d,a.c,a.c.e", json!({"_id": "x", "a": {"c": {"d": 2, "e": 3}}})),
            ("a,a.c.d", json!({"_id": "x", "a": {"b": 1, "c": {"d": 2, "e": 3}}})),
            ("l.m, nowhere.at", json!({"_id": "x", "l": [{"m": 1}]})),
            ("a.b.too.deep", json!({"_id": "x", "a": {}})),
        ] {
            let uri = format!("projection={}", projection.replace(' ', "%20"));
            let node = asked(&uri).unwrap().shaped(document.clone().into());
            assert_eq!(serde_json::to_value(&node).unwrap(), shown, "{projection}");
        }
        let paths = asked("projection=a.c.d,a,a.b").unwrap().projection.unwrap().paths;
        assert_eq!(paths, ["_id".into(), "a".into()]);
    }

    #[test]
    fn an_order_asks_for_values_of_parameters() {
        let asked = asked("sort=%7B%22A.B%22:-1,%22_id%22:1%7D&skip=2&limit=0").unwrap();
        let paths: Vec<_> = asked.order.iter().map(|key| (&*key.path, key.descending)).collect();
        assert_eq!(paths, [("A.B._value", true), ("_id", false)]);
        assert_eq!((asked.skip, asked.limit), (2, usize::MAX));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for query in [
            "limit=x",
            "limit=-1",
            "skip=100001",
            "sort=%7B",
            "sort=5",
            "sort=%7B%22a%22:2%7D",
            "query=%7B",
            "query=5",
        ] {
            assert!(asked(query).is_err(), "{query}");
        }
        for query in ["", "query=", "limit=", "unknown=1", "query=%7B%7D&limit=5"] {
            assert!(asked(query).is_ok(), "{query}");
        }
    }
}
