//! Reading the journal at a start: every acknowledged batch, or a clear word
//! about why not.
//!
//! Only the end of the last segment may be unsound, and only behind what was
//! durable: that is a batch that nobody was told about. Anything else means that
//! acknowledged data is gone, and the start ends with the file and the offset.

use std::path::Path;

use super::StoreError;
use super::disk::Disk;
use super::frame::Frame;
use super::journal::{Position, SEGMENT_HEAD, SegmentHead, segment_name, segment_number};

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// The first segment that is needed.
    pub(super) segment: u64,
    /// The last batch that need not be read.
    pub(super) sequence: u64,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where the journal ends.
    pub(super) position: Position,
    /// Bytes of all segments that were read.
    pub(super) bytes: u64,
    /// Bytes at the end that were never acknowledged.
    pub(super) torn: u64,
}

/// What is done with each batch: its number, its operations.
pub(super) type Visit<'a> = dyn FnMut(u64, &[u8]) -> Result<(), StoreError> + 'a;

/// Reads the journal from `start` and hands each batch to `visit` in order.
///
/// # Errors
/// [`StoreError::Damaged`] when acknowledged bytes are unsound or missing;
/// otherwise what the disk or `visit` says.
pub(super) fn replay(
    disk: &dyn Disk,
    folder: &Path,
    start: Start,
    visit: &mut Visit<'_>,
) -> Result<Found, StoreError> {
    let mut numbers: Vec<u64> = disk
        .list(folder)?
        .iter()
        .filter_map(|name| segment_number(name))
        .filter(|number| *number >= start.segment)
        .collect();
    numbers.sort_unstable();
    if numbers.first() != Some(&start.segment) {
        return Err(missing(folder, start.segment));
    }
    let mut found = Found {
        position: Position { segment: start.segment, end: 0, sequence: start.sequence },
        bytes: 0,
        torn: 0,
    };
    let mut content = disk.read(&folder.join(segment_name(start.segment)))?;
    for (n, &number) in numbers.iter().enumerate() {
        let path = folder.join(segment_name(number));
        let head = SegmentHead::read(&content)
            .filter(|head| head.number == number)
            .ok_or_else(|| damaged(&path, 0, "the segment's head is unsound or missing"))?;
        if head.after != found.position.sequence {
            return Err(damaged(&path, 0, "batches before this segment are missing"));
        }
        let next = match numbers.get(n + 1) {
            Some(&next) => read_next(disk, folder, number, next, n + 2 == numbers.len())?,
            None => None,
        };
        let limit = next.as_ref().map(|(head, _)| head.previous_end);
        read_segment(&path, &content, head.salt, limit, &mut found, visit)?;
        found.position.segment = number;
        found.bytes += found.position.end;
        match next {
            Some((_, next)) => content = next,
            None => break,
        }
    }
    Ok(found)
}

/// The segment behind `number`, or `None` if it was being made when the machine
/// stopped: then it is the last one and holds no more than a head.
fn read_next(
    disk: &dyn Disk,
    folder: &Path,
    number: u64,
    next: u64,
    is_last: bool,
) -> Result<Option<(SegmentHead, Vec<u8>)>, StoreError> {
    if next != number + 1 {
        return Err(missing(folder, number + 1));
    }
    let path = folder.join(segment_name(next));
    let content = disk.read(&path)?;
    match SegmentHead::read(&content) {
        Some(head) => Ok(Some((head, content))),
        None if is_last && content.len() <= SEGMENT_HEAD => Ok(None),
        None => Err(damaged(&path, 0, "the segment's head is unsound")),
    }
}

/// Reads one segment's frames; `limit` is how many of its bytes count if a
/// segment follows.
fn read_segment(
    path: &Path,
    content: &[u8],
    salt: u32,
    limit: Option<u64>,
    found: &mut Found,
    visit: &mut Visit<'_>,
) -> Result<(), StoreError> {
    let counting = match limit {
        Some(limit) => usize::try_from(limit)
            .ok()
            .and_then(|limit| content.get(..limit))
            .ok_or_else(|| damaged(path, content.len(), "the segment is cut short"))?,
        None => content,
    };
    let mut at = SEGMENT_HEAD;
    while let Some(rest) = counting.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(frame) = Frame::read(rest, salt) else {
            if limit.is_some() || Frame::any_beyond(rest, salt, at as u64) {
                return Err(damaged(path, at, "a batch is unsound, and later ones exist"));
            }
            found.torn = rest.len() as u64;
            break;
        };
        if frame.sequence != found.position.sequence + 1 {
            return Err(damaged(path, at, "a batch is missing before this one"));
        }
        visit(frame.sequence, frame.payload)?;
        found.position.sequence = frame.sequence;
        at += frame.len();
    }
    found.position.end = at as u64;
    Ok(())
}

fn missing(folder: &Path, number: u64) -> StoreError {
    StoreError::Damaged(format!(
        "{} is missing: batches that were acknowledged stood there; restore a backup",
        folder.join(segment_name(number)).display()
    ))
}

fn damaged(path: &Path, offset: usize, what: &str) -> StoreError {
    StoreError::Damaged(format!(
        "{} at offset {offset}: {what}; the disk has lost acknowledged data; restore a backup",
        path.display()
    ))
}

#[cfg(test)]
mod tests;
