//! Profiles in files: TOML, or JSON.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::CliError;

/// A profile of a file, and what it is called: as it says itself, or as the file
/// is.
pub(super) fn profile(file: &Path, called: Option<String>) -> Result<(String, Value), CliError> {
    let text = read(file)?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let bad = |problem: String| CliError::BadFile { path: file.to_owned(), problem };
    let mut profile: Value = if is_json || (is_stdin(file) && text.trim_start().starts_with('{')) {
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| bad(in_one_line(&text, &error)))?
    };
    let Some(members) = profile.as_object_mut() else {
        return Err(bad("a profile is an object".to_owned()));
    };
    let own = members.remove("name").and_then(|name| Some(name.as_str()?.to_owned()));
    let stem = || file.file_stem().filter(|_| !is_stdin(file));
    let name = called.or(own).or_else(|| Some(stem()?.to_string_lossy().into_owned()));
    match name {
        Some(name) => Ok((name, profile)),
        None => Err(bad("say what the profile is called: --name NAME".to_owned())),
    }
}

/// What is wrong in TOML, with its place.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    format!("line {}: {}", before.matches('\n').count() + 1, error.message())
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn read(file: &Path) -> Result<String, CliError> {
    let mut text = String::new();
    let read = if is_stdin(file) {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|source| CliError::File { path: PathBuf::from(file), source })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn a_profile_is_called_as_it_says_or_as_its_file_is() {
        let (_folder, path) = written("wifi.toml", "match = \"true\"\n[parameters]\n\"A.B\" = 1\n");
        let (name, profile) = super::profile(&path, None).unwrap();
        assert_eq!(name, "wifi");
        assert_eq!(profile, serde_json::json!({"match": "true", "parameters": {"A.B": 1}}));
        assert_eq!(super::profile(&path, Some("x".to_owned())).unwrap().0, "x");
        let (_folder, path) = written("a.json", "{\"name\": \"b\"}");
        assert_eq!(super::profile(&path, None).unwrap(), ("b".to_owned(), serde_json::json!({})));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let (_folder, path) = written("x.toml", "a = 1\nb =\n");
        let error = super::profile(&path, None).unwrap_err().to_string();
        assert!(error.contains("x.toml: line 2: "), "{error}");
    }
}
