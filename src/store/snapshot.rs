//! Snapshots: the index as checksummed files, so that the journal can be short.
//!
//! A snapshot is taken while commits go on. It begins a new segment of the
//! journal, then copies the ranges that were changed. What a range holds may be
//! newer than that segment's beginning; the journal read over it ends in the
//! same state, since its operations say what a key *is*, not how it changes.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use tokio::sync::oneshot;

use super::backup;
use super::disk::Disk;
use super::frame::{Ops, put_set};
use super::index::{Index, behind};
use super::journal::{Journal, Position};
use super::ranges::{Manifest, Part, Range, Ranges};
use super::replay::Start;
use super::tree::{compress, decompress};
use super::writer::{Queue, Request, Shared, lock};
use super::{BackupReport, StoreError};
use crate::metrics::SNAPSHOT_SECONDS;

/// Bytes of records at which a part is full.
pub(super) const PART_BYTES: usize = 4 << 20;

/// Entries that are copied in one scan.
const PAGE: u32 = 512;

const MAGIC: [u8; 8] = *b"ProvPrt1";

/// What the snapshot's thread is sent for.
pub(super) enum Errand {
    /// Take a snapshot.
    Snapshot,
    /// Write a backup to this file.
    Backup(PathBuf, oneshot::Sender<Result<BackupReport, StoreError>>),
    /// End.
    Stop,
}

/// Where a store's files lie.
#[derive(Clone)]
pub(super) struct Folders {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The store's own.
    pub(super) store: PathBuf,
    /// The journal's segments.
    pub(super) journal: PathBuf,
    /// The snapshot's parts.
    pub(super) snapshot: PathBuf,
}

impl Folders {
    /// In a data folder.
    pub(super) fn of(data: &Path) -> Self {
        let store = data.join("store");
        Self {
            data: data.to_owned(),
            journal: store.join("journal"),
            snapshot: store.join("snapshot"),
            store,
        }
    }
}

/// Takes snapshots and backups, one at a time.
pub(super) struct Snapshotter<I> {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folders: Folders,
    pub(super) shared: Arc<Shared<I>>,
    pub(super) queue: Arc<Queue>,
    pub(super) manifest: Manifest,
}

impl<I: Index> Snapshotter<I> {
    /// Serves errands until it is stopped.
    pub(super) fn run(mut self, errands: &Receiver<Errand>) {
        while let Ok(errand) = errands.recv() {
            match errand {
                Errand::Snapshot => self.take_and_tell(),
                Errand::Backup(to, answer) => {
                    let _ = answer.send(self.backup(&to));
                }
                Errand::Stop => break,
            }
        }
    }

    fn take_and_tell(&mut self) {
        let began = Instant::now();
        let result = self.take();
        if !matches!(result, Err(StoreError::Closed)) {
            SNAPSHOT_SECONDS.took(usize::from(result.is_err()), began.elapsed());
        }
        let mut word = lock(&self.shared.state.snapshot);
        match result {
            Ok(parts) => {
                tracing::debug!(snapshot.parts = parts, "snapshot taken");
                *word = None;
            }
            Err(StoreError::Closed) => {}
            Err(error) => {
                tracing::error!(%error, "no snapshot could be taken; the journal grows");
                *word = Some(format!("no snapshot could be taken ({error}); the journal grows"));
            }
        }
    }

    /// Takes a snapshot; returns how many parts were written.
    fn take(&mut self) -> Result<usize, StoreError> {
        let (answer, answered) = channel();
        self.queue.push(Request::Rotate(answer))?;
        let (position, marked) = answered.recv().map_err(|_| StoreError::Closed)??;
        match self.write(position, &marked) {
            Ok(parts) => {
                self.queue.push(Request::Ranges(self.manifest.ranges.clone()))?;
                Ok(parts)
            }
            Err(error) => {
                // What was changed is still to be written.
                self.queue.push(Request::Ranges(marked))?;
                Err(error)
            }
        }
    }

    /// Writes the changed ranges and the manifest, then removes what neither
    /// needs.
    pub(super) fn write(&mut self, at: Position, marked: &Ranges) -> Result<usize, StoreError> {
        let mut next_part = self.manifest.next_part;
        let ranges = self.write_ranges(marked, &mut next_part)?;
        let parts = usize::try_from(next_part - self.manifest.next_part).unwrap_or(usize::MAX);
        self.disk.sync_folder(&self.folders.snapshot)?;
        // The index must not fall behind the journal that is about to go.
        self.shared.index.flush()?;
        let start = Start { segment: at.segment, sequence: at.sequence };
        let manifest = Manifest::new(start, next_part, ranges);
        manifest.write(&*self.disk, &self.folders.snapshot)?;
        self.manifest = manifest;
        Journal::remove_before(&*self.disk, &self.folders.journal, start.segment)?;
        remove_unused(&*self.disk, &self.folders.snapshot, &self.manifest)?;
        Ok(parts)
    }

    fn write_ranges(&self, marked: &Ranges, next_part: &mut u64) -> Result<Ranges, StoreError> {
        let all = marked.all();
        let mut ranges = Vec::with_capacity(all.len());
        let mut at = 0;
        while let Some(range) = all.get(at) {
            if !range.changed {
                ranges.push(range.clone());
                at += 1;
                continue;
            }
            // A run of changed ranges is cut anew, so that what has shrunk is joined.
            let behind = all.iter().skip(at).take_while(|range| range.changed).count();
            at += behind;
            let end = all.get(at).map(|range| range.low.as_slice());
            self.write_run(&range.low, end, next_part, &mut ranges)?;
        }
        Ranges::new(ranges)
            .ok_or_else(|| StoreError::Damaged("the snapshot's ranges are out of order".to_owned()))
    }

    /// Writes the keys from `low` up to `end` as parts.
    fn write_run(
        &self,
        low: &[u8],
        end: Option<&[u8]>,
        next_part: &mut u64,
        ranges: &mut Vec<Range>,
    ) -> Result<(), StoreError> {
        let mut low = low.to_vec();
        let mut copy = Copy::from(low.clone());
        loop {
            let more = copy.fill(&self.shared.index, end)?;
            let part = if copy.records == 0 {
                None
            } else {
                let number = *next_part;
                *next_part += 1;
                Some(write_part(
                    &*self.disk,
                    &self.folders.snapshot,
                    number,
                    &copy.raw,
                    copy.records,
                )?)
            };
            let next = copy.from.clone();
            ranges.push(Range { low: std::mem::replace(&mut low, next), part, changed: false });
            if !more {
                return Ok(());
            }
        }
    }

    /// Writes a backup and reads it back.
    fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        let from = self.position()?;
        let mut out = backup::Writer::create(&*self.disk, to)?;
        out.begin(from.sequence)?;
        copy_all(&self.shared.index, &mut out)?;
        let last = self.position()?.sequence;
        // What was committed while the index was copied.
        let mut result = Ok(());
        super::replay::replay(
            &*self.disk,
            &self.folders.journal,
            self.manifest.start(),
            &mut |sequence, payload| {
                if sequence > from.sequence && sequence <= last && result.is_ok() {
                    result = out.batch(sequence, payload);
                }
                Ok(())
            },
        )?;
        result?;
        out.attach(Some(&self.folders.data), &self.shared.vault)?;
        out.finish(&*self.disk)
    }

    fn position(&self) -> Result<Position, StoreError> {
        let (answer, answered) = channel();
        self.queue.push(Request::Where(answer))?;
        answered.recv().map_err(|_| StoreError::Closed)
    }
}

/// Copies the whole index into a backup.
pub(super) fn copy_all<I: Index>(index: &I, out: &mut backup::Writer) -> Result<(), StoreError> {
    let mut copy = Copy::from(Vec::new());
    loop {
        let more = copy.fill(index, None)?;
        out.records(&copy.raw, copy.records)?;
        if !more {
            return Ok(());
        }
    }
}

/// A walk through the index, in pieces of about [`PART_BYTES`].
struct Copy {
    raw: Vec<u8>,
    records: u64,
    /// Where the next piece begins.
    from: Vec<u8>,
}

impl Copy {
    const fn from(low: Vec<u8>) -> Self {
        Self { raw: Vec::new(), records: 0, from: low }
    }

    /// Copies the next piece, up to `end`. False when nothing is left.
    fn fill<I: Index>(&mut self, index: &I, end: Option<&[u8]>) -> Result<bool, StoreError> {
        self.raw.clear();
        self.records = 0;
        while self.raw.len() < PART_BYTES {
            // A page at a time: a scan of an engine may hold its lock.
            let mut page = 0;
            let Self { raw, records, from } = self;
            let mut next = None;
            index.scan(from, end, &mut |key, value| {
                put_set(raw, key, value);
                *records += 1;
                page += 1;
                if page < PAGE && raw.len() < PART_BYTES {
                    return ControlFlow::Continue(());
                }
                next = Some(behind(key));
                ControlFlow::Break(())
            })?;
            match next {
                Some(next) => *from = next,
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

fn part_name(number: u64) -> String {
    format!("{number:012}.part")
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in
        out.iter_mut().zip(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

/// Writes a part, syncs it, reads it back and compares.
pub(super) fn write_part(
    disk: &dyn Disk,
    folder: &Path,
    number: u64,
    raw: &[u8],
    records: u64,
) -> Result<Part, StoreError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&u64::try_from(raw.len()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend_from_slice(&compress(raw)?);
    let path = folder.join(part_name(number));
    let mut file = disk.create(&path)?;
    file.write_at(&bytes, 0)?;
    file.sync()?;
    drop(file);
    let part = Part { number, digest: digest(&bytes), records };
    if read_part(disk, folder, &part)? != raw {
        return Err(StoreError::Io(io::Error::other(format!(
            "{} does not read back as it was written",
            path.display()
        ))));
    }
    Ok(part)
}

/// Reads a part: set operations.
pub(super) fn read_part(
    disk: &dyn Disk,
    folder: &Path,
    part: &Part,
) -> Result<Vec<u8>, StoreError> {
    let path = folder.join(part_name(part.number));
    let damaged =
        || StoreError::Damaged(format!("{} is unsound; restore a backup", path.display()));
    let bytes = match disk.read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged()),
        bytes => bytes?,
    };
    if digest(&bytes) != part.digest {
        return Err(damaged());
    }
    let body = bytes.strip_prefix(&MAGIC).ok_or_else(damaged)?;
    let (len, packed) = body.split_first_chunk().ok_or_else(damaged)?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| damaged())?;
    let raw = decompress(packed, len).map_err(|_| damaged())?;
    if Ops::new(&raw).is_sound() { Ok(raw) } else { Err(damaged()) }
}

/// Removes the parts that the manifest does not name.
pub(super) fn remove_unused(
    disk: &dyn Disk,
    folder: &Path,
    manifest: &Manifest,
) -> Result<(), StoreError> {
    let used: std::collections::HashSet<String> = manifest
        .ranges
        .all()
        .iter()
        .filter_map(|range| range.part.as_ref())
        .map(|part| part_name(part.number))
        .collect();
    for name in disk.list(folder)? {
        if name.ends_with(".part") && !used.contains(&name) {
            disk.remove(&folder.join(name))?;
        }
    }
    Ok(())
}
