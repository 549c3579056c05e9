//! Making the indexes of a store that has none yet, and filling the order of the
//! last Informs after a start: in the background, while the store serves.
//!
//! Entries are written by the committer alone, through its queue, so that none is
//! made of a record that was changed or forgotten meanwhile. Work that was cut off
//! begins anew with the next start and passes over what is done.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::index::{Index, behind, end_of};
use super::informed::front_of;
use super::record;
use super::step::{Prepared, Step, head_of};
use super::terms::{self, Source};
use super::writer::{Queue, Request, Shared};
use super::{StoreError, keys, tree};
use crate::device::{Device, DeviceId, Labels};
use crate::term::{self, FORM, Term};

/// Keys that are read at once.
const CHUNK: usize = 1024;

/// Steps of one commit.
const STEPS: usize = 64;

/// The pause before a commit that was refused is tried again: as long may the wish
/// to end have to wait.
const PAUSE: Duration = Duration::from_millis(200);

/// How far the indexes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexing {
    /// Every record has its entries: searches can believe the indexes.
    pub terms: bool,
    /// The order of the last Informs knows all devices.
    pub informs: bool,
    /// Records that were looked at to get there.
    pub looked: u64,
    /// There was no record when the store was opened.
    pub(super) began_empty: bool,
}

impl Indexing {
    /// Whether nothing is left to do.
    pub const fn is_complete(&self) -> bool {
        self.terms && self.informs
    }

    /// Of a store that holds nothing.
    pub(super) const fn of_nothing() -> Self {
        Self { terms: true, informs: true, looked: 0, began_empty: true }
    }

    /// Of a store as it is found.
    pub(super) fn found<I: Index>(index: &I) -> Result<Self, StoreError> {
        let is_marked = index.get(keys::INDEXES)?.is_some_and(|form| form.as_ref() == [FORM]);
        let mut is_empty = !is_marked;
        for kind in [b"d/", b"l/", b"p/"] {
            index.scan(kind, end_of(kind).as_deref(), &mut |_, _| {
                is_empty = false;
                ControlFlow::Break(())
            })?;
        }
        if is_empty {
            return Ok(Self::of_nothing());
        }
        Ok(Self { terms: is_marked, ..Self::default() })
    }
}

/// What makes the indexes.
pub(super) struct Indexer<I> {
    pub(super) shared: Arc<Shared<I>>,
    pub(super) queue: Arc<Queue>,
    pub(super) stop: Arc<AtomicBool>,
}

/// Why it ends before it is done.
enum End {
    Stopped,
    Failed(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Closed) { Self::Stopped } else { Self::Failed(error) }
    }
}

impl<I: Index> Indexer<I> {
    /// Does what is to be done.
    pub(super) fn run(self) {
        if let Err(End::Failed(error)) = self.work() {
            tracing::error!(%error, "the indexes could not be made; searches look at every device");
        }
    }

    fn work(&self) -> Result<(), End> {
        let found = *self.shared.indexing.borrow();
        if !found.informs {
            self.read_informs()?;
        }
        if !found.terms {
            tracing::info!("the indexes are being made; until then searches look at every device");
            self.remove_old_form()?;
            self.index_devices()?;
            for source in Source::ALL {
                self.index_terms(source)?;
            }
            let mark = Step::Small { key: keys::INDEXES.to_vec(), value: vec![FORM] };
            self.commit(vec![mark])?;
            self.shared.indexing.send_modify(|indexing| indexing.terms = true);
            let looked = self.shared.indexing.borrow().looked;
            tracing::info!(records = looked, "the indexes are made");
        }
        Ok(())
    }

    fn is_stopped(&self) -> Result<(), End> {
        if self.stop.load(Ordering::Acquire) { Err(End::Stopped) } else { Ok(()) }
    }

    /// Goes through all records of a kind; what `take` makes of each is given to
    /// `give` outside of the scan.
    fn walk<T>(
        &self,
        kind: &[u8],
        take: impl Fn(&[u8], &[u8]) -> Option<T>,
        mut give: impl FnMut(Vec<T>) -> Result<(), End>,
    ) -> Result<(), End> {
        let end = end_of(kind);
        let mut from = kind.to_vec();
        loop {
            self.is_stopped()?;
            let (mut looked, mut taken, mut last) = (0, Vec::new(), None);
            self.shared.index.scan(&from, end.as_deref(), &mut |key, value| {
                looked += 1;
                taken.extend(take(key, value));
                if looked < CHUNK {
                    return ControlFlow::Continue(());
                }
                last = Some(key.to_vec());
                ControlFlow::Break(())
            })?;
            give(taken)?;
            self.shared.indexing.send_modify(|indexing| indexing.looked += looked as u64);
            let Some(last) = last else { return Ok(()) };
            from = behind(&last);
        }
    }

    fn read_informs(&self) -> Result<(), End> {
        self.walk(
            b"d/",
            |_, value| front_of(value),
            |read| {
                let mut informed =
                    self.shared.informed.write().unwrap_or_else(PoisonError::into_inner);
                informed.fill(read);
                Ok(())
            },
        )?;
        self.shared.informed.write().unwrap_or_else(PoisonError::into_inner).is_filled();
        self.shared.indexing.send_modify(|indexing| indexing.informs = true);
        Ok(())
    }

    /// Takes away what was written in another form, if there is any.
    fn remove_old_form(&self) -> Result<(), End> {
        for kind in [b"I/", b"F/"] {
            self.walk(
                kind,
                |key, _| keys::is_of_old_form(key).then(|| key.to_vec()),
                |keys| self.commit(keys.into_iter().map(|key| Step::Forget(vec![key])).collect()),
            )?;
        }
        Ok(())
    }

    fn index_devices(&self) -> Result<(), End> {
        self.walk(
            b"d/",
            |_, value| {
                let device: Device = record::decode_plain(value).ok()?;
                let print = term::print_of_device(&device);
                (head_of(value).revision != print).then_some(device.id)
            },
            |devices| self.commit(devices.into_iter().map(Step::IndexDevice).collect()),
        )
    }

    fn index_terms(&self, source: Source) -> Result<(), End> {
        self.walk(
            &[source.letter(), b'/'],
            |key, _| keys::device_of(key),
            |devices| {
                let mut steps = Vec::new();
                for device in devices {
                    self.is_stopped()?;
                    let known = keys::terms(&device, source.letter());
                    if self.shared.index.get(&known)?.is_some() {
                        continue;
                    }
                    let terms = terms::encode(&self.terms_of(&device, source)?);
                    if !terms.is_empty() {
                        steps.push(Step::IndexTerms { device, source, terms });
                    }
                }
                self.commit(steps)
            },
        )
    }

    /// The terms of a record as it is now. One that cannot be read has none: to
    /// tell of it is the business of whoever needs it.
    fn terms_of(&self, device: &DeviceId, source: Source) -> Result<Vec<Term>, End> {
        let key = keys::of_device(source.letter(), device);
        let Some(bytes) = self.shared.read(&key)? else { return Ok(Vec::new()) };
        Ok(match source {
            Source::Labels => record::decode::<Labels>(bytes.as_ref(), &self.shared.vault)
                .map(|labels| term::of_labels(&labels))
                .unwrap_or_default(),
            Source::Tree => tree::decode(bytes.as_ref(), &self.shared.names, &self.shared.vault)
                .map(|tree| term::of_tree(&tree))
                .unwrap_or_default(),
        })
    }

    /// Has steps done by the committer, and waits; again if the disk refuses.
    fn commit(&self, steps: Vec<Step>) -> Result<(), End> {
        for part in steps.chunks(STEPS) {
            loop {
                self.is_stopped()?;
                let prepared = Prepared { steps: part.to_vec(), ..Prepared::default() };
                let (answer, answered) = oneshot::channel();
                self.queue.push(Request::Commit(prepared, answer))?;
                match answered.blocking_recv().unwrap_or(Err(StoreError::Closed)) {
                    Ok(()) => break,
                    Err(StoreError::ReadOnly(_)) => std::thread::sleep(PAUSE),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::frame::Op;
    use super::super::sled::SledIndex;
    use super::super::snapshot::Folders;
    use super::super::{Batch, Record, open};
    use super::*;
    use crate::config::StoreConfig;
    use crate::device::DeviceIdentity;
    use crate::param::{Param, ParamPath, Tree, Value};
    use crate::time::Timestamp;

    type Entries = Vec<(Vec<u8>, Vec<u8>)>;

    fn device(n: u32) -> Device {
        let identity = DeviceIdentity::new("Acme", "00D09E", "HG", &format!("{n:06}")).unwrap();
        let at = Timestamp::from_millis(n.into());
        Device {
            root: "Device.".into(),
            address: Some([192, 0, 2, 1].into()),
            software_version: "1".into(),
            ..Device::new(identity, at)
        }
    }

    async fn filled(folder: &Path, devices: u32) {
        let store = open(&StoreConfig::default(), folder).await.unwrap();
        for n in 0..devices {
            let device = device(n);
            let mut batch = Batch::new();
            if n % 2 == 0 {
                let tags = ["gold".into(), format!("tag{n}").into()].into();
                let labels = Labels { revision: 1, tags, ..Labels::default() };
                batch.put(Record::Labels(device.id.clone(), labels));
            }
            if n % 3 == 0 {
                let path = ParamPath::parse("Device.PPP.Interface.1.Username").unwrap();
                let value = Some(Value::string(format!("user{n}")));
                let param = Param { value, writable: None, read_at: Timestamp::from_millis(1) };
                let tree = Tree::from_entries([(path, param)]);
                batch.put(Record::Tree(device.id.clone(), Arc::new(tree)));
            }
            batch.put(Record::Device(Box::new(device)));
            store.commit(batch).await.unwrap();
        }
        store.close().await.unwrap();
    }

    fn index_of(folder: &Path) -> SledIndex {
        SledIndex::open(&Folders::of(folder).store.join("sled"), 1 << 20).unwrap()
    }

    fn entries(index: &SledIndex, kinds: &[&[u8]]) -> Entries {
        let mut found = Vec::new();
        for kind in kinds {
            index
                .scan(kind, end_of(kind).as_deref(), &mut |key, value| {
                    found.push((key.to_vec(), value.to_vec()));
                    ControlFlow::Continue(())
                })
                .unwrap();
        }
        found
    }

    /// What has to do with the indexes of a store that is closed.
    fn all_of(folder: &Path) -> Entries {
        let index = index_of(folder);
        let found = entries(&index, &[b"I/", b"F/", b"d/", keys::INDEXES]);
        index.close();
        found
    }

    /// Takes the indexes away, as if they had never been, or puts those of another
    /// form in their place.
    fn strip(folder: &Path, form: Option<u8>) {
        let index = index_of(folder);
        let gone = entries(&index, &[b"I/", b"F/", keys::INDEXES]);
        let mut hot = entries(&index, &[b"d/"]);
        for (_, value) in &mut hot {
            value[4..8].copy_from_slice(&u32::from(form.unwrap_or(0)).to_le_bytes());
        }
        let mut others: Entries = Vec::new();
        if let Some(form) = form {
            others.push((keys::INDEXES.to_vec(), vec![form]));
            for (mut key, value) in gone.iter().filter(|(key, _)| key != keys::INDEXES).cloned() {
                let at = if key.starts_with(b"I/") { 2 } else { key.len() - 2 };
                key[at] = form;
                others.push((key, value));
            }
        }
        let removed = gone.iter().map(|(key, _)| Op::Remove(key));
        let written = hot.iter().chain(&others).map(|(key, value)| Op::Set(key, value));
        let applied = index.applied().unwrap().unwrap();
        index.apply(&mut removed.chain(written), applied).unwrap();
        index.sync().unwrap();
        index.close();
    }

    async fn indexed_again(folder: &Path) -> Entries {
        let store = open(&StoreConfig::default(), folder).await.unwrap();
        store.indexes().indexed().await;
        assert!(store.indexes().indexing().is_complete());
        assert_eq!(store.health().indexing, None);
        store.close().await.unwrap();
        all_of(folder)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_store_from_before_is_indexed_as_if_it_had_always_been() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 150).await;
        let expected = all_of(folder.path());
        assert!(expected.len() > 150 * 6);
        for form in [None, Some(FORM + 1)] {
            strip(folder.path(), form);
            assert_ne!(all_of(folder.path()), expected);
            assert_eq!(indexed_again(folder.path()).await, expected, "{form:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_cut_off_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 150).await;
        let expected = all_of(folder.path());
        strip(folder.path(), None);
        for _ in 0..3 {
            // Ends at once, wherever the work stands.
            let store = open(&StoreConfig::default(), folder.path()).await.unwrap();
            store.close().await.unwrap();
        }
        assert_eq!(indexed_again(folder.path()).await, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_changed_meanwhile_is_indexed_as_it_became() {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path(), 150).await;
        strip(folder.path(), None);
        let store = open(&StoreConfig::default(), folder.path()).await.unwrap();
        for n in 0..150 {
            let mut device = device(n);
            match n % 4 {
                0 => device.software_version = "2".into(),
                1 => device.last_inform = Timestamp::from_millis(9_999),
                2 => {
                    let mut batch = Batch::new();
                    batch.push(super::super::Change::ForgetDevice(device.id));
                    store.commit(batch).await.unwrap();
                    continue;
                }
                _ => continue,
            }
            store.commit(Record::Device(Box::new(device)).into()).await.unwrap();
        }
        store.indexes().indexed().await;
        let indexes = store.indexes();
        let count = |index, text: &str| {
            let term = Term::new(index, text);
            async move { indexes.count(&term, 999).await.unwrap() }
        };
        assert_eq!(count(term::Index::Version, "2").await, 38);
        assert_eq!(count(term::Index::Version, "1").await, 150 - 38 - 37);
        assert_eq!(count(term::Index::Model, "hg").await, 150 - 37);
        assert_eq!(count(term::Index::Tag, "gold").await, 38, "a quarter is forgotten");
        let at = Timestamp::from_millis(9_999);
        assert_eq!(indexes.informed_before(at, 999).unwrap().len(), 150 - 37 - 38);
        store.close().await.unwrap();
    }
}
