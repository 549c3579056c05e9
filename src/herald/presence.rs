//! Devices that stay away.
//!
//! A device is away when it has not informed for some of its own periodic
//! intervals. That it is back is told by the commit of its next Inform
//! ([`crate::ledger`]).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::EventsConfig;
use crate::device::{Device, DeviceId};
use crate::news::{NewsDraft, NewsKind};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// Devices looked at in one go.
const PAGE: usize = 200;

/// Between two pages.
const PAUSE: Duration = Duration::from_secs(1);

/// Between the end of a round and the next.
const REST: Duration = Duration::from_secs(15);

/// Given besides the intervals: a device that informs on time takes a moment.
const SLACK: Duration = Duration::from_secs(30);

/// Watches for devices that stay away, and for what the store has to say.
pub struct Presence {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    config: EventsConfig,
    /// Nobody could inform before.
    since: Timestamp,
    /// The device that was looked at last.
    last: Option<DeviceId>,
    /// Devices that were just told to be away: one that informed this very moment
    /// is put right.
    told: Vec<(DeviceId, Timestamp)>,
    /// Alarms of the store at the last look.
    alarms: Vec<String>,
    /// Those that are still to be told.
    untold: Vec<String>,
}

impl Presence {
    /// A watch that begins now: every device is given its time from here on,
    /// however long the server was away itself.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: EventsConfig) -> Self {
        let since = clock.now();
        Self {
            store,
            clock,
            config,
            since,
            last: None,
            told: Vec::new(),
            alarms: Vec::new(),
            untold: Vec::new(),
        }
    }

    /// Watches until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let rest = match self.step().await {
                Ok(true) => REST,
                Ok(false) => PAUSE,
                Err(error) => {
                    warn!(%error, "devices that stay away were not looked for");
                    REST
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    /// Looks at some devices; whether that was the end of a round.
    ///
    /// # Errors
    /// What the store says; the same devices are looked at again then.
    pub async fn step(&mut self) -> Result<bool, StoreError> {
        self.tell_alarms().await?;
        self.put_right().await?;
        let page = self.store.devices(self.last.as_ref(), PAGE).await?;
        let now = self.clock.now();
        let mut batch = Batch::new();
        let mut gone = Vec::new();
        for device in &page {
            if self.is_away(device, now).await? {
                batch
                    .put(Record::Office(OfficeRecord::Away(device.id.clone(), device.last_inform)));
                gone.push((device.id.clone(), device.last_inform));
            }
        }
        if !gone.is_empty() {
            self.store.commit(batch).await?;
            info!(devices = gone.len(), "devices stay away");
        }
        self.told.append(&mut gone);
        self.last = page.last().map(|device| device.id.clone()).filter(|_| page.len() == PAGE);
        Ok(self.last.is_none())
    }

    /// Whether a device has begun to be away.
    async fn is_away(&self, device: &Device, now: Timestamp) -> Result<bool, StoreError> {
        let silent = now.since(device.last_inform.max(self.since));
        let least = Duration::from_secs(self.config.offline_after_least.into());
        // Most devices were here a moment ago: that costs no look into the store.
        if silent <= least || self.store.office().away_since(&device.id).await?.is_some() {
            return Ok(false);
        }
        let interval = match self.interval(device).await? {
            Some(interval) => interval,
            None => Duration::from_secs(self.config.unknown_interval.into()),
        };
        let given = interval.saturating_mul(self.config.offline_after_intervals);
        Ok(silent > given.saturating_add(SLACK).max(least))
    }

    /// How often a device says that it informs.
    async fn interval(&self, device: &Device) -> Result<Option<Duration>, StoreError> {
        let Some(tree) = self.store.tree(&device.id).await? else { return Ok(None) };
        let own = |name: &str| tree.text(&format!("{}ManagementServer.{name}", device.root));
        if matches!(own("PeriodicInformEnable"), Some("0" | "false")) {
            return Ok(None);
        }
        let seconds = own("PeriodicInformInterval").and_then(|text| text.trim().parse().ok());
        Ok(seconds.filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }

    /// A device that informed while it was being told to be away is there.
    async fn put_right(&mut self) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for (id, since) in &self.told {
            let device = self.store.device(id).await?;
            if device.is_some_and(|device| device.last_inform > *since)
                && self.store.office().away_since(id).await?.is_some()
            {
                batch.push(Change::ForgetOffice(OfficeKey::Away(id.clone())));
            }
        }
        self.store.commit(batch).await?;
        self.told.clear();
        Ok(())
    }

    /// What an operator should know of the store is told once, and again when it
    /// comes back. A store that cannot write is told of when it can.
    async fn tell_alarms(&mut self) -> Result<(), StoreError> {
        let health = self.store.health();
        let fresh: Vec<String> = health
            .alarms
            .iter()
            .filter(|alarm| !self.alarms.contains(alarm) && !self.untold.contains(alarm))
            .cloned()
            .collect();
        self.untold.extend(fresh);
        self.alarms = health.alarms;
        if !health.writable || self.untold.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for alarm in &self.untold {
            let news = NewsDraft::new(self.clock.now(), NewsKind::Alarm, alarm.as_str());
            batch.put(Record::Office(OfficeRecord::News(Box::new(news.with("of", "store")))));
        }
        self.store.commit(batch).await?;
        self.untold.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
