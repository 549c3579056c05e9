//! Files in memory and on disk, for doors to stand before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use provost::device::Secret;
use provost::files::{Ask, Content, Found, Login, NotFound, Source, Ticket};
use provost::phone::Ended;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::lab::PATIENCE;

/// Serves what it was given, and tells how each fetch ended.
pub(super) struct Shelf {
    folder: tempfile::TempDir,
    files: BTreeMap<String, Stored>,
    /// Asked for under `/locked/`.
    login: Login,
    told: UnboundedSender<(String, Ended)>,
    /// The names that were asked for.
    asked: Mutex<Vec<String>>,
}

enum Stored {
    Bytes(Bytes),
    File(PathBuf),
}

/// How fetches ended, in their order.
pub(super) struct Log(UnboundedReceiver<(String, Ended)>);

impl Log {
    pub(super) async fn next(&mut self) -> (String, Ended) {
        tokio::time::timeout(PATIENCE, self.0.recv()).await.unwrap().unwrap()
    }
}

/// Bytes that no two offsets share, of any length.
pub(super) fn pattern(length: usize) -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take(length).collect()
}

impl Shelf {
    pub(super) fn with(files: &[(&str, &[u8])]) -> (Arc<Self>, Log) {
        let (told, log) = unbounded_channel();
        let mut shelf = Self {
            folder: tempfile::tempdir().unwrap(),
            files: BTreeMap::new(),
            login: Login { user: "phone".into(), password: Secret::new("pa:ss word") },
            told,
            asked: Mutex::default(),
        };
        for (name, bytes) in files {
            // Large ones lie on disk, as firmware does.
            let stored = if bytes.len() > 64 << 10 {
                let path = shelf.folder.path().join(name.replace('/', "_"));
                std::fs::write(&path, bytes).unwrap();
                Stored::File(path)
            } else {
                Stored::Bytes(Bytes::copy_from_slice(bytes))
            };
            shelf.files.insert((*name).to_owned(), stored);
        }
        (Arc::new(shelf), Log(log))
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Source for Shelf {
    async fn logins(&self, ask: &Ask<'_>) -> Result<Vec<Login>, NotFound> {
        let locked = ask.path.trim_start_matches('/').starts_with("locked/");
        Ok(if locked { vec![self.login.clone()] } else { Vec::new() })
    }

    async fn open(&self, ask: &Ask<'_>) -> Result<Found, NotFound> {
        let name = ask.path.trim_start_matches('/');
        self.asked.lock().unwrap().push(name.to_owned());
        let content = match self.files.get(name).ok_or(NotFound::Nowhere)? {
            Stored::Bytes(bytes) => Content::Bytes(bytes.clone()),
            Stored::File(path) => {
                let file = tokio::fs::File::open(path).await.unwrap();
                let size = file.metadata().await.unwrap().len();
                Content::File(file, size)
            }
        };
        Ok(Found {
            name: name.into(),
            content,
            media: "text/plain",
            tag: "\"1\"".into(),
            ticket: Ticket(Some(Box::new(name.to_owned()))),
        })
    }

    async fn ended(&self, ticket: Ticket, ended: Ended) {
        let name = ticket.0.unwrap().downcast::<String>().unwrap();
        let _ = self.told.send((*name, ended));
    }
}
