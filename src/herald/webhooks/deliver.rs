//! The work on one webhook: in order, until the receiver takes it or it is given
//! up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ipnet::IpNet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::courier::{Address, Failure, Parcel};
use super::{AFTER_FAILURE, OwnParcel, Webhooks};
use crate::http::ClientConnection;
use crate::metrics::{DELIVERIES, DELIVERY_SECONDS};
use crate::news::{DeadLetter, News, NewsFilter, WebhookProgress, WebhookRecord};
use crate::store::{Batch, Change, OfficeKey, OfficeRecord, Record, StoreError};
use crate::time::Timestamp;

/// News read in one go.
const PAGE: usize = 128;

/// That attempts fail is written once in this time; that something was taken, with
/// how far the webhook is.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// The receivers' failures since something was taken last.
#[derive(Default)]
struct Streak {
    since: Option<Timestamp>,
    failures: u32,
    not_before: Option<Instant>,
    problem: String,
}

/// Why the work goes no further.
enum End {
    /// It was told to stop, or has switched itself off.
    Stopped,
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The work on one webhook.
pub(super) struct Delivery {
    all: Arc<Webhooks>,
    webhook: WebhookRecord,
    stop: CancellationToken,
    filter: NewsFilter,
    /// How far it is and how it goes; `None` before the first look.
    progress: Option<WebhookProgress>,
    /// Whether that is not written yet.
    is_unwritten: bool,
    /// When it was last written that an attempt failed.
    noted: Option<Timestamp>,
    streak: Streak,
    connection: Option<ClientConnection>,
    /// Into which networks the connection was allowed.
    allow: Vec<IpNet>,
    /// How many dead letters there are, once they were counted.
    letters: Option<usize>,
}

impl Delivery {
    pub(super) fn new(all: Arc<Webhooks>, webhook: WebhookRecord, stop: CancellationToken) -> Self {
        let filter = NewsFilter { kinds: webhook.kinds.clone(), ..NewsFilter::default() };
        Self {
            all,
            webhook,
            stop,
            filter,
            progress: None,
            is_unwritten: false,
            noted: None,
            streak: Streak::default(),
            connection: None,
            allow: Vec::new(),
            letters: None,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.deliver().await {
                Ok(()) | Err(End::Stopped) => return self.leave().await,
                Err(End::Store(StoreError::Closed)) => return,
                Err(End::Store(error)) => {
                    warn!(webhook.id = %self.webhook.id, %error, "a webhook could not go on");
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return self.leave().await,
                () = tokio::time::sleep(AFTER_FAILURE) => {}
            }
        }
    }

    /// How far it is: as it is durable, at first.
    async fn begin(&mut self) -> Result<u64, StoreError> {
        if let Some(progress) = &self.progress {
            return Ok(progress.next);
        }
        let office = self.all.deps.store.office();
        let progress = match office.webhook_at(&self.webhook.id).await? {
            Some(progress) => progress,
            None => office.news_range().await?.1.into(),
        };
        // What an operator changed may have helped: the waiting begins anew then.
        if progress.revision == self.webhook.revision && progress.attempts > 0 {
            self.streak.since = progress.failing_since;
            self.streak.failures = progress.attempts;
            self.streak.problem = progress.problem.clone().into();
        }
        self.all.standings.set(&self.webhook.id, &progress);
        let next = progress.next;
        self.progress = Some(progress);
        Ok(next)
    }

    /// Notes how it goes.
    fn goes(&mut self, how: impl FnOnce(&mut WebhookProgress)) {
        if let Some(progress) = &mut self.progress {
            how(progress);
            self.all.standings.set(&self.webhook.id, progress);
            self.is_unwritten = true;
        }
    }

    /// Writes how it goes, if that is not written and was not a moment ago.
    async fn write_now_and_then(&mut self) {
        let now = self.all.deps.clock.now();
        let is_due = self.noted.is_none_or(|noted| now.since(noted) >= NOTE_EVERY || now < noted);
        if self.is_unwritten && is_due {
            self.noted = Some(now);
            self.write().await;
        }
    }

    /// Writes how it goes. Whether that succeeds is of no weight for what is
    /// delivered.
    async fn write(&mut self) {
        let Some(progress) = self.progress.clone() else { return };
        let record = OfficeRecord::WebhookAt(self.webhook.id.clone(), progress);
        match self.all.deps.store.commit(Record::Office(record).into()).await {
            Ok(()) => self.is_unwritten = false,
            Err(error) => {
                debug!(webhook.id = %self.webhook.id, %error, "how a webhook goes was not written");
            }
        }
    }

    /// Leaves behind how it went, unless the webhook is gone.
    async fn leave(&mut self) {
        let known = self.all.deps.store.office().webhook(&self.webhook.id).await;
        if self.is_unwritten && matches!(known, Ok(Some(_))) {
            self.write().await;
        }
    }

    /// Delivers one page after the other.
    async fn deliver(&mut self) -> Result<(), End> {
        let mut at = self.begin().await?;
        let address = match self.all.address(&self.webhook) {
            Ok(address) => address,
            Err(failure) => {
                warn!(webhook.id = %self.webhook.id, problem = failure.problem, "a webhook cannot be used");
                self.note(&failure);
                return Err(End::Stopped);
            }
        };
        let mut bell = self.all.deps.hub.bell();
        let store = self.all.deps.store.clone();
        let mut kept = at;
        loop {
            bell.borrow_and_update();
            let page = store.office().news(at, PAGE).await?;
            if let Some(first) = page.first().map(|first| first.number).filter(|first| *first > at)
            {
                self.tell_gap(&address, at, first).await?;
                at = first;
            }
            let is_last = page.len() < PAGE;
            for news in page {
                if self.filter.takes(&self.webhook.reach, &news.draft) {
                    self.settle(&address, &news).await?;
                    kept = news.number.saturating_add(1);
                }
                at = news.number.saturating_add(1);
            }
            // What it does not want need not be looked at again, either.
            if at.saturating_sub(kept) >= PAGE as u64 {
                self.keep(at).await?;
                kept = at;
            }
            if is_last {
                tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    rung = bell.changed() => if rung.is_err() { return Ok(()) },
                }
            } else if self.stop.is_cancelled() {
                return Ok(());
            }
        }
    }

    /// Delivers one piece of news, or gives it up.
    async fn settle(&mut self, address: &Address, news: &News) -> Result<(), End> {
        let mut attempts = 0;
        loop {
            if self.is_hopeless(news) && self.is_early() {
                return Ok(self.give_up(news, attempts).await?);
            }
            self.wait().await?;
            let now = self.all.deps.clock.now();
            let parcel = self.all.parcel(&self.webhook, news.number, &news.draft, now);
            attempts += 1;
            match self.attempt(address, &parcel).await? {
                Ok(()) => return Ok(self.keep(news.number.saturating_add(1)).await?),
                Err(failure) if failure.gone => return Err(self.switch_off().await?),
                Err(_) if self.is_hopeless(news) => {
                    return Ok(self.give_up(news, attempts).await?);
                }
                Err(_) => {}
            }
        }
    }

    /// Tells that news was lost before it could be told.
    async fn tell_gap(&mut self, address: &Address, at: u64, first: u64) -> Result<(), End> {
        let (ids, reach) = (self.all.ids(), &self.webhook.reach);
        let (from, to) = (ids.of(at, reach), ids.of(first - 1, reach));
        let body = serde_json::json!({"kind": "gap", "first": from, "last": to}).to_string();
        let delivery = format!("{}-gap-{to}", self.webhook.id);
        loop {
            self.wait().await?;
            let now = self.all.deps.clock.now();
            let body = Bytes::from(body.clone());
            let parcel = OwnParcel { kind: "gap", delivery: delivery.clone(), body, now };
            match self.attempt(address, &parcel).await? {
                Ok(()) => return Ok(self.keep(first).await?),
                Err(failure) if failure.gone => return Err(self.switch_off().await?),
                Err(_) => {}
            }
        }
    }

    /// One attempt; the outer error is that it was told to stop meanwhile.
    async fn attempt(
        &mut self,
        address: &Address,
        parcel: &OwnParcel,
    ) -> Result<Result<(), Failure>, End> {
        let parcel: Parcel<'_> = parcel.as_ref();
        // A connection into a network that is allowed no longer is not kept.
        let allow = &self.all.config().allow;
        if *allow != self.allow {
            self.connection = None;
            self.allow.clone_from(allow);
        }
        let began = Instant::now();
        let sent = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(End::Stopped),
            sent = self.all.courier.post(&mut self.connection, address, parcel) => sent,
        };
        DELIVERY_SECONDS.took(0, began.elapsed());
        DELIVERIES.one_of(if sent.is_ok() { "delivered" } else { "retry" });
        match sent {
            Ok(_) => {
                let now = self.all.deps.clock.now();
                self.goes(|progress| progress.succeeded(now));
                self.streak = Streak::default();
                Ok(Ok(()))
            }
            Err(failure) => {
                self.note(&failure);
                self.write_now_and_then().await;
                Ok(Err(failure))
            }
        }
    }

    /// Notes a failure, and when to try again.
    fn note(&mut self, failure: &Failure) {
        let now = self.all.deps.clock.now();
        let since = *self.streak.since.get_or_insert(now);
        let revision = self.webhook.revision;
        self.goes(|progress| progress.failed(now, &failure.problem, since, revision));
        let streak = &mut self.streak;
        if streak.failures == 0 {
            info!(webhook.id = %self.webhook.id, problem = failure.problem, "a webhook does not take its events");
        }
        let pace = self.all.pace();
        let delay = jittered(
            pace.first.saturating_mul(1 << streak.failures.min(20)).min(pace.most),
            random_byte(),
        );
        let delay = delay.max(failure.retry_after.unwrap_or_default());
        streak.failures = streak.failures.saturating_add(1);
        streak.not_before = Some(Instant::now() + delay);
        failure.problem.clone_into(&mut streak.problem);
    }

    /// Waits until the next attempt may be made.
    async fn wait(&self) -> Result<(), End> {
        let Some(not_before) = self.streak.not_before else { return Ok(()) };
        tokio::select! {
            () = self.stop.cancelled() => Err(End::Stopped),
            () = tokio::time::sleep_until(not_before) => Ok(()),
        }
    }

    fn is_early(&self) -> bool {
        self.streak.not_before.is_some_and(|not_before| Instant::now() < not_before)
    }

    /// Whether the receiver has taken nothing for so long, and the news is so old,
    /// that it is given up.
    fn is_hopeless(&self, news: &News) -> bool {
        let now = self.all.deps.clock.now();
        let hours = u64::from(self.all.deps.config.give_up_after);
        let most = Duration::from_secs(hours.saturating_mul(3600));
        self.streak.since.is_some_and(|since| now.since(since) >= most)
            && now.since(news.draft.at) >= most
    }

    /// The news becomes a dead letter, and the next one has its turn.
    async fn give_up(&mut self, news: &News, attempts: u32) -> Result<(), StoreError> {
        let (store, id) = (self.all.deps.store.clone(), self.webhook.id.clone());
        let most = usize::try_from(self.all.deps.config.dead_letters).unwrap_or(usize::MAX);
        let known = match self.letters {
            // Some may have been sent again or forgotten since they were counted.
            Some(known) if known < most => known,
            _ => store.office().dead_letters(&id, 0, most).await?.len(),
        };
        let mut batch = Batch::new();
        batch.put(Record::Office(OfficeRecord::DeadLetter(Box::new(DeadLetter {
            webhook: id.clone(),
            number: news.number,
            news: news.draft.clone(),
            attempts,
            problem: self.streak.problem.as_str().into(),
            at: self.all.deps.clock.now(),
        }))));
        let progress = self.dealt_with(news.number.saturating_add(1));
        batch.put(Record::Office(OfficeRecord::WebhookAt(id.clone(), progress.clone())));
        if known >= most {
            for oldest in store.office().dead_letters(&id, 0, 1).await? {
                let key = OfficeKey::DeadLetter(id.clone(), oldest.number);
                batch.push(Change::ForgetOffice(key));
            }
        }
        store.commit(batch).await?;
        self.is_written(progress);
        DELIVERIES.one_of("dead");
        self.letters = Some(known.saturating_add(1).min(most));
        warn!(webhook.id = %id, event.number = news.number, "an event became a dead letter");
        Ok(())
    }

    /// The receiver is there no longer.
    async fn switch_off(&self) -> Result<End, StoreError> {
        warn!(webhook.id = %self.webhook.id, "a webhook was switched off: its receiver is gone");
        let mut record = self.webhook.clone();
        record.revision += 1;
        record.enabled = false;
        record.stopped = "the receiver answered 410 Gone".into();
        let record = Record::Office(OfficeRecord::Webhook(Box::new(record)));
        match self.all.deps.store.commit(record.into()).await {
            // Somebody changed it this very moment: the work begins anew.
            Ok(()) | Err(StoreError::Conflict(_)) => Ok(End::Stopped),
            Err(error) => Err(error),
        }
    }

    /// Everything before this number was dealt with.
    async fn keep(&mut self, at: u64) -> Result<(), StoreError> {
        let progress = self.dealt_with(at);
        let record = OfficeRecord::WebhookAt(self.webhook.id.clone(), progress.clone());
        self.all.deps.store.commit(Record::Office(record).into()).await?;
        self.is_written(progress);
        Ok(())
    }

    /// What is written when everything before this number was dealt with.
    fn dealt_with(&self, at: u64) -> WebhookProgress {
        WebhookProgress { next: at, ..self.progress.clone().unwrap_or_default() }
    }

    fn is_written(&mut self, progress: WebhookProgress) {
        self.all.standings.set(&self.webhook.id, &progress);
        self.progress = Some(progress);
        self.is_unwritten = false;
    }
}

/// A delay, up to a fifth longer or shorter, so that many do not come at once.
fn jittered(delay: Duration, random: u8) -> Duration {
    delay.mul_f64(0.8 + 0.4 * f64::from(random) / 255.0)
}

fn random_byte() -> u8 {
    let mut byte = [128];
    // Without random numbers it is as good in the middle.
    let _ = getrandom::fill(&mut byte);
    byte[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_differ_by_a_fifth_at_most() {
        let second = Duration::from_secs(1);
        assert_eq!(jittered(second, 0), Duration::from_millis(800));
        assert_eq!(jittered(second, 255), Duration::from_millis(1200));
    }
}
