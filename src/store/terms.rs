//! The entries of the indexes, kept with the records that they are about: in the
//! same batch, so that neither is ever there without the other.
//!
//! An entry is a key alone: index, term, device. The terms of a hot record follow
//! from the record, and its head holds their print: a periodic session, which
//! changes none of them, costs one comparison. The terms of labels and of a tree
//! stand once more in a small record of their own, so that those that are gone can
//! be taken away without reading what was there before.

use super::StoreError;
use super::frame::{put_remove, put_set};
use super::index::Index;
use super::keys;
use super::record::{self, HEAD};
use super::resolve::Resolver;
use super::step::head_of;
use crate::device::{Device, DeviceId};
use crate::term::{self, Term};

/// A record from which terms are taken, besides the hot one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Labels,
    Tree,
}

impl Source {
    /// All of them.
    pub(super) const ALL: [Self; 2] = [Self::Labels, Self::Tree];

    /// The letter of the record.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Labels => b'l',
            Self::Tree => b'p',
        }
    }
}

/// Terms as bytes: of each the length of the text, the letter of the index, the
/// text.
pub(super) fn encode(terms: &[Term]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for term in terms {
        // Texts are cut far below that.
        bytes.push(u8::try_from(term.value.len()).unwrap_or(u8::MAX));
        bytes.push(term.index.letter());
        bytes.extend_from_slice(&term.value);
    }
    bytes
}

/// The terms in such bytes, each as letter and text.
fn read(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut terms = Vec::new();
    while let [length, letter, rest @ ..] = bytes {
        let Some((text, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        terms.push((*letter, text));
        bytes = rest;
    }
    terms
}

/// The terms of a stored hot record as bytes; none if they were never written.
fn terms_of_hot(value: &[u8]) -> Vec<u8> {
    if head_of(value).revision == 0 {
        return Vec::new();
    }
    let device = record::decode_plain::<Device>(value);
    device.map(|device| encode(&term::of_device(&device))).unwrap_or_default()
}

/// Writes the entries that came, and removes those that went.
fn put_entries(out: &mut Vec<u8>, device: &DeviceId, old: &[u8], new: &[u8]) {
    let (old, new) = (read(old), read(new));
    for (letter, text) in old.iter().filter(|term| !new.contains(term)) {
        put_remove(out, &keys::entry(*letter, text, device));
    }
    for (letter, text) in new.iter().filter(|term| !old.contains(term)) {
        put_set(out, &keys::entry(*letter, text, device), &[]);
    }
}

impl<I: Index> Resolver<'_, I> {
    /// Sets a hot record; if its terms are others, their entries. Returns whether
    /// the device is new.
    pub(super) fn put_device(
        &mut self,
        out: &mut Vec<u8>,
        key: &[u8],
        device: &DeviceId,
        value: &[u8],
    ) -> Result<bool, StoreError> {
        let print = head_of(value).revision;
        let old =
            self.look(key, |old| (head_of(old).revision != print).then(|| terms_of_hot(old)))?;
        let is_new = old.is_none();
        if let Some(old) = old.unwrap_or_else(|| Some(Vec::new())) {
            let device_now: Device = record::decode_plain(value)?;
            put_entries(out, device, &old, &encode(&term::of_device(&device_now)));
            self.stage(key, Some(value));
        }
        put_set(out, key, value);
        Ok(is_new)
    }

    /// Keeps the entries of labels or of a tree.
    pub(super) fn put_terms(
        &mut self,
        out: &mut Vec<u8>,
        device: &DeviceId,
        source: Source,
        terms: &[u8],
    ) -> Result<(), StoreError> {
        let key = keys::terms(device, source.letter());
        let old = self.look(&key, <[u8]>::to_vec)?;
        if old.as_deref().unwrap_or_default() == terms {
            return Ok(());
        }
        put_entries(out, device, &old.unwrap_or_default(), terms);
        if terms.is_empty() {
            put_remove(out, &key);
            self.stage(&key, None);
        } else {
            put_set(out, &key, terms);
            self.stage(&key, Some(terms));
        }
        Ok(())
    }

    /// Makes the entries of a hot record from before there were any, or from before
    /// they had the present form.
    pub(super) fn index_device(
        &mut self,
        out: &mut Vec<u8>,
        device: &DeviceId,
    ) -> Result<(), StoreError> {
        let key = keys::of_device(b'd', device);
        let Some(value) = self.look(&key, <[u8]>::to_vec)? else { return Ok(()) };
        let known: Device = record::decode_plain(&value)?;
        let mut head = head_of(&value);
        let print = term::print_of_device(&known);
        if head.revision == print {
            return Ok(());
        }
        put_entries(out, device, &[], &encode(&term::of_device(&known)));
        head.revision = print;
        let mut bytes = Vec::with_capacity(value.len());
        head.put(&mut bytes);
        bytes.extend_from_slice(value.get(HEAD..).unwrap_or_default());
        put_set(out, &key, &bytes);
        self.stage(&key, Some(&bytes));
        Ok(())
    }

    /// Makes the entries of labels or of a tree from before there were any; those
    /// that were written meanwhile have theirs.
    pub(super) fn index_terms(
        &mut self,
        out: &mut Vec<u8>,
        device: &DeviceId,
        source: Source,
        terms: &[u8],
    ) -> Result<(), StoreError> {
        let is_there = self.look(&keys::of_device(source.letter(), device), |_| ())?.is_some();
        let is_indexed = self.look(&keys::terms(device, source.letter()), |_| ())?.is_some();
        if is_there && !is_indexed { self.put_terms(out, device, source, terms) } else { Ok(()) }
    }

    /// Removes all entries of a device.
    pub(super) fn forget_terms(
        &mut self,
        out: &mut Vec<u8>,
        device: &DeviceId,
    ) -> Result<(), StoreError> {
        let hot = self.look(&keys::of_device(b'd', device), terms_of_hot)?;
        put_entries(out, device, &hot.unwrap_or_default(), &[]);
        Source::ALL.into_iter().try_for_each(|source| self.put_terms(out, device, source, &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_read_back() {
        let terms = [
            Term::new(term::Index::Tag, "gold"),
            Term::new(term::Index::Model, ""),
            Term::new(term::Index::Site, &"x".repeat(200)),
        ];
        let bytes = encode(&terms);
        let read: Vec<(u8, Vec<u8>)> =
            read(&bytes).into_iter().map(|(letter, text)| (letter, text.to_vec())).collect();
        let expected = terms.map(|term| (term.index.letter(), term.value.to_vec()));
        assert_eq!(read, expected);
    }
}
