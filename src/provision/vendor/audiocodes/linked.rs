//! Linked files: what a file and those that it includes say together.

use std::collections::BTreeMap;

use super::cfg::{CfgError, Line, read};
use crate::class::Class;

/// How deep files may include one another.
const DEEPEST: usize = 5;
/// The most files of one phone.
const MOST_FILES: usize = 32;

/// Why linked files cannot be read together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkedError {
    /// A file is none.
    #[error("{file}: {error}")]
    File {
        /// Which.
        file: String,
        /// What is wrong with it.
        error: CfgError,
    },
    /// A file that is included is not there.
    #[error("{0} is included, and is not there")]
    Missing(String),
    /// A file includes itself, directly or through others.
    #[error("{0} includes itself")]
    Cycle(String),
    /// Files include one another too deeply, or there are too many.
    #[error("files include one another at most {DEEPEST} deep, {MOST_FILES} in all")]
    Deep,
}

impl LinkedError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::Missing(_) => Class::NotFound,
            Self::File { .. } | Self::Cycle(_) | Self::Deep => Class::Invalid,
        }
    }
}

/// Reads a file and all that it includes; what stands later wins. `find` gives
/// the bytes of a file by the name that `include` has for it, which may be a
/// URL.
///
/// # Errors
/// [`LinkedError`].
pub fn resolve(
    name: &str,
    find: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<BTreeMap<String, String>, LinkedError> {
    let mut settings = BTreeMap::new();
    let mut files = 0;
    include(name, find, &mut Vec::new(), &mut files, &mut settings)?;
    Ok(settings)
}

fn include(
    name: &str,
    find: &dyn Fn(&str) -> Option<Vec<u8>>,
    above: &mut Vec<String>,
    files: &mut usize,
    settings: &mut BTreeMap<String, String>,
) -> Result<(), LinkedError> {
    let told = || super::parameters::cut(name);
    if above.iter().any(|other| other == name) {
        return Err(LinkedError::Cycle(told()));
    }
    *files += 1;
    if above.len() > DEEPEST || *files > MOST_FILES {
        return Err(LinkedError::Deep);
    }
    let bytes = find(name).ok_or_else(|| LinkedError::Missing(told()))?;
    let lines = read(&bytes).map_err(|error| LinkedError::File { file: told(), error })?;
    above.push(name.to_owned());
    for line in lines {
        match line {
            Line::Set { path, value } => {
                settings.insert(path.to_owned(), value.to_owned());
            }
            Line::Include(other) => include(other, find, above, files, settings)?,
        }
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(files: &[(&str, &str)]) -> Result<BTreeMap<String, String>, LinkedError> {
        let find = |name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found.map(|(_, text)| text.as_bytes().to_vec())
        };
        resolve("own.cfg", &find)
    }

    #[test]
    fn what_stands_later_wins() {
        let files = [
            ("own.cfg", "a/x=1\na/z=1\ninclude https://h/site.cfg\na/y=3\n"),
            ("https://h/site.cfg", "include global.cfg\na/x=2\na/y=2\n"),
            ("global.cfg", "a/x=0\na/g=0\n"),
        ];
        let settings = read_all(&files).unwrap();
        let told: Vec<_> = settings.iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(told, ["a/g=0", "a/x=2", "a/y=3", "a/z=1"]);
    }

    #[test]
    fn cycles_depth_and_holes_are_refused() {
        assert_eq!(
            read_all(&[("own.cfg", "include b"), ("b", "include own.cfg")]),
            Err(LinkedError::Cycle("own.cfg".to_owned()))
        );
        assert_eq!(
            read_all(&[("own.cfg", "include b")]),
            Err(LinkedError::Missing("b".to_owned()))
        );
        let deep: Vec<_> = (0..9).map(|n| (format!("{n}"), format!("include {}", n + 1))).collect();
        let mut files = vec![("own.cfg", "include 0")];
        files.extend(deep.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        assert_eq!(read_all(&files), Err(LinkedError::Deep));
        // A bush: thirty-three times the same leaf.
        let bush = "include leaf\n".repeat(33);
        assert_eq!(read_all(&[("own.cfg", &bush), ("leaf", "a/b=1")]), Err(LinkedError::Deep));
        let broken = read_all(&[("own.cfg", "include b"), ("b", "x")]).unwrap_err();
        assert_eq!(
            broken.to_string(),
            "b: line 1: write path=value, `; comment` or `include FILE`"
        );
    }
}
