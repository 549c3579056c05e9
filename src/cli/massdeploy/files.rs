//! Many files that change together, or not at all.
//!
//! Each file is written beside the one that it is to replace (`.NAME.new~`). When
//! all are there and on the disk, they are renamed into place one by one; what
//! they replace is kept (`.NAME.old~`) until the last is in place, so that the
//! first failure puts everything back. Whoever reads a file meanwhile finds the
//! old one or the new one, whole. One `syncfs` makes thousands of files lasting
//! where an `fsync` for each would take seconds.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::stop::{Failure, Stop};

/// Files that are written, and not yet in place.
#[derive(Debug)]
pub(super) struct FileSet {
    /// The folder that nothing may leave.
    root: Option<PathBuf>,
    changes: Vec<Change>,
    targets: HashSet<PathBuf>,
    folders: HashSet<PathBuf>,
    /// The folders that had to be made, outer ones first.
    made: Vec<PathBuf>,
    /// Whether the work is done, so that nothing is to be taken back.
    kept: bool,
}

#[derive(Debug)]
struct Change {
    target: PathBuf,
    new: PathBuf,
    /// What was there; kept under this name while the new one is in place.
    old: Option<PathBuf>,
    in_place: bool,
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Stop::Mass(format!("{}: {error}", path.display())).into()
}

impl FileSet {
    /// An empty set. With a root no link may lead out of it.
    pub(super) fn new(root: Option<&Path>) -> Self {
        Self {
            root: root.map(Path::to_owned),
            changes: Vec::new(),
            targets: HashSet::new(),
            folders: HashSet::new(),
            made: Vec::new(),
            kept: false,
        }
    }

    /// Writes a file beside its place; of two for one place the later counts. A
    /// file that is there already with the same bytes is left alone.
    ///
    /// # Errors
    /// [`Stop::Mass`] if it cannot be written.
    pub(super) fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let (target, before) = self.target(path)?;
        let again = self.targets.contains(&target);
        if let Some(meta) = &before
            && !again
            && meta.len() == bytes.len() as u64
            && fs::read(&target).is_ok_and(|there| there == bytes)
        {
            return Ok(());
        }
        self.make_folder_of(&target)?;
        let name = target.file_name().unwrap_or_default();
        let beside = |ending: &str| {
            let mut own = OsString::from(".");
            own.push(name);
            own.push(ending);
            target.with_file_name(own)
        };
        let new = beside(".new~");
        let old = before.as_ref().map(|_| beside(".old~"));
        if !again {
            self.targets.insert(target.clone());
            self.changes.push(Change { target, new: new.clone(), old, in_place: false });
        }
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            if let Some(meta) = &before {
                file.set_permissions(meta.permissions())?;
                let made = file.metadata()?;
                if (made.uid(), made.gid()) != (meta.uid(), meta.gid()) {
                    chown(&new, Some(meta.uid()), Some(meta.gid()))?;
                }
            }
            Ok(())
        };
        write().map_err(|error| failed(&new, &error))
    }

    /// Where a path leads, links followed, and what is there.
    fn target(&self, path: &Path) -> Result<(PathBuf, Option<fs::Metadata>), Failure> {
        let meta = match fs::symlink_metadata(path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((path.to_owned(), None));
            }
            Err(error) => return Err(failed(path, &error)),
        };
        if !meta.is_symlink() {
            return Ok((path.to_owned(), Some(meta)));
        }
        let real = fs::canonicalize(path).map_err(|error| failed(path, &error))?;
        if let Some(root) = &self.root {
            let root = fs::canonicalize(root).map_err(|error| failed(root, &error))?;
            if !real.starts_with(root) {
                return Err(Stop::Mass(format!("{}: a link out of --root", path.display())).into());
            }
        }
        let meta = fs::metadata(&real).map_err(|error| failed(&real, &error))?;
        Ok((real, Some(meta)))
    }

    /// Makes the folder that a file is to lie in.
    ///
    /// # Errors
    /// [`Stop::Mass`] if it cannot be made.
    pub(super) fn make_folder_of(&mut self, path: &Path) -> Result<(), Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        if self.folders.contains(folder) {
            return Ok(());
        }
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
            .collect();
        for part in missing.into_iter().rev() {
            match fs::create_dir(part) {
                Ok(()) => self.made.push(part.to_owned()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(part, &error)),
            }
        }
        self.folders.insert(folder.to_owned());
        Ok(())
    }

    /// Puts all files in their place. Unless [`FileSet::keep`] is called on what
    /// comes back, all of it is undone.
    ///
    /// # Errors
    /// [`Stop::Mass`] if one cannot be put in its place; all is undone then.
    pub(super) fn commit(mut self) -> Result<Self, Failure> {
        self.sync()?;
        for change in &mut self.changes {
            if let Some(old) = &change.old {
                let _ = fs::remove_file(old);
                fs::hard_link(&change.target, old)
                    .or_else(|_| fs::copy(&change.target, old).map(|_| ()))
                    .map_err(|error| failed(old, &error))?;
            }
            fs::rename(&change.new, &change.target)
                .map_err(|error| failed(&change.target, &error))?;
            change.in_place = true;
        }
        for folder in &self.folders {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed(folder, &error))?;
        }
        Ok(self)
    }

    /// Makes what was written lasting, a file system at a time.
    fn sync(&self) -> Result<(), Failure> {
        let mut systems: BTreeMap<u64, &Path> = BTreeMap::new();
        for folder in &self.folders {
            let meta = fs::metadata(folder).map_err(|error| failed(folder, &error))?;
            systems.insert(meta.dev(), folder);
        }
        for folder in systems.into_values() {
            let synced = File::open(folder).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
            synced.map_err(|error| failed(folder, &error))?;
        }
        Ok(())
    }

    /// The files stay, and what they replaced goes.
    pub(super) fn keep(mut self) {
        self.kept = true;
        for change in &self.changes {
            if let Some(old) = &change.old {
                let _ = fs::remove_file(old);
            }
        }
    }
}

impl Drop for FileSet {
    /// Takes back what was not kept.
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for change in self.changes.iter().rev() {
            match (&change.old, change.in_place) {
                (Some(old), true) => drop(fs::rename(old, &change.target)),
                (None, true) => drop(fs::remove_file(&change.target)),
                (old, false) => {
                    let _ = fs::remove_file(&change.new);
                    if let Some(old) = old {
                        let _ = fs::remove_file(old);
                    }
                }
            }
        }
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
