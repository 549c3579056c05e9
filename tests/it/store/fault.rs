//! A disk in memory that knows what was synced, and that fails when told to.
//!
//! The index keeps its own files in a real folder; only the journal, the
//! snapshot and the marker lie here.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use provost::store::{Disk, DiskFile, RealDisk};

/// A page of the operating system's cache.
const PAGE: usize = 4096;

#[derive(Clone, Default)]
struct File {
    content: Vec<u8>,
    synced: Vec<u8>,
    /// A sync has failed: what was written before it is marked clean without
    /// being on disk, and never gets there.
    lost: bool,
}

#[derive(Default)]
struct State {
    files: HashMap<u64, File>,
    names: HashMap<PathBuf, u64>,
    durable: HashMap<PathBuf, u64>,
    next: u64,
    operations: u64,
    full: bool,
    full_at_sync: bool,
    failing_syncs: u32,
    free: Option<u64>,
    watcher: Option<Arc<Watcher>>,
}

/// Is told of each sync, with its number.
type Watcher = dyn Fn(u64, &MemoryDisk) + Send + Sync;

/// The disk. Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct MemoryDisk(Arc<Mutex<State>>);

/// A small generator, so that a seed tells the whole story.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

impl MemoryDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Whether writes answer that there is no space.
    pub(crate) fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Whether writes pass and syncs answer that there is no space, as file
    /// systems do that allocate late.
    pub(crate) fn set_full_at_sync(&self, full: bool) {
        self.state().full_at_sync = full;
    }

    /// Lets the next syncs fail.
    pub(crate) fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// What the disk says of its free space.
    pub(crate) fn set_free(&self, free: Option<u64>) {
        self.state().free = free;
    }

    /// Calls `watcher` before each operation, with its number.
    pub(crate) fn watch(&self, watcher: impl Fn(u64, &Self) + Send + Sync + 'static) {
        self.state().watcher = Some(Arc::new(watcher));
    }

    fn operation(&self) {
        let mut state = self.state();
        state.operations += 1;
        let number = state.operations;
        let watcher = state.watcher.clone();
        drop(state);
        if let Some(watcher) = watcher {
            watcher(number, self);
        }
    }

    /// What would lie on the disk if the power failed now: what was synced; and
    /// of the rest nothing, or with `pages` each page at random.
    pub(crate) fn after_power_cut(&self, random: &mut Random, pages: bool) -> Self {
        let state = self.state();
        let mut after = State { next: state.next, ..State::default() };
        let mut names: Vec<&PathBuf> = state
            .names
            .keys()
            .chain(state.durable.keys())
            .collect::<HashSet<_>>()
            .into_iter()
            .collect();
        names.sort();
        for name in names {
            let (now, durable) = (state.names.get(name), state.durable.get(name));
            let found = if pages && random.coin() { now } else { durable };
            let Some(number) = found else { continue };
            let mut file = state.files[number].clone();
            let content = if pages { mangle(&file, random) } else { file.synced.clone() };
            file = File { synced: content.clone(), content, lost: false };
            after.files.insert(*number, file);
            after.names.insert(name.clone(), *number);
            after.durable.insert(name.clone(), *number);
        }
        Self(Arc::new(Mutex::new(after)))
    }
}

impl MemoryDisk {
    /// The same files below another folder.
    pub(crate) fn moved(self, from: &Path, to: &Path) -> Self {
        let renamed = |names: &HashMap<PathBuf, u64>| {
            let new = |path: &PathBuf| to.join(path.strip_prefix(from).unwrap());
            names.iter().map(|(path, number)| (new(path), *number)).collect::<HashMap<_, _>>()
        };
        {
            let mut state = self.state();
            state.names = renamed(&state.names);
            state.durable = renamed(&state.durable);
        }
        self
    }
}

/// Each page that was not synced is kept or not; so is each part of the length.
fn mangle(file: &File, random: &mut Random) -> Vec<u8> {
    if file.lost {
        return file.synced.clone();
    }
    let (old, new) = (&file.synced, &file.content);
    let len = match random.next() % 3 {
        0 => old.len(),
        1 => new.len(),
        _ => {
            let (low, high) = (old.len().min(new.len()), old.len().max(new.len()));
            low + usize::try_from(random.next()).unwrap() % (high - low + 1)
        }
    };
    let mut out = vec![0; len];
    for (n, page) in out.chunks_mut(PAGE).enumerate() {
        let from = if random.coin() { new } else { old };
        for (at, byte) in page.iter_mut().enumerate() {
            *byte = from.get(n * PAGE + at).copied().unwrap_or(0);
        }
    }
    // What was synced stays, unless a cut of it was under way.
    if new.len() >= old.len() && new.starts_with(old) && len >= old.len() {
        out[..old.len()].copy_from_slice(old);
    }
    out
}

struct Handle {
    disk: MemoryDisk,
    number: u64,
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl DiskFile for Handle {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.operation();
        let mut state = self.disk.state();
        let is_full = state.full;
        let file = state.files.get_mut(&self.number).unwrap();
        let from = usize::try_from(offset).unwrap();
        // A full disk takes what fits the page that is there already.
        let bytes = if is_full { &bytes[..bytes.len() / 2] } else { bytes };
        if file.content.len() < from + bytes.len() {
            file.content.resize(from + bytes.len(), 0);
        }
        file.content[from..from + bytes.len()].copy_from_slice(bytes);
        if is_full { Err(full()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.operation();
        let mut state = self.disk.state();
        let no_space = state.full_at_sync;
        let fails = state.failing_syncs > 0;
        state.failing_syncs = state.failing_syncs.saturating_sub(1);
        let file = state.files.get_mut(&self.number).unwrap();
        if (no_space && file.content.len() > file.synced.len()) || fails {
            file.lost = true;
            return Err(if fails { io::Error::other("I/O error") } else { full() });
        }
        if file.lost {
            // The sync says yes, and the pages that it lost stay lost.
            let len = file.content.len().min(file.synced.len());
            file.synced.truncate(len);
        } else {
            file.synced = file.content.clone();
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.disk.operation();
        let mut state = self.disk.state();
        let len = usize::try_from(len).unwrap();
        state.files.get_mut(&self.number).unwrap().content.resize(len, 0);
        Ok(())
    }
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl Disk for MemoryDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.operation();
        let mut state = self.state();
        if state.full {
            return Err(full());
        }
        state.next += 1;
        let number = state.next;
        state.files.insert(number, File::default());
        state.names.insert(path.to_owned(), number);
        drop(state);
        Ok(Box::new(Handle { disk: self.clone(), number }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = *self.state().names.get(path).ok_or_else(missing)?;
        Ok(Box::new(Handle { disk: self.clone(), number }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.state();
        let number = state.names.get(path).ok_or_else(missing)?;
        Ok(state.files[number].content.clone())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation();
        {
            let mut state = self.state();
            let number = state.names.remove(from).ok_or_else(missing)?;
            state.names.insert(to.to_owned(), number);
        }
        self.sync_folder(to.parent().unwrap())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operation();
        self.state().names.remove(path).map(|_| ()).ok_or_else(missing)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        let inside = state.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(inside.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        // The index's folder, and the lock, are real.
        RealDisk.create_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operation();
        let mut state = self.state();
        let inside = |path: &PathBuf| path.parent() == Some(folder);
        state.durable.retain(|path, _| !inside(path));
        let now: Vec<_> = state
            .names
            .iter()
            .filter(|(path, _)| inside(path))
            .map(|(p, n)| (p.clone(), *n))
            .collect();
        state.durable.extend(now);
        Ok(())
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.state().free.unwrap_or(u64::MAX))
    }
}
