//! The index on sled. Its types do not leave this file.
//!
//! sled alone is not durable: it ends its flush without `fsync`, and after a
//! power cut it may not open, or may open and lack what it had taken. So it
//! holds what the journal has made durable, and the marker beside it says whether it
//! can be believed at a start; see [`super::marker`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::StoreError;
use super::frame::Op;
use super::index::{Index, Visit};

/// The key that holds the number of the last batch applied. Before all keys of
/// records, and part of none of their prefixes.
const APPLIED: &[u8] = &[0];

/// sled, opened.
pub(super) struct SledIndex {
    /// `None` once it is closed.
    db: RwLock<Option<sled::Db>>,
    path: PathBuf,
}

impl SledIndex {
    /// Opens or makes the index at `path` with a cache of so many bytes.
    ///
    /// sled panics on some damaged folders; that is caught here and told as
    /// [`StoreError::Damaged`].
    pub(super) fn open(path: &Path, cache: u64) -> Result<Self, StoreError> {
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(cache.max(1 << 20))
            .mode(sled::Mode::HighThroughput)
            // What has not reached the disk is in the journal.
            .flush_every_ms(None);
        match catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(db)) => Ok(Self { db: RwLock::new(Some(db)), path: path.to_owned() }),
            Ok(Err(error)) => Err(told(error)),
            Err(_) => Err(StoreError::Damaged("the index cannot be opened".to_owned())),
        }
    }

    /// The number of the last batch applied; `None` if it holds nothing.
    pub(super) fn applied(&self) -> Result<Option<u64>, StoreError> {
        let read = catch_unwind(AssertUnwindSafe(|| self.get(APPLIED)))
            .map_err(|_| StoreError::Damaged("the index cannot be read".to_owned()))?;
        let Some(value) = read? else { return Ok(None) };
        let number = value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        number.map(Some).ok_or_else(|| StoreError::Damaged("the index's number".to_owned()))
    }

    fn with<R>(
        &self,
        work: impl FnOnce(&sled::Db) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        db.as_ref().map_or(Err(StoreError::Closed), work)
    }

    /// Lets go of the files. What is under way is finished before.
    pub(super) fn close(&self) {
        self.db.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Makes all that was applied durable, file by file.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.flush()?;
        sync_below(&self.path)?;
        Ok(())
    }
}

fn range(db: &sled::Db, from: &[u8], to: Option<&[u8]>) -> sled::Iter {
    match to {
        // sled panics on a range that ends before it begins.
        Some(to) => db.range(from..to.max(from)),
        None => db.range(from..),
    }
}

type Entry = sled::Result<(sled::IVec, sled::IVec)>;

fn visit_all(
    entries: impl Iterator<Item = Entry>,
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    for entry in entries {
        let (key, value) = entry.map_err(told)?;
        if *key != *APPLIED && visit(&key, &value).is_break() {
            break;
        }
    }
    Ok(())
}

/// Syncs all files of a folder and the folder itself.
fn sync_below(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            for inner in std::fs::read_dir(entry.path())? {
                std::fs::File::open(inner?.path())?.sync_all()?;
            }
        }
        std::fs::File::open(entry.path())?.sync_all()?;
    }
    std::fs::File::open(folder)?.sync_all()
}

/// sled's error in the store's words.
fn told(error: sled::Error) -> StoreError {
    match error {
        sled::Error::Io(error) => StoreError::Io(error),
        other => StoreError::Damaged(format!("the index: {other}")),
    }
}

impl Index for SledIndex {
    type Value = sled::IVec;

    fn get(&self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.with(|db| db.get(key).map_err(told))
    }

    fn scan(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        self.with(|db| visit_all(range(db, from, to), visit))
    }

    fn scan_back(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        self.with(|db| visit_all(range(db, from, to).rev(), visit))
    }

    fn apply<'a>(
        &self,
        ops: &mut dyn Iterator<Item = Op<'a>>,
        sequence: u64,
    ) -> Result<(), StoreError> {
        // Not as one of sled's batches: each of those rolls two of its buffers
        // and wakes all of its threads, and what it gives is not needed. sled
        // recovers a prefix of what was written, so a number that is there
        // stands behind everything that belongs to it, and what came after it is
        // done again from the journal, where doing it twice is no harm.
        self.with(|db| {
            for op in ops {
                match op {
                    Op::Set(key, value) => db.insert(key, value),
                    Op::Remove(key) => db.remove(key),
                }
                .map_err(told)?;
            }
            db.insert(APPLIED, &sequence.to_le_bytes()).map_err(told)?;
            Ok(())
        })
    }

    fn flush(&self) -> Result<(), StoreError> {
        self.with(|db| db.flush().map(|_| ()).map_err(told))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;

    #[test]
    fn keeps_what_was_applied_and_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sled");
        let index = SledIndex::open(&path, 1 << 20).unwrap();
        assert_eq!(index.applied().unwrap(), None);
        let ops = [Op::Set(b"d/a", b"1"), Op::Set(b"d/b", b"2"), Op::Remove(b"d/a")];
        index.apply(&mut ops.into_iter(), 7).unwrap();
        index.sync().unwrap();
        drop(index);
        let index = SledIndex::open(&path, 1 << 20).unwrap();
        assert_eq!(index.applied().unwrap(), Some(7));
        let mut seen = Vec::new();
        index
            .scan(&[], None, &mut |key, value| {
                seen.push((key.to_vec(), value.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen, [(b"d/b".to_vec(), b"2".to_vec())], "its own number is no record");
    }
}
