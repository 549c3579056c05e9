//! A journal that is cut or altered at every place: what is read is a beginning
//! of what was written, or the reading stops with a word about where.

use std::path::Path;
use std::sync::Arc;

use super::super::disk::RealDisk;
use super::super::frame::{Group, put_set};
use super::super::journal::Journal;
use super::*;

/// Writes groups of so many batches each, and gives the end of each group.
fn write(folder: &Path, groups: &[u64]) -> Vec<usize> {
    let position = Position { segment: 0, end: 0, sequence: 0 };
    let mut journal = Journal::resume(Arc::new(RealDisk), folder, position);
    journal.begin_segment().unwrap();
    let mut ends = Vec::new();
    let mut group = Group::default();
    let mut sequence = 0;
    for batches in groups {
        for _ in 0..*batches {
            sequence += 1;
            group.begin(sequence);
            put_set(group.payload(), b"d/x", format!("value {sequence}").as_bytes());
        }
        journal.append(&mut group).unwrap();
        group.clear();
        ends.push(usize::try_from(journal.position().end).unwrap());
    }
    ends
}

/// What is read: how many batches.
fn read(folder: &Path) -> Result<u64, StoreError> {
    let mut count = 0;
    let start = Start { segment: 1, sequence: 0 };
    let found = replay(&RealDisk, folder, start, &mut |sequence, payload| {
        count += 1;
        assert_eq!(sequence, count);
        assert!(payload.ends_with(format!("value {sequence}").as_bytes()));
        Ok(())
    })?;
    assert_eq!(found.position.sequence, count);
    Ok(count)
}

#[test]
fn cut_at_every_byte_it_gives_the_whole_batches_before() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[1, 3, 1, 2]);
    let path = folder.path().join(segment_name(1));
    let bytes = std::fs::read(&path).unwrap();
    let mut last = 0;
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        if cut < SEGMENT_HEAD {
            assert!(matches!(read(folder.path()), Err(StoreError::Damaged(_))), "cut at {cut}");
            continue;
        }
        let count = read(folder.path()).unwrap();
        assert!(count == last || count == last + 1, "cut at {cut}");
        last = count;
    }
    assert_eq!(last, 7);
}

#[test]
fn an_altered_byte_is_damage_unless_it_was_never_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let ends = write(folder.path(), &[1, 3, 1, 2]);
    let path = folder.path().join(segment_name(1));
    let bytes = std::fs::read(&path).unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        std::fs::write(&path, &altered).unwrap();
        let result = read(folder.path());
        // Of the last group it cannot be told whether its sync had ended.
        if at < ends[2] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("000000000001.journal at offset"), "byte {at}: {error}");
        } else {
            assert!((5..7).contains(&result.unwrap()), "byte {at}");
        }
    }
}

#[test]
fn a_later_segment_makes_every_byte_before_it_count() {
    let folder = tempfile::tempdir().unwrap();
    let position = Position { segment: 0, end: 0, sequence: 0 };
    let mut journal = Journal::resume(Arc::new(RealDisk), folder.path(), position);
    let mut group = Group::default();
    for sequence in 1..=3 {
        journal.begin_segment().unwrap();
        group.begin(sequence);
        put_set(group.payload(), b"d/x", format!("value {sequence}").as_bytes());
        journal.append(&mut group).unwrap();
        group.clear();
    }
    assert_eq!(read(folder.path()).unwrap(), 3);
    for number in [1, 2] {
        let path = folder.path().join(segment_name(number));
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert!(
                matches!(read(folder.path()), Err(StoreError::Damaged(_))),
                "{number} at {cut}"
            );
        }
        // What stands behind the end that the next head tells does not count.
        std::fs::write(&path, [&bytes[..], b"torn"].concat()).unwrap();
        assert_eq!(read(folder.path()).unwrap(), 3);
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(read(folder.path()), Err(StoreError::Damaged(_))));
        std::fs::write(&path, bytes).unwrap();
    }
    // A segment that was just being made holds nothing that was acknowledged.
    for len in [0, 1, SEGMENT_HEAD] {
        std::fs::write(folder.path().join(segment_name(4)), vec![0; len]).unwrap();
        assert_eq!(read(folder.path()).unwrap(), 3);
    }
    std::fs::write(folder.path().join(segment_name(4)), [0; SEGMENT_HEAD + 1]).unwrap();
    assert!(matches!(read(folder.path()), Err(StoreError::Damaged(_))));
}

#[test]
fn a_value_that_looks_like_a_frame_is_none() {
    // A device may send what it likes; the salt of the segment it cannot know.
    let folder = tempfile::tempdir().unwrap();
    let mut forged = Group::default();
    forged.begin(2);
    put_set(forged.payload(), b"d/x", b"forged");
    let forged = forged.seal(0, 1 << 40).to_vec();
    let position = Position { segment: 0, end: 0, sequence: 0 };
    let mut journal = Journal::resume(Arc::new(RealDisk), folder.path(), position);
    let mut group = Group::default();
    group.begin(1);
    put_set(group.payload(), b"d/x", &[&forged[..], b"value 1"].concat());
    journal.append(&mut group).unwrap();
    let path = folder.path().join(segment_name(1));
    let mut bytes = std::fs::read(&path).unwrap();
    assert_eq!(read(folder.path()).unwrap(), 1);
    bytes[SEGMENT_HEAD + 5] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(read(folder.path()).unwrap(), 0, "a torn tail, not damage");
}
