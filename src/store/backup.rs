//! Backups: one file that holds a whole store.
//!
//! ```text
//! magic · blocks · SHA-256 of all before
//! block = kind u8 · raw length u32 · packed length u32 · zstd of the raw bytes
//! ```
//!
//! The kinds are: where the copy began; records, in key order; a batch that was
//! committed during the copy; a key of the vault, or the list of their ids; another
//! small file of the data folder, sealed by the vault. Keys that do not lie in the
//! data folder are not in it. **Where they do, a backup is as secret as the data
//! folder itself.**
//!
//! Versions of generated files must never fall, or phones would not take what
//! is served. Files may have been served after the backup was written, so a
//! restore raises every counter by [`MARGIN`].

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, DiskFile};
use super::frame::{Group, MAX_PAYLOAD, Op, Ops, put_remove, put_set};
use super::journal::{Journal, Position};
use super::ranges::{Manifest, Range, Ranges};
use super::replay::Start;
use super::snapshot::{Folders, PART_BYTES, write_part};
use super::tree::{compress, decompress};
use super::vault::IDS_FILE;
use super::{BackupReport, KEY_FILE, KeyPlace, StoreError, Vault, record};
use crate::phone::FileVersion;

/// By how much a restore raises the counters of generated files.
pub(super) const MARGIN: u64 = 1000;

const MAGIC: [u8; 8] = *b"ProvBak1";
const BEGIN: u8 = 0;
const RECORDS: u8 = 1;
const BATCH: u8 = 2;
const ATTACHED: u8 = 3;
/// As [`ATTACHED`], sealed by a key that stands before it, or lies elsewhere.
const SEALED_FILE: u8 = 4;
/// Bytes of the digest at the end.
const DIGEST: usize = 32;
/// The largest block before compression.
const MAX_BLOCK: usize = MAX_PAYLOAD + PART_BYTES;
/// The largest file that is attached.
const MAX_ATTACHED: u64 = 1 << 20;

/// Files of the data folder that go with a backup, besides the keys and what lies in
/// `tls/`.
const ATTACHED_FILES: [&str; 3] = [IDS_FILE, "admin.token", "onboarding.txt"];

/// A backup that is being written. It has its name only once it is complete and
/// was read back.
pub(super) struct Writer {
    to: PathBuf,
    partial: PathBuf,
    file: Box<dyn DiskFile>,
    length: u64,
    digest: ring::digest::Context,
    records: u64,
}

impl Writer {
    /// Begins the file.
    pub(super) fn create(disk: &dyn Disk, to: &Path) -> Result<Self, StoreError> {
        let mut partial = to.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = disk.create(&partial)?;
        let digest = ring::digest::Context::new(&ring::digest::SHA256);
        let mut writer = Self { to: to.to_owned(), partial, file, length: 0, digest, records: 0 };
        writer.write(&MAGIC)?;
        Ok(writer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        self.digest.update(bytes);
        Ok(())
    }

    fn block(&mut self, kind: u8, raw: &[u8]) -> Result<(), StoreError> {
        let too_large = |_| StoreError::TooLarge("a block of a backup".to_owned());
        let packed = compress(raw)?;
        let mut block = Vec::with_capacity(9 + packed.len());
        block.push(kind);
        block.extend_from_slice(&u32::try_from(raw.len()).map_err(too_large)?.to_le_bytes());
        block.extend_from_slice(&u32::try_from(packed.len()).map_err(too_large)?.to_le_bytes());
        block.extend_from_slice(&packed);
        self.write(&block)
    }

    /// The last batch before the copy.
    pub(super) fn begin(&mut self, sequence: u64) -> Result<(), StoreError> {
        self.block(BEGIN, &sequence.to_le_bytes())
    }

    /// Attaches the keys that a vault does not keep elsewhere, and the small files of
    /// a data folder, if there is one, that a restored one needs; all but the list of
    /// keys is sealed. Comes last: a key that was made meanwhile is among them.
    pub(super) fn attach(&mut self, data: Option<&Path>, vault: &Vault) -> Result<(), StoreError> {
        let (ids, files): (Vec<_>, Vec<_>) = data
            .map(small_files)
            .transpose()?
            .unwrap_or_default()
            .into_iter()
            .partition(|(name, _)| name == IDS_FILE);
        let sealed: Vec<Vec<u8>> =
            files.iter().map(|(name, content)| vault.seal_bytes(&named(name, content))).collect();
        // Read after something was sealed, and written before it is to be opened.
        let keys = vault.carried()?.into_iter().filter(|(name, _)| may_be_attached(name));
        for (name, content) in ids.into_iter().chain(keys) {
            self.block(ATTACHED, &named(&name, &content))?;
        }
        sealed.iter().try_for_each(|file| self.block(SEALED_FILE, file))
    }

    /// Records in key order, as set operations.
    pub(super) fn records(&mut self, raw: &[u8], count: u64) -> Result<(), StoreError> {
        self.records += count;
        if count == 0 { Ok(()) } else { self.block(RECORDS, raw) }
    }

    /// A batch that was committed during the copy.
    pub(super) fn batch(&mut self, sequence: u64, payload: &[u8]) -> Result<(), StoreError> {
        let mut raw = sequence.to_le_bytes().to_vec();
        raw.extend_from_slice(payload);
        self.block(BATCH, &raw)
    }

    /// Completes the file, reads it back and gives it its name.
    pub(super) fn finish(mut self, disk: &dyn Disk) -> Result<BackupReport, StoreError> {
        let digest = self.digest.clone().finish();
        self.file.write_at(digest.as_ref(), self.length)?;
        self.length += digest.as_ref().len() as u64;
        self.file.sync()?;
        verify(&self.partial)?;
        disk.rename(&self.partial, &self.to)?;
        Ok(BackupReport { records: self.records, bytes: self.length })
    }
}

/// The small files of a data folder that go with a backup, besides the keys.
fn small_files(data: &Path) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let mut names: Vec<String> = ATTACHED_FILES.map(str::to_owned).to_vec();
    if let Ok(entries) = std::fs::read_dir(data.join("tls")) {
        let names_of_files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.extend(names_of_files.map(|name| format!("tls/{name}")));
    }
    names.retain(|name| may_be_attached(name));
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let path = data.join(&name);
        let Ok(meta) = path.symlink_metadata() else { continue };
        if meta.is_file() && meta.len() <= MAX_ATTACHED {
            let mut content = Vec::new();
            File::open(path)?.take(MAX_ATTACHED).read_to_end(&mut content)?;
            files.push((name, content));
        }
    }
    Ok(files)
}

/// A small file as it stands in a block.
fn named(name: &str, content: &[u8]) -> Vec<u8> {
    let mut raw = u16::try_from(name.len()).unwrap_or(0).to_le_bytes().to_vec();
    raw.extend_from_slice(name.as_bytes());
    raw.extend_from_slice(content);
    raw
}

/// Whether a name is one that a backup may carry: a restore makes files of these
/// names and of no other.
fn may_be_attached(name: &str) -> bool {
    let plain = |name: &str| {
        !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            && !name.is_empty()
    };
    ATTACHED_FILES.contains(&name)
        || name == KEY_FILE
        || is_later_key(name)
        || name.strip_prefix("tls/").is_some_and(plain)
}

/// Whether a name is that of a key behind the first one: `secrets.key.2`.
fn is_later_key(name: &str) -> bool {
    let number = name.strip_prefix(KEY_FILE).and_then(|rest| rest.strip_prefix('.'));
    let number = number.map(|rest| rest.strip_suffix("-root").unwrap_or(rest));
    number.is_some_and(|number| {
        (1..=9).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn altered(path: &Path) -> StoreError {
    StoreError::Damaged(format!("{} is no backup, or was altered or cut", path.display()))
}

/// Checks that a file is a backup as it was written; returns the length of what
/// stands before the digest.
fn verify(path: &Path) -> Result<u64, StoreError> {
    let file = File::open(path)?;
    let total = file.metadata()?.len();
    let length = total
        .checked_sub(DIGEST as u64)
        .filter(|length| *length >= MAGIC.len() as u64)
        .ok_or_else(|| altered(path))?;
    let mut input = BufReader::new(file);
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    let mut left = length;
    let mut buffer = vec![0; 1 << 16];
    while left > 0 {
        let most = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let piece = buffer.get_mut(..most).unwrap_or_default();
        input.read_exact(piece)?;
        digest.update(piece);
        left -= most as u64;
    }
    let mut told = [0; DIGEST];
    input.read_exact(&mut told)?;
    if digest.finish().as_ref() == told { Ok(length) } else { Err(altered(path)) }
}

/// One block of a verified backup; `None` at the end.
fn next_block(input: &mut impl Read, left: &mut u64) -> Result<Option<(u8, Vec<u8>)>, io::Error> {
    if *left == 0 {
        return Ok(None);
    }
    let mut head = [0; 9];
    input.read_exact(&mut head)?;
    let [kind, r0, r1, r2, r3, p0, p1, p2, p3] = head;
    let raw = u32::from_le_bytes([r0, r1, r2, r3]);
    let packed = u32::from_le_bytes([p0, p1, p2, p3]);
    let rest = left.checked_sub(9 + u64::from(packed)).ok_or(io::ErrorKind::InvalidData)?;
    *left = rest;
    let raw = usize::try_from(raw).ok().filter(|raw| *raw <= MAX_BLOCK);
    let raw = raw.ok_or(io::ErrorKind::InvalidData)?;
    let mut bytes = Vec::new();
    input.take(packed.into()).read_to_end(&mut bytes)?;
    Ok(Some((kind, decompress(&bytes, raw)?)))
}

/// Restores a verified backup into folders that are empty; `place` is where the keys
/// lie that it does not carry.
pub(super) fn restore(
    disk: &Arc<dyn Disk>,
    backup: &Path,
    folders: &Folders,
    place: &KeyPlace,
) -> Result<BackupReport, StoreError> {
    let length = verify(backup)?;
    let mut input = BufReader::new(File::open(backup)?);
    let mut magic = MAGIC;
    input.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(altered(backup));
    }
    disk.create_folder(&folders.data)?;
    disk.create_folder(&folders.store)?;
    disk.create_folder(&folders.journal)?;
    disk.create_folder(&folders.snapshot)?;
    let mut left = length - MAGIC.len() as u64;
    let mut restorer = Restorer {
        disk,
        folders,
        place,
        vault: None,
        begin: None,
        ranges: Vec::new(),
        journal: None,
        group: Group::default(),
    };
    let mut records = 0;
    while let Some((kind, raw)) = next_block(&mut input, &mut left).map_err(|_| altered(backup))? {
        records += restorer.block(kind, &raw)?.ok_or_else(|| altered(backup))?;
    }
    restorer.finish()?.ok_or_else(|| altered(backup))?;
    Ok(BackupReport { records, bytes: length + DIGEST as u64 })
}

struct Restorer<'a> {
    disk: &'a Arc<dyn Disk>,
    folders: &'a Folders,
    place: &'a KeyPlace,
    /// What opens files that are sealed, once there was one.
    vault: Option<Arc<Vault>>,
    /// The last batch before the copy.
    begin: Option<u64>,
    ranges: Vec<Range>,
    journal: Option<Journal>,
    /// Batches that are not written yet.
    group: Group,
}

impl Restorer<'_> {
    /// Takes a block; returns how many records it held, or `None` if it is
    /// unsound.
    fn block(&mut self, kind: u8, raw: &[u8]) -> Result<Option<u64>, StoreError> {
        match kind {
            BEGIN => {
                let Some(sequence) = raw.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
                else {
                    return Ok(None);
                };
                let position = Position { segment: 0, end: 0, sequence };
                let mut journal =
                    Journal::resume(self.disk.clone(), &self.folders.journal, position);
                journal.begin_segment()?;
                self.begin = Some(sequence);
                self.journal = Some(journal);
                Ok(Some(0))
            }
            RECORDS => self.records(raw),
            BATCH => self.batch(raw),
            ATTACHED => self.attached(raw),
            SEALED_FILE => {
                let raw = self.vault()?.unseal_bytes(raw)?;
                self.attached(&raw)
            }
            _ => Ok(None),
        }
    }

    fn records(&mut self, raw: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some(raw) = with_margin(raw) else { return Ok(None) };
        let Some(first) = Ops::new(&raw).next() else { return Ok(Some(0)) };
        let low = if self.ranges.is_empty() { Vec::new() } else { first.key().to_vec() };
        let records = Ops::new(&raw).count() as u64;
        let number = self.ranges.len() as u64 + 1;
        let part = write_part(&**self.disk, &self.folders.snapshot, number, &raw, records)?;
        self.ranges.push(Range { low, part: Some(part), changed: false });
        Ok(Some(records))
    }

    fn batch(&mut self, raw: &[u8]) -> Result<Option<u64>, StoreError> {
        let Some((sequence, payload)) = raw.split_first_chunk() else { return Ok(None) };
        let Some(payload) = with_margin(payload) else { return Ok(None) };
        self.group.begin(u64::from_le_bytes(*sequence));
        self.group.payload().extend_from_slice(&payload);
        if self.group.len() >= PART_BYTES {
            self.write_batches()?;
        }
        Ok(self.journal.is_some().then_some(0))
    }

    fn write_batches(&mut self) -> Result<(), StoreError> {
        if let Some(journal) = self.journal.as_mut().filter(|_| !self.group.is_empty()) {
            journal.append(&mut self.group).map_err(|refusal| refusal.to_error())?;
            self.group.clear();
        }
        Ok(())
    }

    /// The vault of the keys that were restored, or that lie elsewhere.
    fn vault(&mut self) -> Result<Arc<Vault>, StoreError> {
        if let Some(vault) = &self.vault {
            return Ok(vault.clone());
        }
        let opened = Vault::open_at(self.place.clone()).map_err(|error| match error {
            StoreError::Key(why) => StoreError::Key(format!(
                "{why}; the backup does not carry its keys: tell where they lie with `store.key_file`"
            )),
            other => other,
        })?;
        Ok(self.vault.insert(opened).clone())
    }

    fn attached(&self, raw: &[u8]) -> Result<Option<u64>, StoreError> {
        let parts = raw.split_first_chunk().and_then(|(len, rest)| {
            let (name, content) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
            Some((std::str::from_utf8(name).ok()?, content))
        });
        let Some((name, content)) = parts.filter(|(name, _)| may_be_attached(name)) else {
            return Ok(None);
        };
        let path = self.folders.data.join(name);
        if let Some(folder) = path.parent() {
            self.disk.create_folder(folder)?;
            let mut file = self.disk.create(&path)?;
            file.write_at(content, 0)?;
            file.sync()?;
            self.disk.sync_folder(folder)?;
        }
        Ok(Some(0))
    }

    /// The manifest comes last: without it nothing was restored.
    fn finish(mut self) -> Result<Option<()>, StoreError> {
        self.write_batches()?;
        let Some(sequence) = self.begin else { return Ok(None) };
        let next_part = self.ranges.len() as u64 + 1;
        let ranges =
            if self.ranges.is_empty() { Some(Ranges::default()) } else { Ranges::new(self.ranges) };
        let Some(ranges) = ranges else { return Ok(None) };
        self.disk.sync_folder(&self.folders.snapshot)?;
        Manifest::new(Start { segment: 1, sequence }, next_part, ranges)
            .write(&**self.disk, &self.folders.snapshot)?;
        Ok(Some(()))
    }
}

/// The same operations with the counters of generated files raised.
fn with_margin(raw: &[u8]) -> Option<Vec<u8>> {
    if !Ops::new(raw).is_sound() {
        return None;
    }
    let mut out = Vec::with_capacity(raw.len() + 64);
    for op in Ops::new(raw) {
        match op {
            Op::Set(key, value) if key.starts_with(b"g/") => {
                let mut version: FileVersion = record::decode_plain(value).ok()?;
                version.counter = version.counter.saturating_add(MARGIN);
                put_set(&mut out, key, &record::encode_plain(&version).ok()?);
            }
            Op::Set(key, value) => put_set(&mut out, key, value),
            Op::Remove(key) => put_remove(&mut out, key),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_are_attached() {
        for good in
            ["secrets.key", "secrets.key.2", "secrets.key.30-root", "secrets.ids", "tls/ca.pem"]
        {
            assert!(may_be_attached(good), "{good}");
        }
        for bad in [
            "",
            "tls/",
            "tls/../x",
            "tls/a/b",
            "/etc/passwd",
            "store",
            "tls/.hidden",
            "secrets.key.x",
            "secrets.key.2.new",
        ] {
            assert!(!may_be_attached(bad), "{bad}");
        }
    }
}
