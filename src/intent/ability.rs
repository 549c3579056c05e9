//! What a device can do of all intents, and how it stands at present.

use super::answer::{Ability, AbilityItem, FieldAbility, Standing};
use super::candidate::{self, Item};
use super::field::Place;
use super::known::{Found, Known, Paths};
use super::resolve::some;
use super::ways::{Way, Ways};
use super::words::{FieldWord, INTENTS, IntentWord};

/// The most rows that are shown of one intent.
const MAX_ITEMS: usize = 64;

impl Ways {
    /// What a device can do of each intent.
    pub fn abilities(&self, known: &Known<'_>) -> Vec<Ability> {
        INTENTS.iter().map(|intent| self.ability(intent, known)).collect()
    }

    /// What a device can do of one intent: of each field by the first way that
    /// it has.
    pub fn ability(&self, intent: &'static IntentWord, known: &Known<'_>) -> Ability {
        let mut ability =
            Ability { intent, standing: Standing::NotKnownYet(Vec::new()), items: Vec::new() };
        if known.root.is_empty() {
            return ability;
        }
        let mut why = None;
        let mut unknown = Paths::new();
        for way in self.fitting(intent, known) {
            match of_way(way, intent, known) {
                Found::Yes(items) => merge(&mut ability.items, items),
                Found::No(problem) => {
                    why.get_or_insert(problem);
                }
                Found::Unknown(paths) => unknown.extend(paths),
            }
        }
        let fields = || ability.items.iter().flat_map(|item| &item.fields);
        for field in fields() {
            match &field.standing {
                Standing::Supported => {
                    ability.standing = Standing::Supported;
                    return ability;
                }
                Standing::NotKnownYet(paths) => unknown.extend(paths.iter().cloned()),
                Standing::NotSupported(problem) => {
                    why.get_or_insert(problem.clone());
                }
            }
        }
        ability.standing =
            if unknown.is_empty() {
                let root = known.root;
                Standing::NotSupported(why.unwrap_or_else(|| {
                    format!("no way to do this is known in the data model {root}")
                }))
            } else {
                Standing::NotKnownYet(some(unknown))
            };
        ability
    }
}

/// Adds what another way knows of the same rows: what is supported goes before
/// what is not.
fn merge(into: &mut Vec<AbilityItem>, items: Vec<AbilityItem>) {
    for item in items {
        let Some(known) = into.iter_mut().find(|known| known.which == item.which) else {
            if into.len() < MAX_ITEMS {
                into.push(item);
            }
            continue;
        };
        for field in item.fields {
            match known.fields.iter_mut().find(|known| known.field == field.field) {
                None => known.fields.push(field),
                Some(known) if known.standing != Standing::Supported => *known = field,
                Some(_) => {}
            }
        }
    }
}

fn of_way(way: &Way, intent: &'static IntentWord, known: &Known<'_>) -> Found<Vec<AbilityItem>> {
    for need in &way.needs {
        match candidate::has(need, known) {
            Found::Yes(()) => {}
            Found::No(why) => return Found::No(why),
            Found::Unknown(paths) => return Found::Unknown(paths),
        }
    }
    let items = match candidate::items(way, known) {
        Found::Yes(items) => items,
        Found::No(why) => return Found::No(why),
        Found::Unknown(paths) => return Found::Unknown(paths),
    };
    if items.items.is_empty() {
        return if items.unknown.is_empty() {
            Found::No("the device does not tell its rows apart".to_owned())
        } else {
            Found::Unknown(items.unknown)
        };
    }
    let shown = items.items.iter().take(MAX_ITEMS);
    Found::Yes(shown.map(|item| of_item(way, intent, known, item)).collect())
}

fn of_item(
    way: &Way,
    intent: &'static IntentWord,
    known: &Known<'_>,
    item: &Item<'_>,
) -> AbilityItem {
    let which = item.which.iter().filter(|(field, _)| !field.is_empty()).cloned().collect();
    let fields = intent.fields.iter().filter(|field| !field.is_which());
    let fields = fields.filter_map(|field| of_field(way, field, known, item)).collect();
    AbilityItem { which, fields }
}

/// One field of one row; `None` if the way has no such thing.
fn of_field(
    way: &Way,
    field: &'static FieldWord,
    known: &Known<'_>,
    item: &Item<'_>,
) -> Option<FieldAbility> {
    let (mut why, mut unknown) = (None, Paths::new());
    for rule in way.field.iter().filter(|rule| rule.name == field.name) {
        match Place::find(way, rule, field, &item.candidate, known) {
            Found::Yes(place) => {
                let value = place.present();
                let paths = place.paths;
                let (standing, way, basis) = (Standing::Supported, way.name.clone(), place.basis);
                return Some(FieldAbility { field, standing, paths, way, basis, value });
            }
            Found::No(problem) => why = Some(problem),
            Found::Unknown(paths) => unknown.extend(paths),
        }
    }
    let standing = match (unknown.is_empty(), why) {
        (false, _) => Standing::NotKnownYet(some(unknown)),
        (true, Some(why)) => Standing::NotSupported(why),
        (true, None) => return None,
    };
    let (way, basis) = (way.name.clone(), way.basis);
    Some(FieldAbility { field, standing, paths: Vec::new(), way, basis, value: None })
}
