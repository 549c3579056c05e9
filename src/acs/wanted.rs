//! What is given to a device that asks for a file (TR-069 §A.4.2.2).

use std::time::Duration;

use crate::cwmp::RequestDownload;
use crate::device::{Action, Device, DownloadFile, Task, TaskId, TaskState};
use crate::store::{FileRecord, Store, StoreError};
use crate::time::Timestamp;

/// Files looked at in one go.
const PAGE: usize = 500;

/// Files looked at in all.
const MAX_FILES: usize = 10_000;

/// Open tasks beyond which a device gets nothing more by its own asking.
const MAX_OPEN: usize = 64;

/// How long the device may take to fetch it.
const DEADLINE: Duration = Duration::from_secs(86_400);

/// The Download of the newest stored file that fits; `None` if there is none,
/// if it is already asked for, or if the device runs its version.
pub(super) async fn download_for(
    store: &dyn Store,
    device: &Device,
    wanted: &RequestDownload,
    now: Timestamp,
) -> Result<Option<Task>, StoreError> {
    let labels = store.labels(&device.id).await?.unwrap_or_default();
    let meant = |file: FileRecord| file.meant_for(&labels.tenant).filter(|file| fits(file, wanted));
    let best = newest_file(store, meant).await?;
    let runs = |file: &FileRecord| file.version.as_ref() == Some(&device.software_version);
    let Some(file) = best.filter(|file| !runs(file)) else { return Ok(None) };
    let open = store.open_tasks(&device.id).await?;
    let is_it =
        |task: &Task| matches!(&task.action, Action::Download(one) if one.sha256 == file.sha256);
    if open.len() >= MAX_OPEN || open.iter().any(is_it) {
        return Ok(None);
    }
    Ok(Some(Task {
        id: TaskId(uuid::Uuid::now_v7().as_u128()),
        device: device.id.clone(),
        revision: 1,
        action: Action::Download(DownloadFile {
            sha256: file.sha256,
            file_type: file.file_type,
            name: file.name,
            size: file.size,
            version: file.version,
        }),
        created_at: now,
        created_by: "the device".into(),
        expires_at: now.after(DEADLINE),
        state: TaskState::Queued,
        notes: Vec::new(),
        results: Vec::new(),
    }))
}

/// The stored file that was uploaded last among those that fit, as `fitting` takes
/// them.
pub(super) async fn newest_file(
    store: &dyn Store,
    fitting: impl Fn(FileRecord) -> Option<FileRecord>,
) -> Result<Option<FileRecord>, StoreError> {
    let mut best: Option<FileRecord> = None;
    let mut after: Option<Box<str>> = None;
    for _ in 0..MAX_FILES / PAGE {
        let page = store.files(after.as_deref(), PAGE).await?;
        let full = page.len() == PAGE;
        after = page.last().map(|file| file.sha256.clone());
        let fits = page.into_iter().filter_map(&fitting);
        best = best.into_iter().chain(fits).max_by_key(|file| file.uploaded_at);
        if !full {
            break;
        }
    }
    Ok(best)
}

/// Whether a file is of the type, and of the version and the name if the device
/// asked for these. Other arguments are the vendor's and do not count.
fn fits(file: &FileRecord, wanted: &RequestDownload) -> bool {
    *file.file_type == *wanted.file_type
        && wanted.arguments.iter().all(|(name, value)| match name.trim() {
            "Version" => file.version.as_deref() == Some(value.trim()),
            "FileName" | "Name" => *file.name == *value.trim(),
            _ => true,
        })
}
