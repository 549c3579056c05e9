//! Profiles as requests bring them: everything that is wrong is told at once,
//! and nothing is taken then.

use serde_json::Value;

use super::super::extract::plain_text;
use super::super::problem::{ApiError, ImportFault, bad_value};
use super::{paths, problems, secrets};
use crate::profile::{Profile, ProfileRecord};

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// The longest reason, in characters.
const MAX_WHY: usize = 500;

/// The most profiles that there are.
pub(in crate::api) const MAX_PROFILES: usize = 1000;

/// The most faults that one answer tells.
const MAX_TOLD: usize = 100;

/// What is wrong with profiles.
#[derive(Debug, Default)]
pub(in crate::api) struct Faults {
    told: Vec<ImportFault>,
    all: usize,
}

impl Faults {
    pub(in crate::api) fn add(&mut self, column: impl Into<String>, problem: impl Into<String>) {
        self.all += 1;
        if self.told.len() < MAX_TOLD {
            let column = Some(column.into());
            self.told.push(ImportFault { line: 0, column, problem: problem.into() });
        }
    }

    /// Nothing, if nothing is wrong.
    pub(in crate::api) fn none(self) -> Result<(), ApiError> {
        if self.all == 0 {
            return Ok(());
        }
        Err(ApiError::BadProfile { faults: self.told, all: self.all })
    }
}

/// A name by which a profile may be called.
pub(in crate::api) fn name(name: &str) -> Result<&str, ApiError> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(sound) {
        let form = format!("from 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`");
        return Err(bad_value("name", form));
    }
    Ok(name)
}

/// A reason as it is kept.
pub(in crate::api) fn why(why: Option<String>) -> Result<String, ApiError> {
    let why = why.unwrap_or_default();
    plain_text("why", &why, MAX_WHY)?;
    Ok(why)
}

/// The text of a profile from a request, as it is stored; `None` if something is
/// wrong with it, which is told then. What is masked keeps what is `stored`.
///
/// With `unchecked` it may name what no data model knows.
pub(in crate::api) fn text(
    name: &str,
    profile: Value,
    stored: Option<&ProfileRecord>,
    unchecked: bool,
    faults: &mut Faults,
) -> Option<Box<str>> {
    let profile = form(name, profile, stored, faults)?;
    let known = faults.all;
    if !unchecked {
        paths::check(name, &profile, faults);
    }
    (faults.all == known).then(|| profile.to_json().into())
}

/// A profile that is sound in its form.
fn form(
    name: &str,
    mut profile: Value,
    stored: Option<&ProfileRecord>,
    faults: &mut Faults,
) -> Option<Profile> {
    let Some(members) = profile.as_object_mut() else {
        faults.add(name, "a profile is an object");
        return None;
    };
    // It is called as the request says; whether it is in force is no part of it.
    let own = members.insert("name".to_owned(), name.into());
    if own.is_some_and(|own| own.as_str() != Some(name)) {
        faults.add(name, "the profile itself says that it is called otherwise");
        return None;
    }
    members.remove("enabled");
    let before = stored.and_then(|stored| serde_json::from_str(&stored.text).ok());
    let mut lost = Vec::new();
    let profile = secrets::kept(profile, before.as_ref(), &mut lost);
    for place in &lost {
        faults.add(format!("{name}: {place}"), "nothing is stored that `***` could keep");
    }
    match problems::read(&profile) {
        Ok(profile) if lost.is_empty() => Some(profile),
        Ok(_) => None,
        Err(problems) => {
            problems.into_iter().for_each(|problem| faults.add(name, problem));
            None
        }
    }
}

/// Whether a profile from a request says that it is in force.
pub(in crate::api) fn enabled(profile: &Value) -> Option<bool> {
    profile.get("enabled").and_then(Value::as_bool)
}
