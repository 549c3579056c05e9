//! What a tree says, and what can be told from what it does not say.

use super::{Comparison, parent_of};
use crate::param::{ParamPath, Tree};
use crate::schema::{Access, Schema};

/// What is known of the rows of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// All rows are known.
    Whole,
    /// There may be more rows than are known.
    Unread,
    /// There is no such table, or it cannot be read.
    Never(Box<str>),
}

impl Comparison<'_> {
    /// What is known of the rows of a table. `exactly`: rows that the device
    /// makes by itself matter.
    pub(super) fn listing(&self, table: &str, exactly: bool) -> Listing {
        if self.experience.doubted.contains(table) {
            Listing::Unread
        } else if let Some(why) = self.experience.untold.get(table) {
            Listing::Never(why.clone())
        } else if self.tree.get(table).is_some() {
            Listing::Whole
        } else if self.experience.is_fresh(table) {
            if exactly { Listing::Unread } else { Listing::Whole }
        } else if lacks(self.tree, table) {
            Listing::Never("the device has no such table".into())
        } else {
            Listing::Unread
        }
    }

    /// Whether the device's word on what can be written is to be believed: some
    /// call everything read-only (Q31), which no device is.
    fn is_honest(&self) -> bool {
        *self.honest.get_or_init(|| {
            self.learned.honest_writable
                && self
                    .tree
                    .iter()
                    .any(|(path, param)| !path.is_object() && param.writable == Some(true))
        })
    }

    /// Why a parameter cannot be written; `None` if it can, as far as is known.
    pub(super) fn read_only(&self, path: &ParamPath) -> Option<&'static str> {
        match self.tree.get(path.as_str()).and_then(|param| param.writable) {
            Some(true) => None,
            Some(false) if self.is_honest() => Some("the device says that it is read-only"),
            Some(false) => None,
            None => Schema::core()
                .fact(path.as_str())
                .is_some_and(|fact| fact.access == Access::ReadOnly)
                .then_some("the data model has it read-only"),
        }
    }

    /// Whether the device says of a table that no row can be made in it, or of a
    /// row that it cannot go.
    pub(super) fn is_fixed(&self, object: &str) -> bool {
        self.tree.get(object).and_then(|param| param.writable) == Some(false) && self.is_honest()
    }
}

/// Whether it is known that there is nothing at a path: something above it was
/// listed, and what leads there is not in the list.
pub(super) fn lacks(tree: &Tree, path: &str) -> bool {
    // An object may have been named without its dot.
    if let Some(bare) = path.strip_suffix('.')
        && (tree.get(bare).is_some() || tree.under(path).next().is_some())
    {
        return false;
    }
    let mut above = parent_of(path);
    while !above.is_empty() {
        if is_listed(tree, above) {
            return true;
        }
        if tree.under(above).next().is_some() {
            return false;
        }
        above = parent_of(above);
    }
    false
}

/// Whether all that lies directly in an object is known, because
/// GetParameterNames listed it. A row may be known by name alone, and so may a
/// table in a row; a parameter is named only where all are.
fn is_listed(tree: &Tree, object: &str) -> bool {
    let is_named = tree.get(object).is_some_and(|param| param.writable.is_some());
    let by_object = is_named && !is_row(object);
    for (path, param) in tree.under(object).filter(|(_, param)| param.writable.is_some()) {
        let inside = path.as_str().get(object.len()..).unwrap_or_default();
        match inside.find('.') {
            None if !inside.is_empty() => return param.writable.is_some(),
            Some(dot) if by_object && dot + 1 == inside.len() && !is_row(path.as_str()) => {
                return true;
            }
            _ => {}
        }
    }
    false
}

/// Whether an object is the row of a table: its last segment is a number or an
/// alias.
fn is_row(object: &str) -> bool {
    let inside = object.strip_suffix('.').unwrap_or(object);
    let last = inside.rsplit('.').next().unwrap_or(inside);
    !last.is_empty() && (last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with('['))
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

    #[test]
    fn what_a_list_does_not_have_is_not_there_and_what_was_never_listed_may_be() {
        let mut tree = Tree::new();
        let names = ["D.", "D.A.", "D.A.X", "D.T.", "D.T.1.", "D.T.1.X", "D.B."];
        tree.adopt_names("D.", names.map(|name| (path(name), true)).into(), NOW);
        for gone in ["D.A.Y", "D.C", "D.C.", "D.C.X", "D.A.T.", "D.T.1.Y", "D.T.1.S."] {
            assert!(lacks(&tree, gone), "{gone}");
        }
        for there in ["D.A.", "D.T.", "D.T.1."] {
            assert!(!lacks(&tree, there), "{there}");
        }
        let mut told = Tree::new();
        let _ = told.learn_value(&path("D.A.X"), Value::string("1"), NOW);
        told.learn_name(&path("D.T."), true, NOW);
        told.learn_name(&path("D.T.1."), true, NOW);
        told.adopt_names("D.T.1.S.", vec![(path("D.T.1.S."), true)], NOW);
        for perhaps in ["D.A.Y", "D.C", "D.T.1.X", "D.T.1.R."] {
            assert!(!lacks(&told, perhaps), "{perhaps}");
        }
    }
}
