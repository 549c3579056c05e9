//! What an engine is to the rest of the store: an ordered map of bytes.
//!
//! Durability is not its business; that is the journal's.

use std::ops::ControlFlow;

use super::StoreError;
use super::frame::Op;

/// What a visitor of a scan does with one entry.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// An ordered map of bytes.
pub(super) trait Index: Send + Sync + 'static {
    /// A value, shared or copied as the engine likes.
    type Value: AsRef<[u8]>;

    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Self::Value>, StoreError>;

    /// Visits entries in key order, from the key `from` up to `to` and without
    /// it; to the end if there is none. An engine may hold a lock meanwhile: the
    /// visitor must not use the index.
    fn scan(&self, from: &[u8], to: Option<&[u8]>, visit: &mut Visit<'_>)
    -> Result<(), StoreError>;

    /// The same entries in the opposite order.
    fn scan_back(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError>;

    /// Applies operations whole or not at all, with the number of the last
    /// batch that they belong to.
    fn apply<'a>(
        &self,
        ops: &mut dyn Iterator<Item = Op<'a>>,
        sequence: u64,
    ) -> Result<(), StoreError>;

    /// Hands what was applied to the operating system, so that it survives the
    /// end of the process.
    fn flush(&self) -> Result<(), StoreError>;

    /// The last key with a prefix.
    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut last = None;
        self.scan_back(prefix, end_of(prefix).as_deref(), &mut |key, _| {
            last = Some(key.to_vec());
            ControlFlow::Break(())
        })?;
        Ok(last)
    }
}

/// The first key behind `key`.
pub(super) fn behind(key: &[u8]) -> Vec<u8> {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    next
}

/// The first key behind all that begin with `prefix`; `None` if there is none.
pub(super) fn end_of(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.last_mut() {
        if *last < u8::MAX {
            *last += 1;
            return Some(end);
        }
        end.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(end_of(b"d/"), Some(b"d0".to_vec()));
        assert_eq!(end_of(&[1, 255]), Some(vec![2]));
        assert_eq!(end_of(&[255]), None);
        assert_eq!(end_of(&[]), None);
    }
}
