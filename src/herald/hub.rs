//! One reader of the news for all listeners.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::ids::EventIds;
use super::told::Told;
use crate::config::{EventsConfig, Live};
use crate::metrics::NEWS;
use crate::store::{Notice, Store, StoreError};

/// News read in one go.
pub(super) const PAGE: usize = 256;

/// News that a listener may be behind before it has to read the store itself.
const AHEAD: usize = 4096;

/// How long it waits after the store failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Hands news to listeners.
pub struct Hub {
    pub(super) store: Arc<dyn Store>,
    pub(super) ids: Arc<EventIds>,
    pub(super) live: broadcast::Sender<Arc<Told>>,
    /// The number behind the last news that was read; `None` before the first look.
    end: watch::Sender<Option<u64>>,
    pub(super) closed: CancellationToken,
    config: Live<EventsConfig>,
    seats: Mutex<Seats>,
}

/// How many listen.
#[derive(Default)]
struct Seats {
    all: u32,
    by_token: HashMap<Arc<str>, u32>,
}

/// As many listen as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HubFull {
    /// In all.
    #[error("{0} listeners are connected already")]
    InAll(u32),
    /// With one token.
    #[error("{0} listeners are connected with this token already")]
    Token(u32),
}

/// A listener's place, given back when it is dropped.
pub struct Seat {
    hub: Arc<Hub>,
    token: Arc<str>,
}

impl Hub {
    /// A hub over a store. `key` hides from those who see a part how much there is
    /// in all. Nothing is told before [`Hub::run`].
    pub fn new(
        store: Arc<dyn Store>,
        key: [u8; 32],
        config: impl Into<Live<EventsConfig>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            ids: Arc::new(EventIds::new(key)),
            live: broadcast::Sender::new(AHEAD),
            end: watch::Sender::new(None),
            closed: CancellationToken::new(),
            config: config.into(),
            seats: Mutex::default(),
        })
    }

    /// How events are named.
    pub fn ids(&self) -> &Arc<EventIds> {
        &self.ids
    }

    /// The settings.
    pub fn config(&self) -> &EventsConfig {
        &self.config
    }

    /// The number behind the last news that was read, and whenever there is more.
    pub fn bell(&self) -> watch::Receiver<Option<u64>> {
        self.end.subscribe()
    }

    /// Waits until news is read, if it is not yet: what happens from then on is
    /// told. Nothing will be if the hub is closed.
    pub(super) async fn begun(&self) {
        let mut end = self.end.subscribe();
        tokio::select! {
            // The sender is as old as the hub itself.
            _ = end.wait_for(Option::is_some) => {}
            () = self.closed.cancelled() => {}
        }
    }

    /// Ends when nothing more will be told.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Reads the news until `stop`, and tells all listeners.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        // From now on, so that nothing is missed between the look and the wait.
        let mut notices = self.store.watch();
        let _ending = self.closed.clone().drop_guard();
        let mut next = None;
        loop {
            let read = self.read_on(next).await;
            let failed = read.is_err();
            match read {
                Ok(end) => next = Some(end),
                Err(StoreError::Closed) => return,
                Err(error) => warn!(%error, "news could not be read"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AFTER_FAILURE), if failed => {}
                more = there_is_more(&mut notices), if !failed => if !more { return },
            }
        }
    }

    /// Tells what there is from a number on; the number behind it. At first there
    /// is nobody to be told.
    async fn read_on(&self, next: Option<u64>) -> Result<u64, StoreError> {
        let office = self.store.office();
        let Some(mut next) = next else {
            let (_, end) = office.news_range().await?;
            self.end.send_replace(Some(end));
            return Ok(end);
        };
        loop {
            let page = office.news(next, PAGE).await?;
            let Some(last) = page.last() else { return Ok(next) };
            next = last.number.saturating_add(1);
            let is_last = page.len() < PAGE;
            NEWS.count(page.len() as u64);
            for news in page {
                // Nobody may be listening.
                let _ = self.live.send(Arc::new(Told::new(news, &self.ids)));
            }
            self.end.send_replace(Some(next));
            if is_last {
                return Ok(next);
            }
            // Reading is done in this task: others have their turn.
            tokio::task::yield_now().await;
        }
    }

    /// A place for a listener with a token.
    ///
    /// # Errors
    /// [`HubFull`].
    pub fn seat(self: &Arc<Self>, token: &Arc<str>) -> Result<Seat, HubFull> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if seats.all >= self.config.listeners {
            return Err(HubFull::InAll(seats.all));
        }
        let own = seats.by_token.entry(token.clone()).or_default();
        if *own >= self.config.listeners_per_token {
            return Err(HubFull::Token(*own));
        }
        *own += 1;
        seats.all += 1;
        Ok(Seat { hub: self.clone(), token: token.clone() })
    }

    /// How many listen.
    pub fn listeners(&self) -> u32 {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.hub.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.all = seats.all.saturating_sub(1);
        if let Some(own) = seats.by_token.get_mut(&self.token) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                seats.by_token.remove(&self.token);
            }
        }
    }
}

/// Waits for news; `false` if there will be none.
async fn there_is_more(notices: &mut broadcast::Receiver<Notice>) -> bool {
    loop {
        match notices.recv().await {
            Ok(Notice::News) => break,
            Ok(_) => {}
            // Some of what was missed may be news.
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
    // One look serves all that was told until now.
    loop {
        match notices.try_recv() {
            Ok(_) | Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return true,
        }
    }
}
