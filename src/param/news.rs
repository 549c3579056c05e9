//! What a tree learned that it had known otherwise.

use std::collections::BTreeMap;

use super::{ParamPath, Tree};

/// The most paths that are noted between two readings of the news.
const MAX_NOTED: usize = 4_096;

/// What changed in a tree since [`Tree::take_news`] was last called.
///
/// It is no part of what is known: two trees are equal whatever their news, and
/// it is not stored.
#[derive(Clone, Debug, Default)]
pub(super) struct News(BTreeMap<ParamPath, Before>);

impl PartialEq for News {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for News {}

/// What stood at a path before.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Before {
    /// This text.
    Text(Box<str>),
    /// A row that was there.
    Row,
    /// Nothing: a row came.
    NoRow,
}

/// One thing that a tree had known otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The parameter, or the row of a table with its last dot.
    pub path: ParamPath,
    /// The text before; empty for a row; `None` if the row was not there.
    pub before: Option<Box<str>>,
    /// The text now; empty for a row; `None` if it is gone.
    pub after: Option<Box<str>>,
    /// Whether it could be written, as far as the device told.
    pub writable: Option<bool>,
}

impl News {
    /// None.
    pub(super) const NONE: Self = Self(BTreeMap::new());

    /// A value takes the place of another.
    pub(super) fn value(&mut self, path: &ParamPath, before: &str) {
        self.note(path, || Before::Text(before.into()));
    }

    /// A row came, of a table that was known.
    pub(super) fn row_came(&mut self, path: &ParamPath) {
        self.note(path, || Before::NoRow);
    }

    /// A row went.
    pub(super) fn row_went(&mut self, path: &ParamPath) {
        self.note(path, || Before::Row);
    }

    /// What stood there first counts.
    fn note(&mut self, path: &ParamPath, before: impl FnOnce() -> Before) {
        if self.0.len() < MAX_NOTED && !self.0.contains_key(path) {
            self.0.insert(path.clone(), before());
        }
    }
}

impl Tree {
    /// Whether anything is known otherwise than before.
    pub fn has_news(&self) -> bool {
        !self.news.0.is_empty()
    }

    /// What is known otherwise than when this was last called, in path order:
    /// values that differ, rows that came and went. What went back to what it
    /// was is left out; so is what was learned for the first time.
    pub fn take_news(&mut self) -> Vec<Change> {
        let noted = std::mem::take(&mut self.news.0);
        let mut changes: Vec<Change> = Vec::new();
        for (path, before) in noted {
            let known = self.get(path.as_str());
            let writable = known.and_then(|param| param.writable);
            let is_row_there = || self.under(path.as_str()).next().is_some();
            let (before, after) = match before {
                Before::Text(text) => (Some(text), self.text(path.as_str()).map(Box::from)),
                Before::Row => (Some("".into()), is_row_there().then(|| "".into())),
                Before::NoRow => (None, is_row_there().then(|| "".into())),
            };
            // A row that went takes its parameters with it.
            let inside = changes.last().is_some_and(|row| {
                row.after.is_none()
                    && row.path.is_object()
                    && path.as_str().starts_with(row.path.as_str())
            });
            if before != after && !inside {
                changes.push(Change { path, before, after, writable });
            }
        }
        changes
    }
}

/// Whether an object is the row of a table: its last segment is a number.
pub(super) fn is_row(path: &ParamPath) -> bool {
    path.is_object() && path.leaf().bytes().all(|byte| byte.is_ascii_digit())
}

/// The table of a row, with its last dot.
pub(super) fn table_of(row: &ParamPath) -> Option<&str> {
    let text = row.as_str().strip_suffix('.')?;
    text.rfind('.').and_then(|dot| text.get(..=dot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::Value;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp::from_millis(1);

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    fn told(tree: &mut Tree) -> Vec<(String, Option<String>, Option<String>)> {
        let text = |text: Option<Box<str>>| text.map(String::from);
        let news = tree.take_news().into_iter();
        news.map(|news| (news.path.to_string(), text(news.before), text(news.after))).collect()
    }

    fn names(names: &[&str]) -> Vec<(ParamPath, bool)> {
        names.iter().map(|name| (path(name), true)).collect()
    }

    #[test]
    fn what_is_first_learned_is_no_news_and_what_differs_is() {
        let mut tree = Tree::new();
        let _ = tree.learn_value(&path("A.B"), Value::string("1"), NOW);
        let _ = tree.learn_value(&path("A.C"), Value::string("1"), NOW);
        assert!(!tree.has_news());
        for text in ["2", "3"] {
            let _ = tree.learn_value(&path("A.B"), Value::string(text), NOW);
        }
        for text in ["2", "1"] {
            let _ = tree.learn_value(&path("A.C"), Value::string(text), NOW);
        }
        assert_eq!(told(&mut tree), [("A.B".into(), Some("1".into()), Some("3".into()))]);
        assert!(!tree.has_news(), "told once");
    }

    #[test]
    fn rows_come_and_go() {
        let mut tree = Tree::new();
        tree.adopt_names("A.", names(&["A.T.", "A.T.1.", "A.T.1.X", "A.T.2.", "A.T.2.X"]), NOW);
        let _ = tree.learn_value(&path("A.T.1.X"), Value::string("x"), NOW);
        assert_eq!(told(&mut tree), [], "the first list is no news");
        tree.adopt_names("A.", names(&["A.T.", "A.T.2.", "A.T.2.X", "A.T.3.", "A.T.3.X"]), NOW);
        let row = |name: &str, before: bool| {
            let there = |is: bool| is.then(String::new);
            (name.to_owned(), there(before), there(!before))
        };
        assert_eq!(told(&mut tree), [row("A.T.1.", true), row("A.T.3.", false)]);
        tree.remove(&path("A.T.3."));
        tree.learn_name(&path("A.T.4."), true, NOW);
        assert_eq!(told(&mut tree), [row("A.T.3.", true), row("A.T.4.", false)]);
        tree.remove(&path("A.T.4."));
        tree.learn_name(&path("A.T.4."), true, NOW);
        assert_eq!(told(&mut tree), [], "it is there as before");
    }
}
