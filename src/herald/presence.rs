//! Devices that stay away.
//!
//! A device is away when it has not informed for some of its own periodic
//! intervals. That it is back is told by the commit of its next Inform
//! ([`crate::ledger`]).

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::watch::Watch;
use crate::config::{EventsConfig, Live};
use crate::device::{Device, DeviceId};
use crate::news::{NewsDraft, NewsKind};
use crate::param::Extent;
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, Store, StoreError};
use crate::time::{Clock, Timestamp};

/// Devices looked at in one go, and told to be away in one commit.
const PAGE: usize = 200;

/// Between two pages: so many devices at the same moment are told of in some time,
/// and others have the store meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

/// Between the end of a round and the next.
const REST: Duration = Duration::from_secs(15);

/// Given besides the intervals: a device that informs on time takes a moment.
const SLACK: Duration = Duration::from_secs(30);

/// Watches for devices that stay away, and for what the store has to say.
///
/// It goes along the order of last Informs, which the store has in memory, and so
/// looks at those alone that are silent. While the store does not know that order
/// yet, all devices are looked at, page by page.
pub struct Presence {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    config: Live<EventsConfig>,
    /// Nobody could inform before.
    since: Timestamp,
    /// Which silent devices were looked at.
    watch: Watch,
    /// The device that was looked at last, while there is no order.
    last: Option<DeviceId>,
    /// Devices that were looked at since the start.
    looked: u64,
    /// Devices that were just told to be away: one that informed this very moment
    /// is put right.
    told: Vec<(DeviceId, Timestamp)>,
    /// Alarms of the store at the last look.
    alarms: Vec<String>,
    /// Those that are still to be told.
    untold: Vec<String>,
}

/// How it is with a device.
enum Verdict {
    /// It informed a moment ago, is told to be away already, or is gone.
    Settled,
    /// It is silent, but has its time until then.
    Until(Timestamp),
    /// It has begun to be away, and informed last at that time.
    Away(Timestamp),
}

impl Presence {
    /// A watch that begins now: every device is given its time from here on,
    /// however long the server was away itself.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        config: impl Into<Live<EventsConfig>>,
    ) -> Self {
        let (since, config) = (clock.now(), config.into());
        let watch = Watch::new(since, config.clone());
        Self {
            store,
            clock,
            config,
            since,
            watch,
            last: None,
            looked: 0,
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
        let now = self.clock.now();
        self.watch.begin(now);
        // Nobody is away who was given no time yet.
        if now.since(self.since) <= self.least() {
            return Ok(true);
        }
        match self.watch.next(self.store.indexes(), now.before(self.least())) {
            Some(silent) => self.look_at_silent(silent, now).await,
            None => self.look_at_all(now).await,
        }
    }

    /// Looks at the devices that are silent and due; whether there are no more.
    async fn look_at_silent(
        &mut self,
        silent: watch::Silent,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.last = None;
        let (mut gone, mut waiting) = (Vec::new(), Vec::new());
        for id in &silent.devices {
            self.looked += 1;
            let Some(device) = self.store.device(id).await? else { continue };
            match self.judge(&device, now).await? {
                Verdict::Settled => {}
                Verdict::Until(due) => waiting.push((device.id, device.last_inform, due)),
                Verdict::Away(since) => gone.push((device.id, since)),
            }
        }
        self.tell_away(gone).await?;
        let is_last = silent.is_last;
        self.watch.looked_at(silent, waiting);
        if is_last {
            debug!(devices.looked_at = self.looked, "silent devices were looked at");
        }
        Ok(is_last)
    }

    /// Looks at the next of all devices; whether they were the last.
    async fn look_at_all(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let page = self.store.devices(self.last.as_ref(), PAGE).await?;
        let mut gone = Vec::new();
        for device in &page {
            self.looked += 1;
            if let Verdict::Away(since) = self.judge(device, now).await? {
                gone.push((device.id.clone(), since));
            }
        }
        self.tell_away(gone).await?;
        self.last = page.last().map(|device| device.id.clone()).filter(|_| page.len() == PAGE);
        Ok(self.last.is_none())
    }

    /// Tells that devices are away, in one commit.
    async fn tell_away(&mut self, mut gone: Vec<(DeviceId, Timestamp)>) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::new();
        for (id, since) in &gone {
            batch.put(Record::Office(OfficeRecord::Away(id.clone(), *since)));
        }
        self.store.commit(batch).await?;
        info!(devices = gone.len(), "devices stay away");
        self.told.append(&mut gone);
        Ok(())
    }

    /// How long every device may be silent.
    fn least(&self) -> Duration {
        Duration::from_secs(self.config.offline_after_least.into())
    }

    /// How it is with a device.
    async fn judge(&self, device: &Device, now: Timestamp) -> Result<Verdict, StoreError> {
        let heard = device.last_inform.max(self.since);
        // Most devices were here a moment ago: that costs no look into the store.
        if now.since(heard) <= self.least()
            || self.store.office().away_since(&device.id).await?.is_some()
        {
            return Ok(Verdict::Settled);
        }
        let interval = match self.interval(device).await? {
            Some(interval) => interval,
            None => Duration::from_secs(self.config.unknown_interval.into()),
        };
        let given = interval.saturating_mul(self.config.offline_after_intervals);
        let given = given.saturating_add(SLACK).max(self.least());
        if now.since(heard) > given {
            return Ok(Verdict::Away(device.last_inform));
        }
        Ok(Verdict::Until(heard.after(given)))
    }

    /// How often a device says that it informs.
    async fn interval(&self, device: &Device) -> Result<Option<Duration>, StoreError> {
        let object = format!("{}ManagementServer.", device.root);
        let extent = Extent::beginning([object.as_str()]);
        let Some(tree) = self.store.tree_within(&device.id, &extent).await? else {
            return Ok(None);
        };
        let own = |name: &str| tree.text(&format!("{object}{name}"));
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

mod watch;

#[cfg(test)]
mod tests;
