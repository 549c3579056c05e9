//! The bytes of a batch: operations on keys, framed with a checksum.
//!
//! ```text
//! frame      magic u32 · payload length u32 · checksum u32 · sequence u64 · synced u64 · payload
//! operation  1 · key length u16 · key · value length u32 · value      (set)
//!            2 · key length u16 · key                                 (remove)
//! ```
//!
//! All numbers are little-endian. The checksum is a CRC-32 that starts from the
//! segment's random salt, so that no device can send a value that looks like a
//! frame. `synced` is the length of the segment that was durable before the
//! frame was written: a bad frame at or behind that length was never
//! acknowledged, one before it was.

/// Bytes before the payload.
pub(super) const FRAME_HEAD: usize = 28;
/// The largest payload.
pub(super) const MAX_PAYLOAD: usize = 128 << 20;
/// The longest key: that of the longest device id, with room for what parts and
/// lists add to it.
pub(super) const MAX_KEY: usize = 3140;

const MAGIC: [u8; 4] = *b"PvB1";
const SET: u8 = 1;
const REMOVE: u8 = 2;

/// One operation on the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op<'a> {
    /// The key has this value now.
    Set(&'a [u8], &'a [u8]),
    /// The key is gone.
    Remove(&'a [u8]),
}

impl<'a> Op<'a> {
    /// The key that it is about.
    pub(super) const fn key(&self) -> &'a [u8] {
        match self {
            Self::Set(key, _) | Self::Remove(key) => key,
        }
    }
}

/// Appends a set operation.
pub(super) fn put_set(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    put_head(out, SET, key);
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

/// Appends a remove operation.
pub(super) fn put_remove(out: &mut Vec<u8>, key: &[u8]) {
    put_head(out, REMOVE, key);
}

fn put_head(out: &mut Vec<u8>, tag: u8, key: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&u16::try_from(key.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(key);
}

/// The operations of a payload, in order. Ends early at what is none; a sound
/// payload is one that [`Ops::is_sound`] says is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ops<'a>(&'a [u8]);

impl<'a> Ops<'a> {
    /// Over a payload.
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// Whether the whole payload consists of operations.
    pub(super) fn is_sound(mut self) -> bool {
        while self.next().is_some() {}
        self.0.is_empty()
    }
}

impl<'a> Iterator for Ops<'a> {
    type Item = Op<'a>;

    fn next(&mut self) -> Option<Op<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (len, rest) = rest.split_first_chunk::<2>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        match tag {
            SET => {
                let (len, rest) = rest.split_first_chunk::<4>()?;
                let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
                let (value, rest) = rest.split_at_checked(len)?;
                self.0 = rest;
                Some(Op::Set(key, value))
            }
            REMOVE => {
                self.0 = rest;
                Some(Op::Remove(key))
            }
            _ => None,
        }
    }
}

/// Frames that are written and synced together.
#[derive(Debug, Default)]
pub(super) struct Group {
    bytes: Vec<u8>,
    /// Where each frame begins, and its sequence number.
    frames: Vec<(usize, u64)>,
}

impl Group {
    /// Begins a frame; operations are then appended to [`Group::payload`].
    pub(super) fn begin(&mut self, sequence: u64) {
        self.frames.push((self.bytes.len(), sequence));
        self.bytes.extend_from_slice(&[0; FRAME_HEAD]);
    }

    /// Where the operations of the frame that was begun last are appended.
    pub(super) const fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The operations of the frame that was begun last.
    pub(super) fn last_payload(&self) -> &[u8] {
        let from = self.frames.last().map_or(self.bytes.len(), |(at, _)| at + FRAME_HEAD);
        self.bytes.get(from..).unwrap_or_default()
    }

    /// Drops the frame that was begun last.
    pub(super) fn abandon(&mut self) {
        if let Some((at, _)) = self.frames.pop() {
            self.bytes.truncate(at);
        }
    }

    /// Empties the group; the memory is kept for the next one unless it grew
    /// out of proportion.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.bytes.clear();
        self.bytes.shrink_to(1 << 20);
    }

    /// Whether there is no frame in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes of all frames.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The sequence number of the last frame.
    pub(super) fn last_sequence(&self) -> Option<u64> {
        self.frames.last().map(|(_, sequence)| *sequence)
    }

    /// All operations of all frames, in order.
    pub(super) fn ops(&self) -> impl Iterator<Item = Op<'_>> {
        self.frames.iter().enumerate().flat_map(|(n, (at, _))| {
            let end = self.frames.get(n + 1).map_or(self.bytes.len(), |(next, _)| *next);
            Ops::new(self.bytes.get(at + FRAME_HEAD..end).unwrap_or_default())
        })
    }

    /// Fills in the heads for a segment and gives the bytes to write.
    pub(super) fn seal(&mut self, salt: u32, synced: u64) -> &[u8] {
        for n in 0..self.frames.len() {
            let Some(&(at, sequence)) = self.frames.get(n) else { break };
            let end = self.frames.get(n + 1).map_or(self.bytes.len(), |(next, _)| *next);
            if let Some(frame) = self.bytes.get_mut(at..end) {
                seal_frame(frame, salt, sequence, synced);
            }
        }
        &self.bytes
    }
}

fn seal_frame(frame: &mut [u8], salt: u32, sequence: u64, synced: u64) {
    let Some((head, payload)) = frame.split_first_chunk_mut::<FRAME_HEAD>() else { return };
    let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let sum = checksum(salt, len, sequence, synced, payload);
    head[0..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&len.to_le_bytes());
    head[8..12].copy_from_slice(&sum.to_le_bytes());
    head[12..20].copy_from_slice(&sequence.to_le_bytes());
    head[20..28].copy_from_slice(&synced.to_le_bytes());
}

fn checksum(salt: u32, len: u32, sequence: u64, synced: u64, payload: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(salt);
    sum.update(&len.to_le_bytes());
    sum.update(&sequence.to_le_bytes());
    sum.update(&synced.to_le_bytes());
    sum.update(payload);
    sum.finalize()
}

/// A frame as it was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) sequence: u64,
    pub(super) synced: u64,
    pub(super) payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Reads the frame at the beginning of `bytes`; `None` if there is none.
    pub(super) fn read(bytes: &'a [u8], salt: u32) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<FRAME_HEAD>()?;
        let [m0, m1, m2, m3, l0, l1, l2, l3, c0, c1, c2, c3, tail @ ..] = *head;
        if [m0, m1, m2, m3] != MAGIC {
            return None;
        }
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        let [s0, s1, s2, s3, s4, s5, s6, s7, y0, y1, y2, y3, y4, y5, y6, y7] = tail;
        let sequence = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        let synced = u64::from_le_bytes([y0, y1, y2, y3, y4, y5, y6, y7]);
        let payload = rest.get(..usize::try_from(len).ok()?)?;
        let sound = checksum(salt, len, sequence, synced, payload)
            == u32::from_le_bytes([c0, c1, c2, c3])
            && Ops::new(payload).is_sound();
        sound.then_some(Self { sequence, synced, payload })
    }

    /// Bytes of the whole frame.
    pub(super) const fn len(&self) -> usize {
        FRAME_HEAD + self.payload.len()
    }

    /// Looks for a sound frame somewhere in `bytes` that says that more than
    /// `synced` bytes of the segment were durable before it.
    pub(super) fn any_beyond(bytes: &[u8], salt: u32, synced: u64) -> bool {
        (0..bytes.len().saturating_sub(FRAME_HEAD - 1)).any(|at| {
            bytes
                .get(at..)
                .filter(|rest| rest.starts_with(&MAGIC))
                .and_then(|rest| Frame::read(rest, salt))
                .is_some_and(|frame| frame.synced > synced)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        let mut group = Group::default();
        group.begin(7);
        put_set(group.payload(), b"d/a", b"one");
        put_remove(group.payload(), b"d/b");
        group.begin(8);
        put_set(group.payload(), b"d/c", &[]);
        group
    }

    #[test]
    fn frames_read_back() {
        let mut group = group();
        let all: Vec<Op<'_>> = group.ops().collect();
        assert_eq!(all, [Op::Set(b"d/a", b"one"), Op::Remove(b"d/b"), Op::Set(b"d/c", b"")]);
        let bytes = group.seal(9, 40).to_vec();
        let first = Frame::read(&bytes, 9).unwrap();
        assert_eq!((first.sequence, first.synced), (7, 40));
        let second = Frame::read(&bytes[first.len()..], 9).unwrap();
        assert_eq!(second.sequence, 8);
        assert_eq!(first.len() + second.len(), bytes.len());
        assert!(Frame::read(&bytes, 10).is_none(), "another segment's salt");
    }

    #[test]
    fn any_flipped_bit_and_any_cut_is_seen() {
        let mut group = Group::default();
        group.begin(1);
        put_set(group.payload(), b"key", b"value");
        let bytes = group.seal(3, 0).to_vec();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::read(&bytes, 3).is_none(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert!(Frame::read(&bytes[..cut], 3).is_none(), "cut at {cut}");
        }
    }

    #[test]
    fn an_abandoned_frame_leaves_nothing() {
        let mut group = group();
        let before = group.len();
        group.begin(9);
        put_remove(group.payload(), b"x");
        group.abandon();
        assert_eq!(group.len(), before);
        assert_eq!(group.last_sequence(), Some(8));
        assert_eq!(
            group.last_payload(),
            group.ops().last().map(|_| &group.bytes[before - 10..]).unwrap()
        );
    }
}
