//! What is known of one device's data model.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::news::{News, is_row, table_of};
use super::{ParamPath, Value, ValueType};
use crate::time::Timestamp;

/// One parameter or object as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// The value last read; `None` for objects and for what was only named.
    pub value: Option<Value>,
    /// What GetParameterNames said of it; `None` if it was never asked.
    /// On a table: AddObject is allowed; on an instance: DeleteObject.
    pub writable: Option<bool>,
    /// When the value was read, or the name seen.
    pub read_at: Timestamp,
}

impl Param {
    /// A name whose value is not known yet.
    const fn named(writable: bool, now: Timestamp) -> Self {
        Self { value: None, writable: Some(writable), read_at: now }
    }
}

/// The known parameters and objects of a device, ordered by path.
///
/// Objects stand under their path with the trailing dot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    params: BTreeMap<ParamPath, Param>,
    #[serde(skip)]
    pub(super) news: News,
}

impl Tree {
    /// More parameters and objects than these are not taken from one device
    /// (security: endless trees, A18).
    pub const MAX_ENTRIES: usize = 200_000;

    /// A tree without anything in it.
    pub const fn new() -> Self {
        Self { params: BTreeMap::new(), news: News::NONE }
    }

    /// Builds a tree from entries in any order.
    pub fn from_entries(entries: impl IntoIterator<Item = (ParamPath, Param)>) -> Self {
        Self { params: entries.into_iter().collect(), news: News::NONE }
    }

    /// The number of parameters and objects known.
    pub fn len(&self) -> usize {
        self.params.len()
    }

    /// The number of parameters known, objects left out.
    pub fn parameter_count(&self) -> usize {
        self.params.keys().filter(|path| !path.is_object()).count()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// What is known of one path.
    pub fn get(&self, path: &str) -> Option<&Param> {
        self.params.get(path)
    }

    /// The value last read at a path.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.params.get(path)?.value.as_ref()
    }

    /// The text of the value last read at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.value(path).map(|value| &*value.text)
    }

    /// The type that the device last reported for a path.
    pub fn kind(&self, path: &str) -> Option<&ValueType> {
        self.value(path).map(|value| &value.kind)
    }

    /// All entries in path order.
    pub fn iter(&self) -> impl Iterator<Item = (&ParamPath, &Param)> {
        self.params.iter()
    }

    /// The entries at and below an object path, in path order.
    pub fn under<'a, 'p>(
        &'a self,
        prefix: &'p str,
    ) -> impl Iterator<Item = (&'a ParamPath, &'a Param)> + use<'a, 'p> {
        self.params
            .range::<str, (Bound<&str>, Bound<&str>)>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(path, _)| path.as_str().starts_with(prefix))
    }

    /// The first entry strictly after a text, in path order.
    pub(super) fn after(&self, text: &str) -> Option<(&ParamPath, &Param)> {
        let from = (Bound::Excluded(text), Bound::Unbounded);
        self.params.range::<str, (Bound<&str>, Bound<&str>)>(from).next()
    }

    /// Puts an entry in its place, whatever stood there.
    pub fn insert(&mut self, path: ParamPath, param: Param) {
        self.params.insert(path, param);
    }

    /// Takes note of a value that the device reported. Returns whether it is
    /// new or differs from what was known. A full tree takes no new names.
    pub fn learn_value(&mut self, path: &ParamPath, value: Value, now: Timestamp) -> bool {
        let is_full = self.params.len() >= Self::MAX_ENTRIES;
        match self.params.get_mut(path.as_str()) {
            Some(param) => {
                param.read_at = now;
                let changed = param.value.as_ref() != Some(&value);
                if changed && let Some(before) = &param.value {
                    self.news.value(path, &before.text);
                }
                param.value = Some(value);
                changed
            }
            None if is_full => false,
            None => {
                let param = Param { value: Some(value), writable: None, read_at: now };
                self.params.insert(path.clone(), param);
                true
            }
        }
    }

    /// Takes note of a name that GetParameterNames reported.
    pub fn learn_name(&mut self, path: &ParamPath, writable: bool, now: Timestamp) {
        let is_full = self.params.len() >= Self::MAX_ENTRIES;
        match self.params.get_mut(path.as_str()) {
            Some(param) => param.writable = Some(writable),
            None if is_full => {}
            None => {
                if is_row(path) && table_of(path).is_some_and(|table| self.get(table).is_some()) {
                    self.news.row_came(path);
                }
                self.params.insert(path.clone(), Param::named(writable, now));
            }
        }
    }

    /// Takes over the complete list of names below an object, each with
    /// whether it is writable: new ones are added, those that are no longer
    /// there are forgotten, values that are known stay.
    ///
    /// The tree is rebuilt in one pass, which costs far less than a look-up for
    /// each name.
    pub fn adopt_names(&mut self, below: &str, mut names: Vec<(ParamPath, bool)>, now: Timestamp) {
        names.sort();
        names.dedup_by(|a, b| a.0 == b.0);
        let old = std::mem::take(&mut self.params);
        let knows = |table: Option<&str>| table.is_some_and(|table| old.contains_key(table));
        for (name, _) in &names {
            if is_row(name) && !old.contains_key(name) && knows(table_of(name)) {
                self.news.row_came(name);
            }
        }
        let mut names = names.into_iter().peekable();
        let mut merged = Vec::with_capacity(old.len() + names.len());
        for (path, param) in old {
            while let Some((name, writable)) = names.next_if(|(name, _)| *name < path) {
                merged.push((name, Param::named(writable, now)));
            }
            if let Some((name, writable)) = names.next_if(|(name, _)| *name == path) {
                merged.push((name, Param { writable: Some(writable), ..param }));
            } else if path.as_str() == below || !path.as_str().starts_with(below) {
                merged.push((path, param));
            } else if is_row(&path) {
                self.news.row_went(&path);
            }
        }
        merged.extend(names.map(|(name, writable)| (name, Param::named(writable, now))));
        self.params = merged.into_iter().collect();
    }

    /// Forgets a parameter, or an object with all that lies below it.
    pub fn remove(&mut self, path: &ParamPath) {
        if path.is_object() {
            let gone: Vec<ParamPath> =
                self.under(path.as_str()).map(|(path, _)| path.clone()).collect();
            if is_row(path) && !gone.is_empty() {
                self.news.row_went(path);
            }
            for path in gone {
                self.params.remove(path.as_str());
            }
        } else {
            self.params.remove(path.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    #[test]
    fn removing_an_object_takes_its_subtree_only() {
        let now = Timestamp::from_millis(1);
        let mut tree = Tree::new();
        for name in ["A.T.1.", "A.T.1.X", "A.T.10.X", "A.T.2.X"] {
            tree.learn_name(&path(name), true, now);
        }
        tree.remove(&path("A.T.1."));
        let left: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(left, ["A.T.10.X", "A.T.2.X"]);
    }

    #[test]
    fn a_complete_list_of_names_replaces_what_stood_below() {
        let (then, now) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let mut tree = Tree::new();
        for name in ["A.Before", "B.Gone", "B.Kept", "C.After"] {
            tree.learn_value(&path(name), Value::string(name), then);
        }
        let names = [("B.New", false), ("B.Kept", true), ("B.", false), ("B.New", false)];
        tree.adopt_names("B.", names.map(|(name, writable)| (path(name), writable)).into(), now);
        let left: Vec<&str> = tree.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(left, ["A.Before", "B.", "B.Kept", "B.New", "C.After"]);
        let kept = tree.get("B.Kept").unwrap();
        assert_eq!((kept.writable, kept.read_at), (Some(true), then));
        assert_eq!(tree.text("B.Kept"), Some("B.Kept"), "what was read stays");
        assert_eq!(tree.get("B.New").unwrap().read_at, now);
    }

    #[test]
    fn learning_says_whether_it_was_news() {
        let now = Timestamp::from_millis(1);
        let mut tree = Tree::new();
        assert!(tree.learn_value(&path("A.B"), Value::string("x"), now));
        assert!(!tree.learn_value(&path("A.B"), Value::string("x"), now));
        assert!(tree.learn_value(&path("A.B"), Value::string("y"), now));
        assert_eq!(tree.text("A.B"), Some("y"));
    }
}
