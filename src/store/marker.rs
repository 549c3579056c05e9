//! The marker beside the index: whether what it holds can be believed.
//!
//! After a clean close the index was synced and is good on any boot. Without
//! one it is good while the machine has not been started anew, since what a
//! killed process wrote is still with the operating system.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;
use super::disk::Disk;

const MAGIC: [u8; 8] = *b"ProvMrk1";

/// What the marker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Whether the index was synced and closed.
    pub(super) clean: bool,
    /// The boot of the machine in which the index was last written.
    pub(super) boot: String,
    /// A batch that was acknowledged: at a clean close the last one, else the
    /// last one before the start. A journal and an index that both end before it
    /// have lost data.
    pub(super) applied: u64,
}

impl Marker {
    /// Where it lies.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join("index.marker")
    }

    /// Reads it; `None` if there is none or it is unsound.
    pub(super) fn read(disk: &dyn Disk, folder: &Path) -> Option<Self> {
        let bytes = disk.read(&Self::path(folder)).ok()?;
        postcard::from_bytes(unwrap_checked(&MAGIC, &bytes)?).ok()
    }

    /// Writes it durably.
    pub(super) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), StoreError> {
        let body = postcard::to_stdvec(self)
            .map_err(|_| StoreError::TooLarge("the index's marker".to_owned()))?;
        write_checked(disk, &Self::path(folder), &MAGIC, &body)
    }

    /// Says that the index is being made: good in no boot.
    pub(super) const fn unfinished(applied: u64) -> Self {
        Self { clean: false, boot: String::new(), applied }
    }

    /// Whether the index was being made when the process ended.
    pub(super) const fn is_unfinished(&self) -> bool {
        !self.clean && self.boot.is_empty()
    }
}

/// Writes a small file durably and whole: a magic, a checksum, the body.
pub(super) fn write_checked(
    disk: &dyn Disk,
    path: &Path,
    magic: &[u8; 8],
    body: &[u8],
) -> Result<(), StoreError> {
    let mut bytes = magic.to_vec();
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    bytes.extend_from_slice(body);
    let new = path.with_extension("new");
    let mut file = disk.create(&new)?;
    file.write_at(&bytes, 0)?;
    file.sync()?;
    drop(file);
    disk.rename(&new, path)?;
    Ok(())
}

/// The body of what [`write_checked`] wrote; `None` if it is unsound.
pub(super) fn unwrap_checked<'a>(magic: &[u8; 8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, body) = bytes.strip_prefix(magic)?.split_first_chunk()?;
    (u32::from_le_bytes(*sum) == crc32fast::hash(body)).then_some(body)
}
