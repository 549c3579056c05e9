//! One listener: what it missed from the store, then what happens.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::hub::{Hub, PAGE};
use super::told::Told;
use crate::store::StoreError;

/// What a listener hears.
pub enum Heard {
    /// News; each number once, in order.
    News(Arc<Told>),
    /// News that cannot be told any more: its first and its last number.
    Gap {
        /// The first number that is missing.
        first: u64,
        /// The last number that is missing.
        last: u64,
    },
}

/// Hears all news from a number on.
///
/// One that is slow reads from the store what it missed; only what the store no
/// longer keeps is lost, and that is told.
pub struct Listener {
    hub: Arc<Hub>,
    live: broadcast::Receiver<Arc<Told>>,
    read: VecDeque<Arc<Told>>,
    /// The number of the news that comes next.
    next: u64,
    /// Whether the store may hold what was not heard.
    behind: bool,
    /// A gap that is still to be told.
    gap: Option<(u64, u64)>,
}

impl Hub {
    /// A listener that hears news from a number on; from now on if it is `None`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn listen(self: &Arc<Self>, from: Option<u64>) -> Result<Listener, StoreError> {
        self.begun().await;
        // Before the look into the store, so that nothing falls between them.
        let live = self.live.subscribe();
        let (_, end) = self.store.office().news_range().await?;
        let next = from.unwrap_or(end);
        // An id that was never given: by another server, or by this one before a
        // backup was restored.
        let unknown = next > end;
        Ok(Listener {
            hub: self.clone(),
            live,
            read: VecDeque::new(),
            next: next.min(end),
            behind: from.is_some() && !unknown,
            gap: unknown.then(|| (end, next - 1)),
        })
    }
}

impl Listener {
    /// What comes next; `None` when nothing will. May be dropped while it waits,
    /// and nothing is lost.
    ///
    /// # Errors
    /// What the store says.
    pub async fn next(&mut self) -> Result<Option<Heard>, StoreError> {
        if let Some((first, last)) = self.gap.take() {
            return Ok(Some(Heard::Gap { first, last }));
        }
        loop {
            if let Some(heard) = self.at_hand() {
                return Ok(Some(heard));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            tokio::select! {
                biased;
                heard = self.live.recv() => match heard {
                    Ok(told) if told.number == self.next => self.read.push_back(told),
                    Ok(told) => self.behind |= told.number > self.next,
                    Err(RecvError::Lagged(_)) => self.behind = true,
                    Err(RecvError::Closed) => return Ok(None),
                },
                () = self.hub.closed.cancelled() => return Ok(None),
            }
        }
    }

    /// What can be told without waiting.
    pub fn try_next(&mut self) -> Option<Heard> {
        if let Some(heard) = self.at_hand() {
            return Some(heard);
        }
        if self.behind {
            return None;
        }
        while let Ok(told) = self.live.try_recv() {
            if told.number == self.next {
                self.next = self.next.saturating_add(1);
                return Some(Heard::News(told));
            }
            if told.number > self.next {
                self.behind = true;
                return None;
            }
        }
        None
    }

    /// Whether all that had happened when it began to listen was told.
    pub fn is_up_to_date(&self) -> bool {
        !self.behind && self.read.is_empty() && self.gap.is_none()
    }

    /// The number of the news that comes next.
    pub const fn position(&self) -> u64 {
        self.next
    }

    fn at_hand(&mut self) -> Option<Heard> {
        let told = self.read.front()?;
        if told.number > self.next {
            let (first, last) = (self.next, told.number - 1);
            self.next = told.number;
            return Some(Heard::Gap { first, last });
        }
        let told = self.read.pop_front()?;
        self.next = told.number.saturating_add(1);
        Some(Heard::News(told))
    }

    /// Reads a page of what was not heard.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        let page = self.hub.store.office().news(self.next, PAGE).await?;
        self.behind = page.len() >= PAGE;
        let ids = &self.hub.ids;
        self.read.extend(page.into_iter().map(|news| Arc::new(Told::new(news, ids))));
        Ok(())
    }
}
