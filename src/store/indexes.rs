//! By what devices are searched: the indexes as searches see them.

use std::ops::{Bound, ControlFlow};
use std::sync::PoisonError;

use async_trait::async_trait;

use super::embedded::Embedded;
use super::index::{behind, end_of};
use super::indexing::Indexing;
use super::{StoreError, index, keys};
use crate::device::DeviceId;
use crate::term::{Index, Term};
use crate::time::Timestamp;

/// A part of an index: the entries whose texts lie between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TermSpan {
    /// All of them.
    All,
    /// Those that begin so.
    Begins(Box<[u8]>),
    /// Those between these, folded.
    Between(Bound<Box<[u8]>>, Bound<Box<[u8]>>),
}

/// By what devices are searched.
///
/// What an index says of a device may be old by the time that its record is read,
/// and an entry may stand for another text that is folded alike: whoever searches
/// looks at the record.
#[async_trait]
pub trait IndexStore: Send + Sync {
    /// How far the indexes are. Until they are whole, devices may be missing.
    fn indexing(&self) -> Indexing;
    /// Waits until they are whole.
    async fn indexed(&self);
    /// Devices that have a term, in the order of ids, strictly after `after`.
    async fn having(
        &self,
        term: &Term,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError>;
    /// Whether a device has a term.
    async fn has(&self, term: &Term, device: &DeviceId) -> Result<bool, StoreError>;
    /// How many devices have a term, counted up to `most`.
    async fn count(&self, term: &Term, most: usize) -> Result<usize, StoreError>;
    /// Entries of an index in the order of text and id, or the opposite one,
    /// strictly behind `after`.
    async fn entries(
        &self,
        index: Index,
        span: &TermSpan,
        after: Option<(&[u8], &DeviceId)>,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<(Box<[u8]>, DeviceId)>, StoreError>;
    /// Ids in the opposite order, strictly before `before`.
    async fn ids_back(
        &self,
        before: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError>;
    /// Devices by the time of their last Inform, or in the opposite order, strictly
    /// behind `after`; `None` while not all devices are known. Reads nothing from
    /// the disk.
    fn informed(
        &self,
        span: (Bound<Timestamp>, Bound<Timestamp>),
        after: Option<(Timestamp, &DeviceId)>,
        descending: bool,
        limit: usize,
    ) -> Option<Vec<(DeviceId, Timestamp)>>;
    /// How many devices informed between two times, counted up to `most`; `None`
    /// as before.
    fn count_informed(
        &self,
        span: (Bound<Timestamp>, Bound<Timestamp>),
        most: usize,
    ) -> Option<usize>;
    /// Devices that have not informed since a time, those that are away longest
    /// first; `None` as before.
    fn informed_before(&self, at: Timestamp, limit: usize) -> Option<Vec<(DeviceId, Timestamp)>> {
        self.informed((Bound::Unbounded, Bound::Excluded(at)), None, false, limit)
    }
}

/// The keys of a part of an index.
fn range_of(index: Index, span: &TermSpan) -> (Vec<u8>, Option<Vec<u8>>) {
    let letter = index.letter();
    let whole = keys::entries_beginning(letter, &[]);
    let end = end_of(&whole);
    match span {
        TermSpan::All => (whole, end),
        TermSpan::Begins(text) => {
            let begins = keys::entries_beginning(letter, text);
            let end = end_of(&begins);
            (begins, end)
        }
        TermSpan::Between(from, to) => {
            let from = match from {
                Bound::Unbounded => whole,
                Bound::Included(text) => keys::entries_of(letter, text),
                Bound::Excluded(text) => end_of(&keys::entries_of(letter, text)).unwrap_or(whole),
            };
            let to = match to {
                Bound::Unbounded => end,
                Bound::Included(text) => end_of(&keys::entries_of(letter, text)),
                Bound::Excluded(text) => Some(keys::entries_of(letter, text)),
            };
            (from, to)
        }
    }
}

#[async_trait]
impl<I: index::Index> IndexStore for Embedded<I> {
    fn indexing(&self) -> Indexing {
        *self.shared().indexing.borrow()
    }

    async fn indexed(&self) {
        let mut indexing = self.shared().indexing.subscribe();
        // The sender lives as long as the store.
        let _ = indexing.wait_for(Indexing::is_complete).await;
    }

    async fn having(
        &self,
        term: &Term,
        after: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let all = keys::entries_of(term.index.letter(), &term.value);
        let from = match after {
            Some(after) => behind(&keys::entry(term.index.letter(), &term.value, after)),
            None => all.clone(),
        };
        let mut devices = Vec::new();
        if limit > 0 {
            self.index()?.scan(&from, end_of(&all).as_deref(), &mut |key, _| {
                devices.extend(keys::parts_of_entry(key).map(|(_, device)| device));
                if devices.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(devices)
    }

    async fn has(&self, term: &Term, device: &DeviceId) -> Result<bool, StoreError> {
        let key = keys::entry(term.index.letter(), &term.value, device);
        Ok(self.index()?.get(&key)?.is_some())
    }

    async fn count(&self, term: &Term, most: usize) -> Result<usize, StoreError> {
        let all = keys::entries_of(term.index.letter(), &term.value);
        let mut count = 0;
        if most > 0 {
            self.index()?.scan(&all, end_of(&all).as_deref(), &mut |_, _| {
                count += 1;
                if count < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(count)
    }

    async fn entries(
        &self,
        index: Index,
        span: &TermSpan,
        after: Option<(&[u8], &DeviceId)>,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<(Box<[u8]>, DeviceId)>, StoreError> {
        let (mut from, mut to) = range_of(index, span);
        if let Some((text, device)) = after {
            let place = keys::entry(index.letter(), text, device);
            if descending {
                to = Some(to.map_or_else(|| place.clone(), |to| to.min(place.clone())));
            } else {
                from = from.max(behind(&place));
            }
        }
        let mut entries = Vec::new();
        if limit == 0 || to.as_ref().is_some_and(|to| *to <= from) {
            return Ok(entries);
        }
        let mut visit = |key: &[u8], _: &[u8]| {
            entries.extend(keys::parts_of_entry(key).map(|(text, id)| (Box::from(text), id)));
            if entries.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        if descending {
            self.index()?.scan_back(&from, to.as_deref(), &mut visit)?;
        } else {
            self.index()?.scan(&from, to.as_deref(), &mut visit)?;
        }
        Ok(entries)
    }

    async fn ids_back(
        &self,
        before: Option<&DeviceId>,
        limit: usize,
    ) -> Result<Vec<DeviceId>, StoreError> {
        let to = before.map_or_else(|| end_of(b"d/"), |id| Some(keys::of_device(b'd', id)));
        let mut devices = Vec::new();
        if limit > 0 {
            self.index()?.scan_back(b"d/", to.as_deref(), &mut |key, _| {
                devices.extend(keys::device_of(key));
                if devices.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
        }
        Ok(devices)
    }

    fn informed(
        &self,
        span: (Bound<Timestamp>, Bound<Timestamp>),
        after: Option<(Timestamp, &DeviceId)>,
        descending: bool,
        limit: usize,
    ) -> Option<Vec<(DeviceId, Timestamp)>> {
        if !self.indexing().informs {
            return None;
        }
        let informed = self.shared().informed.read().unwrap_or_else(PoisonError::into_inner);
        Some(informed.page(span, after, descending, limit))
    }

    fn count_informed(
        &self,
        span: (Bound<Timestamp>, Bound<Timestamp>),
        most: usize,
    ) -> Option<usize> {
        if !self.indexing().informs {
            return None;
        }
        let informed = self.shared().informed.read().unwrap_or_else(PoisonError::into_inner);
        Some(informed.count(span, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_ranges_of_keys() {
        let of = |text: &[u8]| keys::entry(b's', text, &DeviceId::parse("00D09E-1").unwrap());
        let holds = |span: &TermSpan, text: &[u8]| {
            let (from, to) = range_of(Index::Serial, span);
            let key = of(text);
            from <= key && to.is_none_or(|to| key < to)
        };
        let text = |text: &[u8]| -> Box<[u8]> { text.into() };
        let between = TermSpan::Between(Bound::Excluded(text(b"a")), Bound::Included(text(b"b")));
        for (word, inside) in [("a", false), ("a ", true), ("aa", true), ("b", true), ("b0", false)]
        {
            assert_eq!(holds(&between, word.as_bytes()), inside, "{word}");
        }
        let from = TermSpan::Between(Bound::Included(text(b"a")), Bound::Excluded(text(b"b")));
        assert!(holds(&from, b"a") && !holds(&from, b"b") && holds(&from, b"azz"));
        let begins = TermSpan::Begins(text(b"ab"));
        assert!(holds(&begins, b"ab") && holds(&begins, b"abc") && !holds(&begins, b"a"));
        assert!(holds(&TermSpan::All, b"") && holds(&TermSpan::All, b"\xff\xff"));
    }
}
