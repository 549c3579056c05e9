//! Where a device fetches the file that a Download names, and where it sends the
//! one that an Upload asks for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::driver::Caller;
use crate::device::{Action, DeviceId, ProvisionedFile, Secret, Task, TaskState};
use crate::files::Links;
use crate::phone::Phone;
use crate::plan::DownloadLink;
use crate::store::{Store, StoreError, phone_of};
use crate::time::Timestamp;

/// Finds the folder, with its token and ending with `/`, in which a phone that is
/// provisioned by file has its files; `None` if there is no door for phones.
pub type FolderOf = dyn Fn(&Phone) -> Option<String> + Send + Sync;

/// Where phones that are provisioned by file have their files.
#[derive(Clone)]
pub struct PhoneFolders(pub Arc<FolderOf>);

impl std::fmt::Debug for PhoneFolders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneFolders")
    }
}

/// How devices reach the files that a Download names, and send those that an
/// Upload asks for.
#[derive(Clone, Debug)]
pub struct FileLinks {
    /// Makes the signed part.
    pub links: Arc<Links>,
    /// The base URL that the operator configured, if any.
    pub public_url: Option<String>,
    /// The port of the file door over plain HTTP, when there is one.
    pub port: Option<u16>,
    /// How long a link is good for.
    pub lifetime: Duration,
    /// Where phones have their own files.
    pub phones: PhoneFolders,
}

/// Where the file of a transfer's task can be fetched, or where it is to be
/// sent; `None` for other tasks, if there is no door for files, or if the file
/// is no longer stored.
pub(super) async fn link_for(
    store: &dyn Store,
    files: &FileLinks,
    caller: &Caller,
    task: &Task,
    now: Timestamp,
) -> Result<Option<DownloadLink>, StoreError> {
    if task.state != TaskState::Queued {
        return Ok(None);
    }
    // Good until the transfer can begin, and as long after it as any other.
    let begins = match &task.action {
        Action::ScheduleDownload(_, windows) => windows.iter().map(|one| one.end).max(),
        Action::Upload(wish) => Some(wish.delay_seconds),
        _ => None,
    };
    let expires = now.after(files.lifetime + Duration::from_secs(begins.unwrap_or(0).into()));
    let link = match &task.action {
        Action::Provision(file) => return phone_link(store, files, file, &task.device).await,
        Action::Download(file) | Action::ScheduleDownload(file, _) => {
            if store.file(&file.sha256).await?.is_none() {
                return Ok(None);
            }
            files.links.make(&file.sha256, &file.name, expires)
        }
        Action::Upload(wish) => files.links.make_upload(task.id, &wish.file_type, expires),
        _ => return Ok(None),
    };
    let (Some(link), Some(base)) = (link, base_for(files, caller)) else { return Ok(None) };
    Ok(Some(DownloadLink {
        url: format!("{base}{}", link.path).into(),
        username: link.username.into(),
        password: link.password,
    }))
}

/// Where the caller reaches the file door, without a slash at the end.
fn base_for(files: &FileLinks, caller: &Caller) -> Option<String> {
    match (&files.public_url, files.port, &caller.host) {
        (Some(url), _, _) => Some(url.trim_end_matches('/').to_owned()),
        (None, Some(port), Some(host)) => Some(format!("http://{host}:{port}")),
        (None, Some(port), None) => {
            Some(format!("http://{}", SocketAddr::new(caller.local.ip(), port)))
        }
        (None, None, _) => None,
    }
}

/// Where a phone's own file can be fetched. Its token stands in the URL, so that
/// no login is needed: it is told to nobody but the phone itself, which may have
/// become another tenant's since it was asked.
async fn phone_link(
    store: &dyn Store,
    files: &FileLinks,
    file: &ProvisionedFile,
    device: &DeviceId,
) -> Result<Option<DownloadLink>, StoreError> {
    let Some(device) = store.device(device).await? else { return Ok(None) };
    let labels = store.labels(&device.id).await?.unwrap_or_default();
    let phone = phone_of(store, &device, &labels).await?;
    let phone = phone.filter(|phone| phone.enabled && phone.mac.bytes() == file.mac);
    let folder = phone.and_then(|phone| (files.phones.0)(&phone));
    Ok(folder.filter(|folder| !folder.is_empty()).map(|folder| DownloadLink {
        url: format!("{folder}{}", file.name).into(),
        username: "".into(),
        password: Secret::new(""),
    }))
}
