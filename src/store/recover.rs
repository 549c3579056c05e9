//! What a start finds, and how it is set right.

use std::path::{Path, PathBuf};

use super::StoreError;
use super::disk::Disk;
use super::frame::Ops;
use super::index::Index;
use super::journal::{Journal, Position, SEGMENT_HEAD, segment_name, segment_number};
use super::marker::Marker;
use super::open::Ground;
use super::ranges::{Manifest, Ranges};
use super::replay::{Found, Start, replay};
use super::sled::SledIndex;
use super::snapshot::{Folders, read_part, remove_unused};

/// Operations that are applied at once while an index is rebuilt.
const AT_ONCE: usize = 512;

/// A store as it stands after a start has set it right.
pub(super) struct Recovered {
    /// The index, which holds all that was acknowledged.
    pub(super) index: SledIndex,
    /// The snapshot.
    pub(super) manifest: Manifest,
    /// Where the journal goes on.
    pub(super) position: Position,
    /// What was changed since the snapshot.
    pub(super) ranges: Ranges,
    /// Bytes of journal since the snapshot.
    pub(super) journal_bytes: u64,
    /// What an operator should know.
    pub(super) alarms: Vec<String>,
    /// The journal lacks batches that the index holds: a snapshot must be
    /// written before anything else.
    pub(super) journal_lost: bool,
}

/// Reads the snapshot, the index and the journal, and brings them together.
pub(super) fn recover(
    folders: &Folders,
    ground: &Ground,
    cache: u64,
) -> Result<Recovered, StoreError> {
    let disk = &*ground.disk;
    disk.create_folder(&folders.journal)?;
    disk.create_folder(&folders.snapshot)?;
    let manifest = match Manifest::read(disk, &folders.snapshot)? {
        Some(manifest) => manifest,
        None => begin(folders, ground)?,
    };
    remove_unused(disk, &folders.snapshot, &manifest)?;
    Journal::remove_before(disk, &folders.journal, manifest.start().segment)?;
    let mut alarms = Vec::new();
    let known = Marker::read(disk, &folders.store).map_or(0, |marker| marker.applied);
    let (index, applied) = match believe(folders, ground, cache, manifest.start().sequence)? {
        Believed::Yes(index, applied) => (index, applied),
        Believed::No(why) => {
            alarms.extend(why);
            Marker::unfinished(known).write(disk, &folders.store)?;
            let index = rebuild(folders, disk, cache, &manifest)?;
            (index, manifest.start().sequence)
        }
    };
    let mut ranges = manifest.ranges.clone();
    let found = replay(disk, &folders.journal, manifest.start(), &mut |sequence, payload| {
        Ops::new(payload).for_each(|op| ranges.mark(op.key()));
        if sequence > applied { index.apply(&mut Ops::new(payload), sequence) } else { Ok(()) }
    })?;
    sync_tail(disk, folders, &found)?;
    let mut position = found.position;
    if known > applied.max(position.sequence) {
        return Err(StoreError::Damaged(format!(
            "the journal in {} ends at batch {}, but {known} were acknowledged, and the index is lost; restore a backup",
            folders.journal.display(),
            position.sequence
        )));
    }
    let journal_lost = applied > position.sequence;
    if journal_lost {
        alarms.push(format!(
            "the journal ended at batch {} where the index had {applied}; the rest was taken from the index",
            position.sequence
        ));
        position.sequence = applied;
    }
    for alarm in &alarms {
        tracing::error!(alarm, "the store was set right at the start");
    }
    if found.torn > 0 {
        tracing::info!(
            journal.torn = found.torn,
            "batches that were never acknowledged were dropped"
        );
    }
    let journal_bytes = found.bytes;
    Ok(Recovered { index, manifest, position, ranges, journal_bytes, alarms, journal_lost })
}

/// The first start: an empty snapshot and an empty journal.
fn begin(folders: &Folders, ground: &Ground) -> Result<Manifest, StoreError> {
    let disk = &*ground.disk;
    for name in disk.list(&folders.journal)? {
        // A first start that was cut off leaves a head at most.
        if let Some(number) = segment_number(&name)
            && (number > 1 || disk.read(&folders.journal.join(&name))?.len() > SEGMENT_HEAD)
        {
            return Err(StoreError::Damaged(format!(
                "{} is missing, but a journal exists; restore a backup",
                folders.snapshot.join("MANIFEST").display()
            )));
        }
    }
    let position = Position { segment: 0, end: 0, sequence: 0 };
    Journal::resume(ground.disk.clone(), &folders.journal, position).begin_segment()?;
    let manifest = Manifest::new(Start { segment: 1, sequence: 0 }, 1, Ranges::default());
    manifest.write(disk, &folders.snapshot)?;
    Ok(manifest)
}

/// Whether the index that lies there can be used.
enum Believed {
    /// It can, and holds all up to this batch.
    Yes(SledIndex, u64),
    /// It cannot, and why; `None` where there simply was none yet.
    No(Option<String>),
}

fn believe(
    folders: &Folders,
    ground: &Ground,
    cache: u64,
    needed: u64,
) -> Result<Believed, StoreError> {
    let path = folders.store.join("sled");
    let marker = Marker::read(&*ground.disk, &folders.store);
    let exists = path.symlink_metadata().is_ok();
    let why = match (&marker, exists) {
        (None, false) => return Ok(Believed::No(None)),
        (Some(_), false) => "it was missing".to_owned(),
        (None, true) => "its making was not finished".to_owned(),
        (Some(marker), true) if marker.is_unfinished() => "its making was not finished".to_owned(),
        (Some(marker), true) if !marker.clean && marker.boot != ground.boot => {
            "the machine stopped without the store being closed".to_owned()
        }
        (Some(marker), true) => match open_believed(&path, cache, marker, needed) {
            Ok((index, applied)) => return Ok(Believed::Yes(index, applied)),
            Err(error) => error.to_string(),
        },
    };
    let aside = if exists { move_aside(&folders.store, &path)? } else { None };
    let aside = aside.map_or_else(String::new, |aside| format!(" and lies in {}", aside.display()));
    Ok(Believed::No(Some(format!(
        "the index could not be trusted ({why}); it was rebuilt from snapshot and journal{aside}"
    ))))
}

fn open_believed(
    path: &Path,
    cache: u64,
    marker: &Marker,
    needed: u64,
) -> Result<(SledIndex, u64), StoreError> {
    let index = SledIndex::open(path, cache)?;
    let applied = index.applied()?.unwrap_or(0);
    if applied < needed || (marker.clean && applied != marker.applied) {
        return Err(StoreError::Damaged(format!("it ends at batch {applied}")));
    }
    Ok((index, applied))
}

/// Moves an index out of the way. One is kept, for whoever wants to look.
fn move_aside(store: &Path, path: &Path) -> Result<Option<PathBuf>, StoreError> {
    const DAMAGED: &str = "sled.damaged-";
    let mut last = 0;
    for entry in std::fs::read_dir(store)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(number) = name.to_str().and_then(|name| name.strip_prefix(DAMAGED)) else {
            continue;
        };
        last = last.max(number.parse::<u64>().unwrap_or(0));
        std::fs::remove_dir_all(entry.path())?;
    }
    let aside = store.join(format!("{DAMAGED}{}", last.saturating_add(1)));
    std::fs::rename(path, &aside)?;
    std::fs::File::open(store)?.sync_all()?;
    Ok(Some(aside))
}

/// A new index from the snapshot. The marker does not vouch for it until the
/// start is done, so that a crash in between begins anew.
fn rebuild(
    folders: &Folders,
    disk: &dyn Disk,
    cache: u64,
    manifest: &Manifest,
) -> Result<SledIndex, StoreError> {
    let index = SledIndex::open(&folders.store.join("sled"), cache)?;
    for part in manifest.ranges.all().iter().filter_map(|range| range.part.as_ref()) {
        let raw = read_part(disk, &folders.snapshot, part)?;
        let mut ops = Ops::new(&raw).peekable();
        while ops.peek().is_some() {
            index.apply(&mut ops.by_ref().take(AT_ONCE), 0)?;
        }
    }
    index.apply(&mut std::iter::empty(), manifest.start().sequence)?;
    // Of a snapshot from before the first batch, as a restored store in memory has,
    // no number tells after a kill what of it was written.
    index.flush()?;
    Ok(index)
}

/// Makes the journal's last segment durable: after a kill its end may be with
/// the operating system only, and is about to be served.
fn sync_tail(disk: &dyn Disk, folders: &Folders, found: &Found) -> Result<(), StoreError> {
    let path = folders.journal.join(segment_name(found.position.segment));
    disk.open(&path)?.sync()?;
    Ok(())
}
