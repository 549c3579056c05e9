//! What a session finds changed on a device, and who changed it.

use std::collections::BTreeMap;

use crate::config::{HistoryConfig, Live};
use crate::cwmp::AcsRequest;
use crate::device::{Cause, ChangeSet, Device, MAX_CHANGES, TaskId, ValueChange};
use crate::param::{Change, ParamPath, Tree, is_match};
use crate::schema::{Access, Schema};
use crate::store::{Batch, Change as StoreChange, Record, Store, StoreError};
use crate::time::Timestamp;

/// The most characters of a value that are kept.
const MAX_TEXT: usize = 1_024;

/// The most parameters of which it is remembered who wrote them.
const MAX_WRITTEN: usize = 10_000;

/// What stands in place of a secret.
const MASK: &str = "***";

/// Which values are worth remembering.
#[derive(Clone, Debug)]
pub(super) struct Interest(Live<HistoryConfig>);

impl Interest {
    pub(super) const fn new(config: Live<HistoryConfig>) -> Self {
        Self(config)
    }

    /// Whether a change is one of configuration, or of something that an
    /// operator watches.
    fn takes(&self, change: &Change) -> bool {
        let name = change.path.as_str();
        if self.0.ignore.iter().any(|leaf| **leaf == *change.path.leaf()) {
            return false;
        }
        let by_model =
            || Schema::core().fact(name).is_some_and(|fact| fact.access == Access::ReadWrite);
        change.path.is_object()
            || change.writable.unwrap_or_else(by_model)
            || self.0.watch.iter().any(|watched| is_match(watched, name))
    }
}

/// What was written in a session, and by whom.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// By parameter, row or table; `None` for what the server did of itself.
    by: BTreeMap<ParamPath, Option<TaskId>>,
    /// Secrets that are on their way.
    secrets: Vec<ParamPath>,
    /// Secrets that the device took.
    taken: Vec<ParamPath>,
}

impl Writes {
    /// A request leaves for the device.
    pub(super) fn asked(&mut self, request: &AcsRequest, task: Option<TaskId>) {
        self.secrets.clear();
        let mut note = |path: &ParamPath| {
            if self.by.len() < MAX_WRITTEN {
                self.by.insert(path.clone(), task);
            }
        };
        match request {
            AcsRequest::SetParameterValues(set) => {
                for value in &set.values {
                    note(&value.name);
                    if Schema::core().is_secret(&value.name) {
                        self.secrets.push(value.name.clone());
                    }
                }
            }
            AcsRequest::AddObject(add) => note(&add.table),
            AcsRequest::DeleteObject(delete) => note(&delete.instance),
            _ => {}
        }
    }

    /// The device answered the last request.
    pub(super) fn answered(&mut self, taken: bool) {
        let secrets = std::mem::take(&mut self.secrets);
        if taken {
            self.taken.extend(secrets);
        }
    }

    /// Whether the device took a secret that is still to be told.
    pub(super) const fn took_secrets(&self) -> bool {
        !self.taken.is_empty()
    }

    /// The task that wrote a parameter, made or deleted a row, or did so to the
    /// row in which the parameter stands; `None` if none did.
    fn author(&self, path: &ParamPath) -> Option<Option<TaskId>> {
        if let Some(task) = self.by.get(path) {
            return Some(*task);
        }
        let text = path.as_str();
        let mut end = text.len();
        // Tables and rows above it, the nearest first.
        while let Some(dot) = text.get(..end).and_then(|head| head.rfind('.')) {
            if let Some(task) = text.get(..=dot).and_then(|above| self.by.get(above)) {
                return Some(*task);
            }
            end = dot;
        }
        None
    }
}

/// What else may have changed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// Nothing that is known.
    Ordinary,
    /// `0 BOOTSTRAP`.
    Bootstrap,
    /// Another firmware runs.
    Firmware,
}

impl Occasion {
    /// Of a session that begins with this Inform; `before` is the firmware that
    /// ran before, of a device that is known.
    pub(super) fn of(before: Option<&str>, device: &Device, bootstrap: bool) -> Self {
        match before {
            Some(_) if bootstrap => Self::Bootstrap,
            Some(before) if *before != *device.software_version => Self::Firmware,
            _ => Self::Ordinary,
        }
    }

    fn cause(self) -> Cause {
        match self {
            Self::Ordinary => Cause::Device,
            Self::Bootstrap => Cause::Bootstrap,
            Self::Firmware => Cause::Firmware,
        }
    }
}

/// What a tree knows otherwise than before, as far as it is worth remembering;
/// `None` if nothing is. Who asked for the tasks is still to be filled in.
pub(super) fn found(
    device: &Device,
    tree: &mut Tree,
    writes: &mut Writes,
    interest: &Interest,
    occasion: Occasion,
    now: Timestamp,
) -> Option<ChangeSet> {
    let secrets = std::mem::take(&mut writes.taken);
    let cause = |path: &ParamPath| match writes.author(path) {
        Some(Some(task)) => Cause::Task(task, "".into()),
        Some(None) => Cause::Server,
        None => occasion.cause(),
    };
    let mut changes: Vec<ValueChange> = tree
        .take_news()
        .into_iter()
        .filter(|change| interest.takes(change))
        .take(MAX_CHANGES)
        .map(|change| {
            let is_secret = Schema::core().is_secret(&change.path);
            let shown = |text: Option<Box<str>>| text.map(|text| shown(&text, is_secret));
            ValueChange {
                cause: cause(&change.path),
                path: change.path.as_str().into(),
                before: shown(change.before),
                after: shown(change.after),
            }
        })
        .collect();
    // That it was written is all that is known of a secret.
    for path in secrets {
        if changes.len() < MAX_CHANGES {
            changes.push(ValueChange {
                cause: cause(&path),
                path: path.as_str().into(),
                before: Some(MASK.into()),
                after: Some(MASK.into()),
            });
        }
    }
    (!changes.is_empty()).then(|| ChangeSet { device: device.id.clone(), at: now, changes })
}

/// Fills in who asked for the tasks that changed something. Those that end with
/// this very commit stand in the batch.
///
/// # Errors
/// [`StoreError`] when a task cannot be read.
pub(super) async fn name_authors(
    set: &mut ChangeSet,
    batch: &Batch,
    store: &dyn Store,
) -> Result<(), StoreError> {
    let mut known: BTreeMap<TaskId, Box<str>> = BTreeMap::new();
    for change in batch.changes() {
        if let StoreChange::Put(Record::Task(task)) = change {
            known.insert(task.id, task.created_by.clone());
        }
    }
    for change in &mut set.changes {
        let Cause::Task(id, by) = &mut change.cause else { continue };
        if !by.is_empty() {
            continue;
        }
        if !known.contains_key(id) {
            let author = store.task(*id).await?.map(|task| task.created_by);
            known.insert(*id, author.unwrap_or_default());
        }
        if let Some(author) = known.get(id) {
            by.clone_from(author);
        }
    }
    Ok(())
}

fn shown(text: &str, is_secret: bool) -> Box<str> {
    match is_secret && !text.is_empty() {
        true => MASK.into(),
        false => text.chars().take(MAX_TEXT).collect(),
    }
}
