//! How a store comes to be: opened, made in memory, or restored from a backup.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::{broadcast, watch};

use super::disk::{Disk, RealDisk};
use super::embedded::{Committer, Embedded};
use super::index::{Index, end_of};
use super::indexing::{Indexer, Indexing};
use super::informed::Informed;
use super::journal::{Journal, Position};
use super::marker::Marker;
use super::memory::MemoryIndex;
use super::names::Names;
use super::ranges::Ranges;
use super::recover::{Recovered, recover};
use super::resolve::Bounds;
use super::sled::SledIndex;
use super::snapshot::{Errand, Folders, Snapshotter};
use super::writer::{Generations, Queue, Shared, State, Writer};
use super::{BackupReport, KeyPlace, Store, StoreError, Vault, backup, keys};
use crate::config::{Engine, StoreConfig};
use crate::metrics::TASKS_OPEN;

/// How often, and with which pause, the lock of a folder is tried.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// How many notices a slow watcher may be behind.
const NOTICES: usize = 4096;

/// What a store stands on, besides its data folder.
#[derive(Clone)]
pub struct Ground {
    /// Where the journal and the snapshot are written.
    pub disk: Arc<dyn Disk>,
    /// A word that is another one after the machine was started anew.
    pub boot: String,
}

impl Ground {
    /// The machine's disk and the kernel's word for this boot. Where the kernel
    /// has none, no boot is like another: an index that was not closed in order
    /// is then rebuilt.
    pub fn real() -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| uuid::Uuid::new_v4().to_string(), |id| id.trim().to_owned());
        Self { disk: Arc::new(RealDisk), boot }
    }
}

/// Opens the store of a data folder with the engine that the settings name.
///
/// A missing folder is made. What a crash left behind is set right: a torn tail
/// of the journal is passed over, an index behind the journal is caught up, and
/// an index that cannot be trusted is moved aside and rebuilt, with an alarm in
/// [`Health`](super::Health).
///
/// # Errors
/// [`StoreError::Damaged`] when acknowledged data is no longer readable; it
/// names the file and the offset. [`StoreError::Io`] when the disk fails or
/// another process has the store open.
pub async fn open(config: &StoreConfig, data: &Path) -> Result<Arc<dyn Store>, StoreError> {
    open_on(config, data, Ground::real()).await
}

/// Opens a store on a disk and in a boot of the caller's choice: for tests of
/// what happens when these fail.
///
/// # Errors
/// As [`open`].
pub async fn open_on(
    config: &StoreConfig,
    data: &Path,
    ground: Ground,
) -> Result<Arc<dyn Store>, StoreError> {
    match config.engine {
        Engine::Memory => Ok(memory(config)),
        Engine::Sled => {
            let vault = Vault::open_at(KeyPlace::of(config, data))?;
            open_sealed(config, data, ground, vault).await
        }
    }
}

/// Opens a store whose secrets a vault seals that others use as well, so that a
/// key that is made while it runs is known to all.
///
/// # Errors
/// As [`open`].
pub async fn open_sealed(
    config: &StoreConfig,
    data: &Path,
    ground: Ground,
    vault: Arc<Vault>,
) -> Result<Arc<dyn Store>, StoreError> {
    match config.engine {
        Engine::Memory => Ok(memory_sealed(config, vault)),
        Engine::Sled => {
            let (config, folders) = (config.clone(), Folders::of(data));
            let work = move || open_sled(&config, folders, &ground, vault);
            tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
        }
    }
}

/// A store in memory: the same behaviour, and nothing survives.
pub fn memory(config: &StoreConfig) -> Arc<dyn Store> {
    memory_sealed(config, Vault::ephemeral())
}

/// The same, its secrets sealed by a vault that others use as well.
pub fn memory_sealed(config: &StoreConfig, vault: Arc<Vault>) -> Arc<dyn Store> {
    let index = MemoryIndex::default();
    let nothing = Indexing::of_nothing();
    let shared = Arc::new(share(index, Names::default(), vault, State::default(), nothing));
    let writer = Writer::new(shared.clone(), None, bounds(config), 0, Ranges::default());
    let committer = Committer::Inline(Arc::new(Mutex::new(writer)));
    Arc::new(Embedded::new(shared, committer, bounds(config), Box::new(|_| Ok(()))))
}

/// Restores a backup into an empty or missing data folder. Keys that it does not
/// carry are looked for at `keys`, in the data folder if that says so.
///
/// The counters of generated files are raised by 1,000, so that no phone is
/// served a version below one that it has taken.
///
/// # Errors
/// [`StoreError::Conflict`] when the folder is not empty,
/// [`StoreError::Damaged`] when the file is no backup or was altered, and
/// [`StoreError::Key`] when a key of it lies neither in it nor there; nothing is
/// then left in the folder.
pub fn restore_with(
    backup: &Path,
    data: &Path,
    keys: &KeyPlace,
) -> Result<BackupReport, StoreError> {
    let existed = match std::fs::read_dir(data) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(StoreError::Conflict(format!("{} is not empty; it", data.display())));
            }
            true
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error.into()),
    };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let result = backup::restore(&disk, backup, &Folders::of(data), keys);
    if result.is_err() {
        // The folder was empty, so all in it is of this attempt.
        let _ = std::fs::remove_dir_all(data);
        if existed {
            let _ = std::fs::create_dir(data);
        }
    }
    result
}

/// The same for a backup that carries its keys.
///
/// # Errors
/// As [`restore_with`].
pub fn restore(backup: &Path, data: &Path) -> Result<BackupReport, StoreError> {
    restore_with(backup, data, &KeyPlace::in_folder(data))
}

fn share<I>(
    index: I,
    names: Names,
    vault: Arc<Vault>,
    state: State,
    indexing: Indexing,
) -> Shared<I> {
    Shared {
        index,
        names,
        vault,
        notices: broadcast::channel(NOTICES).0,
        applying: std::sync::RwLock::default(),
        closed: false.into(),
        state,
        generations: Generations::default(),
        informed: Informed::new(indexing.informs).into(),
        indexing: watch::Sender::new(indexing),
    }
}

fn bounds(config: &StoreConfig) -> Bounds {
    Bounds {
        events: config.events_per_device.into(),
        tasks: config.tasks_per_device.into(),
        sessions: config.sessions_per_device.into(),
        reports: config.reports_per_device.into(),
        trace: config.traced_messages_per_device.into(),
        changes: config.changes_per_device.into(),
        audit: config.audit_entries.into(),
        news: config.news_entries.into(),
    }
}

fn open_sled(
    config: &StoreConfig,
    folders: Folders,
    ground: &Ground,
    vault: Arc<Vault>,
) -> Result<Arc<dyn Store>, StoreError> {
    ground.disk.create_folder(&folders.data)?;
    ground.disk.create_folder(&folders.store)?;
    let lock = lock_folder(&folders.store)?;
    let Recovered { index, manifest, position, ranges, journal_bytes, alarms, journal_lost } =
        recover(&folders, ground, config.cache)?;
    let names = load_names(&index)?;
    let devices = index.get(keys::DEVICES)?;
    let devices = devices.and_then(|count| Some(u64::from_le_bytes(*count.first_chunk()?)));
    let state = State {
        devices: devices.unwrap_or(0).into(),
        journal_bytes: journal_bytes.into(),
        alarms,
        ..State::default()
    };
    TASKS_OPEN.set(open_tasks(&index)?);
    let indexing = Indexing::found(&index)?;
    let shared = Arc::new(share(index, names, vault, state, indexing));
    let queue = Arc::new(Queue::default());
    let mut journal = Journal::resume(ground.disk.clone(), &folders.journal, position);
    let mut snapshotter = Snapshotter {
        disk: ground.disk.clone(),
        folders: folders.clone(),
        shared: shared.clone(),
        queue: queue.clone(),
        manifest,
    };
    let mut ranges = ranges;
    if journal_lost {
        // What only the index holds is made durable before anything else.
        journal.begin_segment()?;
        ranges.mark_all();
        snapshotter.write(journal.position(), &ranges)?;
        ranges = snapshotter.manifest.ranges.clone();
    }
    let Position { sequence, .. } = journal.position();
    Marker { clean: false, boot: ground.boot.clone(), applied: sequence }
        .write(&*ground.disk, &folders.store)?;
    let mut writer = Writer::new(shared.clone(), Some(journal), bounds(config), sequence, ranges);
    let (errands, errand) = channel();
    writer.snapshot_every(config.snapshot_after, errands.clone());
    let stop = Arc::new(AtomicBool::new(false));
    let indexer = Indexer { shared: shared.clone(), queue: queue.clone(), stop };
    let errand = (errands.clone(), errand);
    let threads = Threads::start(writer, snapshotter, indexer, &queue, errand)?;
    let ending = ending(threads, queue.clone(), shared.clone(), folders, ground.clone(), lock);
    let committer = Committer::Thread { queue, errands };
    Ok(Arc::new(Embedded::new(shared, committer, bounds(config), ending)))
}

/// One process at a time: the lock goes with the process. A process that is
/// just ending, or a child that has not yet begun its own program, may hold it
/// for a moment longer.
fn lock_folder(store: &Path) -> Result<File, StoreError> {
    let file = File::create(store.join("lock"))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    let text = format!("{} is in use by another process", store.display());
    Err(StoreError::Io(std::io::Error::other(text)))
}

/// How many tasks are not ended: there are few, whatever the fleet.
fn open_tasks<I: Index>(index: &I) -> Result<i64, StoreError> {
    let mut count = 0;
    index.scan(keys::OPEN_TASKS, end_of(keys::OPEN_TASKS).as_deref(), &mut |_, _| {
        count += 1;
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(count)
}

fn load_names<I: Index>(index: &I) -> Result<Names, StoreError> {
    let names = Names::default();
    index.scan(keys::NAMES, end_of(keys::NAMES).as_deref(), &mut |key, value| {
        let id = key.last_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        if let (Some(id), Ok(text)) = (id, std::str::from_utf8(value)) {
            names.load(id, text);
        }
        std::ops::ControlFlow::Continue(())
    })?;
    Ok(names)
}

/// The store's threads.
struct Threads {
    writer: JoinHandle<()>,
    snapshotter: JoinHandle<()>,
    indexer: JoinHandle<()>,
    /// Tells the last that it is to end.
    stop: Arc<AtomicBool>,
    errands: Sender<Errand>,
}

impl Threads {
    fn start(
        writer: Writer<SledIndex>,
        snapshotter: Snapshotter<SledIndex>,
        indexer: Indexer<SledIndex>,
        queue: &Arc<Queue>,
        (errands, errand): (Sender<Errand>, Receiver<Errand>),
    ) -> Result<Self, StoreError> {
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let queue = queue.clone();
        let writer = named("store-writer").spawn(move || writer.run(&queue))?;
        let snapshotter = named("store-snapshot").spawn(move || snapshotter.run(&errand))?;
        let stop = indexer.stop.clone();
        let indexer = named("store-indexes").spawn(move || indexer.run())?;
        Ok(Self { writer, snapshotter, indexer, stop, errands })
    }
}

/// What ends the store: all that waits is served, the threads end, and if it is
/// closed in order the index is synced and marked clean.
fn ending(
    threads: Threads,
    queue: Arc<Queue>,
    shared: Arc<Shared<SledIndex>>,
    folders: Folders,
    ground: Ground,
    lock: File,
) -> Box<dyn FnOnce(bool) -> Result<(), StoreError> + Send> {
    Box::new(move |in_order| {
        let _ = threads.errands.send(Errand::Stop);
        threads.stop.store(true, Ordering::Release);
        queue.close();
        let panicked = threads.indexer.join().is_err()
            | threads.writer.join().is_err()
            | threads.snapshotter.join().is_err();
        let synced = if in_order && !panicked {
            shared.index.sync().and_then(|()| shared.index.applied())
        } else {
            Ok(None)
        };
        shared.index.close();
        if let Some(applied) = synced? {
            Marker { clean: true, boot: ground.boot, applied }
                .write(&*ground.disk, &folders.store)?;
        }
        drop(lock);
        Ok(())
    })
}
