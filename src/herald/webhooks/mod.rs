//! Webhooks: each has a task of its own, which delivers its news in order until
//! the receiver takes it.

mod courier;
mod deliver;
mod standing;

pub use courier::Failure;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use self::courier::{Courier, Parcel};
use self::deliver::Delivery;
use self::standing::Standings;
use super::{EventIds, Hub};
use crate::config::{Live, WebhooksConfig};
use crate::http::{Target, system_tls};
use crate::news::{DeadLetter, NewsDraft, NewsView, WebhookProgress, WebhookRecord};
use crate::store::{Notice, OfficeKey, Store, StoreError, Vault};
use crate::time::{Clock, Timestamp};

/// How long it waits after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// What webhooks work with.
pub struct WebhooksDeps {
    /// Where webhooks and news stand.
    pub store: Arc<dyn Store>,
    /// Opens the secrets.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Tells when there is news.
    pub hub: Arc<Hub>,
    /// The settings; what is trusted besides the machine's authorities is read once.
    pub config: Live<WebhooksConfig>,
}

/// How fast deliveries are repeated.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// After the first failure.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

/// The webhooks.
pub struct Webhooks {
    deps: WebhooksDeps,
    courier: Courier,
    /// A pace of its own, in place of the settings'.
    pace: Option<Pace>,
    standings: Standings,
}

/// Why an authority of the operator's cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum WebhooksError {
    /// The file cannot be read.
    #[error("webhooks.ca: {path}: {source}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("webhooks.ca: {0}")]
    Tls(rustls::Error),
}

impl WebhooksError {
    /// What it means to whoever asked.
    pub const fn class(&self) -> crate::class::Class {
        crate::class::Class::Invalid
    }
}

impl Webhooks {
    /// The webhooks of a store. Nothing is sent before [`Webhooks::run`].
    ///
    /// # Errors
    /// [`WebhooksError`] when the operator's authorities cannot be read.
    pub fn new(deps: WebhooksDeps) -> Result<Arc<Self>, WebhooksError> {
        Self::build(deps, None)
    }

    /// The same, at a pace of one's own.
    ///
    /// # Errors
    /// [`WebhooksError`] when the operator's authorities cannot be read.
    pub fn at_pace(deps: WebhooksDeps, pace: Pace) -> Result<Arc<Self>, WebhooksError> {
        Self::build(deps, Some(pace))
    }

    fn build(deps: WebhooksDeps, pace: Option<Pace>) -> Result<Arc<Self>, WebhooksError> {
        let also = match &deps.config.ca {
            None => None,
            Some(path) => Some(
                std::fs::read_to_string(path)
                    .map_err(|source| WebhooksError::File { path: path.clone(), source })?,
            ),
        };
        let tls = match system_tls(also.as_deref()) {
            Ok(tls) => Some(tls),
            Err(error) if also.is_some() => return Err(WebhooksError::Tls(error)),
            // A machine that trusts nobody: receivers over https are told to fail.
            Err(_) => None,
        };
        let courier = Courier { config: deps.config.clone(), tls };
        Ok(Arc::new(Self { deps, courier, pace, standings: Standings::default() }))
    }

    /// The settings.
    pub fn config(&self) -> &WebhooksConfig {
        &self.deps.config
    }

    /// How fast deliveries are repeated at present.
    fn pace(&self) -> Pace {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        let config = self.config();
        self.pace.unwrap_or_else(|| Pace {
            first: seconds(config.first_retry),
            most: seconds(config.slowest_retry),
        })
    }

    /// How a webhook is doing, if it was at work since the server started. What is
    /// durable of that may be some moments older.
    pub fn standing(&self, id: &str) -> Option<WebhookProgress> {
        self.standings.of(id)
    }

    /// Whether news could be sent to a URL, as far as that can be told without
    /// asking for its name.
    ///
    /// # Errors
    /// What would be right.
    pub fn check_url(&self, url: &str) -> Result<(), String> {
        let target = Target::parse(url).map_err(|error| error.to_string())?;
        self.courier.check_host(&target.host)
    }

    /// Delivers until `stop`.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut notices = self.deps.store.watch();
        let mut at_work: HashMap<Box<str>, AtWork> = HashMap::new();
        loop {
            let failed = match self.settle(&mut at_work, &stop).await {
                Ok(()) => false,
                Err(StoreError::Closed) => break,
                Err(error) => {
                    warn!(%error, "webhooks could not be read");
                    true
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(AFTER_FAILURE), if failed => {}
                changed = changed(&mut notices), if !failed => if !changed { break },
            }
        }
        for work in at_work.into_values() {
            work.end().await;
        }
    }

    /// Starts and ends the work on webhooks as they stand now.
    async fn settle(
        self: &Arc<Self>,
        at_work: &mut HashMap<Box<str>, AtWork>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let webhooks = self.deps.store.office().webhooks().await?;
        let is_current = |id: &str, work: &AtWork| {
            webhooks.iter().any(|webhook| {
                *webhook.id == *id && webhook.enabled && webhook.revision == work.revision
            })
        };
        let over: Vec<Box<str>> = at_work
            .iter()
            .filter(|(id, work)| !is_current(id, work))
            .map(|(id, _)| id.clone())
            .collect();
        for id in over {
            if let Some(work) = at_work.remove(&id) {
                // Not before it is over does its successor begin: in order, and
                // one delivery at a time.
                work.end().await;
            }
        }
        for id in self.standings.known() {
            if !webhooks.iter().any(|webhook| *webhook.id == *id) {
                self.standings.forget(&id);
            }
        }
        for webhook in webhooks {
            if !webhook.enabled || at_work.contains_key(&webhook.id) {
                continue;
            }
            let (id, revision) = (webhook.id.clone(), webhook.revision);
            let stop = stop.child_token();
            let delivery = Delivery::new(self.clone(), webhook, stop.clone());
            at_work.insert(id, AtWork { revision, stop, task: tokio::spawn(delivery.run()) });
        }
        Ok(())
    }

    /// Sends a ping, once.
    ///
    /// # Errors
    /// Why the receiver did not take it.
    pub async fn ping(&self, webhook: &WebhookRecord) -> Result<u16, Failure> {
        let now = self.deps.clock.now();
        let body = serde_json::json!({"kind": "ping", "at": now, "webhook": webhook.id});
        let delivery = format!("{}-ping-{}", webhook.id, now.as_millis());
        let body = Bytes::from(body.to_string());
        let parcel = Parcel { kind: "ping", delivery: &delivery, body, now };
        self.courier.post(&mut None, &self.address(webhook)?, parcel).await
    }

    /// Sends a dead letter again, once; it is forgotten if the receiver takes it.
    ///
    /// # Errors
    /// The store's own in the outer result, in the inner one why the receiver did
    /// not take it.
    pub async fn redeliver(
        &self,
        webhook: &WebhookRecord,
        letter: &DeadLetter,
    ) -> Result<Result<u16, Failure>, StoreError> {
        let address = match self.address(webhook) {
            Ok(address) => address,
            Err(failure) => return Ok(Err(failure)),
        };
        let now = self.deps.clock.now();
        let sent = self
            .courier
            .post(
                &mut None,
                &address,
                self.parcel(webhook, letter.number, &letter.news, now).as_ref(),
            )
            .await;
        if sent.is_ok() {
            let key = OfficeKey::DeadLetter(webhook.id.clone(), letter.number);
            let mut batch = crate::store::Batch::new();
            batch.push(crate::store::Change::ForgetOffice(key));
            self.deps.store.commit(batch).await?;
        }
        Ok(sent)
    }

    /// Where a webhook's news goes, and with what it is signed.
    fn address(&self, webhook: &WebhookRecord) -> Result<courier::Address, Failure> {
        let target =
            Target::parse(&webhook.url).map_err(|error| Failure::new(error.to_string()))?;
        let secret = self
            .deps
            .vault
            .unseal(&webhook.secret)
            .map_err(|_| Failure::new("the secret cannot be opened".to_owned()))?;
        Ok(courier::Address { target, secret })
    }

    /// A piece of news as it is sent.
    fn parcel(
        &self,
        webhook: &WebhookRecord,
        number: u64,
        news: &NewsDraft,
        now: Timestamp,
    ) -> OwnParcel {
        let id = self.ids().of(number, &webhook.reach);
        let kind = news.kind.word();
        let body = NewsView::new(id.clone(), news.clone()).to_json();
        OwnParcel { kind, delivery: format!("{}-{id}", webhook.id), body: body.into(), now }
    }

    fn ids(&self) -> &EventIds {
        self.deps.hub.ids()
    }
}

/// A parcel with what it refers to.
struct OwnParcel {
    kind: &'static str,
    delivery: String,
    body: Bytes,
    now: Timestamp,
}

impl OwnParcel {
    fn as_ref(&self) -> Parcel<'_> {
        let Self { kind, delivery, body, now } = self;
        Parcel { kind, delivery, body: body.clone(), now: *now }
    }
}

/// The work on one webhook.
struct AtWork {
    revision: u32,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl AtWork {
    async fn end(self) {
        self.stop.cancel();
        // One that panicked is over, too.
        let _ = self.task.await;
    }
}

/// Waits until webhooks were changed; `false` if they will not be.
async fn changed(notices: &mut tokio::sync::broadcast::Receiver<Notice>) -> bool {
    loop {
        match notices.recv().await {
            Ok(Notice::Webhooks) | Err(RecvError::Lagged(_)) => return true,
            Ok(_) => {}
            Err(RecvError::Closed) => return false,
        }
    }
}
