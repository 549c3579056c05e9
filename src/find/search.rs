//! Searches over the inventory.

use std::collections::BinaryHeap;
use std::sync::Arc;

use super::look::Looker;
use super::order::{Place, cursor, read_cursor, read_id};
use super::{Field, Filter, FilterError, FindError, Order};
use crate::access::Reach;
use crate::device::{Device, DeviceId, Labels};
use crate::param::Tree;
use crate::store::{Store, StoreError};
use crate::time::Clock;

/// How many devices one page looks at, at most.
pub const MAX_LOOKS: usize = 20_000;

/// How many of them if their parameters are looked at.
const MAX_DEEP_LOOKS: usize = 2_000;

/// How many devices are put in an order that no index gives, at most.
pub const MAX_SORTED: usize = 200_000;

/// How many devices a page holds at most.
pub const MAX_PAGE: usize = 1_000;

/// Devices that are read at once.
const CHUNK: usize = 256;

/// Looks for devices.
#[derive(Clone)]
pub struct Finder {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
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
    /// Whether the parameters are needed with each device.
    pub with_tree: bool,
}

/// A device that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its hot record.
    pub device: Device,
    /// Its labels.
    pub labels: Labels,
    /// Its parameters, if they were asked for and are known.
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
/// that stays is, once.
pub struct Matches {
    finder: Finder,
    query: Query,
    done: bool,
    /// The next ones of an order that no index gives.
    sorted: std::collections::VecDeque<Place>,
}

impl Matches {
    /// The next devices, at least one; `None` at the end.
    ///
    /// # Errors
    /// As [`Finder::page`].
    pub async fn next(&mut self) -> Result<Option<Vec<Found>>, FindError> {
        while !self.done || !self.sorted.is_empty() {
            let found = if self.finder.is_sorted_by_hand(&self.query) {
                self.next_sorted().await?
            } else {
                let page = self.finder.page(&self.query).await?;
                self.done = page.next.is_none();
                self.query.after = page.next;
                page.found
            };
            if !found.is_empty() {
                return Ok(Some(found));
            }
            tokio::task::yield_now().await;
        }
        Ok(None)
    }

    async fn next_sorted(&mut self) -> Result<Vec<Found>, FindError> {
        let Some(order) = self.query.order.clone() else { return Ok(Vec::new()) };
        if self.sorted.is_empty() {
            let places = self.finder.sorted(&self.query, &order, MAX_SORTED).await?;
            self.done = places.len() < MAX_SORTED;
            self.query.after = places.last().map(cursor);
            self.sorted = places.into();
        }
        let count = self.query.limit.clamp(1, MAX_PAGE).min(self.sorted.len());
        let places: Vec<Place> = self.sorted.drain(..count).collect();
        self.finder.load(&self.query, &places).await
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
        query.filter.check()?;
        if query.limit == 0 {
            return Ok(Page::default());
        }
        match &query.order {
            None | Some(Order { field: Field::Id, descending: false }) => self.by_id(query).await,
            Some(order) => {
                order.check()?;
                let limit = query.limit.min(MAX_PAGE);
                let places = self.sorted(query, order, limit).await?;
                let next = if places.len() < limit { None } else { places.last().map(cursor) };
                Ok(Page { found: self.load(query, &places).await?, next })
            }
        }
    }

    /// All devices that a query is about; its `limit` is how many come at once.
    pub fn stream(&self, query: Query) -> Matches {
        Matches { finder: self.clone(), query, done: false, sorted: Default::default() }
    }

    /// How many devices a filter is about.
    ///
    /// # Errors
    /// As [`Finder::page`].
    pub async fn count(&self, filter: &Filter, reach: &Reach) -> Result<u64, FindError> {
        filter.check()?;
        let looker = Looker::new(filter, reach, self.clock.now());
        if looker.takes_all() && reach.is_whole() {
            return Ok(self.store.health().devices);
        }
        let mut count = 0;
        let mut after: Option<DeviceId> = None;
        loop {
            let devices = self.store.devices(after.as_ref(), CHUNK).await?;
            for device in &devices {
                count += u64::from(looker.look(&*self.store, device).await?.is_some());
            }
            if devices.len() < CHUNK {
                return Ok(count);
            }
            after = devices.last().map(|device| device.id.clone());
            tokio::task::yield_now().await;
        }
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

/// How many devices one page looks at.
const fn looks(looker: &Looker) -> usize {
    if looker.needs_tree() { MAX_DEEP_LOOKS } else { MAX_LOOKS }
}

impl Finder {
    /// One page in the order of ids.
    async fn by_id(&self, query: &Query) -> Result<Page, FindError> {
        let looker = Looker::new(&query.filter, &query.reach, self.clock.now());
        let limit = query.limit.min(MAX_PAGE);
        let mut after = query.after.as_deref().map(read_id).transpose()?;
        let mut page = Page::default();
        let mut looked = 0;
        loop {
            let chunk = CHUNK.min(limit.max(16));
            let devices = self.store.devices(after.as_ref(), chunk).await?;
            let is_last = devices.len() < chunk;
            for device in devices {
                looked += 1;
                after = Some(device.id.clone());
                if let Some(loaded) = looker.look(&*self.store, &device).await? {
                    page.found.push(loaded.found(&self.store, device, query.with_tree).await?);
                    if page.found.len() == limit {
                        page.next = after.map(|id| id.to_string());
                        return Ok(page);
                    }
                }
            }
            if is_last {
                return Ok(page);
            }
            if looked >= looks(&looker) {
                page.next = after.map(|id| id.to_string());
                return Ok(page);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Whether a query's order is made by looking at all devices.
    fn is_sorted_by_hand(&self, query: &Query) -> bool {
        let order = query.order.as_ref();
        order.is_some_and(|order| order.field != Field::Id || order.descending)
    }

    /// The first places of an order that no index gives: all devices are looked at.
    async fn sorted(
        &self,
        query: &Query,
        order: &Order,
        limit: usize,
    ) -> Result<Vec<Place>, FindError> {
        query.filter.check()?;
        order.check()?;
        let looker = Looker::new(&query.filter, &query.reach, self.clock.now());
        let from = query.after.as_deref().map(read_cursor).transpose()?;
        let is_deep = looker.needs_tree() || order.field.needs_tree();
        let most = if is_deep { MAX_SORTED / 10 } else { MAX_SORTED };
        let mut best = Best { places: BinaryHeap::new(), limit, descending: order.descending };
        let mut looked = 0;
        let mut after: Option<DeviceId> = None;
        loop {
            let devices = self.store.devices(after.as_ref(), CHUNK).await?;
            looked += devices.len();
            if looked > most {
                return Err(FilterError(format!(
                    "no index gives this order, and more than {most} devices would have to be put in it: narrow the filter by something that is indexed, or order by another field"
                ))
                .into());
            }
            for device in &devices {
                let Some(mut loaded) = looker.look(&*self.store, device).await? else { continue };
                let place = looker.place(&*self.store, order, device, &mut loaded).await?;
                best.offer(place, from.as_ref());
            }
            if devices.len() < CHUNK {
                return Ok(best.into_sorted());
            }
            after = devices.last().map(|device| device.id.clone());
            tokio::task::yield_now().await;
        }
    }

    /// The devices of these places, as far as they are still meant.
    async fn load(&self, query: &Query, places: &[Place]) -> Result<Vec<Found>, FindError> {
        let looker = Looker::new(&query.filter, &query.reach, self.clock.now());
        let mut found = Vec::with_capacity(places.len());
        for place in places {
            let Some(device) = self.store.device(&place.id).await? else { continue };
            if let Some(loaded) = looker.look(&*self.store, &device).await? {
                found.push(loaded.found(&self.store, device, query.with_tree).await?);
            }
        }
        Ok(found)
    }
}

/// The first places of an order among all that were offered.
struct Best {
    places: BinaryHeap<Ranked>,
    limit: usize,
    descending: bool,
}

/// A place that comes the later the greater it is.
#[derive(PartialEq, Eq)]
struct Ranked(Place, bool);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = self.0.cmp(&other.0);
        if self.1 { order.reverse() } else { order }
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Best {
    fn offer(&mut self, place: Place, from: Option<&Place>) {
        let is_behind =
            from.is_none_or(|from| if self.descending { place < *from } else { place > *from });
        if !is_behind {
            return;
        }
        self.places.push(Ranked(place, self.descending));
        if self.places.len() > self.limit {
            self.places.pop();
        }
    }

    fn into_sorted(self) -> Vec<Place> {
        self.places.into_sorted_vec().into_iter().map(|ranked| ranked.0).collect()
    }
}
