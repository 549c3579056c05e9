//! Keys as files: the first one under its own name, later ones beside it with
//! their numbers, and in the data folder a list of their ids, so that one that is
//! missing or was exchanged is told at the start and not when a secret is needed.
//!
//! | file | what |
//! | --- | --- |
//! | `secrets.key` | the first key |
//! | `secrets.key.2`, `secrets.key.3`, … | later ones; the last one seals |
//! | `secrets.key.3-root` | one from which others are derived as well |
//! | `secrets.ids` in the data folder | the ids of all keys that sealed something |

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::super::StoreError;
use super::key::{KEY_LEN, Key, KeyId};
use crate::config::StoreConfig;

/// The name of the first key's file in the data folder.
pub const KEY_FILE: &str = "secrets.key";

/// The name of the list of ids in the data folder.
pub(in crate::store) const IDS_FILE: &str = "secrets.ids";

/// The ending of a key from which others are derived.
const ROOT: &str = "-root";

/// Where the keys of an installation lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The data folder, which holds the list of ids.
    pub(super) data: PathBuf,
    /// The first key's file; the others lie beside it.
    pub(super) first: PathBuf,
}

impl KeyPlace {
    /// In the data folder.
    pub fn in_folder(data: &Path) -> Self {
        Self { data: data.to_owned(), first: data.join(KEY_FILE) }
    }

    /// Where the settings say (`store.key_file`); else where systemd laid a
    /// credential of the name `secrets.key`; else in the data folder.
    pub fn of(config: &StoreConfig, data: &Path) -> Self {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|folder| PathBuf::from(folder).join(KEY_FILE))
            .filter(|file| file.exists());
        match config.key_file.clone().or(credential) {
            Some(first) => Self { data: data.to_owned(), first },
            None => Self::in_folder(data),
        }
    }

    fn folder(&self) -> &Path {
        match self.first.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The file of a further key.
    pub(super) fn file_of(&self, number: u32, derives: bool) -> PathBuf {
        let mut name = self.first.as_os_str().to_owned();
        name.push(format!(".{number}{}", if derives { ROOT } else { "" }));
        name.into()
    }

    /// The name of a key's file.
    pub(super) fn name_of(&self, number: u32, derives: bool) -> String {
        let file = if number > 1 { self.file_of(number, derives) } else { self.first.clone() };
        file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// All keys that lie there, by number; the first is made if there is none.
    pub(super) fn read(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys = self.later()?;
        match read_key(&self.first) {
            Ok(bytes) => {
                keys.insert(0, Key::new(&bytes, 1, true, Some(self.first.clone()))?);
            }
            Err(StoreError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                // Retired, or lost: the list of ids tells.
                if keys.is_empty() {
                    self.make_first()?;
                    let bytes = read_key(&self.first)?;
                    keys.push(Key::new(&bytes, 1, true, Some(self.first.clone()))?);
                }
            }
            Err(error) => return Err(error),
        }
        keys.sort_by_key(|key| key.number);
        if let Some(pair) = keys.windows(2).find(|pair| pair[0].number == pair[1].number) {
            let number = pair[0].number;
            return Err(StoreError::Key(format!("there are two keys of the number {number}")));
        }
        Ok(keys)
    }

    fn make_first(&self) -> Result<(), StoreError> {
        if let Some(known) = self.known()?.first() {
            return Err(StoreError::Key(format!(
                "the key {known} is missing: put its file back as {}",
                self.first.display()
            )));
        }
        if self.first.parent() == Some(&*self.data) {
            std::fs::create_dir_all(&self.data)?;
        } else if self.data.join(KEY_FILE).exists() {
            return Err(StoreError::Key(format!(
                "{} is missing, and there is a key in {}: move that one there",
                self.first.display(),
                self.data.display()
            )));
        }
        make_key(&self.first)
    }

    /// The keys behind the first one.
    fn later(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys = Vec::new();
        let entries = match std::fs::read_dir(self.folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(keys),
            entries => entries?,
        };
        let first = self.first.file_name().unwrap_or_default().to_string_lossy();
        for entry in entries {
            let name = entry?.file_name();
            let Some(rest) =
                name.to_str().and_then(|name| name.strip_prefix(&*first)?.strip_prefix('.'))
            else {
                continue;
            };
            let derives = rest.ends_with(ROOT);
            let number = rest.strip_suffix(ROOT).unwrap_or(rest).parse::<u32>();
            let Some(number) = number.ok().filter(|number| *number > 1) else { continue };
            let file = self.file_of(number, derives);
            keys.push(Key::new(&read_key(&file)?, number, derives, Some(file))?);
        }
        Ok(keys)
    }

    /// The ids of all keys that sealed something.
    fn known(&self) -> Result<Vec<KeyId>, StoreError> {
        let path = self.data.join(IDS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let unsound =
            || StoreError::Key(format!("{} is no list of the ids of keys", path.display()));
        text.lines().map(|line| line.parse().map_err(|_| unsound())).collect()
    }

    /// Refuses when a key that sealed something is not among these, and takes
    /// note of those that are new.
    pub(super) fn check(&self, keys: &[Key]) -> Result<(), StoreError> {
        let known = self.known()?;
        let missing = known.iter().find(|id| keys.iter().all(|key| key.id != **id));
        if let Some(id) = missing {
            let here: Vec<String> = keys.iter().map(|key| key.id.to_string()).collect();
            return Err(StoreError::Key(format!(
                "secrets were sealed with the key {id}, which is not here (here: {}): put its file \
                 back beside {}",
                here.join(", "),
                self.first.display()
            )));
        }
        let all: Vec<KeyId> = keys.iter().map(|key| key.id).collect();
        if known == all { Ok(()) } else { self.write_known(&all) }
    }

    /// Makes the list durable, whole or not at all.
    pub(super) fn write_known(&self, ids: &[KeyId]) -> Result<(), StoreError> {
        std::fs::create_dir_all(&self.data)?;
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let draft = self.data.join("secrets.ids.new");
        let mut file = private(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, self.data.join(IDS_FILE))?;
        Ok(File::open(&self.data)?.sync_all()?)
    }
}

pub(super) fn read_key(path: &Path) -> Result<[u8; KEY_LEN], StoreError> {
    let mut text = Vec::new();
    File::open(path)?.take(1024).read_to_end(&mut text)?;
    text.as_slice().try_into().map_err(|_| {
        StoreError::Damaged(format!("{} is no key of {KEY_LEN} bytes", path.display()))
    })
}

/// Makes a key durable under its name before anything is sealed with it.
pub(super) fn make_key(path: &Path) -> Result<(), StoreError> {
    let mut key = [0; KEY_LEN];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| io::Error::other("the system has no random bytes to give"))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = private(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Linked rather than renamed: of two processes that start at once, one
    // key wins and both read it.
    match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    // Of two processes the other may have removed it.
    let _ = std::fs::remove_file(&draft);
    sync_folder(path)
}

/// Removes a key's file, durably.
pub(super) fn remove_key(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    sync_folder(path)
}

fn sync_folder(of: &Path) -> Result<(), StoreError> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
}

/// A new file that only its owner can read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
