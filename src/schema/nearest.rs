//! The name that is most like one that nobody knows.

use super::catalogue::{self, RootModel};

/// The longest name that is compared, in characters.
const MAX_COMPARED: usize = 80;

/// How many segments of a path are put right at most.
const MAX_REPAIRS: usize = 4;

/// The shortest name that is looked for at the end of others.
const MIN_ENDING: usize = 6;

/// The word that is most like another; `None` if none is like it.
pub(super) fn of<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let mut best: Option<(usize, &str)> = None;
    let furthest = (text.chars().count() / 3).clamp(1, 4);
    for word in words {
        let limit = best.map_or(furthest, |(distance, _)| distance.saturating_sub(1));
        if word.eq_ignore_ascii_case(text) {
            return Some(word);
        }
        if let Some(distance) = distance(text, word, limit)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, word));
        }
    }
    best.map(|(_, word)| word)
}

/// How many letters must be put in, left out, changed or swapped with their
/// neighbour; `None` if more than `limit`. Upper and lower case are the same.
fn distance(one: &str, other: &str, limit: usize) -> Option<usize> {
    let lower = |text: &str| -> Vec<char> {
        text.chars().take(MAX_COMPARED + 1).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let (one, other) = (lower(one), lower(other));
    if one.len().abs_diff(other.len()) > limit || one.len().max(other.len()) > MAX_COMPARED {
        return None;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut now = Vec::with_capacity(last.len());
        now.push(row + 1);
        for (column, against) in other.iter().enumerate() {
            let change = last[column] + usize::from(letter != against);
            let mut least = change.min(last[column + 1] + 1).min(now[column] + 1);
            let swapped =
                row > 0 && column > 0 && one[row - 1] == *against && other[column - 1] == *letter;
            if swapped {
                least = least.min(before_last[column - 1] + 1);
            }
            now.push(least);
        }
        if now.iter().min().is_none_or(|least| *least > limit) {
            return None;
        }
        before_last = std::mem::replace(&mut last, now);
    }
    last.last().copied().filter(|distance| *distance <= limit)
}

/// The path that is most like one that no model knows, rows as `{i}`: first by
/// putting right what does not stand where it should, then by looking for the
/// last name elsewhere.
pub(super) fn path(unknown: &str, wanted: Option<RootModel>) -> Option<String> {
    let mut repaired = catalogue::generic(unknown);
    let root = repaired.find('.').map(|dot| repaired[..=dot].to_owned())?;
    if !matches!(root.as_str(), "Device." | "InternetGatewayDevice.") {
        let right = of(&root, ["Device.", "InternetGatewayDevice."].into_iter())?;
        repaired.replace_range(..root.len(), right);
    }
    for _ in 0..MAX_REPAIRS {
        if is_known(&repaired, wanted) {
            return Some(repaired);
        }
        match repair(&repaired, wanted) {
            Some(better) if better != repaired => repaired = better,
            _ => break,
        }
    }
    if is_known(&repaired, wanted) { Some(repaired) } else { elsewhere(unknown, wanted) }
}

fn is_known(path: &str, wanted: Option<RootModel>) -> bool {
    if path.ends_with('.') {
        catalogue::is_object(path, wanted)
    } else {
        catalogue::parameter(path, wanted).is_some()
    }
}

/// Puts the first segment right that is not known where it stands.
fn repair(path: &str, wanted: Option<RootModel>) -> Option<String> {
    let mut known = 0;
    for (dot, _) in path.match_indices('.') {
        if !catalogue::is_object(path.get(..=dot)?, wanted) {
            break;
        }
        known = dot + 1;
    }
    let (head, rest) = path.split_at_checked(known)?;
    let (segment, tail) =
        rest.split_once('.').map_or((rest, None), |(word, tail)| (word, Some(tail)));
    let children = children(head, wanted, tail.is_none());
    // A row that was left out, or one too many, is the commonest slip.
    if segment != "{i}" && children.iter().any(|child| child == "{i}") {
        return Some(format!("{head}{{i}}.{rest}"));
    }
    if segment == "{i}" {
        return tail.map(|tail| format!("{head}{tail}"));
    }
    let right = of(segment, children.iter().map(String::as_str))?;
    Some(match tail {
        Some(tail) => format!("{head}{right}.{tail}"),
        None => format!("{head}{right}"),
    })
}

/// What stands directly below an object: the segments of its objects, or the
/// names of its parameters.
fn children(head: &str, wanted: Option<RootModel>, parameters: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (model, path) in catalogue::places(head, wanted) {
        for object in model.objects_under(path) {
            let below = object.path().get(path.len()..).unwrap_or_default();
            match below.split('.').next().filter(|segment| !segment.is_empty()) {
                Some(segment)
                    if (!parameters || segment == "{i}")
                        && found.last().is_none_or(|last| last != segment) =>
                {
                    found.push(segment.to_owned());
                }
                Some(_) => {}
                None if parameters => {
                    found.extend(object.parameters().map(|one| one.name().to_owned()));
                }
                _ => {}
            }
        }
    }
    found
}

/// A parameter or object of the same or nearly the same last name elsewhere; of
/// several the one whose path shares the most with the unknown one.
fn elsewhere(unknown: &str, wanted: Option<RootModel>) -> Option<String> {
    let generic = catalogue::generic(unknown);
    let (_, leaf) = generic.rsplit_once('.').filter(|(_, leaf)| !leaf.is_empty())?;
    let root = generic.split_once('.').map(|(root, _)| root)?;
    let furthest = (leaf.chars().count() / 4).clamp(1, 2);
    let mut best: Option<(usize, usize, String)> = None;
    for (model, prefix) in roots(root, wanted) {
        for parameter in model.objects().flat_map(|object| object.parameters()) {
            let Some(far) = likeness(leaf, parameter.name(), furthest) else { continue };
            let object = parameter.object().path();
            let object = if object == "." { "" } else { object };
            let path = format!("{prefix}{object}{}", parameter.name());
            let shared = shared_segments(&path, &generic);
            let is_better = best.as_ref().is_none_or(|(least, most, _)| {
                (far, std::cmp::Reverse(shared)) < (*least, std::cmp::Reverse(*most))
            });
            if is_better {
                best = Some((far, shared, path));
            }
        }
    }
    // A name that is all over the place tells nothing unless the place is near.
    best.filter(|(_, shared, _)| *shared > 0).map(|(_, _, path)| path)
}

/// How far a name is from the one looked for; one that only has more before it
/// (`KeyPassphrase` for `Passphrase`) is as far as any can be.
fn likeness(leaf: &str, name: &str, furthest: usize) -> Option<usize> {
    distance(leaf, name, furthest).or_else(|| {
        let start = name.len().checked_sub(leaf.len()).filter(|_| leaf.len() >= MIN_ENDING)?;
        name.get(start..).filter(|end| end.eq_ignore_ascii_case(leaf)).map(|_| furthest + 1)
    })
}

/// The models of a root with what stands before their paths.
fn roots(
    root: &str,
    wanted: Option<RootModel>,
) -> Vec<(&'static super::model::ParameterModel, String)> {
    let services = format!("{root}.Services.");
    let of_root = format!("{root}.");
    let below_services = catalogue::places(&services, wanted).filter(|(_, path)| path.is_empty());
    let mut all: Vec<_> = catalogue::places(&of_root, wanted)
        .filter(|(_, path)| *path == of_root)
        .map(|(model, _)| (model, String::new()))
        .collect();
    all.extend(below_services.map(|(model, _)| (model, services.clone())));
    all
}

/// How many segments of a path stand in another as well, the roots left out.
fn shared_segments(one: &str, other: &str) -> usize {
    let other: Vec<&str> = other.split('.').skip(1).collect();
    let own = one.split('.').skip(1).filter(|segment| *segment != "{i}");
    let (mut shared, mut from) = (0_usize, 0);
    for segment in own {
        let rest = other.get(from..).unwrap_or_default();
        if let Some(at) = rest.iter().position(|word| word.eq_ignore_ascii_case(segment)) {
            shared += 1;
            from += at + 1;
        }
    }
    // The last name alone is no nearness.
    shared.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_slips_of_the_pen() {
        assert_eq!(distance("Passphrase", "passphrase", 2), Some(0));
        assert_eq!(distance("Pasphrase", "Passphrase", 2), Some(1));
        assert_eq!(distance("SIDS", "SSID", 2), Some(2));
        assert_eq!(distance("Chanenl", "Channel", 2), Some(1));
        assert_eq!(distance("Channel", "Enable", 2), None);
        assert_eq!(distance(&"a".repeat(500), &"a".repeat(500), 2), None);
    }
}
