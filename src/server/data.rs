//! The data folder.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::addresses::{Addresses, reachable};
use super::error::ServerError;
use crate::device::Secret;
use crate::gate::OnboardingAccount;
use crate::store::Vault;

/// The file that tells commands where a running server answers.
pub const NORTHBOUND_URL: &str = "northbound.url";

/// The file that tells where all doors of a running server listen.
pub const ADDRESSES: &str = "addresses.json";

/// The file that holds the credential of new devices.
pub const ONBOARDING: &str = "onboarding.txt";

/// A data folder that no other server uses.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    /// Locked as long as the server lives; the system lets go of it even after
    /// `kill -9`.
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if there is none, readable by its owner only, and locks
    /// it.
    pub(super) fn open(path: &Path) -> Result<Self, ServerError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| ServerError::Data { path, source }
        };
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed(path))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => Err(ServerError::InUse(path.to_owned())),
            Err(std::fs::TryLockError::Error(source)) => {
                Err(ServerError::Data { path: lock_path, source })
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The credential of new devices; made at first start, and then `true`.
    pub(super) fn onboarding(
        &self,
        vault: &Vault,
    ) -> Result<(OnboardingAccount, bool), ServerError> {
        let path = self.path.join(ONBOARDING);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok((read_account(&text, path)?, false)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let account = OnboardingAccount {
                    username: "provost".into(),
                    password: Secret::new(vault.random_hex(12)),
                };
                let text = format!(
                    "username={}\npassword={}\n",
                    account.username,
                    account.password.expose()
                );
                self.write(ONBOARDING, &text)?;
                Ok((account, true))
            }
            Err(source) => Err(ServerError::Data { path, source }),
        }
    }

    /// Tells commands where the server answers.
    pub(super) fn publish(&self, addresses: &Addresses) -> Result<(), ServerError> {
        if let Some(at) = addresses.northbound {
            self.write(NORTHBOUND_URL, &format!("http://{}\n", reachable(at)))?;
        }
        // Last: whoever waits for the server waits for this file.
        let json = serde_json::to_string(addresses).unwrap_or_default();
        self.write(ADDRESSES, &json)
    }

    /// Writes a small file that only the owner may read, whole or not at all.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), ServerError> {
        let path = self.path.join(name);
        let failed = |source| ServerError::Data { path: path.clone(), source };
        let draft = self.path.join(format!("{name}.new"));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&draft)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&draft, &path).map_err(failed)?;
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    /// Removes a small file; that there is none is no error.
    pub(super) fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.path.join(name));
    }
}

fn read_account(text: &str, path: PathBuf) -> Result<OnboardingAccount, ServerError> {
    let value = |key: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))
            .filter(|v| !v.is_empty())
    };
    match (value("username"), value("password")) {
        (Some(username), Some(password)) => {
            Ok(OnboardingAccount { username: username.into(), password: Secret::new(password) })
        }
        _ => Err(ServerError::Unusable {
            path,
            problem: "write it as two lines, username=… and password=…, or remove it to have a new one made",
        }),
    }
}
