//! Presets that take effect: each becomes a profile of ours, made anew whenever the
//! preset or an object that it names changes.
//!
//! `made` says what profile a preset is; `precondition` and `legacy` read the two
//! forms of its condition, `cel` writes it as a rule.

mod cel;
mod legacy;
mod made;
mod precondition;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::super::fleet::changes::{self, Faults, MAX_PROFILES};
use super::super::state::State;
use crate::access::Principal;
use crate::profile::ProfileRecord;
use crate::store::{Batch, Change, Record, StoreError};

/// What stands before the name of each profile that is made of a preset.
const PREFIX: &str = "genieacs-";

/// The longest name of a preset that stands in that of its profile as it is.
const MAX_PLAIN: usize = 50;

/// Objects by their names.
pub(super) type Objects = BTreeMap<String, Map<String, Value>>;

/// All objects that are stored.
pub(super) async fn objects(state: &State) -> Result<Objects, StoreError> {
    let documents = state.store().office().documents("objects").await?;
    let read = documents.into_iter().filter_map(|document| {
        let members = serde_json::from_str(&document.body).ok()?;
        Some((document.id.into(), members))
    });
    Ok(read.collect())
}

/// The name of the profile that is made of a preset.
fn profile_name(preset: &str) -> String {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if preset.len() <= MAX_PLAIN && preset.bytes().all(sound) {
        return format!("{PREFIX}{preset}");
    }
    let plain: String =
        preset.bytes().filter(|byte| sound(*byte)).map(char::from).take(40).collect();
    let digest = hex::encode(Sha256::digest(preset.as_bytes()));
    format!("{PREFIX}{plain}-{}", digest.get(..8).unwrap_or_default())
}

/// What a profile that is made of a preset says of itself.
fn description(preset: &str) -> String {
    format!("Made of the preset {preset}, which goes before changes made here")
}

/// Adds to a batch what a preset makes of its profile; returns what is to be said of
/// that. Profiles must not be changed meanwhile.
pub(super) async fn derive(
    state: &State,
    principal: &Principal,
    batch: &mut Batch,
    preset: &str,
    members: &Map<String, Value>,
    objects: &Objects,
) -> Result<String, StoreError> {
    let name = profile_name(preset);
    let stored = state.store().fleet().profile(&name).await?;
    let is_ours = stored.as_ref().is_none_or(|stored| is_made_of(stored, preset));
    if !is_ours {
        return Ok(format!("stored only: there is a profile {name} that was not made of it"));
    }
    let text = match text(&name, preset, members, objects) {
        Ok(text) => text,
        Err(why) => {
            if let Some(stored) = stored {
                batch.push(Change::ForgetProfile(stored.name, stored.version));
            }
            return Ok(format!("stored only: {why}"));
        }
    };
    let said = format!("in force as the profile {name}");
    let (version, enabled) = match stored {
        Some(stored) if stored.text == text => return Ok(said),
        Some(stored) => (stored.version, stored.enabled),
        None if state.store().fleet().profiles().await?.len() >= MAX_PROFILES => {
            return Ok(format!("stored only: there are {MAX_PROFILES} profiles already"));
        }
        None => (0, true),
    };
    batch.put(Record::Profile(Box::new(ProfileRecord {
        name: name.into(),
        version: version.saturating_add(1),
        text,
        enabled,
        at: state.deps.clock.now(),
        by: (&*principal.name).into(),
        why: "the preset was stored".into(),
        tenant: "".into(),
    })));
    Ok(said)
}

/// The text of the profile, or why there is none.
fn text(
    name: &str,
    preset: &str,
    members: &Map<String, Value>,
    objects: &Objects,
) -> Result<Box<str>, String> {
    let mut profile = made::profile(members, objects)?;
    profile.insert("description".to_owned(), description(preset).into());
    let mut faults = Faults::default();
    // The original asks devices, not data models.
    let text = changes::text(name, Value::Object(profile), None, true, &mut faults);
    faults.none().map_err(|error| error.to_string())?;
    text.ok_or_else(|| "it cannot be said as a profile".to_owned())
}

fn is_made_of(stored: &ProfileRecord, preset: &str) -> bool {
    let read: Value = serde_json::from_str(&stored.text).unwrap_or_default();
    stored.tenant.is_empty()
        && read.get("description").and_then(Value::as_str) == Some(&description(preset))
}

/// The same for every preset that names an object; returns what is to be said of
/// the last one that is not in force.
pub(super) async fn derive_users(
    state: &State,
    principal: &Principal,
    batch: &mut Batch,
    object: &str,
    objects: &Objects,
) -> Result<Option<String>, StoreError> {
    let mut said = None;
    for document in state.store().office().documents("presets").await? {
        let Ok(members) = serde_json::from_str::<Map<String, Value>>(&document.body) else {
            continue;
        };
        if made::names_object(&members, object) {
            let told = derive(state, principal, batch, &document.id, &members, objects).await?;
            if told.starts_with("stored only") {
                said = Some(format!("preset {}: {told}", document.id));
            }
        }
    }
    Ok(said)
}

/// Adds to a batch that the profile of a preset goes.
pub(super) async fn forget(
    state: &State,
    batch: &mut Batch,
    preset: &str,
) -> Result<(), StoreError> {
    let stored = state.store().fleet().profile(&profile_name(preset)).await?;
    if let Some(stored) = stored.filter(|stored| is_made_of(stored, preset)) {
        batch.push(Change::ForgetProfile(stored.name, stored.version));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_preset_has_a_profile_of_its_own() {
        assert_eq!(profile_name("inform"), "genieacs-inform");
        let odd = ["Wi Fi", "WiFi ", "Wi/Fi", "ä", &"x".repeat(200)].map(profile_name);
        for name in &odd {
            assert!(changes::name(name).is_ok(), "{name}");
        }
        let all: std::collections::BTreeSet<_> = odd.iter().collect();
        assert_eq!(all.len(), odd.len());
    }
}
