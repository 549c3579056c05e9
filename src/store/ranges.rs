//! The snapshot's ranges: which part holds which keys, and which keys were
//! changed since. The manifest is this table on disk.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::disk::Disk;
use super::marker::{unwrap_checked, write_checked};
use super::replay::Start;

const MAGIC: [u8; 8] = *b"ProvMan1";

/// A file that holds the records of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// The number in its name.
    pub(super) number: u64,
    /// SHA-256 of the file.
    pub(super) digest: [u8; 32],
    /// Records in it.
    pub(super) records: u64,
}

/// A range of keys, up to the lowest of the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    /// Its lowest key.
    pub(super) low: Vec<u8>,
    /// Where its records lie; `None` if it had none.
    pub(super) part: Option<Part>,
    /// Whether anything in it was changed since.
    #[serde(skip)]
    pub(super) changed: bool,
}

/// All ranges: the first begins with the empty key, so that every key has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ranges(Vec<Range>);

impl Default for Ranges {
    fn default() -> Self {
        Self(vec![Range { low: Vec::new(), part: None, changed: false }])
    }
}

impl Ranges {
    /// From ranges in order; the first must begin with the empty key.
    pub(super) fn new(ranges: Vec<Range>) -> Option<Self> {
        let first = ranges.first()?;
        let sound = first.low.is_empty() && ranges.windows(2).all(|pair| pair[0].low < pair[1].low);
        sound.then_some(Self(ranges))
    }

    /// The ranges in key order.
    pub(super) fn all(&self) -> &[Range] {
        &self.0
    }

    /// Where the range of a key stands.
    fn position(&self, key: &[u8]) -> usize {
        self.0.partition_point(|range| range.low.as_slice() <= key).saturating_sub(1)
    }

    /// Notes that a key was changed.
    pub(super) fn mark(&mut self, key: &[u8]) {
        let at = self.position(key);
        if let Some(range) = self.0.get_mut(at) {
            range.changed = true;
        }
    }

    /// Notes that every key may have been changed.
    pub(super) fn mark_all(&mut self) {
        for range in &mut self.0 {
            range.changed = true;
        }
    }

    /// Forgets what was changed.
    pub(super) fn clear_marks(&mut self) {
        for range in &mut self.0 {
            range.changed = false;
        }
    }

    /// These ranges, with the marks that `others` gathered meanwhile added to
    /// their own.
    pub(super) fn with_marks_of(mut self, others: &Self) -> Self {
        for (n, other) in others.0.iter().enumerate() {
            if !other.changed {
                continue;
            }
            let from = self.position(&other.low);
            let to = match others.0.get(n + 1) {
                // The range in which the last key before the next one lies.
                Some(next) => self.0.partition_point(|range| range.low < next.low),
                None => self.0.len(),
            };
            for range in self.0.iter_mut().take(to).skip(from) {
                range.changed = true;
            }
        }
        self
    }
}

/// What a snapshot consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The journal's first segment that is needed besides.
    segment: u64,
    /// The last batch that all parts hold.
    sequence: u64,
    /// The number of the next part to be written.
    pub(super) next_part: u64,
    /// The parts.
    pub(super) ranges: Ranges,
}

impl Manifest {
    /// A snapshot of these ranges, upon which the journal is to be read.
    pub(super) const fn new(start: Start, next_part: u64, ranges: Ranges) -> Self {
        Self { segment: start.segment, sequence: start.sequence, next_part, ranges }
    }

    /// Where the journal is to be read from.
    pub(super) const fn start(&self) -> Start {
        Start { segment: self.segment, sequence: self.sequence }
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("MANIFEST")
    }

    /// Reads the manifest of a snapshot's folder; `None` if there is none.
    pub(super) fn read(disk: &dyn Disk, folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = Self::path(folder);
        let bytes = match disk.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        unwrap_checked(&MAGIC, &bytes)
            .and_then(|body| postcard::from_bytes::<Self>(body).ok())
            .filter(|manifest| Ranges::new(manifest.ranges.0.clone()).is_some())
            .map(Some)
            .ok_or_else(|| {
                StoreError::Damaged(format!("{} is unsound; restore a backup", path.display()))
            })
    }

    /// Makes the manifest durable in place of the one before.
    pub(super) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
        let body = postcard::to_stdvec(self)
            .map_err(|_| StoreError::TooLarge("the snapshot's manifest".to_owned()))?;
        write_checked(disk, &Self::path(folder), &MAGIC, &body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(lows: &[&str]) -> Ranges {
        let range = |low: &&str| Range { low: low.as_bytes().to_vec(), part: None, changed: false };
        Ranges::new(lows.iter().map(range).collect()).unwrap()
    }

    fn marked(ranges: &Ranges) -> Vec<&str> {
        let changed = ranges.all().iter().filter(|range| range.changed);
        changed.map(|range| std::str::from_utf8(&range.low).unwrap()).collect()
    }

    #[test]
    fn every_key_has_a_range() {
        let mut ranges = ranges(&["", "d/m", "p/"]);
        for key in ["d/a", "d/m", "z"] {
            ranges.mark(key.as_bytes());
        }
        assert_eq!(marked(&ranges), ["", "d/m", "p/"]);
        ranges.clear_marks();
        ranges.mark(b"o/x");
        assert_eq!(marked(&ranges), ["d/m"]);
    }

    #[test]
    fn marks_pass_to_ranges_that_are_cut_otherwise() {
        let mut old = ranges(&["", "d", "m", "t"]);
        old.mark(b"e");
        assert_eq!(
            marked(&ranges(&["", "d", "f", "h", "m", "t"]).with_marks_of(&old)),
            ["d", "f", "h"]
        );
        assert_eq!(marked(&ranges(&["", "t"]).with_marks_of(&old)), [""]);
        old.mark(b"z");
        assert_eq!(marked(&ranges(&["", "x"]).with_marks_of(&old)), ["", "x"]);
    }
}
