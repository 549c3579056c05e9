//! Many files that change together, or not at all.
//!
//! Each file is written beside the one that it is to replace (`.NAME.new~`). When
//! all are there and on the disk, each changes places with what is there, in one
//! step of the kernel; what was replaced is kept until the last is in place, so
//! that the first failure puts everything back. Whoever reads a file meanwhile
//! finds the old one or the new one, whole. One `syncfs` makes thousands of files
//! lasting where an `fsync` for each would take seconds; few files get an `fsync`
//! each, so that nothing of other programs has to be waited for.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use super::stop::{Failure, Stop};

/// How many files get an `fsync` each.
const FEW: usize = 64;

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
    /// The new file; when it is in place, what was there before.
    beside: PathBuf,
    /// Whether something is there that is replaced.
    replaces: bool,
    in_place: bool,
}

impl Change {
    /// Puts the new file in its place.
    fn place(&mut self) -> io::Result<()> {
        if self.replaces {
            swap(&self.beside, &self.target)?;
        } else {
            fs::rename(&self.beside, &self.target)?;
        }
        self.in_place = true;
        Ok(())
    }

    /// Takes the new file away, and puts back what was there.
    fn undo(&self) {
        let _ = match (self.in_place, self.replaces) {
            (true, true) => fs::rename(&self.beside, &self.target),
            (true, false) => fs::remove_file(&self.target),
            (false, _) => fs::remove_file(&self.beside),
        };
    }
}

/// Two files change places.
fn swap(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        // Not every file system can; there it takes three steps.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let mut third = one.as_os_str().to_owned();
            third.push(".old~");
            let _ = fs::remove_file(&third);
            fs::hard_link(other, &third).or_else(|_| fs::copy(other, &third).map(drop))?;
            fs::rename(one, other)?;
            fs::rename(&third, one)
        }
        result => Ok(result?),
    }
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
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".new~");
        let beside = target.with_file_name(name);
        if !again {
            self.targets.insert(target.clone());
            let (beside, replaces) = (beside.clone(), before.is_some());
            self.changes.push(Change { target, beside, replaces, in_place: false });
        }
        let write = || -> io::Result<()> {
            let mut file = File::create(&beside)?;
            file.write_all(bytes)?;
            if let Some(meta) = &before {
                file.set_permissions(meta.permissions())?;
                let made = file.metadata()?;
                if (made.uid(), made.gid()) != (meta.uid(), meta.gid()) {
                    chown(&beside, Some(meta.uid()), Some(meta.gid()))?;
                }
            }
            Ok(())
        };
        write().map_err(|error| failed(&beside, &error))
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
        if meta.is_file() {
            return Ok((path.to_owned(), Some(meta)));
        }
        if !meta.is_symlink() {
            return Err(Stop::Mass(format!(
                "{}: not a file but a folder or a device",
                path.display()
            ))
            .into());
        }
        let real = fs::canonicalize(path).map_err(|error| failed(path, &error))?;
        if let Some(root) = &self.root {
            let root = fs::canonicalize(root).map_err(|error| failed(root, &error))?;
            if !real.starts_with(root) {
                return Err(Stop::Mass(format!("{}: a link out of --root", path.display())).into());
            }
        }
        let meta = fs::metadata(&real).map_err(|error| failed(&real, &error))?;
        // What a link leads to is no link itself.
        if meta.is_file() { Ok((real, Some(meta))) } else { self.target(&real) }
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
            change.place().map_err(|error| failed(&change.target, &error))?;
        }
        for folder in &self.folders {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed(folder, &error))?;
        }
        Ok(self)
    }

    /// Makes what was written lasting: file by file, or a file system at a time.
    fn sync(&self) -> Result<(), Failure> {
        if self.changes.len() <= FEW {
            for Change { beside, .. } in &self.changes {
                let synced = File::open(beside).and_then(|file| file.sync_all());
                synced.map_err(|error| failed(beside, &error))?;
            }
            return Ok(());
        }
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
        for change in self.changes.iter().filter(|change| change.replaces) {
            let _ = fs::remove_file(&change.beside);
        }
    }
}

impl Drop for FileSet {
    /// Takes back what was not kept.
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        self.changes.iter().rev().for_each(Change::undo);
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(folder: &Path) -> Vec<(OsString, Vec<u8>)> {
        let mut list: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), fs::read(entry.path()).unwrap_or_default()))
            .collect();
        list.sort();
        list
    }

    /// A set of so many files, every second of which replaces one; a new folder
    /// is among them.
    fn set(folder: &Path, count: usize) -> FileSet {
        let mut files = FileSet::new(None);
        for number in 0..count {
            if number % 2 == 0 {
                fs::write(folder.join(number.to_string()), "old").unwrap();
            }
            files.put(&folder.join(number.to_string()), b"new").unwrap();
        }
        files.put(&folder.join("below/it"), b"new").unwrap();
        files
    }

    #[test]
    fn a_failure_in_the_midst_puts_everything_back() {
        for count in [6, FEW + 6] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path();
            let files = set(path, count);
            let spoiled = path.join(format!(".{}.new~", count - 2));
            let olds = (0..count).step_by(2).map(|number| number.to_string());
            let mut before: Vec<_> = olds.map(|name| (name.into(), b"old".to_vec())).collect();
            before.sort();
            // It cannot be renamed any more, and all before it were.
            let nearly = count - 1;
            let place = |files: &mut FileSet| {
                fs::remove_file(&spoiled).unwrap();
                files.changes.iter_mut().take(nearly).map(Change::place).find(Result::is_err)
            };
            let mut files = files;
            assert!(place(&mut files).is_some());
            drop(files);
            assert_eq!(listed(path), before);
        }
    }

    #[test]
    fn what_was_committed_is_taken_back_unless_it_is_kept() {
        for count in [6, FEW + 6] {
            let folder = tempfile::tempdir().unwrap();
            drop(set(folder.path(), count).commit().unwrap());
            assert_eq!(listed(folder.path()).len(), count / 2);
            assert!(listed(folder.path()).iter().all(|(_, text)| text == b"old"));
            set(folder.path(), count).commit().unwrap().keep();
            let after = listed(folder.path());
            assert_eq!(after.len(), count + 1);
            assert!(after.iter().all(|(name, text)| name == "below" || text == b"new"));
        }
    }

    #[test]
    fn of_two_for_one_place_the_later_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = FileSet::new(None);
        for text in ["one", "two"] {
            files.put(&folder.path().join("x"), text.as_bytes()).unwrap();
        }
        files.commit().unwrap().keep();
        assert_eq!(listed(folder.path()), [("x".into(), b"two".to_vec())]);
    }
}
