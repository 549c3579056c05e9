//! Content-addressed files: `files/<2 hex>/<sha256>` below the data folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::FilesError;

/// Where uploads lie until they are whole.
const INCOMING: &str = "incoming";

/// The files on disk.
///
/// A file counts when it has been written, synced, moved to its place and the
/// folder has been synced; until then it lies in `files/incoming`, which is
/// swept at open. So whatever a crash leaves behind, a file at its place is
/// whole.
#[derive(Debug)]
pub struct Shelf {
    root: PathBuf,
    quota: u64,
    /// Bytes at their places and in uploads that go on.
    used: AtomicU64,
    /// Held while a file comes to its place, so that what it replaces is
    /// counted once.
    placing: Mutex<()>,
}

/// A file that has become durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the content in lower-case hex.
    pub sha256: Box<str>,
    /// Its size in bytes.
    pub size: u64,
}

/// A file on its way in. Dropped before [`Upload::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Upload {
    shelf: Arc<Shelf>,
    incoming: PathBuf,
    file: tokio::fs::File,
    hash: Sha256,
    size: u64,
    limit: u64,
    /// Whether the file was moved away from `incoming`.
    placed: bool,
}

impl Shelf {
    /// Opens the shelf below the data folder, making it if need be, and sweeps
    /// what an interrupted upload left. `quota` is in bytes, for all files.
    ///
    /// # Errors
    /// [`FilesError::Io`] if the folder cannot be made or read.
    pub fn open(data: &Path, quota: u64) -> Result<Arc<Self>, FilesError> {
        let root = data.join("files");
        let incoming = root.join(INCOMING);
        let made = std::fs::create_dir_all(&incoming).and_then(|()| sync_folder(data));
        made.and_then(|()| sync_folder(&root)).map_err(|error| FilesError::io(&root, error))?;
        for leftover in list(&incoming)? {
            std::fs::remove_file(&leftover).map_err(|error| FilesError::io(&leftover, error))?;
        }
        let mut used = 0;
        for folder in
            list(&root)?.iter().filter(|folder| folder.is_dir() && !folder.ends_with(INCOMING))
        {
            for file in list(folder)? {
                let metadata = file.metadata().map_err(|error| FilesError::io(&file, error))?;
                used += metadata.len();
            }
        }
        let (used, placing) = (AtomicU64::new(used), Mutex::new(()));
        Ok(Arc::new(Self { root, quota, used, placing }))
    }

    /// Bytes that the files take, uploads that go on included.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::SeqCst)
    }

    /// Begins an upload of at most `limit` bytes.
    ///
    /// # Errors
    /// [`FilesError::DiskFull`] or [`FilesError::Io`].
    pub async fn begin(self: &Arc<Self>, limit: u64) -> Result<Upload, FilesError> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let incoming = self.root.join(INCOMING).join(name);
        let file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(&incoming).await;
        let file = file.map_err(|error| FilesError::io(&incoming, error))?;
        let shelf = Arc::clone(self);
        Ok(Upload { shelf, incoming, file, hash: Sha256::new(), size: 0, limit, placed: false })
    }

    /// Where the file of this hash lies or would lie.
    ///
    /// # Errors
    /// [`FilesError::BadName`] for anything but 64 lower-case hex digits, so
    /// that no path from outside ever reaches the disk.
    pub fn path_of(&self, sha256: &str) -> Result<PathBuf, FilesError> {
        let sound = sha256.len() == 64
            && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let folder = sha256.get(..2).filter(|_| sound).ok_or(FilesError::BadName)?;
        Ok(self.root.join(folder).join(sha256))
    }

    /// Opens a file for reading, with its size in bytes.
    ///
    /// # Errors
    /// [`FilesError::NotFound`] if there is none; [`FilesError::BadName`].
    pub async fn read(&self, sha256: &str) -> Result<(tokio::fs::File, u64), FilesError> {
        let path = self.path_of(sha256)?;
        let file = tokio::fs::File::open(&path).await;
        let file = file.map_err(|error| FilesError::io(&path, error))?;
        let metadata = file.metadata().await.map_err(|error| FilesError::io(&path, error))?;
        Ok((file, metadata.len()))
    }

    /// Removes a file; that there is none is no error.
    ///
    /// # Errors
    /// [`FilesError::BadName`]; [`FilesError::Io`] if the disk refuses.
    pub async fn remove(&self, sha256: &str) -> Result<(), FilesError> {
        let path = self.path_of(sha256)?;
        let Ok(metadata) = tokio::fs::metadata(&path).await else { return Ok(()) };
        match tokio::fs::remove_file(&path).await.map_err(|error| FilesError::io(&path, error)) {
            Ok(()) => {
                self.used.fetch_sub(metadata.len(), Ordering::SeqCst);
                Ok(())
            }
            // Somebody else was quicker, and has counted it.
            Err(FilesError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes `bytes` of the quota, or nothing.
    fn reserve(&self, bytes: u64) -> Result<(), FilesError> {
        let within = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.quota);
        self.used
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, within)
            .map(drop)
            .map_err(|_| FilesError::Quota { quota: self.quota })
    }
}

impl Upload {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`FilesError::TooLarge`], [`FilesError::Quota`], [`FilesError::DiskFull`]
    /// or [`FilesError::Io`]; the upload is then to be dropped.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        let length = bytes.len() as u64;
        let size = self.size.checked_add(length).filter(|size| *size <= self.limit);
        let size = size.ok_or(FilesError::TooLarge { limit: self.limit })?;
        self.shelf.reserve(length)?;
        self.size = size;
        self.hash.update(bytes);
        self.file.write_all(bytes).await.map_err(|error| FilesError::io(&self.incoming, error))
    }

    /// The bytes so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of the bytes so far, in lower-case hex.
    pub fn sha256(&self) -> Box<str> {
        hex::encode(self.hash.clone().finalize()).into()
    }

    /// Makes the file durable at its place. The same content twice is one file.
    ///
    /// # Errors
    /// [`FilesError::DiskFull`] or [`FilesError::Io`]; nothing is left then.
    pub async fn finish(mut self) -> Result<Stored, FilesError> {
        let synced = match self.file.flush().await {
            Ok(()) => self.file.sync_all().await,
            Err(error) => Err(error),
        };
        synced.map_err(|error| FilesError::io(&self.incoming, error))?;
        let sha256: Box<str> = hex::encode(std::mem::take(&mut self.hash).finalize()).into();
        let path = self.shelf.path_of(&sha256)?;
        let (shelf, incoming) = (Arc::clone(&self.shelf), self.incoming.clone());
        let target = path.clone();
        let moved = tokio::task::spawn_blocking(move || {
            let _one = shelf.placing.lock().unwrap_or_else(PoisonError::into_inner);
            place(&incoming, &target)
        });
        let replaced = moved
            .await
            .unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)))
            .map_err(|error| FilesError::io(&path, error))?;
        self.placed = true;
        self.shelf.used.fetch_sub(replaced, Ordering::SeqCst);
        Ok(Stored { sha256, size: self.size })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.placed {
            self.shelf.used.fetch_sub(self.size, Ordering::SeqCst);
            // What cannot be removed now is swept at the next start.
            let _ = std::fs::remove_file(&self.incoming);
        }
    }
}

/// Moves a synced file to its place durably; the size of what lay there.
fn place(incoming: &Path, target: &Path) -> std::io::Result<u64> {
    let folder = target.parent().unwrap_or(target);
    if !folder.is_dir() {
        std::fs::create_dir_all(folder)?;
        sync_folder(folder.parent().unwrap_or(folder))?;
    }
    let replaced = target.metadata().map_or(0, |metadata| metadata.len());
    std::fs::rename(incoming, target)?;
    sync_folder(folder)?;
    Ok(replaced)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// The paths in a folder.
fn list(folder: &Path) -> Result<Vec<PathBuf>, FilesError> {
    std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(|error| FilesError::io(folder, error))
}

#[cfg(test)]
mod tests;
