//! Traces: the messages of a device, recorded for a while, with their secrets
//! masked.
//!
//! A trace is asked for by an operator, for a number of minutes. As long as no
//! device is traced, the device's door pays one relaxed load a message. What is
//! recorded was masked before ([`crate::cwmp::mask`]); HTTP headers are never
//! recorded. Entries are bounded by the store, and are gone when the trace is
//! stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::warn;

use crate::class::Class;
use crate::cwmp::mask::{Masked, Reach, mask};
use crate::cwmp::{ReadLimits, Side, read, story};
use crate::device::{DeviceId, TraceDirection, TraceEntry};
use crate::param::ParamPath;
use crate::schema::Schema;
use crate::store::{Batch, Change, Record, Store, StoreError};
use crate::time::Timestamp;

/// Devices that are traced at once, at most.
pub const MAX_TRACED: usize = 20;

/// The longest time that one asking turns a trace on for, in minutes.
pub const MAX_MINUTES: u32 = 24 * 60;

/// The setting that keeps what is on over a restart.
const SETTING: &str = "traces";

/// Why a trace is not begun.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// [`MAX_TRACED`] devices are traced already.
    #[error("{MAX_TRACED} devices are traced already; stop one of them first")]
    TooMany,
    /// The time is none, or more than [`MAX_MINUTES`].
    #[error("a trace runs for 1 to {MAX_MINUTES} minutes")]
    Minutes,
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl TraceError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> Class {
        match self {
            Self::TooMany => Class::Conflict,
            Self::Minutes => Class::Invalid,
            Self::Store(error) => error.class(),
        }
    }
}

/// One message as it crossed the wire.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who sent it.
    pub direction: TraceDirection,
    /// When.
    pub at: Timestamp,
    /// The body, with its content coding undone.
    pub body: &'a [u8],
    /// The charset of the Content-Type.
    pub charset: Option<&'a str>,
}

/// Which devices are traced, and until when.
pub struct Traces {
    store: Arc<dyn Store>,
    any: AtomicBool,
    until: Mutex<BTreeMap<DeviceId, Timestamp>>,
    /// Held for reading while entries are written, so that none comes after the
    /// end of its trace.
    changing: tokio::sync::RwLock<()>,
}

impl Traces {
    /// What was on when the server stopped is on again.
    ///
    /// # Errors
    /// [`StoreError`] when that cannot be read.
    pub async fn open(store: Arc<dyn Store>) -> Result<Arc<Self>, StoreError> {
        let kept = store.setting(SETTING).await?;
        // What cannot be read is no reason not to start: then nothing is traced.
        let until: BTreeMap<DeviceId, Timestamp> =
            kept.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default();
        Ok(Self::with(store, until))
    }

    /// Nothing is on, whatever was on before.
    pub fn off(store: Arc<dyn Store>) -> Arc<Self> {
        Self::with(store, BTreeMap::new())
    }

    fn with(store: Arc<dyn Store>, until: BTreeMap<DeviceId, Timestamp>) -> Arc<Self> {
        Arc::new(Self {
            store,
            any: AtomicBool::new(!until.is_empty()),
            until: Mutex::new(until),
            changing: tokio::sync::RwLock::default(),
        })
    }

    /// Whether a device is traced.
    pub fn is_on(&self, id: &DeviceId, now: Timestamp) -> bool {
        self.any.load(Ordering::Relaxed) && self.until(id, now).is_some()
    }

    /// Until when a device is traced; `None` if it is not.
    pub fn until(&self, id: &DeviceId, now: Timestamp) -> Option<Timestamp> {
        self.lock().get(id).copied().filter(|until| *until > now)
    }

    /// Traces a device from now on for so many minutes, in place of the time
    /// that it was traced for before. Returns until when.
    ///
    /// # Errors
    /// [`TraceError`]; then all is as before.
    pub async fn start(
        &self,
        id: &DeviceId,
        minutes: u32,
        now: Timestamp,
    ) -> Result<Timestamp, TraceError> {
        if minutes == 0 || minutes > MAX_MINUTES {
            return Err(TraceError::Minutes);
        }
        let _changing = self.changing.write().await;
        let mut until = self.lock().clone();
        until.retain(|_, until| *until > now);
        let end = now.after(Duration::from_secs(u64::from(minutes) * 60));
        until.insert(id.clone(), end);
        if until.len() > MAX_TRACED {
            return Err(TraceError::TooMany);
        }
        self.keep(until, Batch::new()).await?;
        Ok(end)
    }

    /// Ends the trace of a device, and forgets what it recorded.
    ///
    /// # Errors
    /// [`StoreError`]; then all is as before.
    pub async fn stop(&self, id: &DeviceId) -> Result<(), StoreError> {
        let _changing = self.changing.write().await;
        let mut until = self.lock().clone();
        until.remove(id);
        let mut batch = Batch::new();
        batch.push(Change::ForgetTrace(id.clone()));
        self.keep(until, batch).await
    }

    /// Records messages of a session, if the device is traced. `session` is when
    /// its Inform came. A failure is logged: it is no reason to end a session.
    pub async fn record(
        &self,
        id: &DeviceId,
        session: Timestamp,
        now: Timestamp,
        messages: &[Message<'_>],
    ) {
        if !self.is_on(id, now) {
            return;
        }
        let mut batch = Batch::new();
        for message in messages {
            batch.put(Record::Trace(Box::new(entry(id, session, message))));
        }
        let _changing = self.changing.read().await;
        if !self.is_on(id, now) {
            return;
        }
        if let Err(error) = self.store.commit(batch).await {
            warn!(device.id = %id, %error, "a message was not traced");
        }
    }

    async fn keep(
        &self,
        until: BTreeMap<DeviceId, Timestamp>,
        mut batch: Batch,
    ) -> Result<(), StoreError> {
        let bytes =
            postcard::to_stdvec(&until).map_err(|_| StoreError::TooLarge(SETTING.into()))?;
        batch.put(Record::Setting(SETTING.into(), bytes));
        self.store.commit(batch).await?;
        self.any.store(!until.is_empty(), Ordering::Relaxed);
        *self.lock() = until;
        Ok(())
    }

    /// A poisoned lock means that a thread panicked while holding it; the map is
    /// valid between any two statements.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Timestamp>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message as it is kept.
fn entry(id: &DeviceId, session: Timestamp, message: &Message<'_>) -> TraceEntry {
    let masked = masked(message.body, message.charset);
    TraceEntry {
        device: id.clone(),
        session,
        at: message.at,
        direction: message.direction,
        sentence: sentence(message, &masked).into(),
        size: u32::try_from(message.body.len()).unwrap_or(u32::MAX),
        is_whole: masked.reach == Reach::Whole,
        body: masked.text.into(),
    }
}

fn masked(body: &[u8], charset: Option<&str>) -> Masked {
    if is_empty(body) {
        return Masked { text: String::new(), reach: Reach::Whole };
    }
    mask(body, charset, &|path: &ParamPath| Schema::core().is_secret(path))
}

fn is_empty(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// A message in words.
fn sentence(message: &Message<'_>, masked: &Masked) -> String {
    let size = message.body.len();
    let side = match message.direction {
        TraceDirection::FromDevice => Side::Cpe,
        TraceDirection::ToDevice => Side::Acs,
    };
    match (is_empty(message.body), side) {
        (true, Side::Cpe) => return "the device sends an empty message".to_owned(),
        (true, Side::Acs) => return "we have nothing more to ask".to_owned(),
        (false, _) => {}
    }
    let limits = ReadLimits { bytes: usize::MAX, ..ReadLimits::default() };
    match read(message.body, message.charset, side, &limits) {
        Ok(parsed) => {
            let told = story::tell(&parsed.envelope.message, side);
            match masked.reach {
                Reach::Whole => told,
                Reach::Cut | Reach::NotUnderstood => format!("{told} ({size} bytes)"),
            }
        }
        Err(_) if masked.text.is_empty() => format!("a message of {size} bytes that is no XML"),
        // The reason may hold a part of the message.
        Err(error) => format!(
            "a message of {size} bytes that is no CWMP: it is not understood at byte {}",
            error.at
        ),
    }
}

#[cfg(test)]
mod tests;
