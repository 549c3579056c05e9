//! Which parameters are secrets: by their names, and by what the models say.

use std::sync::{LazyLock, PoisonError, RwLock};

use super::catalogue;
use super::model::{ModelParameter, ParameterModel};
use crate::param::ValueType;

/// Endings of parameter names that mean a secret in any data model, vendor
/// extensions included.
const ENDINGS: [&str; 9] = [
    "password",
    "passphrase",
    "passwd",
    "presharedkey",
    "wepkey",
    "secret",
    "privatekey",
    "secretkey",
    "authkey",
];

/// The names of parameters that are a secret in one model or another, and whose
/// name alone does not show it; in order.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| names(catalogue::embedded().iter()));

/// The same of the models that the operator gave.
static GIVEN_NAMES: RwLock<Vec<&'static str>> = RwLock::new(Vec::new());

/// Whether a name shows that it is one of a secret.
pub(super) fn shows(leaf: &str) -> bool {
    let leaf = leaf.as_bytes();
    ENDINGS.iter().any(|ending| {
        leaf.len() >= ending.len()
            && leaf[leaf.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    })
}

/// Whether a parameter of this name is a secret somewhere: few names are.
pub(super) fn may_be(leaf: &str) -> bool {
    if NAMES.binary_search(&leaf).is_ok() {
        return true;
    }
    catalogue::any_given() && {
        let names = GIVEN_NAMES.read().unwrap_or_else(PoisonError::into_inner);
        names.binary_search(&leaf).is_ok()
    }
}

/// What reads back empty or is only for those whom it concerns is a secret; a
/// switch is none.
pub(super) fn is(parameter: &ModelParameter<'_>) -> bool {
    (parameter.says("hidden") || parameter.says("secured"))
        && *parameter.kind() != ValueType::Boolean
}

/// Takes note of the secrets of the operator's models.
pub(super) fn know_given(models: &[&'static ParameterModel]) {
    *GIVEN_NAMES.write().unwrap_or_else(PoisonError::into_inner) = names(models.iter().copied());
}

/// The names of secrets that do not show it, in order.
fn names<'m>(models: impl Iterator<Item = &'m ParameterModel>) -> Vec<&'m str> {
    let parameters = models.flat_map(ParameterModel::objects).flat_map(|one| one.parameters());
    let secrets = parameters.filter(is).map(|one| one.name());
    let mut names: Vec<&str> = secrets.filter(|name| !shows(name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
