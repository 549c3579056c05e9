//! Where a device fetches the file that a Download names.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::driver::Caller;
use crate::device::{Action, Task, TaskState};
use crate::files::Links;
use crate::plan::DownloadLink;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// How devices reach the files that a Download names.
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
}

/// Where the file of a Download task can be fetched; `None` for other tasks, or
/// if it is no longer stored.
pub(super) async fn link_for(
    store: &dyn Store,
    files: &FileLinks,
    caller: &Caller,
    task: &Task,
    now: Timestamp,
) -> Result<Option<DownloadLink>, StoreError> {
    let (Action::Download(file), TaskState::Queued) = (&task.action, &task.state) else {
        return Ok(None);
    };
    if store.file(&file.sha256).await?.is_none() {
        return Ok(None);
    }
    let base = match (&files.public_url, files.port) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(port)) => match &caller.host {
            Some(host) => format!("http://{host}:{port}"),
            None => format!("http://{}", SocketAddr::new(caller.local.ip(), port)),
        },
        (None, None) => return Ok(None),
    };
    let Some(link) = files.links.make(&file.sha256, &file.name, now.after(files.lifetime)) else {
        return Ok(None);
    };
    Ok(Some(DownloadLink {
        url: format!("{base}{}", link.path).into(),
        username: link.username.into(),
        password: link.password,
    }))
}
