//! The dictionary of path names, shared by all trees.
//!
//! A name is a path in which every instance number is replaced by a blank,
//! which no path holds: `Device.Hosts.Host.12.IPAddress` is the name
//! `Device.Hosts.Host. .IPAddress` and the number 12. So the dictionary grows
//! with the data models that are met and not with the rows in them. It is
//! bounded, since devices choose their paths; what no longer fits is written out
//! in the tree.
//!
//! An id is given once and never again. It travels with every commit that uses
//! it until one of these is durable, so that no durable tree uses an id that is
//! not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// The most names that are taken.
const MAX_NAMES: usize = 1 << 17;

/// What stands for an instance number in a name.
pub(super) const NUMBER: char = ' ';

/// The dictionary.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Table>);

/// What the dictionary holds.
#[derive(Debug, Default)]
pub(super) struct Table {
    ids: HashMap<Arc<str>, u32>,
    names: Vec<Option<Name>>,
}

#[derive(Debug)]
struct Name {
    text: Arc<str>,
    durable: AtomicBool,
}

impl Table {
    /// The name of an id.
    pub(super) fn name(&self, id: u32) -> Option<&str> {
        self.names.get(usize::try_from(id).ok()?)?.as_ref().map(|name| &*name.text)
    }

    /// The id of a name, and whether it is durable.
    pub(super) fn id(&self, name: &str) -> Option<(u32, bool)> {
        let id = *self.ids.get(name)?;
        let durable = self.names.get(usize::try_from(id).ok()?)?.as_ref()?;
        Some((id, durable.durable.load(Ordering::Acquire)))
    }
}

impl Names {
    /// The dictionary for reading.
    pub(super) fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over a name that was stored.
    pub(super) fn load(&self, id: u32, text: &str) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Ok(at) = usize::try_from(id) else { return };
        // Ids are given in order; one far beyond the bound was never given.
        if at >= 2 * MAX_NAMES {
            return;
        }
        if table.names.len() <= at {
            table.names.resize_with(at + 1, || None);
        }
        let text: Arc<str> = text.into();
        table.ids.insert(text.clone(), id);
        table.names[at] = Some(Name { text, durable: AtomicBool::new(true) });
    }

    /// Gives a name an id, if it has none and there is room.
    pub(super) fn learn(&self, text: &str) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if table.names.len() >= MAX_NAMES || table.ids.contains_key(text) {
            return;
        }
        let Ok(id) = u32::try_from(table.names.len()) else { return };
        let text: Arc<str> = text.into();
        table.ids.insert(text.clone(), id);
        table.names.push(Some(Name { text, durable: AtomicBool::new(false) }));
    }

    /// Notes that these ids are durable now.
    pub(super) fn mark_durable(&self, ids: &[u32]) {
        let table = self.table();
        for id in ids {
            let name = usize::try_from(*id).ok().and_then(|id| table.names.get(id)?.as_ref());
            if let Some(name) = name {
                name.durable.store(true, Ordering::Release);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_never_given_twice() {
        let names = Names::default();
        names.load(5, "A.B");
        names.learn("A.C");
        names.learn("A.C");
        assert_eq!(names.table().id("A.C"), Some((6, false)));
        assert_eq!(names.table().id("A.B"), Some((5, true)));
        names.mark_durable(&[6]);
        assert_eq!(names.table().id("A.C"), Some((6, true)));
        assert_eq!(names.table().name(6), Some("A.C"));
        assert_eq!(names.table().name(0), None);
    }

    #[test]
    fn the_dictionary_is_bounded() {
        let names = Names::default();
        for n in 0..MAX_NAMES + 10 {
            names.learn(&format!("A.{n:x}x"));
        }
        assert_eq!(names.table().names.len(), MAX_NAMES);
    }
}
