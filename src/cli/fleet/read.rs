//! Profiles in files: TOML, or JSON.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::CliError;

/// A profile of a file, and what it is called: as it says itself, or as the file
/// is.
///
/// One that cannot be read as a profile is given on as it stands: the server says
/// all that is wrong with it, and not the first thing only.
pub(super) fn profile(file: &Path, called: Option<String>) -> Result<(String, Value), CliError> {
    let text = read(file)?;
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let bad = |problem: String| CliError::BadFile { path: file.to_owned(), problem };
    let mut profile: Value = if is_json || (is_stdin(file) && text.trim_start().starts_with('{')) {
        serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?
    } else {
        let table: toml::Table =
            toml::from_str(&text).map_err(|error| bad(in_one_line(&text, &error)))?;
        json(toml::Value::Table(table))
    };
    let Some(members) = profile.as_object_mut() else {
        return Err(bad("a profile is an object".to_owned()));
    };
    let own = members.get("name").and_then(|name| Some(name.as_str()?.to_owned()));
    let stem = || file.file_stem().filter(|_| !is_stdin(file));
    let name = called.or(own).or_else(|| Some(stem()?.to_string_lossy().into_owned()));
    let name = name.ok_or_else(|| bad("say what the profile is called: --name NAME".to_owned()))?;
    members.insert("name".to_owned(), name.clone().into());
    Ok((name, profile))
}

/// TOML as JSON; times become texts.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, json(value))).collect())
        }
    }
}

/// What is wrong in TOML, with its place.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let message = error.message().lines().next().unwrap_or_default();
    format!("line {}: {message}", before.matches('\n').count() + 1)
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
        let (name, read) = profile(&path, None).unwrap();
        assert_eq!(name, "wifi");
        assert_eq!(
            read,
            serde_json::json!({"name": "wifi", "match": "true", "parameters": {"A.B": 1}})
        );
        assert_eq!(profile(&path, Some("x".to_owned())).unwrap().0, "x");
        let (_folder, path) = written("a.json", "{\"name\": \"b\"}");
        assert_eq!(
            profile(&path, None).unwrap(),
            ("b".to_owned(), serde_json::json!({"name": "b"}))
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let (_folder, path) = written("x.toml", "a = 1\nb =\n");
        let error = profile(&path, None).unwrap_err().to_string();
        assert!(error.contains("x.toml: line 2: "), "{error}");
    }
}
