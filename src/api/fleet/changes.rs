//! Profiles as requests bring them: everything that is wrong is told at once,
//! and nothing is taken then.

use serde_json::Value;

use super::super::extract::plain_text;
use super::super::problem::{ApiError, ImportFault, bad_value};
use super::secrets;
use crate::profile::{ProfileRecord, ProfileSet};
use crate::time::Timestamp;

/// The longest profile, in bytes of JSON.
const MAX_TEXT: usize = 256 << 10;

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// The longest reason, in characters.
const MAX_WHY: usize = 500;

/// The most profiles that there are.
pub(super) const MAX_PROFILES: usize = 1000;

/// The most faults that one answer tells.
const MAX_TOLD: usize = 100;

/// What is wrong with profiles.
#[derive(Debug, Default)]
pub(super) struct Faults {
    told: Vec<ImportFault>,
    all: usize,
}

impl Faults {
    pub(super) fn add(&mut self, column: impl Into<String>, problem: impl Into<String>) {
        self.all += 1;
        if self.told.len() < MAX_TOLD {
            let column = Some(column.into());
            self.told.push(ImportFault { line: 0, column, problem: problem.into() });
        }
    }

    /// Nothing, if nothing is wrong.
    pub(super) fn none(self) -> Result<(), ApiError> {
        if self.all == 0 {
            return Ok(());
        }
        Err(ApiError::BadProfile { faults: self.told, all: self.all })
    }
}

/// A name by which a profile may be called.
pub(super) fn name(name: &str) -> Result<&str, ApiError> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(sound) {
        let form = format!("from 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`");
        return Err(bad_value("name", form));
    }
    Ok(name)
}

/// A reason as it is kept.
pub(super) fn why(why: Option<String>) -> Result<String, ApiError> {
    let why = why.unwrap_or_default();
    plain_text("why", &why, MAX_WHY)?;
    Ok(why)
}

/// The text of a profile from a request, as it is stored; `None` if something is
/// wrong with it, which is told then. What is masked keeps what is `stored`.
pub(super) fn text(
    name: &str,
    mut profile: Value,
    stored: Option<&ProfileRecord>,
    faults: &mut Faults,
) -> Option<Box<str>> {
    let Some(members) = profile.as_object_mut() else {
        faults.add(name, "a profile is an object");
        return None;
    };
    // A file may say whose it is.
    if members.get("name").is_some_and(|own| own.as_str() == Some(name)) {
        members.remove("name");
    }
    let before = stored.and_then(|stored| serde_json::from_str(&stored.text).ok());
    let mut lost = Vec::new();
    let profile = secrets::kept(profile, before.as_ref(), &mut lost);
    for place in &lost {
        faults.add(format!("{name}: {place}"), "nothing is stored that `***` could keep");
    }
    let text = profile.to_string();
    if text.len() > MAX_TEXT {
        faults.add(name, format!("at most {MAX_TEXT} bytes"));
        return None;
    }
    let known = faults.all;
    check(name, &text, faults);
    (faults.all == known && lost.is_empty()).then(|| text.into())
}

/// Tells everything that is wrong with a profile.
fn check(name: &str, text: &str, faults: &mut Faults) {
    let record = ProfileRecord {
        name: name.into(),
        version: 1,
        text: text.into(),
        // One that is not in force is checked as well.
        enabled: true,
        at: Timestamp::default(),
        by: Box::default(),
        why: Box::default(),
    };
    let (_, errors) = ProfileSet::compile(&[record]);
    for error in errors {
        faults.add(name, error.problem);
    }
}
