//! What differs between two records, in a bounded size.

use serde_json::{Map, Value};

/// The longest text, in bytes; what is longer is cut, with a note.
const MAX_TEXT: usize = 1024;

/// The most that is told of one side, in bytes.
const MAX_SIDE: usize = 8 << 10;

/// Items of a list from which on only those that differ are told.
const LONG_LIST: usize = 8;

/// What differs: what it was, and what it is. `None` if nothing does.
pub(super) fn difference(before: &Value, after: &Value) -> Option<(Value, Value)> {
    if before == after {
        return None;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let (mut was, mut is) = (Map::new(), Map::new());
            for (name, old) in before {
                match after.get(name) {
                    None => drop(was.insert(name.clone(), old.clone())),
                    Some(new) => {
                        if let Some((old, new)) = difference(old, new) {
                            was.insert(name.clone(), old);
                            is.insert(name.clone(), new);
                        }
                    }
                }
            }
            let fresh = after.iter().filter(|(name, _)| !before.contains_key(*name));
            is.extend(fresh.map(|(name, new)| (name.clone(), new.clone())));
            Some((Value::Object(was), Value::Object(is)))
        }
        (Value::Array(before), Value::Array(after))
            if before.len().max(after.len()) >= LONG_LIST =>
        {
            let lacking = |from: &[Value], those: &[Value]| -> Vec<Value> {
                from.iter().filter(|item| !those.contains(item)).cloned().collect()
            };
            let (was, is) = (lacking(before, after), lacking(after, before));
            if was.is_empty() && is.is_empty() {
                // The order alone differs.
                return Some((before.clone().into(), after.clone().into()));
            }
            Some((was.into(), is.into()))
        }
        _ => Some((before.clone(), after.clone())),
    }
}

/// A side in its bounds.
pub(super) fn bounded(mut side: Value) -> Value {
    shorten(&mut side);
    let mut size = side.to_string().len();
    while size > MAX_SIDE {
        let Value::Object(members) = &mut side else {
            return left_out(size);
        };
        // The largest goes first, until the rest fits.
        let largest = members
            .iter()
            .map(|(name, member)| (member.to_string().len(), name.clone()))
            .max()
            .filter(|(bytes, _)| *bytes > 64);
        let Some((bytes, name)) = largest else { return left_out(size) };
        members.insert(name, left_out(bytes));
        size = side.to_string().len();
    }
    side
}

fn left_out(bytes: usize) -> Value {
    Value::String(format!("… ({bytes} bytes left out)"))
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let all = text.len();
            let kept = head(text, MAX_TEXT).to_owned();
            *text = format!("{kept}… ({all} bytes in all)");
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

/// At most so many bytes of a text, whole characters.
pub(super) fn head(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"a": 1, "b": {"c": "x", "d": 2}, "gone": true});
        let after = json!({"a": 1, "b": {"c": "y", "d": 2}, "fresh": null});
        let (was, is) = difference(&before, &after).unwrap();
        assert_eq!(was, json!({"b": {"c": "x"}, "gone": true}));
        assert_eq!(is, json!({"b": {"c": "y"}, "fresh": null}));
        assert_eq!(difference(&before, &before), None);
    }

    #[test]
    fn of_long_lists_what_came_and_went_is_told() {
        let before: Vec<i32> = (0..20).collect();
        let after: Vec<i32> = (1..21).collect();
        let (was, is) = difference(&json!(before), &json!(after)).unwrap();
        assert_eq!((was, is), (json!([0]), json!([20])));
        let turned: Vec<i32> = (0..20).rev().collect();
        assert_eq!(difference(&json!(before), &json!(turned)).unwrap().1, json!(turned));
        assert_eq!(difference(&json!([1, 2]), &json!([1, 3])).unwrap().0, json!([1, 2]));
    }

    proptest! {
        #[test]
        fn whatever_is_told_is_bounded(
            texts in prop::collection::btree_map("\\PC{0,9}", "\\PC{0,3000}", 0..40),
            many in prop::collection::vec("\\PC{0,40}", 0..900),
        ) {
            let side = bounded(json!({"texts": texts, "many": many, "one": "kept"}));
            prop_assert!(side.to_string().len() <= MAX_SIDE);
            let flat: Map<String, Value> =
                many.iter().enumerate().map(|(n, text)| (format!("{n}{text}"), json!(n))).collect();
            prop_assert!(bounded(Value::Object(flat)).to_string().len() <= MAX_SIDE);
            prop_assert!(bounded(json!(many)).to_string().len() <= MAX_SIDE);
        }
    }
}
