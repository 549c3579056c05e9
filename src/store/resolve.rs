//! Steps into operations: revisions are checked, lists kept, rings turned,
//! against the index and what the same group is about to write.
//!
//! Only what is looked at again is remembered for the group: heads of records
//! with a revision or parts, gates, ring ends. A hot record costs nothing here.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::StoreError;
use super::frame::{Group, MAX_PAYLOAD, Op, Ops, put_remove, put_set};
use super::index::{Index, end_of};
use super::keys;
use super::record::{self, ENDED, HEAD, Head};
use super::reseal;
use super::step::{PART, Prepared, Ring, SEALED_PART, Step, head_of};
use super::tally::{Tally, TaskWords};
use crate::access::chained;
use crate::device::{DeviceId, TaskId};
use crate::phone::FileVersion;
use crate::term::FORM;

/// How many entries of each history are kept per device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) events: u64,
    pub(super) tasks: u64,
    pub(super) sessions: u64,
    pub(super) reports: u64,
    pub(super) trace: u64,
    pub(super) changes: u64,
    pub(super) audit: u64,
    pub(super) news: u64,
}

impl Bounds {
    /// How many entries a ring may have.
    pub(super) const fn of(&self, ring: Ring) -> u64 {
        match ring {
            Ring::Events => self.events,
            Ring::Sessions => self.sessions,
            Ring::Reports => self.reports,
            Ring::Trace => self.trace,
            Ring::Changes => self.changes,
        }
    }
}

/// Entries of a log that one append removes at most, when a bound was lowered.
const TRIMMED: usize = 1000;

type Seen = HashMap<Vec<u8>, Option<Vec<u8>>>;

/// What a group is about to write, as far as later batches of it look at it.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    seen: Seen,
    /// The same for the batch at hand; taken over when it is accepted.
    staged: Seen,
    /// How many devices there are, once the group is applied.
    pub(super) devices: u64,
    /// What the group does to the figures of tasks.
    pub(super) tally: Tally,
    /// What the batch at hand does.
    staged_tally: Tally,
    /// The store began empty, and it is still to be written that all in it is
    /// indexed.
    pub(super) unmarked: bool,
}

impl Overlay {
    /// Of a store with so many devices.
    pub(super) fn new(devices: u64, unmarked: bool) -> Self {
        Self { devices, unmarked, ..Self::default() }
    }

    /// Forgets the group.
    pub(super) fn clear(&mut self) {
        self.seen.clear();
        self.staged.clear();
        self.tally.clear();
    }
}

/// Resolves batches into the frames of a group.
pub(super) struct Resolver<'a, I> {
    pub(super) index: &'a I,
    pub(super) overlay: &'a mut Overlay,
    pub(super) bounds: Bounds,
}

impl<I: Index> Resolver<'_, I> {
    /// Appends a batch to the group as the frame `sequence`, or leaves the
    /// group as it was.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] and [`StoreError::TooLarge`]; what the index says.
    pub(super) fn add(
        &mut self,
        prepared: &Prepared,
        group: &mut Group,
        sequence: u64,
    ) -> Result<(), StoreError> {
        let devices = self.overlay.devices;
        group.begin(sequence);
        let mut result = prepared.steps.iter().try_for_each(|step| self.step(step, group));
        if result.is_ok() && group.last_payload().len() > MAX_PAYLOAD {
            result = Err(StoreError::TooLarge("a batch".to_owned()));
        }
        match result {
            Ok(()) => {
                if self.overlay.unmarked {
                    put_set(group.payload(), keys::INDEXES, &[FORM]);
                }
                if self.overlay.devices != devices {
                    let count = self.overlay.devices.to_le_bytes();
                    put_set(group.payload(), keys::DEVICES, &count);
                }
                let Overlay { seen, staged, tally, staged_tally, .. } = &mut *self.overlay;
                seen.extend(staged.drain());
                tally.take(staged_tally);
                Ok(())
            }
            Err(error) => {
                group.abandon();
                self.overlay.staged.clear();
                self.overlay.staged_tally.clear();
                self.overlay.devices = devices;
                Err(error)
            }
        }
    }

    fn step(&mut self, step: &Step, group: &mut Group) -> Result<(), StoreError> {
        let out = group.payload();
        match step {
            Step::Device { key, value, phone, id, .. } => {
                if self.put_device(out, key, id, value)? {
                    self.overlay.devices += 1;
                    if let Some(phone) = phone {
                        put_set(out, phone, id.as_str().as_bytes());
                        self.stage(phone, Some(id.as_str().as_bytes()));
                    }
                }
                Ok(())
            }
            Step::Terms { device, source, terms } => self.put_terms(out, device, *source, terms),
            Step::IndexDevice(device) => self.index_device(out, device),
            Step::IndexTerms { device, source, terms } => {
                self.index_terms(out, device, *source, terms)
            }
            Step::Small { key, value } => {
                put_set(out, key, value);
                Ok(())
            }
            Step::Large { key, value, revised } => {
                self.put_large(out, key, value, *revised).map(|_| ())
            }
            Step::Task { device, id, value, counted } => {
                self.put_task(out, device, *id, value, *counted)
            }
            Step::Gate { key, value, gate } => self.put_gate(out, key, value, gate),
            Step::Ring { kind, device, value } => {
                let ring = keys::under_device(kind.letter(), device);
                self.turn(out, &ring, value, self.bounds.of(*kind)).map(|_| ())
            }
            Step::ForgetRing(kind, device) => {
                self.forget_ring(group, &keys::under_device(kind.letter(), device))
            }
            Step::TrimRing(kind, device, first) => {
                let ring = keys::under_device(kind.letter(), device);
                self.trim_ring(out, &ring, *first)
            }
            Step::Reseal { key, first, value } => {
                let still = |now: &[u8]| reseal::unchanged(now, first).then(|| head_of(now));
                match self.look(key, still)?.flatten() {
                    // Entries of histories are never in parts, and stay so.
                    Some(head) if head.parts == 0 && value.len() <= SEALED_PART => {
                        put_set(out, key, value);
                    }
                    Some(_) => {
                        self.put_large(out, key, value, false)?;
                    }
                    None => {}
                }
                Ok(())
            }
            Step::Audit(value) => self.chain(out, value),
            Step::News(value) => self.log(out, keys::NEWS, value, self.bounds.news),
            Step::ForgetDevice(id) => self.forget_device(group, id),
            Step::Forget(records) => records.iter().try_for_each(|key| self.remove_large(out, key)),
        }
    }

    /// What stands under a key now, handed to `read`.
    pub(super) fn look<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, StoreError> {
        let known = self.overlay.staged.get(key).or_else(|| self.overlay.seen.get(key));
        match known {
            Some(value) => Ok(value.as_deref().map(read)),
            None => Ok(self.index.get(key)?.map(|value| read(value.as_ref()))),
        }
    }

    /// Remembers what stands under a key once the batch is applied.
    pub(super) fn stage(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.overlay.staged.insert(key.to_vec(), value.map(<[u8]>::to_vec));
    }

    /// Sets a record, in parts if it is large, and drops parts of the old one
    /// that it does not need. Returns the old one's head.
    fn put_large(
        &mut self,
        out: &mut Vec<u8>,
        key: &[u8],
        value: &[u8],
        revised: bool,
    ) -> Result<Option<Head>, StoreError> {
        let old = self.look(key, head_of)?;
        let mut head = head_of(value);
        let before = old.map_or(0, |old| old.revision);
        if revised && before.checked_add(1) != Some(head.revision) {
            return Err(StoreError::Conflict(keys::describe(key)));
        }
        let (first, rest) = value.split_at_checked(PART).unwrap_or((value, &[]));
        head.parts = u16::try_from(rest.len().div_ceil(PART))
            .map_err(|_| StoreError::TooLarge(keys::describe(key)))?;
        let mut bytes = Vec::with_capacity(first.len());
        head.put(&mut bytes);
        self.stage(key, Some(&bytes));
        bytes.extend_from_slice(first.get(HEAD..).unwrap_or_default());
        put_set(out, key, &bytes);
        for (n, part) in (1..).zip(rest.chunks(PART)) {
            put_set(out, &keys::part(key, n), part);
        }
        for n in head.parts..old.map_or(0, |old| old.parts) {
            put_remove(out, &keys::part(key, n + 1));
        }
        Ok(old)
    }

    fn remove_large(&mut self, out: &mut Vec<u8>, key: &[u8]) -> Result<(), StoreError> {
        let old = self.look(key, head_of)?.unwrap_or_default();
        // Removed even if nothing is known of it: a small record may have been
        // put by this very batch.
        put_remove(out, key);
        for n in 0..old.parts {
            put_remove(out, &keys::part(key, n + 1));
        }
        self.stage(key, None);
        Ok(())
    }

    fn put_task(
        &mut self,
        out: &mut Vec<u8>,
        device: &DeviceId,
        id: TaskId,
        value: &[u8],
        counted: TaskWords,
    ) -> Result<(), StoreError> {
        let key = keys::task(id);
        let old = self.put_large(out, &key, value, true)?;
        let was_ended = old.map(|old| old.flags & ENDED != 0);
        let is_ended = head_of(value).flags & ENDED != 0;
        if was_ended.is_none() {
            put_set(out, &keys::listed_task(b'u', device, id), &[]);
        }
        let open = keys::listed_task(b'q', device, id);
        match (was_ended, is_ended) {
            (None | Some(true), false) => {
                put_set(out, &open, &[]);
                self.overlay.staged_tally.opened += 1;
            }
            (Some(false), true) => {
                put_remove(out, &open);
                self.overlay.staged_tally.opened -= 1;
            }
            _ => {}
        }
        if is_ended && was_ended != Some(true) {
            self.overlay.staged_tally.ended.push(counted);
            let ring = keys::under_device(b'r', device);
            let gone = self.turn(out, &ring, &id.0.to_be_bytes(), self.bounds.tasks)?;
            if let Some(gone) = gone.as_deref().and_then(keys::task_of) {
                self.remove_large(out, &keys::task(gone))?;
                put_remove(out, &keys::listed_task(b'u', device, gone));
            }
        }
        Ok(())
    }

    /// Appends to a ring of at most `bound` entries; returns the value of the
    /// entry that had to go. One look at the ring's end, no scan.
    fn turn(
        &mut self,
        out: &mut Vec<u8>,
        ring: &[u8],
        value: &[u8],
        bound: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let next = self.next_of(ring)?;
        let key = keys::numbered(ring, next);
        put_set(out, &key, value);
        self.stage(&key, Some(value));
        self.stage(ring, Some(&next.to_be_bytes()));
        let Some(oldest) = next.checked_sub(bound.max(1)) else { return Ok(None) };
        let oldest = keys::numbered(ring, oldest);
        let gone = self.look(&oldest, <[u8]>::to_vec)?;
        if gone.is_some() {
            put_remove(out, &oldest);
            self.stage(&oldest, None);
        }
        Ok(gone)
    }

    /// Appends to the audit: the hash over the entry before, then what it says.
    fn chain(&mut self, out: &mut Vec<u8>, value: &[u8]) -> Result<(), StoreError> {
        let number = self.next_of(keys::AUDIT)?;
        let previous = match number.checked_sub(1) {
            None => [0; 32],
            Some(last) => self
                .look(&keys::numbered(keys::AUDIT, last), |entry| entry.first_chunk().copied())?
                .flatten()
                .ok_or_else(|| StoreError::Damaged(format!("entry {last} of the audit is gone")))?,
        };
        let body = value.get(HEAD..).unwrap_or_default();
        let mut entry = chained(&previous, number, body).to_vec();
        entry.extend_from_slice(value);
        self.log(out, keys::AUDIT, &entry, self.bounds.audit)
    }

    /// Appends to a log whose numbers have no gaps. As a ring does, and besides:
    /// if the bound was lowered since, what is beyond it goes from the oldest on,
    /// a number at a time.
    fn log(
        &mut self,
        out: &mut Vec<u8>,
        log: &[u8],
        value: &[u8],
        bound: u64,
    ) -> Result<(), StoreError> {
        let next = self.next_of(log)?;
        let surplus = next.checked_sub(bound.max(1) + 1);
        let older = surplus.map(|older| self.look(&keys::numbered(log, older), |_| ())).transpose();
        if older?.flatten().is_none() {
            return self.turn(out, log, value, bound).map(|_| ());
        }
        let key = keys::numbered(log, next);
        put_set(out, &key, value);
        self.stage(&key, Some(value));
        self.stage(log, Some(&next.to_be_bytes()));
        let end = keys::numbered(log, next.saturating_sub(bound.max(1)).saturating_add(1));
        let mut gone = Vec::new();
        let staged = &self.overlay.staged;
        let seen = &self.overlay.seen;
        self.index.scan(log, Some(&end), &mut |key, _| {
            // What this group removes already is passed over.
            let known = staged.get(key).or_else(|| seen.get(key));
            if !matches!(known, Some(None)) {
                gone.push(key.to_vec());
            }
            if gone.len() < TRIMMED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        for key in &gone {
            put_remove(out, key);
            self.stage(key, None);
        }
        Ok(())
    }

    /// The number of the next entry of a ring.
    fn next_of(&self, ring: &[u8]) -> Result<u64, StoreError> {
        // The ring's prefix is the key of no record: its end is remembered there.
        let known = self.overlay.staged.get(ring).or_else(|| self.overlay.seen.get(ring));
        let last = match known {
            Some(end) => end.as_deref().and_then(keys::number_of),
            None => self.index.last_key(ring)?.as_deref().and_then(keys::number_of),
        };
        Ok(last.map_or(0, |last| last.saturating_add(1)))
    }

    fn put_gate(
        &mut self,
        out: &mut Vec<u8>,
        key: &[u8],
        value: &[u8],
        gate: &FileVersion,
    ) -> Result<(), StoreError> {
        if let Some(old) = self.look(key, record::decode_plain::<FileVersion>)? {
            let old = old?;
            let rises = gate.counter > old.counter;
            if !rises && (gate.counter, gate.body_hash) != (old.counter, old.body_hash) {
                return Err(StoreError::Conflict(keys::describe(key)));
            }
        }
        put_set(out, key, value);
        self.stage(key, Some(value));
        Ok(())
    }

    /// Removes the entries of a ring that come before the number `first`.
    fn trim_ring(&mut self, out: &mut Vec<u8>, ring: &[u8], first: u64) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        self.index.scan(ring, Some(&keys::numbered(ring, first)), &mut |key, _| {
            entries.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        for key in &entries {
            put_remove(out, key);
            self.stage(key, None);
        }
        Ok(())
    }

    /// Removes the entries of a ring. Its numbers begin anew.
    fn forget_ring(&mut self, group: &mut Group, ring: &[u8]) -> Result<(), StoreError> {
        let mut entries = Vec::new();
        self.index.scan(ring, end_of(ring).as_deref(), &mut |key, _| {
            entries.push(key.to_vec());
            ControlFlow::Continue(())
        })?;
        // What this group is about to write as well.
        let written = self.overlay.seen.iter().chain(&self.overlay.staged);
        entries.extend(
            written
                .filter(|(key, value)| {
                    key.len() > ring.len() && key.starts_with(ring) && value.is_some()
                })
                .map(|(key, _)| key.clone()),
        );
        let out = group.payload();
        for key in &entries {
            put_remove(out, key);
            self.stage(key, None);
        }
        self.stage(ring, None);
        Ok(())
    }

    /// Removes all that belongs to a device: what the index holds, and what
    /// this batch put before. The committer sees to it that the group holds no
    /// other batch.
    fn forget_device(&mut self, group: &mut Group, id: &DeviceId) -> Result<(), StoreError> {
        let hot = keys::of_device(b'd', id);
        if self.look(&hot, |_| ())?.is_some() {
            self.overlay.devices = self.overlay.devices.saturating_sub(1);
        }
        self.forget_terms(group.payload(), id)?;
        let mut large: Vec<Vec<u8>> = b"dplcCSE".map(|kind| keys::of_device(kind, id)).to_vec();
        let mut listed = Vec::new();
        let serial = id.as_str().rsplit('-').next().unwrap_or_default();
        if let Some(phone) = keys::phone_of(serial) {
            // The phone may have become another device since, with its firmware.
            let known = self.look(&phone, |known| known == id.as_str().as_bytes())?;
            listed.extend(known.unwrap_or_default().then_some(phone));
        }
        let lists = b"euqrabwxHB".map(|kind| keys::under_device(kind, id));
        for list in &lists {
            self.index.scan(list, end_of(list).as_deref(), &mut |key, _| {
                listed.push(key.to_vec());
                ControlFlow::Continue(())
            })?;
        }
        for op in Ops::new(group.last_payload()) {
            let Op::Set(key, _) = op else { continue };
            if lists.iter().any(|list| key.starts_with(list)) {
                listed.push(key.to_vec());
            }
        }
        let mut mirrored = Vec::new();
        for key in &listed {
            match key.first() {
                Some(b'u') => large.extend(keys::task_of(key).map(keys::task)),
                Some(b'q') => self.overlay.staged_tally.opened -= 1,
                Some(b'B') => large.push(key.clone()),
                Some(b'x') => mirrored.extend(keys::mirrored(key)),
                _ => {}
            }
        }
        listed.append(&mut mirrored);
        let out = group.payload();
        for key in &large {
            self.remove_large(out, key)?;
        }
        for key in &listed {
            put_remove(out, key);
            self.stage(key, None);
        }
        for list in lists {
            self.stage(&list, None);
        }
        Ok(())
    }
}
