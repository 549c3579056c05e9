//! Which parameters are to be read: those that rules ask for and that were never
//! read, and those that are older than profiles allow.

use std::collections::BTreeSet;
use std::time::Duration;

use super::driver::Driver;
use crate::param::{Param, ParamPath, Tree, is_match};
use crate::profile::{Refresh, Resolved};
use crate::time::Timestamp;

/// The most names that are read at once for rules.
const MAX_NAMES: usize = 500;

/// The most parameters of which it is remembered that the device does not tell them.
const MAX_ABSENT: usize = 1_000;

type Absent = BTreeSet<Box<str>>;

impl Driver {
    /// What is to be read before the device is looked at.
    pub(super) fn to_be_read(&self, resolved: &Resolved, now: Timestamp) -> Vec<ParamPath> {
        let (Some(tree), Some(memory)) = (&self.work.tree, self.work.desiring.memory()) else {
            return Vec::new();
        };
        let absent = &memory.absent;
        let unread = resolved.unread.iter().filter(|path| !absent.contains(path.as_str()));
        let mut wanted: BTreeSet<ParamPath> = unread.take(MAX_NAMES).cloned().collect();
        for refresh in &resolved.refresh {
            let due = due(refresh, tree, absent, self.spread());
            if due.is_some_and(|due| due <= now) {
                wanted.insert(refresh.path.clone());
            }
        }
        wanted.into_iter().collect()
    }

    /// When the next of what profiles want fresh is stale.
    pub(super) fn next_stale(&self, resolved: &Resolved) -> Option<Timestamp> {
        let tree = self.work.tree.as_ref()?;
        let absent = &self.work.desiring.memory()?.absent;
        let spread = self.spread();
        resolved.refresh.iter().filter_map(|one| due(one, tree, absent, spread)).min()
    }

    /// What was asked for and not told is not asked for again.
    pub(super) fn note_absent(&mut self, asked: &[ParamPath], since: Timestamp) {
        let Some(tree) = &self.work.tree else { return };
        let is_told = |param: &Param| param.value.is_some() && param.read_at >= since;
        let mut missing: Vec<Box<str>> = Vec::new();
        for path in asked {
            let known: Vec<_> = under(path, tree).collect();
            let untold = known.iter().filter(|(_, param)| !is_told(param));
            missing.extend(untold.map(|(name, _)| name.as_str().into()));
            if known.is_empty() {
                missing.push(path.as_str().into());
            }
        }
        if missing.is_empty() {
            return;
        }
        if let Some(memory) = self.work.desiring.memory_mut() {
            let room = MAX_ABSENT.saturating_sub(memory.absent.len());
            memory.absent.extend(missing.into_iter().take(room));
        }
    }
}

/// The parameters that a name, an object or a pattern stands for, as far as they
/// are known.
fn under<'a>(
    path: &'a ParamPath,
    tree: &'a Tree,
) -> Box<dyn Iterator<Item = (&'a ParamPath, &'a Param)> + 'a> {
    let text = path.as_str();
    if path.has_wildcard() {
        Box::new(
            tree.iter().filter(move |(name, _)| !name.is_object() && is_match(text, name.as_str())),
        )
    } else if path.is_object() {
        Box::new(tree.under(text).filter(|(name, _)| !name.is_object()))
    } else {
        Box::new(tree.under(text).take_while(move |(name, _)| name.as_str() == text))
    }
}

/// When what a profile wants fresh is stale: a little before its time, and for each
/// device by another part of the tenth, so that a fleet that was read together is not
/// read again together. `None` if the device does not have it.
fn due(refresh: &Refresh, tree: &Tree, absent: &Absent, spread: u64) -> Option<Timestamp> {
    if absent.contains(refresh.path.as_str()) {
        return None;
    }
    let told = under(&refresh.path, tree)
        .filter(|(name, param)| param.value.is_some() && !absent.contains(name.as_str()));
    match told.map(|(_, param)| param.read_at).min() {
        Some(oldest) => {
            let seconds = u64::from(refresh.seconds);
            let early = seconds * (spread % 1000) / 10_000;
            Some(oldest.after(Duration::from_secs(seconds - early)))
        }
        // Never read: now.
        None => Some(Timestamp::from_millis(i64::MIN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Source;
    use crate::param::Value;

    fn path(text: &str) -> ParamPath {
        ParamPath::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn every(seconds: u32, what: &str) -> Refresh {
        let source = Source { layer: "profile".into(), name: "p".into(), version: 1 };
        Refresh { path: path(what), seconds, source }
    }

    fn tree() -> Tree {
        let mut tree = Tree::new();
        for (name, read_at) in [("D.A.X", 100), ("D.A.Y", 200), ("D.B.1.Z", 300), ("D.AB", 5)] {
            let _ = tree.learn_value(&path(name), Value::string("1"), at(read_at));
        }
        tree
    }

    #[test]
    fn the_oldest_below_a_path_tells_when_it_is_stale() {
        let none = Absent::new();
        let due = |refresh: &Refresh, absent: &Absent| due(refresh, &tree(), absent, 0);
        assert_eq!(due(&every(60, "D.A.X"), &none), Some(at(160)));
        assert_eq!(due(&every(60, "D.A."), &none), Some(at(160)));
        assert_eq!(due(&every(60, "D.B.*.Z"), &none), Some(at(360)));
        assert!(due(&every(60, "D.C.Z"), &none).is_some_and(|due| due < at(0)), "never read");
        let absent = Absent::from(["D.A.X".into(), "D.C.Z".into()]);
        assert_eq!(due(&every(60, "D.A."), &absent), Some(at(260)), "it does not tell the other");
        assert_eq!(due(&every(60, "D.C.Z"), &absent), None);
    }

    #[test]
    fn a_fleet_is_not_stale_together() {
        let when: BTreeSet<_> =
            (0..1000).map(|n| due(&every(36_000, "D.A.X"), &tree(), &Absent::new(), n)).collect();
        assert!(when.len() > 900, "{}", when.len());
        assert!(when.iter().flatten().all(|due| (at(32_500)..=at(36_100)).contains(due)));
    }
}
