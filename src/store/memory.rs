//! The engine in memory: an ordered map behind a lock. Nothing survives.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::StoreError;
use super::frame::Op;
use super::index::{Index, Visit};

type Map = BTreeMap<Box<[u8]>, Arc<[u8]>>;
type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// The map.
#[derive(Debug, Default)]
pub(super) struct MemoryIndex(RwLock<Map>);

impl MemoryIndex {
    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bounds of a range; `None` if it is empty, which the map would not take.
fn bounds<'a>(from: &'a [u8], to: Option<&'a [u8]>) -> Option<Bounds<'a>> {
    match to {
        Some(to) => (from < to).then_some((Bound::Included(from), Bound::Excluded(to))),
        None => Some((Bound::Included(from), Bound::Unbounded)),
    }
}

impl Index for MemoryIndex {
    type Value = Arc<[u8]>;

    fn get(&self, key: &[u8]) -> Result<Option<Arc<[u8]>>, StoreError> {
        Ok(self.read().get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let Some(bounds) = bounds(from, to) else { return Ok(()) };
        for (key, value) in self.read().range::<[u8], _>(bounds) {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn scan_back(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let Some(bounds) = bounds(from, to) else { return Ok(()) };
        for (key, value) in self.read().range::<[u8], _>(bounds).rev() {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn apply<'a>(
        &self,
        ops: &mut dyn Iterator<Item = Op<'a>>,
        _sequence: u64,
    ) -> Result<(), StoreError> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for op in ops {
            match op {
                Op::Set(key, value) => {
                    map.insert(key.into(), value.into());
                }
                Op::Remove(key) => {
                    map.remove(key);
                }
            }
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
