//! Lists of names as devices make them: one level too few, objects without
//! their dots.

use crate::cwmp::ParameterInfo;
use crate::param::ParamPath;

/// The deepest that names continue each other and are still looked at.
const MAX_DEPTH: usize = 64;

/// Whether a list that was to hold everything below an object holds the objects
/// of one level only, and nothing inside of any.
pub(super) fn are_of_one_level(infos: &[ParameterInfo], below: &str) -> bool {
    let mut objects = false;
    for info in infos {
        let Some(rest) = info.name.as_str().strip_prefix(below) else { continue };
        match rest.strip_suffix('.') {
            Some(object) if !object.contains('.') => objects |= !object.is_empty(),
            None if !rest.contains('.') => {}
            _ => return false,
        }
    }
    objects
}

/// Gives the objects in a list the dots that the device left out: a name under
/// which another one lies is no parameter. Returns whether there was any.
pub(super) fn add_dots(names: &mut [(ParamPath, bool)]) -> bool {
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a.0 > b.0)) {
        names.sort();
    }
    // In this order all that lies below a name stands behind it; between them
    // stand only names that continue its last segment (`A-B` before `A.B`).
    let mut open: Vec<usize> = Vec::new();
    let mut objects: Vec<usize> = Vec::new();
    for position in 0..names.len() {
        let Some((name, _)) = names.get(position) else { break };
        let name = name.as_str();
        while let Some(above) = open.last().copied() {
            let above = names.get(above).map_or("", |(above, _)| above.as_str());
            if name.starts_with(above) {
                break;
            }
            open.pop();
        }
        for above in &open {
            let text = names.get(*above).map_or("", |(above, _)| above.as_str());
            if name.get(text.len()..).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')) {
                objects.push(*above);
            }
        }
        // Only the last may be an object; those before it are known by now.
        if !name.ends_with('.') && open.len() < MAX_DEPTH {
            open.push(position);
        }
    }
    objects.sort_unstable();
    objects.dedup();
    for position in &objects {
        if let Some((name, _)) = names.get_mut(*position)
            && let Ok(dotted) = ParamPath::parse(&format!("{name}."))
        {
            *name = dotted;
        }
    }
    !objects.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(name: &str) -> ParameterInfo {
        ParameterInfo { name: ParamPath::parse(name).unwrap(), writable: false }
    }

    #[test]
    fn a_list_of_one_level_is_found_out() {
        let is = |names: &[&str]| {
            let infos: Vec<_> = names.iter().map(|name| info(name)).collect();
            are_of_one_level(&infos, "Device.")
        };
        assert!(is(&["Device.", "Device.A.", "Device.B", "Device.C."]));
        assert!(!is(&["Device.A.", "Device.A.X"]));
        assert!(!is(&["Device.A", "Device.B"]), "there is nothing to look into");
        assert!(!is(&[]));
    }

    #[test]
    fn dots_are_added_to_what_has_something_below() {
        let mut names: Vec<_> = ["A.B.C", "A", "A.B", "A.B-1", "A.D.", "A.D.X", "A.E"]
            .map(|name| (ParamPath::parse(name).unwrap(), true))
            .into();
        assert!(add_dots(&mut names));
        let mut names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["A.", "A.B-1", "A.B.", "A.B.C", "A.D.", "A.D.X", "A.E"]);
        let mut sound: Vec<_> =
            ["A.", "A.B", "A.BC"].map(|name| (ParamPath::parse(name).unwrap(), true)).into();
        assert!(!add_dots(&mut sound));
    }
}
