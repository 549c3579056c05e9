//! Everything that is wrong with a profile, told at once.
//!
//! A profile is read strictly and up to its first error. So that an operator who
//! brings a long one need not come back for each, the parts of one that is wrong
//! are read one by one.

use serde_json::{Map, Value};

use crate::profile::Profile;

/// Parts of a profile that are looked at one by one, at most.
const MAX_PARTS: usize = 10_000;

/// Reads a profile.
///
/// # Errors
/// Everything that is wrong with it, in the order in which it stands.
pub(super) fn read(profile: &Value) -> Result<Profile, Vec<String>> {
    let whole = match Profile::parse_json(&profile.to_string()) {
        Ok(profile) => return Ok(profile),
        Err(error) => error.problem,
    };
    let mut problems: Vec<String> = Vec::new();
    let members = profile.as_object().into_iter().flatten();
    let parts = members.flat_map(|(name, member)| parts(name, member)).take(MAX_PARTS);
    for part in parts {
        // A name is needed; that of the whole is a part of its own.
        let mut alone = Map::from_iter([("name".to_owned(), Value::from("part"))]);
        alone.extend([part]);
        if let Err(error) = Profile::parse_json(&Value::Object(alone).to_string())
            && !problems.contains(&error.problem)
        {
            problems.push(error.problem);
        }
    }
    // What is wrong only with all of it together.
    if problems.is_empty() {
        problems.push(whole);
    }
    Err(problems)
}

/// The parts of a member that can be read alone.
fn parts(name: &str, member: &Value) -> Vec<(String, Value)> {
    let alone = |part: Value| (name.to_owned(), part);
    match (name, member) {
        ("parameters" | "attributes" | "refresh", Value::Object(members)) => members
            .iter()
            .map(|(name, value)| {
                alone(Value::Object(Map::from_iter([(name.clone(), value.clone())])))
            })
            .collect(),
        ("tables" | "intents", Value::Array(items)) => {
            items.iter().map(|item| alone(Value::Array(vec![item.clone()]))).collect()
        }
        (_, member) => vec![alone(member.clone())],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sound_profile_is_read() {
        let profile = json!({"name": "a", "parameters": {"Device.Time.Enable": true}});
        assert_eq!(read(&profile).unwrap().parameters.len(), 1);
    }

    #[test]
    fn every_problem_is_told() {
        let problems = read(&json!({
            "name": "a",
            "match": "tags.",
            "colour": "blue",
            "parameters": {"Device.A": [], "Device.B": {"rows": 1}, "Device.C": "{{ x"},
            "tables": [{"table": "Device.NAT.PortMapping"}],
        }))
        .unwrap_err();
        for part in ["match", "colour", "Device.A", "Device.B", "Device.C", "table"] {
            assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:#?}");
        }
        assert_eq!(problems.len(), 6, "{problems:#?}");
    }
}
