//! The journal that is being written: what makes an acknowledgement true.
//!
//! Segments are appended to and never changed. A segment is begun when the last
//! one is full, at a start, before a snapshot, and after a sync has failed:
//! after that nothing is known of what the old segment's tail holds on disk, so
//! the frames are written anew. Each segment's head says where the one before
//! ends; what stands behind that end never counts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use super::disk::{Disk, DiskFile};
use super::frame::{FRAME_HEAD, Group};

/// Bytes of a segment's head.
pub(super) const SEGMENT_HEAD: usize = 40;
/// The length at which the next segment is begun.
const SEGMENT_BYTES: u64 = 32 << 20;
/// Space that is left to the index, the snapshot and the operator: commits are
/// refused before the disk is quite full.
const RESERVE: u64 = 32 << 20;

const MAGIC: [u8; 8] = *b"ProvJnl1";

/// The head of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHead {
    /// Its number, which is in its name as well.
    pub(super) number: u64,
    /// The sequence number of the batch before its first.
    pub(super) after: u64,
    /// How many bytes of the segment before it count.
    pub(super) previous_end: u64,
    /// Where the checksums of its frames start from.
    pub(super) salt: u32,
}

impl SegmentHead {
    /// The bytes at the beginning of the segment.
    pub(super) fn to_bytes(self) -> [u8; SEGMENT_HEAD] {
        let mut out = [0; SEGMENT_HEAD];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..24].copy_from_slice(&self.after.to_le_bytes());
        out[24..32].copy_from_slice(&self.previous_end.to_le_bytes());
        out[32..36].copy_from_slice(&self.salt.to_le_bytes());
        let sum = crc32fast::hash(&out[..36]);
        out[36..40].copy_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads the head at the beginning of a segment.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<SEGMENT_HEAD>()?;
        let number = |at: usize| head[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let short = |at: usize| head[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let sound = head[..8] == MAGIC && short(36)? == crc32fast::hash(&head[..36]);
        sound.then_some(Self {
            number: number(8)?,
            after: number(16)?,
            previous_end: number(24)?,
            salt: short(32)?,
        })
    }
}

/// The name of a segment's file.
pub(super) fn segment_name(number: u64) -> String {
    format!("{number:012}.journal")
}

/// The number in the name of a segment's file.
pub(super) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".journal")?;
    (digits.len() >= 12).then(|| digits.parse().ok())?
}

/// Why a group is not in the journal.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Nothing of it will be there after a restart.
    Nothing(io::Error),
    /// It cannot be known what of it will be there after a restart; it will not
    /// be there once another group was taken.
    Unknown(io::Error),
}

impl Refusal {
    /// What a commit answers.
    pub(super) fn to_error(&self) -> StoreError {
        match self {
            Self::Nothing(error) => StoreError::ReadOnly(error.to_string()),
            Self::Unknown(error) => StoreError::Io(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

/// Where the journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// The number of the last segment; 0 before the first.
    pub(super) segment: u64,
    /// How many bytes of it count.
    pub(super) end: u64,
    /// The last batch in it.
    pub(super) sequence: u64,
}

/// The journal's writing end.
pub(super) struct Journal {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    position: Position,
    /// The segment that is written to; `None` if the next group begins one.
    current: Option<Segment>,
}

struct Segment {
    file: Box<dyn DiskFile>,
    salt: u32,
}

impl Journal {
    /// Goes on behind `position`, in a segment of its own.
    pub(super) fn resume(disk: Arc<dyn Disk>, folder: &Path, position: Position) -> Self {
        Self { disk, folder: folder.to_owned(), position, current: None }
    }

    /// Where the journal stands.
    pub(super) const fn position(&self) -> Position {
        self.position
    }

    /// Makes a group durable.
    ///
    /// # Errors
    /// [`Refusal`]; the group can be tried again as it is.
    pub(super) fn append(&mut self, group: &mut Group) -> Result<(), Refusal> {
        let free = self.disk.free_space(&self.folder).unwrap_or(u64::MAX);
        if free < RESERVE.saturating_add(group.len() as u64) {
            return Err(Refusal::Nothing(io::ErrorKind::StorageFull.into()));
        }
        if self.current.is_none() || self.position.end >= SEGMENT_BYTES {
            self.begin_segment().map_err(Refusal::Nothing)?;
        }
        let from = self.position.end;
        let Some(segment) = &mut self.current else {
            return Err(Refusal::Nothing(io::ErrorKind::NotFound.into()));
        };
        let bytes = group.seal(segment.salt, from);
        if let Err(error) = segment.file.write_at(bytes, from) {
            let taken_back = take_back(segment, from);
            // Left alone from now on: where the cut failed, whole frames of
            // this group may lie behind the spoiled one.
            self.current = None;
            return Err(match taken_back {
                Ok(()) => Refusal::Nothing(error),
                Err(_) => Refusal::Unknown(error),
            });
        }
        if let Err(error) = segment.file.sync() {
            return self.write_anew(group, &error);
        }
        self.advance(group);
        Ok(())
    }

    fn advance(&mut self, group: &Group) {
        self.position.end += group.len() as u64;
        self.position.sequence = group.last_sequence().unwrap_or(self.position.sequence);
    }

    /// After a failed sync: the same frames in a new segment, since the old
    /// segment's pages may be marked clean without being on disk.
    fn write_anew(&mut self, group: &mut Group, first: &io::Error) -> Result<(), Refusal> {
        let old = self.position;
        let old_segment = self.current.take();
        let second = self.begin_segment().and_then(|()| {
            let segment = self.current.as_mut().ok_or(io::ErrorKind::NotFound)?;
            let at = self.position.end;
            segment.file.write_at(group.seal(segment.salt, at), at)?;
            segment.file.sync()
        });
        match second {
            Ok(()) => {
                tracing::warn!(error = %first, "a sync of the journal failed; the batches were written to a new segment");
                self.advance(group);
                Ok(())
            }
            Err(_) => {
                let new = self.position.segment;
                self.current = None;
                self.position = old;
                let gone = (new == old.segment || self.discard(new).is_ok())
                    && old_segment
                        .is_some_and(|mut segment| take_back(&mut segment, old.end).is_ok());
                let error = io::Error::new(first.kind(), first.to_string());
                Err(if gone { Refusal::Nothing(error) } else { Refusal::Unknown(error) })
            }
        }
    }

    /// Begins the next segment; its head is durable before any frame is
    /// written, so that a bad head on a longer file is never a torn tail.
    pub(super) fn begin_segment(&mut self) -> io::Result<()> {
        let mut salt = [0; 4];
        getrandom::fill(&mut salt).map_err(io::Error::other)?;
        let head = SegmentHead {
            number: self.position.segment + 1,
            after: self.position.sequence,
            previous_end: self.position.end,
            salt: u32::from_le_bytes(salt),
        };
        let path = self.folder.join(segment_name(head.number));
        let made = self.disk.create(&path).and_then(|mut file| {
            file.write_at(&head.to_bytes(), 0)?;
            file.sync()?;
            self.disk.sync_folder(&self.folder)?;
            Ok(file)
        });
        match made {
            Ok(file) => {
                self.current = Some(Segment { file, salt: head.salt });
                self.position.segment = head.number;
                self.position.end = SEGMENT_HEAD as u64;
                Ok(())
            }
            Err(error) => {
                // Only a head may be left, which a start passes over.
                let _ = self.disk.remove(&path);
                Err(error)
            }
        }
    }

    fn discard(&self, number: u64) -> io::Result<()> {
        self.disk.remove(&self.folder.join(segment_name(number)))?;
        self.disk.sync_folder(&self.folder)
    }

    /// Removes the segments before `number`: a snapshot holds what they held.
    pub(super) fn remove_before(disk: &dyn Disk, folder: &Path, number: u64) -> io::Result<()> {
        // Oldest first, so that a crash in between leaves no gap.
        let mut old: Vec<u64> = disk
            .list(folder)?
            .iter()
            .filter_map(|name| segment_number(name))
            .filter(|found| *found < number)
            .collect();
        old.sort_unstable();
        for number in old {
            disk.remove(&folder.join(segment_name(number)))?;
        }
        disk.sync_folder(folder)
    }
}

/// Makes sure that nothing behind `end` survives: by cutting, or else by
/// spoiling the first frame's head, which needs no space.
fn take_back(segment: &mut Segment, end: u64) -> io::Result<()> {
    let cut = segment.file.set_len(end).and_then(|()| segment.file.sync());
    cut.or_else(|_| {
        segment.file.write_at(&[0; FRAME_HEAD], end)?;
        segment.file.sync()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_read_back_and_any_flipped_bit_is_seen() {
        let head = SegmentHead { number: 3, after: 9, previous_end: 77, salt: 5 };
        let bytes = head.to_bytes();
        assert_eq!(SegmentHead::read(&bytes), Some(head));
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHead::read(&bytes), None, "bit {bit}");
        }
    }

    #[test]
    fn names_tell_their_number() {
        assert_eq!(segment_number(&segment_name(42)), Some(42));
        for other in ["MANIFEST", "1.journal", "00000000000x.journal", "000000000001.part"] {
            assert_eq!(segment_number(other), None, "{other}");
        }
    }
}
