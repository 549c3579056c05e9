//! Searches over the inventory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answer::Answer;
use super::look::Looker;
use super::order::{Place, cursor};
use super::plan::{Leaf, Plan, exact_term};
use super::walk::CHUNK;
use super::{Field, Filter, FindError, Order};
use crate::access::Reach;
use crate::device::{Device, DeviceId, Labels};
use crate::param::{Extent, Tree};
use crate::store::{Store, StoreError};
use crate::time::Clock;

/// How many devices one page looks at, at most.
pub const MAX_LOOKS: usize = 20_000;

/// How many devices are put in an order that no index gives, at most.
pub const MAX_SORTED: usize = 200_000;

/// How many devices a page holds at most.
pub const MAX_PAGE: usize = 1_000;

/// Looks for devices.
#[derive(Clone)]
pub struct Finder {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which devices.
    pub filter: Filter,
    /// Whose.
    pub reach: Reach,
    /// In which order; by id if `None`.
    pub order: Option<Order>,
    /// What the page before said as `next`.
    pub after: Option<String>,
    /// How many at most; never more than [`MAX_PAGE`] are given.
    pub limit: usize,
    /// Which parameters are needed with each device.
    pub parameters: Extent,
}

/// A device that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its hot record.
    pub device: Device,
    /// Its labels.
    pub labels: Labels,
    /// Its parameters, if any were asked for and are known: those, and perhaps more.
    pub tree: Option<Tree>,
}

/// One page of what was found.
#[derive(Debug, Default)]
pub struct Page {
    /// In the order asked for; may be fewer than the limit, none even, and yet
    /// more follows: a request looks at a bounded number of records.
    pub found: Vec<Found>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<String>,
}

/// All devices that a query is about, chunk by chunk: for exports and for changes
/// over many. Nothing is held between two chunks, and nothing is done once it is
/// dropped. A device that comes or goes meanwhile may be among them or not; one
/// that stays is, once, unless its place in the order changes meanwhile: who needs
/// each once orders by id.
pub struct Matches {
    finder: Finder,
    query: Query,
    done: bool,
    /// The next ones of an order that no index gives.
    sorted: VecDeque<Place>,
}

impl Matches {
    /// The next devices, at least one; `None` at the end.
    ///
    /// # Errors
    /// As [`Finder::page`].
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, FindError> {
        while !self.done || !self.sorted.is_empty() {
            let found = if self.sorted.is_empty() {
                self.read().await?
            } else {
                let count = self.query.limit.clamp(1, MAX_PAGE).min(self.sorted.len());
                let places: Vec<Place> = self.sorted.drain(..count).collect();
                self.finder.load(&self.query, &places).await?
            };
            if !found.is_empty() {
                return Ok(Some(found));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    /// Reads the next page, or all places of an order that no index gives.
    async fn read(&mut self) -> Result<Vec<Found>, FindError> {
        match self.finder.answer(&self.query, MAX_SORTED).await? {
            Answer::Page(page) => {
                self.done = page.next.is_none();
                self.query.after = page.next;
                Ok(page.found)
            }
            Answer::Sorted(places) => {
                self.done = places.len() < MAX_SORTED;
                self.query.after = places.last().map(cursor);
                self.sorted = places.into();
                Ok(Vec::new())
            }
        }
    }
}

impl Finder {
    /// A finder over a store.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// One page of the devices that a query is about.
    ///
    /// # Errors
    /// [`FindError::Filter`] when it cannot be asked so, or costs too much; what
    /// the store says.
    pub async fn page(&self, query: &Query) -> Result<Page, FindError> {
        if query.limit == 0 {
            query.filter.check()?;
            return Ok(Page::default());
        }
        let limit = query.limit.min(MAX_PAGE);
        match self.answer(query, limit).await? {
            Answer::Page(page) => Ok(page),
            Answer::Sorted(places) => {
                let next = if places.len() < limit { None } else { places.last().map(cursor) };
                Ok(Page { found: self.load(query, &places).await?, next })
            }
        }
    }

    /// All devices that a query is about; its `limit` is how many come at once.
    pub fn stream(&self, query: Query) -> Matches {
        let query = Query { limit: query.limit.clamp(1, MAX_PAGE), ..query };
        Matches { finder: self.clone(), query, done: false, sorted: VecDeque::new() }
    }

    /// How many devices a filter is about: from an index where one knows, else by
    /// looking at each that may be meant.
    ///
    /// # Errors
    /// As [`Finder::page`].
    pub async fn count(&self, filter: &Filter, reach: &Reach) -> Result<u64, FindError> {
        filter.check()?;
        let looker = Looker::new(filter, reach, self.clock.now());
        if reach.is_whole()
            && let Some(count) = self.known_count(&looker, filter).await?
        {
            return Ok(count);
        }
        let mut walk = self.walk(filter, reach, None).await?;
        let mut count = 0;
        while let Some(step) = walk.next(&*self.store, CHUNK).await? {
            for device in &step.devices {
                count += u64::from(looker.look(&*self.store, device).await?.is_some());
            }
            tokio::task::yield_now().await;
        }
        Ok(count)
    }

    /// How many devices a filter is about, if that is known without looking.
    async fn known_count(
        &self,
        looker: &Looker,
        filter: &Filter,
    ) -> Result<Option<u64>, StoreError> {
        let indexes = self.store.indexes();
        if looker.takes_all() {
            return Ok(Some(self.store.health().devices));
        }
        if let Filter::Is(Field::LastInform, _) = filter
            && let Some(Plan::Leaf(Leaf::Informed(from, to), _)) = Plan::of(filter, &Reach::WHOLE)
        {
            let count = indexes.count_informed((from, to), usize::MAX);
            return Ok(count.map(|count| count as u64));
        }
        match exact_term(filter).filter(|_| indexes.indexing().terms) {
            Some(term) => Ok(Some(indexes.count(&term, usize::MAX).await? as u64)),
            None => Ok(None),
        }
    }

    /// Whether a filter is about one device, which is there and within reach.
    ///
    /// # Errors
    /// As [`Finder::page`].
    pub async fn fits(
        &self,
        id: &DeviceId,
        filter: &Filter,
        reach: &Reach,
    ) -> Result<bool, FindError> {
        filter.check()?;
        let Some(device) = self.store.device(id).await? else { return Ok(false) };
        let looker = Looker::new(filter, reach, self.clock.now());
        Ok(looker.look(&*self.store, &device).await?.is_some())
    }

    /// Whether a device is seen: it is there, and within reach.
    ///
    /// # Errors
    /// What the store says.
    pub async fn sees(&self, id: &DeviceId, reach: &Reach) -> Result<bool, StoreError> {
        if self.store.device(id).await?.is_none() {
            return Ok(false);
        }
        let labels = self.store.labels(id).await?.unwrap_or_default();
        Ok(reach.sees(&labels.tenant, &labels.site))
    }
}
