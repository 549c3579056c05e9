//! The ways to name a row of a table: its number, `[alias]`, and `*` for all
//! (TR-069 §3.6.1, TR-106 §3.6, Amendment 6 for wildcards).

use super::{Param, ParamPath, Tree};

/// The longest alias, in characters.
const MAX_ALIAS: usize = 64;

/// The most entries of a tree that are looked at for one row.
const MAX_LOOKS: usize = 20_000;

/// What is wrong with the rows that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// A bracket stands elsewhere than around a whole segment.
    #[error("an alias stands in brackets as a segment of its own, as in Device.X.[name].")]
    Brackets,
    /// The alias is empty, too long, or has characters that an alias cannot have.
    #[error("an alias begins with a letter and has at most 64 letters, digits, - and _")]
    Alias,
    /// `*` stands elsewhere than as a whole segment.
    #[error("a wildcard is a segment of its own, as in Device.X.*.Enable")]
    Wildcard,
}

impl ParamPath {
    /// Checks that brackets and wildcards, if any, stand as the standard has
    /// them.
    ///
    /// # Errors
    /// [`InstanceError`]: what is wrong.
    pub fn check_instances(&self) -> Result<(), InstanceError> {
        for segment in self.as_str().split('.') {
            if segment.contains(['[', ']']) {
                let alias = alias_of(segment).ok_or(InstanceError::Brackets)?;
                if !is_alias(alias) {
                    return Err(InstanceError::Alias);
                }
            } else if segment.contains('*') && segment != "*" {
                return Err(InstanceError::Wildcard);
            }
        }
        Ok(())
    }

    /// The aliases that the path names, from the left.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.as_str().split('.').filter_map(alias_of)
    }

    /// Whether the path names a row by its alias.
    pub fn has_alias(&self) -> bool {
        self.aliases().next().is_some()
    }

    /// Whether the path stands for all rows of a table.
    pub fn has_wildcard(&self) -> bool {
        is_wildcard(self.as_str())
    }

    /// A table whose new row is to have an alias (`Device.X.[name].`) apart: the
    /// table and the alias.
    pub fn split_alias(&self) -> Option<(Self, &str)> {
        let (table, last) = self.as_str().strip_suffix('.')?.rsplit_once('.')?;
        let alias = alias_of(last)?;
        Some((Self::parse(&format!("{table}.")).ok()?, alias))
    }
}

/// Whether a name is one that a name with wildcards stands for.
pub fn is_match(pattern: &str, name: &str) -> bool {
    let mut segments = name.split('.');
    for wanted in pattern.split('.') {
        // The end of a partial path: everything below it.
        if wanted.is_empty() {
            return segments.next().is_some();
        }
        match segments.next() {
            Some(segment) if segment == wanted || (wanted == "*" && !segment.is_empty()) => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// Whether a segment of the text is `*`.
pub fn is_wildcard(text: &str) -> bool {
    text.split('.').any(|segment| segment == "*")
}

/// Whether two paths are the same but for the way in which they name rows: what
/// is `3` in one may be `[name]` in the other. Rows that both name by number must
/// be the same, and by alias as well.
pub fn rows_agree(one: &str, other: &str) -> bool {
    let (mut left, mut right) = (one.split('.'), other.split('.'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || is_same_row(a, b) => {}
            _ => return false,
        }
    }
}

/// Whether one names by number what the other names by alias.
fn is_same_row(one: &str, other: &str) -> bool {
    (is_number(one) && alias_of(other).is_some()) || (alias_of(one).is_some() && is_number(other))
}

fn is_number(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn alias_of(segment: &str) -> Option<&str> {
    let alias = segment.strip_prefix('[')?.strip_suffix(']')?;
    (!alias.contains(['[', ']'])).then_some(alias)
}

fn is_alias(text: &str) -> bool {
    text.len() <= MAX_ALIAS
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl Tree {
    /// The path with each alias replaced by the number of the row that has it,
    /// as far as the tree knows; a row whose alias nobody has keeps it.
    pub fn by_number(&self, path: &ParamPath) -> ParamPath {
        if !path.has_alias() {
            return path.clone();
        }
        let mut out = String::with_capacity(path.as_str().len());
        for (position, segment) in path.as_str().split('.').enumerate() {
            if position > 0 {
                out.push('.');
            }
            match alias_of(segment).and_then(|alias| self.row_with(&out, alias)) {
                Some(number) => out.push_str(&number),
                None => out.push_str(segment),
            }
        }
        ParamPath::parse(&out).unwrap_or_else(|_| path.clone())
    }

    /// The number of the row below a table whose `Alias` is this.
    fn row_with(&self, table: &str, alias: &str) -> Option<String> {
        self.rows(table).into_iter().find(|row| {
            self.text(&format!("{table}{row}.Alias")).is_some_and(|known| known.trim() == alias)
        })
    }

    /// The rows below a table (with its trailing dot), by number or `[alias]` as
    /// the device named them.
    pub fn rows(&self, table: &str) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        let mut from = table.to_owned();
        // From row to row, not through each row's parameters.
        for _ in 0..MAX_LOOKS {
            let Some((path, _)) = self.after(&from) else { break };
            let Some(rest) = path.as_str().strip_prefix(table) else { break };
            let segment = rest.split('.').next().unwrap_or_default();
            if rest.contains('.') && (is_number(segment) || alias_of(segment).is_some()) {
                rows.push(segment.to_owned());
            }
            // `/` follows `.`: the next path that is not below this segment.
            from = if rest.contains('.') {
                format!("{table}{segment}/")
            } else {
                path.as_str().to_owned()
            };
        }
        rows
    }

    /// What is known of a parameter that a path names, or else of the same
    /// parameter in another row of its tables: for its type.
    pub fn alike(&self, path: &ParamPath) -> Option<&Param> {
        if let Some(param) = self.get(path.as_str()) {
            return Some(param);
        }
        let before = path.as_str().split_once('[')?.0;
        if let Some(known) = self.get(self.by_number(path).as_str()) {
            return Some(known);
        }
        let in_another_row = self
            .under(before)
            .take(MAX_LOOKS)
            .find(|(known, param)| {
                param.value.is_some() && rows_agree(known.as_str(), path.as_str())
            })
            .map(|(known, _)| known.clone());
        self.get(in_another_row?.as_str())
    }
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

    fn tree(values: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::new();
        for (name, text) in values {
            tree.learn_value(&path(name), Value::string(*text), NOW);
        }
        tree
    }

    #[test]
    fn brackets_and_wildcards_are_segments_of_their_own() {
        let check = |text: &str| path(text).check_instances();
        for good in ["A.B", "A.[lan].B", "A.[cpe-1].", "A.*.B", "A.[a].C.[b-2_c].", "A.*."] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let long = format!("A.[a{}].", "b".repeat(64));
        for (bad, error) in [
            ("A.[lan", InstanceError::Brackets),
            ("A.lan].B", InstanceError::Brackets),
            ("A.x[1].B", InstanceError::Brackets),
            ("A.[[a]].B", InstanceError::Brackets),
            ("A.[].B", InstanceError::Alias),
            ("A.[1a].B", InstanceError::Alias),
            ("A.[a;b].B", InstanceError::Alias),
            ("A.[\u{e4}].B", InstanceError::Alias),
            (&*long, InstanceError::Alias),
            ("A.B*.C", InstanceError::Wildcard),
            ("A.**.C", InstanceError::Wildcard),
        ] {
            assert_eq!(check(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn rows_agree_whatever_their_name() {
        for (one, other) in [("A.1.B", "A.1.B"), ("A.[x].B", "A.3.B"), ("A.3.B.[y].", "A.[x].B.7.")]
        {
            assert!(rows_agree(one, other) && rows_agree(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("A.1.B", "A.2.B"),
            ("A.[x].B", "A.[y].B"),
            ("A.[x].B", "A.3.C"),
            ("A.[x].B", "A.3.B.C"),
            ("A.[x].B", "A.Y.B"),
            ("A.*.B", "A.3.B"),
        ] {
            assert!(!rows_agree(one, other), "{one} {other}");
        }
    }

    #[test]
    fn wildcards_stand_for_rows() {
        for (pattern, name, is) in [
            ("D.T.*.X", "D.T.3.X", true),
            ("D.T.*.X", "D.T.[a].X", true),
            ("D.T.*.X", "D.T.3.Y", false),
            ("D.T.*.X", "D.T.3.X.Y", false),
            ("D.T.*.", "D.T.3.X.Y", true),
            ("D.T.*.", "D.T.3", false),
            ("D.*.S.*.X", "D.1.S.2.X", true),
            ("D.X", "D.X", true),
        ] {
            assert_eq!(is_match(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn aliases_are_found_in_the_tree() {
        let tree = tree(&[
            ("D.T.1.Alias", "cpe-1"),
            ("D.T.1.X", "1"),
            ("D.T.12.Alias", "web"),
            ("D.T.12.S.3.Alias", "in"),
            ("D.T.12.X", "2"),
            ("D.T.2.X", "3"),
            ("D.TNumberOfEntries", "3"),
            ("D.U", ""),
        ]);
        assert_eq!(tree.rows("D.T."), ["1", "12", "2"]);
        assert_eq!(tree.rows("D."), [""; 0]);
        assert_eq!(tree.by_number(&path("D.T.[web].X")).as_str(), "D.T.12.X");
        assert_eq!(tree.by_number(&path("D.T.[web].S.[in].")).as_str(), "D.T.12.S.3.");
        assert_eq!(tree.by_number(&path("D.T.[no].X")).as_str(), "D.T.[no].X");
        assert!(tree.alike(&path("D.T.[no].X")).is_some(), "the type of another row");
        assert!(tree.alike(&path("D.T.[no].Y")).is_none());
        assert!(tree.alike(&path("D.T.9.X")).is_none(), "a number is meant as it stands");
        assert_eq!(path("D.T.[web].").split_alias(), Some((path("D.T."), "web")));
        assert_eq!(path("D.T.").split_alias(), None);
    }
}
