//! The committer: takes batches in the order of their coming, makes them
//! durable in groups, applies them to the index, answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use tokio::sync::{broadcast, oneshot, watch};

use super::frame::Group;
use super::index::Index;
use super::indexing::Indexing;
use super::informed::Informed;
use super::journal::{Journal, Position, Refusal};
use super::names::Names;
use super::ranges::Ranges;
use super::resolve::{Bounds, Overlay, Resolver};
use super::snapshot::Errand;
use super::step::{Prepared, Step, head_of};
use super::{Health, Kind, Notice, StoreError, Vault, keys};
use crate::metrics::{GROUP_BATCHES, JOURNAL_SYNC_SECONDS, JOURNAL_WRITTEN, QUEUE};

/// Bytes at which a group is written though more batches wait.
const GROUP_BYTES: usize = 4 << 20;

/// What the faces of a store and its threads share.
pub(super) struct Shared<I> {
    pub(super) index: I,
    pub(super) names: Names,
    /// Seals the kinds of records in which secrets stand.
    pub(super) vault: Arc<Vault>,
    pub(super) notices: broadcast::Sender<Notice>,
    /// Held for writing while a group is applied: whoever reads a record that
    /// lies in parts holds it for reading.
    pub(super) applying: RwLock<()>,
    pub(super) closed: AtomicBool,
    pub(super) state: State,
    pub(super) generations: Generations,
    /// When devices last informed.
    pub(super) informed: RwLock<Informed>,
    /// How far the indexes are.
    pub(super) indexing: watch::Sender<Indexing>,
}

/// The bytes of a record: as the index has them, or put together.
pub(super) enum Whole<V> {
    One(V),
    Parts(Vec<u8>),
}

impl<V: AsRef<[u8]>> AsRef<[u8]> for Whole<V> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::One(value) => value.as_ref(),
            Self::Parts(bytes) => bytes,
        }
    }
}

impl<I: Index> Shared<I> {
    /// The bytes of a record, its parts put together.
    pub(super) fn read(&self, key: &[u8]) -> Result<Option<Whole<I::Value>>, StoreError> {
        let Some(value) = self.index.get(key)? else { return Ok(None) };
        if head_of(value.as_ref()).parts == 0 {
            return Ok(Some(Whole::One(value)));
        }
        // All parts must be of one writing.
        let _still = self.applying.read().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = self.index.get(key)? else { return Ok(None) };
        let mut whole = first.as_ref().to_vec();
        for n in 0..head_of(&whole).parts {
            let part = self.index.get(&keys::part(key, n + 1))?.ok_or_else(|| {
                StoreError::Damaged(format!("{} lacks a part", keys::describe(key)))
            })?;
            whole.extend_from_slice(part.as_ref());
        }
        Ok(Some(Whole::Parts(whole)))
    }
}

/// How often records of each [`Kind`] were changed since the start.
#[derive(Debug, Default)]
pub(super) struct Generations([AtomicU64; Kind::COUNT]);

impl Generations {
    pub(super) fn of(&self, kind: Kind) -> u64 {
        self.counter(kind).map_or(0, |counter| counter.load(Ordering::Acquire))
    }

    /// Told after the change can be read, and before it is acknowledged.
    fn raise(&self, kind: Kind) {
        if let Some(counter) = self.counter(kind) {
            counter.fetch_add(1, Ordering::Release);
        }
    }

    fn counter(&self, kind: Kind) -> Option<&AtomicU64> {
        self.0.get(kind as usize)
    }
}

/// The figures behind [`Health`].
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) devices: AtomicU64,
    pub(super) journal_bytes: AtomicU64,
    /// What happened at the start.
    pub(super) alarms: Vec<String>,
    /// Why commits are refused at present.
    pub(super) refusing: Mutex<Option<String>>,
    /// Why the last snapshot failed.
    pub(super) snapshot: Mutex<Option<String>>,
}

impl State {
    /// The health as it is told.
    pub(super) fn health(&self) -> Health {
        let refusing = lock(&self.refusing).clone();
        let mut alarms = self.alarms.clone();
        let writable = refusing.is_none();
        alarms.extend(refusing);
        alarms.extend(lock(&self.snapshot).clone());
        Health {
            writable,
            alarms,
            devices: self.devices.load(Ordering::Relaxed),
            journal_bytes: self.journal_bytes.load(Ordering::Relaxed),
            indexing: None,
        }
    }
}

/// A lock whose holder panicked still guards whole values here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who waits for a commit.
pub(super) type Answer = oneshot::Sender<Result<(), StoreError>>;

/// What the committer is asked for.
pub(super) enum Request {
    /// Make a batch durable.
    Commit(Prepared, Answer),
    /// Say where the journal stands.
    Where(Sender<Position>),
    /// Begin a new segment, and hand over which ranges were changed.
    Rotate(Sender<std::io::Result<(Position, Ranges)>>),
    /// Take these ranges in place of those handed over.
    Ranges(Ranges),
}

/// Requests on their way to the committer's thread.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    requests: Vec<Request>,
    closed: bool,
    asleep: bool,
}

impl Queue {
    /// Adds a request; gives it back if the queue is closed.
    pub(super) fn push(&self, request: Request) -> Result<(), StoreError> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(StoreError::Closed);
        }
        waiting.requests.push(request);
        QUEUE.shift(1);
        let wake = std::mem::take(&mut waiting.asleep);
        drop(waiting);
        if wake {
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Takes no more requests; those that wait are still served.
    pub(super) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.bell.notify_one();
    }

    /// Waits for requests and swaps them for `taken`, which is empty. False
    /// when the queue is closed and empty.
    fn take(&self, taken: &mut Vec<Request>) -> bool {
        let mut waiting = lock(&self.waiting);
        loop {
            if !waiting.requests.is_empty() {
                waiting.asleep = false;
                std::mem::swap(&mut waiting.requests, taken);
                QUEUE.shift(-i64::try_from(taken.len()).unwrap_or(i64::MAX));
                return true;
            }
            if waiting.closed {
                return false;
            }
            waiting.asleep = true;
            waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// When to ask for a snapshot.
struct SnapshotWish {
    /// Bytes of journal between two of them.
    every: u64,
    /// Bytes of journal at which the next is asked for.
    at: u64,
    errands: Sender<Errand>,
}

/// The committer's own state.
pub(super) struct Writer<I> {
    shared: Arc<Shared<I>>,
    journal: Option<Journal>,
    bounds: Bounds,
    sequence: u64,
    overlay: Overlay,
    group: Group,
    /// Who waits for the group, and what is told of it.
    waiting: Vec<(Prepared, Answer)>,
    ranges: Ranges,
    /// Who takes snapshots, if anybody does.
    snapshot: Option<SnapshotWish>,
    /// The index refused what the journal holds; only a start can mend that.
    broken: Option<String>,
}

impl<I: Index> Writer<I> {
    /// A committer that goes on behind `sequence`.
    pub(super) fn new(
        shared: Arc<Shared<I>>,
        journal: Option<Journal>,
        bounds: Bounds,
        sequence: u64,
        ranges: Ranges,
    ) -> Self {
        let devices = shared.state.devices.load(Ordering::Relaxed);
        let unmarked = shared.indexing.borrow().began_empty;
        Self {
            shared,
            journal,
            bounds,
            sequence,
            overlay: Overlay::new(devices, unmarked),
            group: Group::default(),
            waiting: Vec::new(),
            ranges,
            snapshot: None,
            broken: None,
        }
    }

    /// Asks for a snapshot whenever the journal has grown by so many bytes.
    pub(super) fn snapshot_every(&mut self, bytes: u64, errands: Sender<Errand>) {
        let every = bytes.max(1);
        self.snapshot = Some(SnapshotWish { every, at: every, errands });
    }

    /// Serves the queue until it is closed.
    pub(super) fn run(mut self, queue: &Queue) {
        let mut taken = Vec::new();
        while queue.take(&mut taken) {
            for request in taken.drain(..) {
                self.serve(request);
            }
            self.finish_group();
            self.ask_for_snapshot();
        }
    }

    fn serve(&mut self, request: Request) {
        match request {
            Request::Commit(prepared, answer) => self.commit(prepared, answer),
            Request::Where(answer) => {
                self.finish_group();
                if let Some(journal) = &self.journal {
                    let _ = answer.send(journal.position());
                }
            }
            Request::Rotate(answer) => {
                self.finish_group();
                let _ = answer.send(self.rotate());
            }
            Request::Ranges(ranges) => {
                self.finish_group();
                self.ranges = ranges.with_marks_of(&self.ranges);
            }
        }
    }

    /// Adds a batch to the group, or answers why not.
    pub(super) fn commit(&mut self, prepared: Prepared, answer: Answer) {
        let alone = prepared.stands_alone();
        if alone {
            self.finish_group();
        }
        if let Some(why) = &self.broken {
            let _ = answer.send(Err(StoreError::ReadOnly(why.clone())));
            return;
        }
        let sequence = self.group.last_sequence().unwrap_or(self.sequence) + 1;
        let mut resolver =
            Resolver { index: &self.shared.index, overlay: &mut self.overlay, bounds: self.bounds };
        match resolver.add(&prepared, &mut self.group, sequence) {
            Ok(()) => self.waiting.push((prepared, answer)),
            Err(error) => {
                let _ = answer.send(Err(error));
            }
        }
        if alone || self.group.len() >= GROUP_BYTES {
            self.finish_group();
        }
    }

    /// Makes the group durable, applies it and answers all who wait.
    pub(super) fn finish_group(&mut self) {
        if self.group.is_empty() {
            return;
        }
        let result = self.make_durable();
        if result.is_ok() {
            self.overlay.tally.count();
            self.overlay.unmarked = false;
            self.note_informs();
        }
        for (prepared, answer) in self.waiting.drain(..) {
            match &result {
                Ok(()) => {
                    self.shared.names.mark_durable(&prepared.names);
                    for kind in prepared.kinds {
                        self.shared.generations.raise(kind);
                    }
                    for notice in prepared.notices {
                        // Nobody listens: nobody misses it.
                        let _ = self.shared.notices.send(notice);
                    }
                    let _ = answer.send(Ok(()));
                }
                Err(refusal) => {
                    let _ = answer.send(Err(refusal.to_error()));
                }
            }
        }
        self.group.clear();
        self.overlay.clear();
        self.overlay.devices = self.shared.state.devices.load(Ordering::Relaxed);
    }

    /// Keeps the order of the last Informs.
    fn note_informs(&self) {
        let is_about = |step: &&Step| matches!(step, Step::Device { .. } | Step::ForgetDevice(_));
        let steps = self.waiting.iter().flat_map(|(prepared, _)| &prepared.steps);
        let mut steps = steps.filter(is_about).peekable();
        if steps.peek().is_none() {
            return;
        }
        let mut informed = self.shared.informed.write().unwrap_or_else(PoisonError::into_inner);
        for step in steps {
            match step {
                Step::Device { id, informed: at, .. } => informed.set(id, *at),
                Step::ForgetDevice(id) => informed.forget(id),
                _ => {}
            }
        }
    }

    fn make_durable(&mut self) -> Result<(), Refusal> {
        if let Some(journal) = &mut self.journal {
            let began = Instant::now();
            let written = journal.append(&mut self.group);
            self.tell_refusal(written.as_ref().err());
            written?;
            let bytes = self.group.len() as u64;
            JOURNAL_SYNC_SECONDS.took(0, began.elapsed());
            JOURNAL_WRITTEN.count(bytes);
            GROUP_BATCHES.note(0, self.waiting.len() as u64);
            self.shared.state.journal_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        let sequence = self.group.last_sequence().unwrap_or(self.sequence);
        self.sequence = sequence;
        let applied = {
            let _applying = self.shared.applying.write().unwrap_or_else(PoisonError::into_inner);
            let ranges = &mut self.ranges;
            let mut ops = self.group.ops().inspect(|op| ranges.mark(op.key()));
            self.shared.index.apply(&mut ops, sequence)
        };
        if let Err(error) = applied {
            // The batches are durable, but are not to be seen before a start
            // has read the journal: that is for an operator to know.
            tracing::error!(%error, "the index refused what the journal holds");
            let why = format!("the index failed ({error}); start the server anew");
            self.tell_refusal(Some(&Refusal::Unknown(std::io::Error::other(why.clone()))));
            self.broken = Some(why.clone());
            return Err(Refusal::Unknown(std::io::Error::other(why)));
        }
        self.shared.state.devices.store(self.overlay.devices, Ordering::Relaxed);
        Ok(())
    }

    /// Keeps the health's word on refused commits; logs when it changes.
    fn tell_refusal(&self, refusal: Option<&Refusal>) {
        let mut refusing = lock(&self.shared.state.refusing);
        match refusal {
            Some(refusal) => {
                let why = refusal.to_error().to_string();
                if refusing.as_ref() != Some(&why) {
                    tracing::error!(error = %why, "commits are refused");
                    *refusing = Some(why);
                }
            }
            None if refusing.is_some() => {
                tracing::info!("commits are taken again");
                *refusing = None;
            }
            None => {}
        }
    }

    fn rotate(&mut self) -> std::io::Result<(Position, Ranges)> {
        let Some(journal) = &mut self.journal else {
            return Err(std::io::ErrorKind::Unsupported.into());
        };
        journal.begin_segment()?;
        self.shared.state.journal_bytes.store(0, Ordering::Relaxed);
        let marked = self.ranges.clone();
        self.ranges.clear_marks();
        if let Some(wish) = &mut self.snapshot {
            wish.at = wish.every;
        }
        Ok((journal.position(), marked))
    }

    fn ask_for_snapshot(&mut self) {
        let bytes = self.shared.state.journal_bytes.load(Ordering::Relaxed);
        if let Some(wish) = &mut self.snapshot
            && bytes >= wish.at
        {
            // Asked again only after as much once more, should this one fail.
            wish.at = bytes.saturating_add(wish.every);
            let _ = wish.errands.send(Errand::Snapshot);
        }
    }
}
